package ical

import "testing"

func BenchmarkFilterMatch(b *testing.B) {
	o, err := Parse([]byte(plainEvent), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]*Filter{
		"time":  fltTop(fltIn("VEVENT", "20260112T000000Z/20260119T000000Z")),
		"text":  fltProps("VEVENT", fltText("SUMMARY", "planning")),
		"uid":   fltProps("VEVENT", PropFilter{Name: "UID", Text: &TextMatch{Text: "0f3b7c0e", Collation: CollationOctet}}),
		"alarm": fltTop(Filter{Name: "VEVENT", Comps: []Filter{fltIn("VALARM", "20260112T000000Z/20260119T000000Z")}}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Match(o, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSelectExpand(b *testing.B) {
	o, err := Parse([]byte(plainEvent), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	s := &Selection{Expand: fltRange("20260101T000000Z/20260201T000000Z")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Select(s); err != nil {
			b.Fatal(err)
		}
	}
}
