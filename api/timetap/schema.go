package timetap

import (
	"reflect"

	"daybook/api/rest"
)

// What the values of requests look like; see [rest.Schemer].

func (ident) Schema() rest.Schema {
	return rest.Schema{Type: "integer", Format: "int64", Doc: "An id that the lists give."}
}

func (day) Schema() rest.Schema { return rest.Schema{Type: "string", Format: "date"} }

func (eventType) Schema() rest.Schema {
	out := rest.Schema{Type: "string"}
	for _, t := range eventTypes {
		out.Enum = append(out.Enum, string(t))
	}
	return out
}

// Shape is that of [rest.Shaper].
func (errorWriter) Shape(int) (string, reflect.Type) {
	return "application/problem+json", reflect.TypeFor[problem]()
}
