package hours

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"daybook/ical"
)

// normal gives a calendar the form in which equal ones are deeply equal.
func normal(c Calendar) Calendar {
	if len(c.ServicePoints) == 0 {
		c.ServicePoints = nil
	}
	if len(c.Hours) == 0 {
		c.Hours = nil
	}
	c.ID, c.Exceptions = uuid.Nil, nil
	return c
}

func sameCalendar(t *rapid.T, got Calendar, want *Calendar, o *ical.Object) {
	t.Helper()
	if g, w := normal(got), normal(*want); !reflect.DeepEqual(g, w) {
		t.Fatalf("got  %+v\nwant %+v\n%s", g, w, o.Data())
	}
}

// MAPPING "Hours → VAVAILABILITY": what is written is read back.
func TestCalendarsSurviveTheirObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z, c := zones.Draw(t, "zone"), calendars(around-400, around+400).Draw(t, "calendar")
		o, err := NewCalendar(c, z, now)
		if err != nil {
			t.Fatal(err)
		}
		if role, _ := RoleOf(o); role != IsCalendar || o.UID() != c.ID.String() {
			t.Fatal(role, o.UID())
		}
		sameCalendar(t, ReadCalendar(o, z), c, o)
	})
}

func TestExceptionsSurviveTheirObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z, e := zones.Draw(t, "zone"), exceptions(around-30, around+30).Draw(t, "exception")
		o, err := NewException(&e, "uid", Parent{UID: "parent, of; it"}, 7, z, now)
		if err != nil {
			t.Fatal(err)
		}
		if role, parent := RoleOf(o); role != IsException || parent != "parent, of; it" {
			t.Fatal(role, parent)
		}
		if got, place := ReadException(o, z); !got.Equal(&e) || place != 7 {
			t.Fatalf("got %+v at %d\nwant %+v\n%s", got, place, e, o.Data())
		}
	})
}

// foreign are lines and components that the mapping has no word for.
const (
	foreignLine  = "X-FOREIGN;P=\"a,b\":kept as it is\r\n"
	foreignAlarm = "COMMENT:folded in a way that is\r\n  not ours\r\n"
	foreignEvery = "BEGIN:AVAILABLE\r\nUID:every-other-week\r\nDTSTAMP:20310101T000000Z\r\nDTSTART:20310603T090000Z\r\n" +
		"DTEND:20310603T100000Z\r\nRRULE:FREQ=WEEKLY;INTERVAL=2\r\n" + foreignLine + "END:AVAILABLE\r\n"
)

func parse(t testing.TB, text string) *ical.Object {
	t.Helper()
	o, err := ical.ParseResource([]byte(text), ical.Limits{})
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

// decorated puts foreign lines into an object.
func decorated(o *ical.Object) string {
	text := string(o.Data())
	text = strings.Replace(text, "PRIORITY:", foreignLine+foreignAlarm+"PRIORITY:", 1)
	return strings.Replace(text, "END:VAVAILABILITY", foreignEvery+"END:VAVAILABILITY", 1)
}

// MAPPING "one edit of the bytes": an edit gives what is wanted, keeps what it
// does not name, and keeps the components of openings that stay.
func TestEditsKeepWhatTheyDoNotName(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		z, a, b := zones.Draw(rt, "zone"), calendars(around-100, around+100).Draw(rt, "a"), calendars(around-100, around+100).Draw(rt, "b")
		b.Hours = slices.Concat(b.Hours, rapid.SliceOfN(rapid.SampledFrom(append(a.Hours, Opening{})), 0, 3).Draw(rt, "kept"))
		b.UpdatedBy = uuid.NullUUID{UUID: uuid.Max, Valid: true}
		o, err := NewCalendar(a, z, now)
		if err != nil {
			rt.Fatal(err)
		}
		o = parse(t, decorated(o))
		edited, err := EditCalendar(o, b, z, now)
		if err != nil {
			rt.Fatal(err)
		}
		sameCalendar(rt, ReadCalendar(edited, z), b, edited)
		text := string(edited.Data())
		for _, s := range []string{foreignLine + foreignAlarm, foreignEvery} {
			if strings.Count(text, s) != 1 {
				rt.Fatalf("%q is not once in\n%s", s, text)
			}
		}
		back, err := EditCalendar(edited, a, z, now)
		if err != nil {
			rt.Fatal(err)
		}
		sameCalendar(rt, ReadCalendar(back, z), a, back)
	})
}

