package folio

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"daybook/api/hours"
	"daybook/api/hours/kept"
)

// order is the order of the validation errors of an answer.
var order = [...]Code{
	NoName, InvalidDateRange, DateOverlap, InvalidNormalOpenings, InvalidExceptionName, InvalidExceptionOrder,
	InvalidExceptionBoundary, InvalidExceptions, InvalidOpeningBoundary, InvalidExceptionOpenings,
}

// checker collects what is wrong with a calendar.
type checker struct {
	c          *hours.Calendar
	found      []Error
	exceptions *echo
}

// check gives all that is wrong with a calendar by itself. name is its name as
// it was sent: iCalendar cannot carry every character.
func check(c *hours.Calendar, name string) ([]Error, error) {
	x := &checker{c: c}
	if blank(c.Name) {
		x.add(NoName, "A calendar needs a name.", Values{"name": name}, nil)
	}
	if c.Start > c.End {
		x.add(InvalidDateRange, fmt.Sprintf("The first day, %s, is after the last, %s.", c.Start, c.End),
			Values{"startDate": c.Start.String(), "endDate": c.End.String()}, nil)
	}
	if err := x.hours(); err != nil {
		return nil, err
	}
	var err error
	if x.exceptions, err = newEcho(exceptionsOut(c.Exceptions)); err != nil {
		return nil, err
	}
	x.ranges()
	x.openings()
	return x.found, nil
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

func (x *checker) add(code Code, message string, parameters, data Values) {
	x.found = append(x.found, Error{Code: code, Message: message, Parameters: parameters, Data: data})
}

func (x *checker) addException(code Code, message string, data Values) {
	x.add(code, message, x.exceptions.with("exceptions", nil), data)
}

func (x *checker) hours() error {
	bad := hours.OverlappingHours(x.c.Hours)
	if len(bad) == 0 {
		return nil
	}
	all, err := json.Marshal(hoursOut(x.c.Hours))
	if err != nil {
		return fmt.Errorf("repeat a list: %w", err)
	}
	conflicts := make([]hours.Opening, len(bad))
	for i, j := range bad {
		conflicts[i] = x.c.Hours[j]
	}
	x.add(InvalidNormalOpenings, fmt.Sprintf("%d of the normal hours overlap.", len(bad)),
		Values{"normalHours": json.RawMessage(all)}, Values{"conflicts": hoursOut(conflicts)})
	return nil
}

// ranges checks names and days of the exceptions.
func (x *checker) ranges() {
	all := x.c.Exceptions
	if slices.ContainsFunc(all, func(e hours.Exception) bool { return blank(e.Name) }) {
		x.addException(InvalidExceptionName, "An exception needs a name.", nil)
	}
	for i := range all {
		e := &all[i]
		if e.Start > e.End {
			x.addException(InvalidExceptionOrder, fmt.Sprintf("The exception %s begins after it ends.", quoted(e.Name)),
				Values{"range": exceptionOut(e)})
		}
		if !x.c.Covers(e.Start) || !x.c.Covers(e.End) {
			x.addException(InvalidExceptionBoundary, fmt.Sprintf("The exception %s is outside of the calendar.", quoted(e.Name)),
				Values{"range": exceptionOut(e)})
		}
	}
	if bad := hours.OverlappingExceptions(all); len(bad) > 0 {
		conflicts := make([]ExceptionRange, len(bad))
		for i, j := range bad {
			conflicts[i] = exceptionOut(&all[j])
		}
		x.addException(InvalidExceptions, fmt.Sprintf("%d of the exceptions overlap.", len(bad)), Values{"conflicts": conflicts})
	}
}

// openings checks the openings of the exceptions. An exception that ends
// before it begins has been told of already.
func (x *checker) openings() {
	for i := range x.c.Exceptions {
		e := &x.c.Exceptions[i]
		if e.Start > e.End {
			continue
		}
		outside := func(s hours.Span) bool {
			return s.Start.Date < e.Start || s.Start.Date > e.End || s.End.Date < e.Start || s.End.Date > e.End
		}
		if slices.ContainsFunc(e.Openings, outside) {
			x.addException(InvalidOpeningBoundary, fmt.Sprintf("The exception %s has openings outside of its days.", quoted(e.Name)), nil)
		}
		if slices.ContainsFunc(e.Openings, hours.Span.Backward) || hours.SpansOverlap(e.Openings) {
			x.addException(InvalidExceptionOpenings, fmt.Sprintf("The exception %s has openings that overlap or end before they start.", quoted(e.Name)), nil)
		}
	}
}

func quoted(name string) string { return "“" + clip(name) + "”" }

// overlaps gives an error for each other calendar that shares a service point
// and a day with c, in the order of their days. It is asked inside the write.
func overlaps(x *kept.Index, c *hours.Calendar) ([]Error, error) {
	shared := x.Overlapping(c)
	if len(shared) == 0 {
		return nil, nil
	}
	assignments, err := newEcho(texts(c.ServicePoints))
	if err != nil {
		return nil, err
	}
	out := make([]Error, 0, len(shared))
	for _, other := range shared {
		out = append(out, Error{
			Code:       DateOverlap,
			Message:    fmt.Sprintf("The dates collide with %s (%s to %s).", quoted(other.Name), other.Start, other.End),
			Parameters: assignments.with("assignments", Values{"startDate": c.Start.String(), "endDate": c.End.String()}),
			Data:       Values{"conflictingServicePointIds": texts(other.Shared)},
		})
	}
	return out, nil
}

// judge gives the answer to all that is wrong, nil if nothing is.
func judge(found, overlapping []Error) error {
	if len(found)+len(overlapping) == 0 {
		return nil
	}
	f := &failure{http.StatusBadRequest, slices.Concat(found, overlapping)}
	if len(overlapping) > 0 {
		f.status = http.StatusConflict
	}
	slices.SortStableFunc(f.errors, func(a, b Error) int {
		return cmp.Compare(slices.Index(order[:], a.Code), slices.Index(order[:], b.Code))
	})
	return f.asProblem()
}
