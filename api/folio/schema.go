package folio

import (
	"reflect"
	"strings"
	"time"

	"daybook/api/rest"
)

// What the values of requests look like; see [rest.Schemer].

func (ident) Schema() rest.Schema { return rest.Schema{Type: "string", Format: "uuid"} }

func (day) Schema() rest.Schema { return rest.Schema{Type: "string", Format: "date"} }

func (clock) Schema() rest.Schema {
	return rest.Schema{Type: "string", Pattern: "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$", Doc: "HH:MM or HH:MM:SS; an end is the last minute that is open."}
}

func (weekday) Schema() rest.Schema {
	out := rest.Schema{Type: "string"}
	for d := time.Sunday; d <= time.Saturday; d++ {
		out.Enum = append(out.Enum, strings.ToUpper(d.String()))
	}
	return out
}

func (truth) Schema() rest.Schema { return rest.Schema{Type: "boolean"} }

// Schema is that of [rest.Schemer].
func (Code) Schema() rest.Schema {
	out := rest.Schema{Type: "string"}
	for _, c := range []Code{
		InvalidParameter, InvalidRequest, ServerError, CalendarNotFound, NoName, InvalidDateRange, DateOverlap, InvalidNormalOpenings,
		InvalidExceptionName, InvalidExceptionOrder, InvalidExceptionBoundary, InvalidExceptions, InvalidOpeningBoundary,
		InvalidExceptionOpenings,
	} {
		out.Enum = append(out.Enum, string(c))
	}
	return out
}

// Shape is that of [rest.Shaper].
func (errorWriter) Shape(int) (string, reflect.Type) {
	return "application/json", reflect.TypeFor[ErrorBody]()
}