func TestAnEditThatChangesNothingTouchesItsStampsAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		z, c := zones.Draw(rt, "zone"), calendars(around-100, around+100).Draw(rt, "calendar")
		o, err := NewCalendar(c, z, now)
		if err != nil {
			rt.Fatal(err)
		}
		before := decorated(o)
		later := now.Add(time.Hour)
		d := *c
		d.Updated = later
		edited, err := EditCalendar(parse(t, before), &d, z, later)
		if err != nil {
			rt.Fatal(err)
		}
		at := strings.Index(before, "BEGIN:VAVAILABILITY")
		head := before[at:]
		head = strings.Replace(head, "DTSTAMP:"+stamp(now), "DTSTAMP:"+stamp(later), 1)
		head = strings.Replace(head, "LAST-MODIFIED;X-MS=999:"+stamp(now), "LAST-MODIFIED:"+stamp(later), 1)
		if want := before[:at] + head; string(edited.Data()) != want {
			rt.Fatalf("got\n%s\nwant\n%s", edited.Data(), want)
		}
	})
}

func TestEditsOfExceptions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		z, a, b := zones.Draw(rt, "zone"), exceptions(around-9, around+9).Draw(rt, "a"), exceptions(around-9, around+9).Draw(rt, "b")
		o, err := NewException(&a, "uid", Parent{UID: "parent"}, 1, z, now)
		if err != nil {
			rt.Fatal(err)
		}
		o = parse(t, decorated(o))
		same, err := EditException(o, &a, Parent{UID: "parent"}, 1, z, now)
		if err != nil || same != o {
			rt.Fatal("an edit without a change made a new object", err)
		}
		edited, err := EditException(o, &b, Parent{UID: "parent"}, 2, z, now)
		if err != nil {
			rt.Fatal(err)
		}
		if got, place := ReadException(edited, z); !got.Equal(&b) || place != 2 {
			rt.Fatalf("got %+v at %d\nwant %+v\n%s", got, place, b, edited.Data())
		}
		for _, s := range []string{foreignLine + foreignAlarm, foreignEvery} {
			if strings.Count(string(edited.Data()), s) != 1 {
				rt.Fatalf("%q is not once in\n%s", s, edited.Data())
			}
		}
	})
}

func availability(lines string, available ...string) string {
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VAVAILABILITY\nUID:u\nPRIORITY:5\n" + lines
	for i, a := range available {
		text += "BEGIN:AVAILABLE\nUID:a" + string(rune('0'+i)) + "\n" + a + "\nEND:AVAILABLE\n"
	}
	return strings.ReplaceAll(text+"END:VAVAILABILITY\nEND:VCALENDAR\n", "\n", "\r\n")
}

