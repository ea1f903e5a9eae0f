package folio

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybook/api/hours"
	"daybook/api/rest"
)

// §6 of the contract once more, with the plainest rules: minutes are counted
// one by one, and everything is compared with everything.

// told is what a client can tell apart of an error.
type told struct {
	Code             Code
	Parameters, Data string // as JSON
}

func naiveErrors(c *hours.Calendar) (out []told) {
	exceptions := Values{"exceptions": exceptionsOut(c.Exceptions)}
	add := func(code Code, parameters, data Values) { out = append(out, tell(Error{code, "", data, parameters})) }
	if strings.TrimSpace(c.Name) == "" {
		add(NoName, Values{"name": c.Name}, nil)
	}
	if c.Start > c.End {
		add(InvalidDateRange, Values{"startDate": c.Start.String(), "endDate": c.End.String()}, nil)
	}
	if bad := naiveConflicts(c.Hours, func(a, b hours.Opening) bool { return len(both(weekMinutes(a), weekMinutes(b))) > 0 }); bad != nil {
		add(InvalidNormalOpenings, Values{"normalHours": hoursOut(c.Hours)}, Values{"conflicts": hoursOut(bad)})
	}
	var forward []hours.Exception
	noName := false
	for _, e := range c.Exceptions {
		noName = noName || strings.TrimSpace(e.Name) == ""
		if e.Start <= e.End {
			forward = append(forward, e)
		}
	}
	if noName {
		add(InvalidExceptionName, exceptions, nil)
	}
	for _, e := range c.Exceptions {
		if e.Start > e.End {
			add(InvalidExceptionOrder, exceptions, Values{"range": exceptionOut(&e)})
		}
	}
	for _, e := range c.Exceptions {
		if e.Start < c.Start || e.Start > c.End || e.End < c.Start || e.End > c.End {
			add(InvalidExceptionBoundary, exceptions, Values{"range": exceptionOut(&e)})
		}
	}
	if bad := naiveConflicts(forward, func(a, b hours.Exception) bool { return a.Start <= b.End && b.Start <= a.End }); bad != nil {
		add(InvalidExceptions, exceptions, Values{"conflicts": exceptionsOut(bad)})
	}
	for _, e := range forward {
		for _, s := range e.Openings {
			if s.Start.Date < e.Start || s.Start.Date > e.End || s.End.Date < e.Start || s.End.Date > e.End {
				add(InvalidOpeningBoundary, exceptions, nil)
				break
			}
		}
	}
	for _, e := range forward {
		backward := slices.ContainsFunc(e.Openings, func(s hours.Span) bool { return s.End.Wall().Before(s.Start.Wall()) })
		if backward || naiveConflicts(e.Openings, func(a, b hours.Span) bool { return len(both(spanMinutes(a), spanMinutes(b))) > 0 }) != nil {
			add(InvalidExceptionOpenings, exceptions, nil)
		}
	}
	return out
}

// naiveConflicts gives the members that are at odds with another, nil for none.
func naiveConflicts[T any](all []T, at func(a, b T) bool) (out []T) {
	for i, a := range all {
		for j, b := range all {
			if i != j && at(a, b) {
				out = append(out, a)
				break
			}
		}
	}
	return out
}

// weekMinutes walks the minutes of an opening from its start to its end.
func weekMinutes(o hours.Opening) map[int]bool {
	out := map[int]bool{}
	first, last := int(o.StartDay)*1440+int(o.Start/60), int(o.EndDay)*1440+int(o.End/60)
	for m := first; ; m = (m + 1) % 10080 {
		out[m] = true
		if m == last {
			return out
		}
	}
}

func spanMinutes(s hours.Span) map[int]bool {
	out := map[int]bool{}
	for m, last := s.Start.Wall().Truncate(time.Minute), s.End.Wall(); !m.After(last); m = m.Add(time.Minute) {
		out[int(m.Unix()/60)] = true
	}
	return out
}

func both(a, b map[int]bool) (out []int) {
	for m := range a {
		if b[m] {
			out = append(out, m)
		}
	}
	return out
}

