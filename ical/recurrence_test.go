package ical

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"daybook/ical/span"
)

// recurCase is one case of testdata/recurrence.json.gz: an object, a window
// and the instances that overlap it. Those of testdata/differences.json are
// rules that other engines answer otherwise (see difftest); their policy is the
// verdict.
type recurCase struct {
	Name         string
	Class        string
	ICS          string `json:"ics"`
	FloatingZone string `json:"floating_zone"`
	Window       struct{ Start, End time.Time }
	Expect       []struct {
		Start, End   time.Time
		RecurrenceID string `json:"recurrence_id"`
	}
	Strict bool
	Policy string
}

func readRecurCases(tb testing.TB) []recurCase {
	tb.Helper()
	f, err := os.Open("testdata/recurrence.json.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var cases, more []recurCase
	if err := json.NewDecoder(z).Decode(&cases); err != nil {
		tb.Fatal(err)
	}
	data, err := os.ReadFile("testdata/differences.json")
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, &more); err != nil {
		tb.Fatal(err)
	}
	return append(cases, more...)
}

func (c *recurCase) expected() []string {
	var all []string
	for _, e := range c.Expect {
		all = append(all, fmt.Sprintf("%s %s %s", e.Start.Format(time.RFC3339), e.End.Format(time.RFC3339), e.RecurrenceID))
	}
	return all
}

func (c *recurCase) expand(tb testing.TB) []string {
	tb.Helper()
	o, err := Parse([]byte(c.ICS), DefaultLimits)
	if err != nil {
		tb.Fatal(err)
	}
	zone := LookupZone(c.FloatingZone)
	list, err := o.Instances(Expand{Window: span.Span{Start: c.Window.Start, End: c.Window.End}, Zone: zone})
	if err != nil {
		tb.Fatal(err)
	}
	master := o.Master()
	var all []string
	for i := range list {
		rid := list[i].RecurrenceID
		text := rid.Format(utcLayout)
		if form := ridForm(o, &list[i], master); form == Date {
			text = zone.Wall(rid).Format("20060102")
		}
		all = append(all, fmt.Sprintf("%s %s %s", list[i].Start.Format(time.RFC3339), list[i].End.Format(time.RFC3339), text))
	}
	return all
}

// ridForm gives how the corpus writes a RECURRENCE-ID: as a date when DTSTART
// of the master is one.
func ridForm(o *Object, i *Instance, master *Component) Form {
	if master == nil {
		t, _ := o.Time(i.Component.Line("RECURRENCE-ID"))
		return t.Form
	}
	t, _ := o.Time(master.Line("DTSTART"))
	return t.Form
}

func TestRecurrenceCorpus(t *testing.T) {
	for _, c := range readRecurCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			got, want := c.expand(t), c.expected()
			for i := range max(len(got), len(want)) {
				g, w := "none", "none"
				if i < len(got) {
					g = got[i]
				}
				if i < len(want) {
					w = want[i]
				}
				if g != w {
					t.Fatalf("strict=%v, instance %d of %d (%d wanted):\n got %s\nwant %s\n%s\n%s", c.Strict, i, len(got), len(want), g, w,
						c.Policy, strings.ReplaceAll(c.ICS, "\r", ""))
				}
			}
		})
	}
}