// What calendar clients write, read as weekly hours.
func TestClientsWeeklyHours(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	mo, tu, fr, sa := time.Monday, time.Tuesday, time.Friday, time.Saturday
	for name, c := range map[string]struct {
		available string
		want      []Opening
	}{
		"two days":          {"DTSTART;TZID=Europe/Berlin:20310602T090000\nDTEND;TZID=Europe/Berlin:20310602T120000\nRRULE:FREQ=WEEKLY;BYDAY=TU,MO", []Opening{{mo, 9 * 3600, mo, 12*3600 - 60}, {tu, 9 * 3600, tu, 12*3600 - 60}}},
		"over midnight":     {"DTSTART;TZID=Europe/Berlin:20310606T200000\nDURATION:PT6H\nRRULE:FREQ=WEEKLY", []Opening{{fr, 20 * 3600, sa, 2*3600 - 60}}},
		"in UTC":            {"DTSTART:20310602T070000Z\nDTEND:20310602T100000Z\nRRULE:FREQ=WEEKLY", []Opening{{mo, 9 * 3600, mo, 12*3600 - 60}}},
		"in another zone":   {"DTSTART;TZID=America/New_York:20310602T030000\nDTEND;TZID=America/New_York:20310602T060000\nRRULE:FREQ=WEEKLY", []Opening{{mo, 9 * 3600, mo, 12*3600 - 60}}},
		"floating":          {"DTSTART:20310602T090000\nDTEND:20310602T120030\nRRULE:INTERVAL=1;FREQ=WEEKLY;WKST=SU", []Opening{{mo, 9 * 3600, mo, 12 * 3600}}},
		"until the end":     {"DTSTART:20310602T090000\nDTEND:20310602T120000\nRRULE:FREQ=WEEKLY;UNTIL=20310831", []Opening{{mo, 9 * 3600, mo, 12*3600 - 60}}},
		"a whole week":      {"DTSTART:20310602T000000\nDTEND:20310609T000000\nRRULE:FREQ=WEEKLY", []Opening{{mo, 0, time.Sunday, LastMinute}}},
		"until before":      {"DTSTART:20310602T090000\nDTEND:20310602T120000\nRRULE:FREQ=WEEKLY;UNTIL=20310701", nil},
		"every other week":  {"DTSTART:20310602T090000\nDTEND:20310602T120000\nRRULE:FREQ=WEEKLY;INTERVAL=2", nil},
		"counted":           {"DTSTART:20310602T090000\nDTEND:20310602T120000\nRRULE:FREQ=WEEKLY;COUNT=3", nil},
		"monthly":           {"DTSTART:20310602T090000\nDTEND:20310602T120000\nRRULE:FREQ=MONTHLY;BYDAY=1MO", nil},
		"once":              {"DTSTART:20310602T090000\nDTEND:20310602T120000", nil},
		"ends before start": {"DTSTART:20310602T090000\nDTEND:20310602T080000\nRRULE:FREQ=WEEKLY", nil},
	} {
		o := parse(t, availability("DTSTART:20310602T000000\nDTEND:20310901T000000\n", c.available))
		if got := ReadCalendar(o, berlin).Hours; !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	daily := parse(t, availability("", "DTSTART:20310602T090000\nDTEND:20310602T100000\nRRULE:FREQ=DAILY"))
	if got := ReadCalendar(daily, berlin); len(got.Hours) != 7 || got.Start != MinDate || got.End != MaxDate {
		t.Errorf("%+v", got)
	}
}

func TestDaysOfAWindow(t *testing.T) {
	for lines, want := range map[string]string{
		"DTSTART;VALUE=DATE:20310602\nDTEND;VALUE=DATE:20310605\n": "2031-06-02 2031-06-04",
		"DTSTART:20310602T100000\nDTEND:20310604T100000\n":         "2031-06-02 2031-06-04",
		"DTSTART;VALUE=DATE:20310602\nDURATION:P1W\n":              "2031-06-02 2031-06-08",
		"DTSTART:20310601T220000Z\nDTEND:20310602T220000Z\n":       "2031-06-02 2031-06-02",
		"DTEND;VALUE=DATE:20310605\n":                              "0001-01-01 2031-06-04",
		"DTSTART;VALUE=DATE:20310605\n":                            "2031-06-05 9999-12-31",
	} {
		c := ReadCalendar(parse(t, availability(lines)), zone(t, "Europe/Berlin"))
		if got := c.Start.String() + " " + c.End.String(); got != want {
			t.Errorf("%q: %s", lines, got)
		}
	}
}

// A client that moves one half of an opening cut at midnight leaves two that
// still belong together; one that breaks the seam leaves two.
func TestHalvesOfANightAreJoinedWhileTheyMeet(t *testing.T) {
	z := zone(t, "Europe/Berlin")
	c := &Calendar{Name: "n", Start: around, End: around + 30, Hours: []Opening{{time.Friday, 20 * 3600, time.Saturday, 2*3600 - 60}}}
	o, err := NewCalendar(c, z, now)
	if err != nil {
		t.Fatal(err)
	}
	text := string(o.Data())
	later := parse(t, strings.Replace(text, "T200000", "T210000", 1))
	if got := ReadCalendar(later, z).Hours; !slices.Equal(got, []Opening{{time.Friday, 21 * 3600, time.Saturday, 2*3600 - 60}}) {
		t.Errorf("%+v", got)
	}
	seam := "DTSTART;TZID=Europe/Berlin:20310405T0"
	broken := parse(t, strings.Replace(text, seam+"00000", seam+"10000", 1))
	if got := ReadCalendar(broken, z).Hours; len(got) != 2 {
		t.Errorf("%+v\n%s", got, text)
	}
}
