package house

import (
	"strings"
	"time"

	"daybook/api/rest"
)

// What the values of requests look like; see [rest.Schemer].

func (moment) Schema() rest.Schema {
	return rest.Schema{Any: []rest.Schema{
		{Type: "string", Format: "date-time", Example: "2027-03-01T09:00:00+01:00"}, {Type: "string", Format: "date", Example: "2027-03-01"},
	}}
}

func (length) Schema() rest.Schema {
	return rest.Schema{Type: "string", Format: "duration", Doc: "At most a day.", Example: "PT15M"}
}

func (object) Schema() rest.Schema { return rest.Schema{Type: "object"} }

func (day) Schema() rest.Schema { return rest.Schema{Type: "string", Format: "date"} }

func (clock) Schema() rest.Schema {
	return rest.Schema{Type: "string", Pattern: "^([01][0-9]|2[0-4]):[0-5][0-9]$", Doc: "HH:MM, up to 24:00."}
}

func (weekday) Schema() rest.Schema {
	out := rest.Schema{Type: "string"}
	for d := range time.Saturday + 1 {
		out.Enum = append(out.Enum, strings.ToLower(d.String()))
	}
	return out
}
