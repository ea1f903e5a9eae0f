package sign

import (
	"fmt"
	"slices"

	"daybook/api/hours"
)

// Schema is a place with its hours in the words of schema.org, to be written
// as JSON-LD.
type Schema struct {
	Context string          `json:"@context"`
	Type    string          `json:"@type"`
	ID      string          `json:"@id"`
	Name    string          `json:"name,omitempty"`
	Weekly  []Specification `json:"openingHoursSpecification,omitempty"`
	Special []Specification `json:"specialOpeningHoursSpecification,omitempty"`
}

// Specification is schema.org's OpeningHoursSpecification. Times are wall
// clocks at the place; one that closes before it opens closes on the next day,
// and 00:00 to 00:00 is closed, as search engines read it.
type Specification struct {
	Type    string   `json:"@type"`
	Days    []string `json:"dayOfWeek,omitempty"`
	Opens   string   `json:"opens"`
	Closes  string   `json:"closes"`
	From    string   `json:"validFrom,omitempty"`    // first day
	Through string   `json:"validThrough,omitempty"` // last day
}

// Schema gives the hours in the words of schema.org. Weekly hours have dates
// only where there is more than one season; a special day replaces them. Where
// nothing is known there are no hours.
func (s *Sign) Schema() Schema {
	out := Schema{Context: "https://schema.org", Type: "Place", ID: "urn:uuid:" + s.ID.String(), Name: s.Name}
	if !s.Known {
		return out
	}
	days, eve := s.nights()
	all := seasons(days, s.From)
	for _, x := range all {
		var from, through string
		if len(all) > 1 {
			from, through = x.from.String(), x.to.String()
		}
		for _, g := range groups(x.week, slices.Equal[[]Stretch]) {
			out.Weekly = append(out.Weekly, specifications(g.value, schemaDays(g.days, x), from, through)...)
		}
		for _, e := range x.except {
			out.Special = append(out.Special, specifications(e.open, nil, e.from.String(), e.to.String())...)
		}
	}
	// The night before the first day is told by a rule without dates, or not at all.
	d, told := s.From-1, int32(0)
	if len(all) == 1 {
		told = night(all[0].week[d.Weekday()])
	}
	if night(eve) != told {
		out.Special = append(out.Special, specifications(eve, nil, d.String(), d.String())...)
	}
	return out
}

// schemaDays names the days of a week, without those that a short season does
// not have.
func schemaDays(days []int, x season) []string {
	names := [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	out := []string{} // nil would be all of them
	for _, d := range days {
		first := x.from + hours.Date((d+1-int(x.from.Weekday())+7)%7)
		if first <= x.to {
			out = append(out, "https://schema.org/"+names[d])
		}
	}
	return out
}

// specifications writes one for each stretch, or one that says closed. days is
// nil for dates.
func specifications(open []Stretch, days []string, from, through string) []Specification {
	if days != nil && len(days) == 0 {
		return nil
	}
	one := Specification{Type: "OpeningHoursSpecification", Days: days, Opens: "00:00", Closes: "00:00", From: from, Through: through}
	if len(open) == 0 {
		return []Specification{one}
	}
	out := make([]Specification, len(open))
	for i, x := range open {
		one.Opens, one.Closes = schemaTime(x.Start), schemaTime(x.End%wholeDay)
		if x == always[0] {
			one.Closes = "23:59"
		}
		out[i] = one
	}
	return out
}

func schemaTime(sec int32) string {
	text := fmt.Sprintf("%02d:%02d", sec/3600, sec/60%60)
	if sec%60 != 0 {
		text += fmt.Sprintf(":%02d", sec%60)
	}
	return text
}
