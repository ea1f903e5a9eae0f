package hours

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybook/ical"
)

// minutesOf tells of each minute of the week whether it is open.
func minutesOf(all []Opening) (open [minuteOfWeek]bool) {
	for _, o := range all {
		for _, s := range o.Slices() {
			for m := s.Start / 60; m <= s.End/60; m++ {
				open[int(s.Day)*minuteOfDay+int(m)] = true
			}
		}
	}
	return open
}

func TestNormalSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(openings, 0, 6).Draw(t, "openings")
		got := Normal(all)
		if minutesOf(got) != minutesOf(all) {
			t.Fatalf("%v became %v", all, got)
		}
		if bad := OverlappingHours(got); len(bad) > 0 {
			t.Fatalf("%v became %v, which overlap", all, got)
		}
		if again := Normal(got); !slices.Equal(again, got) {
			t.Fatalf("%v became %v, then %v", all, got, again)
		}
	})
}

func TestNormalForms(t *testing.T) {
	night := Opening{time.Friday, 18 * 3600, time.Saturday, 2*3600 - 60}
	sunday := Opening{time.Sunday, 22 * 3600, time.Monday, 1*3600 - 60}
	for _, x := range []struct{ have, want []Opening }{
		{[]Opening{{time.Friday, 18 * 3600, time.Friday, LastMinute}, {time.Saturday, 0, time.Saturday, 2*3600 - 60}}, []Opening{night}},
		{[]Opening{sunday}, []Opening{sunday}},
		{
			[]Opening{{time.Friday, 18 * 3600, time.Sunday, 2*3600 - 60}},
			[]Opening{{time.Friday, 18 * 3600, time.Friday, LastMinute}, {time.Saturday, 0, time.Saturday, LastMinute}, {time.Sunday, 0, time.Sunday, 2*3600 - 60}},
		},
	} {
		if got := Normal(x.have); !slices.Equal(got, x.want) {
			t.Errorf("%v: %v, want %v", x.have, got, x.want)
		}
	}
	if got := Normal([]Opening{{time.Monday, 0, time.Monday, 0}, {time.Monday, 60, time.Sunday, LastMinute}}); len(got) != 7 {
		t.Errorf("%v", got)
	}
}

// A week that is written and changed says what was wanted; components whose
// opening stays keep their bytes.
func TestWeeksAreEdited(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		z := zones.Draw(rt, "zone")
		draw := func(label string) []Opening {
			all := rapid.SliceOfN(openings, 0, 5).Draw(rt, label)
			return Normal(all)
		}
		c := &Calendar{Hours: draw("first")}
		o, err := NewWeek(c, z, now)
		if err != nil {
			rt.Fatal(err)
		}
		if got := Normal(ReadCalendar(o, z).Hours); !slices.Equal(got, c.Hours) {
			rt.Fatalf("wrote %v, read %v", c.Hours, got)
		}
		next := &Calendar{Hours: draw("second")}
		if n := len(c.Hours); n > 0 && rapid.Bool().Draw(rt, "keep one") {
			next.Hours = Normal(append(next.Hours, c.Hours[rapid.IntRange(0, n-1).Draw(rt, "kept")]))
		}
		changed, err := EditWeek(o, next, z, now.Add(time.Hour))
		if err != nil {
			rt.Fatal(err)
		}
		if got := Normal(ReadCalendar(changed, z).Hours); !slices.Equal(got, next.Hours) {
			rt.Fatalf("wanted %v, read %v", next.Hours, got)
		}
		if slices.Equal(c.Hours, next.Hours) && string(o.Data()) != string(changed.Data()) {
			rt.Fatal("nothing was to be changed")
		}
		if text := string(changed.Data()); strings.Contains(text, propOpening) || strings.Contains(text, propServicePoint) || strings.Contains(text, "\nDTSTART;TZID="+z.Name()+":0001") {
			rt.Fatal(text)
		}
	})
}

// What a calendar client has made as one stays one.
func TestAWeekOfAClientKeepsItsComponents(t *testing.T) {
	z := zone(t, "Europe/Berlin")
	text := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VAVAILABILITY
UID:week
DTSTAMP:20310101T000000Z
BEGIN:AVAILABLE
UID:a
DTSTAMP:20310101T000000Z
DTSTART;TZID=Europe/Berlin:20310103T180000
DTEND;TZID=Europe/Berlin:20310104T020000
RRULE:FREQ=WEEKLY
X-MINE:yes
END:AVAILABLE
END:VAVAILABILITY
END:VCALENDAR
`, "\n", "\r\n")
	o, err := ical.ParseResource([]byte(text), ical.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Calendar{Hours: append(ReadCalendar(o, z).Hours, Opening{time.Monday, 9 * 3600, time.Monday, 12*3600 - 60})}
	got, err := EditWeek(o, want, z, now)
	if err != nil {
		t.Fatal(err)
	}
	first := text[strings.Index(text, "BEGIN:AVAILABLE"):strings.Index(text, "END:VAVAILABILITY")]
	if !strings.Contains(string(got.Data()), first) || strings.Count(string(got.Data()), "BEGIN:AVAILABLE") != 2 {
		t.Errorf("%s", got.Data())
	}
}