func tell(e Error) told {
	text := func(v Values) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	return told{e.Code, text(e.Parameters), text(e.Data)}
}

// calendarsToJudge draws calendars around two weeks of July 2031, right and
// wrong ones.
var calendarsToJudge = rapid.Custom(func(t *rapid.T) *hours.Calendar {
	july1, err := hours.ParseDate("2031-07-01")
	if err != nil {
		t.Fatal(err)
	}
	day := func(name string) hours.Date { return july1 + hours.Date(rapid.IntRange(0, 13).Draw(t, name)) }
	clock := func(name string, seconds ...int) hours.Clock {
		h := rapid.SampledFrom([]int{0, 9, 11, 12, 23}).Draw(t, name)
		m := rapid.SampledFrom([]int{0, 59}).Draw(t, name)
		return hours.Clock(h*3600 + m*60 + rapid.SampledFrom(append(seconds, 0)).Draw(t, name))
	}
	name := func() string { return rapid.SampledFrom([]string{"a", "b", "", " \t"}).Draw(t, "name") }
	c := &hours.Calendar{Name: name(), Start: day("start"), End: day("end")}
	if rapid.Bool().Draw(t, "wide") {
		c.Start, c.End = july1, july1+13
	}
	for range rapid.IntRange(0, 4).Draw(t, "hours") {
		weekday := func() time.Weekday { return time.Weekday(rapid.IntRange(0, 6).Draw(t, "weekday")) }
		o := hours.Opening{StartDay: weekday(), Start: clock("from"), EndDay: weekday(), End: clock("to")}
		if rapid.Bool().Draw(t, "one day") {
			o.EndDay = o.StartDay
		}
		c.Hours = append(c.Hours, o)
	}
	for range rapid.IntRange(0, 4).Draw(t, "exceptions") {
		e := hours.Exception{Name: name(), Start: day("first")}
		e.End = e.Start + hours.Date(rapid.IntRange(-1, 3).Draw(t, "length"))
		for range rapid.IntRange(0, 3).Draw(t, "openings") {
			s := hours.Span{Start: hours.Moment{Date: e.Start, Clock: clock("from", 30)}}
			s.Start.Date += hours.Date(rapid.IntRange(0, 2).Draw(t, "after"))
			s.End = hours.Moment{Date: s.Start.Date + hours.Date(rapid.IntRange(0, 1).Draw(t, "days")), Clock: clock("to", 30)}
			e.Openings = append(e.Openings, s)
		}
		e.Openings = distinct(e.Openings)
		c.Exceptions = append(c.Exceptions, e)
	}
	c.Hours, c.Exceptions = distinct(c.Hours), distinctExceptions(c.Exceptions)
	return c
})

// §6 [ref]: every check runs, all errors come back in the order of the table,
// with their parameters and data.
func TestRefValidationAgainstTheNaiveOne(t *testing.T) {
	seen := map[Code]int{}
	rapid.Check(t, func(rt *rapid.T) {
		c := calendarsToJudge.Draw(rt, "calendar")
		found, err := check(c, c.Name)
		if err != nil {
			rt.Fatal(err)
		}
		var got []told
		if err := judge(found, nil); err != nil {
			p, _ := errors.AsType[*rest.Problem](err)
			f, _ := errors.AsType[*failure](p.Err)
			for _, e := range f.errors {
				got = append(got, tell(e))
				seen[e.Code]++
			}
		}
		if want := naiveErrors(c); !slices.Equal(got, want) {
			rt.Fatalf("got\n%s\nwant\n%s", lines(got), lines(want))
		}
	})
	for _, code := range order {
		if !testing.Short() && code != DateOverlap && seen[code] == 0 { // a short test draws few
			t.Errorf("%s was never drawn", code)
		}
	}
}

func lines(all []told) string {
	var b strings.Builder
	for _, e := range all {
		fmt.Fprintf(&b, "%s %s %s\n", e.Code, e.Parameters, e.Data)
	}
	return b.String()
}
