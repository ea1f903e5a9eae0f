package blocks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybook/ical"
	"daybook/ical/span"
)

// lines that no edit of ours names.
const foreign = "ATTENDEE;CN=\"X, Y\";ROLE=OPT-PARTICIPANT;X-A=b:mailto:x@example.com\n" +
	"X-OTHER;X-P=\"a:b\":kept as\n  it is folded\nGEO:1.0;2.0\nCLASS:PRIVATE\n" +
	"BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT5M\nEND:VALARM\n"

// randomSeries draws a series with overrides, exceptions and dates, as calendar
// clients write them.
func randomSeries(t *rapid.T) (*ical.Object, *ical.Zone) {
	zone := ical.LookupZone(rapid.SampledFrom([]string{"Europe/Berlin", "America/New_York", "UTC"}).Draw(t, "zone"))
	form := rapid.SampledFrom([]string{"zoned", "utc", "floating", "date"}).Draw(t, "form")
	day := rapid.IntRange(1, 28).Draw(t, "day")
	write := func(name string, days, minutes int) string {
		w := time.Date(2027, 3, day+days, 6, minutes, 0, 0, time.UTC)
		switch form {
		case "zoned":
			return name + ";TZID=Europe/Berlin:" + w.Format(wallLayout) + "\n"
		case "utc":
			return name + ":" + w.Format(stampLayout) + "\n"
		case "floating":
			return name + ":" + w.Format(wallLayout) + "\n"
		}
		return name + ";VALUE=DATE:" + w.Format(dateLayout) + "\n"
	}
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Other//EN\n")
	b.WriteString(strings.ReplaceAll(ical.LookupZone("Europe/Berlin").VTimezone(span.Span{Start: editTime}), "\r\n", "\n"))
	b.WriteString("BEGIN:VEVENT\nUID:series\nDTSTAMP:20270101T000000Z\n")
	b.WriteString(write("DTSTART", 0, 0))
	if rapid.Bool().Draw(t, "duration") {
		b.WriteString(map[bool]string{true: "DURATION:P1D\n", false: "DURATION:PT45M\n"}[form == "date"])
	} else {
		b.WriteString(write("DTEND", map[bool]int{true: 1}[form == "date"], 45))
	}
	n := rapid.IntRange(2, 9).Draw(t, "count")
	b.WriteString("SUMMARY:Series\n" + foreign)
	fmt.Fprintf(&b, "RRULE:FREQ=DAILY;COUNT=%d\n", n)
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(1, n-1), 0, min(2, n-1), rapid.ID).Draw(t, "exceptions") {
		b.WriteString(write("EXDATE", i, 0))
	}
	if rapid.Bool().Draw(t, "date") {
		b.WriteString(write("RDATE", 20, 0))
	}
	b.WriteString("END:VEVENT\n")
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, 2, rapid.ID).Draw(t, "overrides") {
		moved := rapid.SampledFrom([]int{0, 0, 30}).Draw(t, "moved")
		if form == "date" {
			moved = 0
		}
		b.WriteString("BEGIN:VEVENT\nUID:series\nDTSTAMP:20270101T000000Z\n" + write("RECURRENCE-ID", i, 0) + write("DTSTART", i, moved) +
			write("DTEND", i+map[bool]int{true: 1}[form == "date"], moved+45) + "SUMMARY:Override\nX-MINE:yes\nEND:VEVENT\n")
	}
	b.WriteString("END:VCALENDAR\n")
	o, err := ical.ParseResource([]byte(strings.ReplaceAll(b.String(), "\n", "\r\n")), ical.Limits{})
	if err != nil {
		t.Fatal(err, b.String())
	}
	return o, zone
}

// told is what an instance says.
type told struct {
	start, end time.Time
	title      string
}

func instances(t *rapid.T, o *ical.Object, zone *ical.Zone) (out []told, ids []time.Time) {
	all, err := o.Instances(ical.Expand{Zone: zone})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		out = append(out, told{i.Start, i.End, i.Component.Text("SUMMARY")})
		ids = append(ids, i.RecurrenceID)
	}
	return out, ids
}

func rename(title string) Change {
	return Change{Facts: func(e Event) Event { e.Label = title; return e }}
}

var editTime = time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)

// without gives the lines of a text but for those of some names.
func without(data []byte, names ...string) string {
	var b strings.Builder
	skip := false
	for l := range strings.Lines(string(data)) {
		if l[0] != ' ' {
			name := strings.FieldsFunc(l, func(r rune) bool { return r == ':' || r == ';' })[0]
			skip = slices.Contains(names, name)
		}
		if !skip {
			b.WriteString(l)
		}
	}
	return b.String()
}

func TestOneInstanceIsChangedAndNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, zone := randomSeries(t)
		before, ids := instances(t, o, zone)
		if len(before) == 0 {
			t.Skip("no instance")
		}
		n := rapid.IntRange(0, len(before)-1).Draw(t, "instance")
		i, ok := Find(o, ids[n], zone)
		if !ok {
			t.Fatal("not found", ids[n])
		}
		c := rename("Changed")
		want := slices.Clone(before)
		want[n].title = "Changed"
		if i.Form != ical.Date && rapid.Bool().Draw(t, "move") {
			w := When{Start: i.Start.Add(10 * time.Minute), End: i.End.Add(25 * time.Minute)}
			c.When = &w
			want[n].start, want[n].end = w.Start, w.End
		}
		got, err := EditInstance(o, i, c, zone, editTime)
		if err != nil {
			t.Fatal(err)
		}
		after, afterIDs := instances(t, got, zone)
		if !slices.Equal(after, want) || !slices.EqualFunc(ids, afterIDs, time.Time.Equal) {
			t.Fatalf("instance %d of\n%s\nbecame\n%s\n%v\nwant %v", n, o.Data(), got.Data(), after, want)
		}
		// The master and the other overrides keep every byte; a new override has
		// all that the series says.
		for _, x := range o.Main() {
			if x != i.Component && !strings.Contains(string(got.Data()), text(o, x)) {
				t.Fatalf("%s\nis not in\n%s", text(o, x), got.Data())
			}
		}
		if i.Component == o.Master() {
			if x, _ := Find(got, ids[n], zone); x.Component.Line("GEO") == nil || len(x.Component.Children) != 1 || x.Component.Line("ATTENDEE").Param("CN") != "X, Y" || x.Component.Line("RRULE") != nil {
				t.Fatalf("%s", got.Data())
			}
		}
	})
}

// text gives the lines of a component.
func text(o *ical.Object, c *ical.Component) string {
	all := strings.SplitAfter(string(o.Data()), "END:VEVENT\r\n")
	for i, x := range o.Main() {
		if x == c {
			return all[i][strings.Index(all[i], "BEGIN:VEVENT"):]
		}
	}
	return ""
}

func TestASeriesIsCutIntoWhatWasAndWhatFollows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, zone := randomSeries(t)
		before, ids := instances(t, o, zone)
		if len(before) == 0 {
			t.Skip("no instance")
		}
		n := rapid.IntRange(0, len(before)-1).Draw(t, "instance")
		rid := ids[n]
		first, err := Until(o, rid, zone, editTime)
		rest, err2 := From(o, rid, "rest", Change{}, zone, editTime)
		earliest := !slices.ContainsFunc(ids, func(id time.Time) bool { return id.Before(rid) })
		if earliest {
			if !errors.Is(err, ErrFirst) || !errors.Is(err2, ErrFirst) {
				t.Fatal(err, err2)
			}
			return
		}
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		var wantFirst, wantRest []told
		for i, id := range ids {
			if id.Before(rid) {
				wantFirst = append(wantFirst, before[i])
			} else {
				wantRest = append(wantRest, before[i])
			}
		}
		gotFirst, _ := instances(t, first, zone)
		gotRest, restIDs := instances(t, rest, zone)
		if !slices.Equal(gotFirst, wantFirst) || !slices.Equal(gotRest, wantRest) {
			t.Fatalf("of\n%s\nat %v:\n%s\n%s\n%v want %v\n%v want %v", o.Data(), rid, first.Data(), rest.Data(), gotFirst, wantFirst, gotRest, wantRest)
		}
		for i, id := range restIDs {
			if !slices.ContainsFunc(ids, id.Equal) {
				t.Fatalf("instance %d has another id", i)
			}
		}
		same := []string{"DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "RRULE", "EXDATE", "RDATE"}
		if m, was := text(first, first.Master()), text(o, o.Master()); without([]byte(m), same...) != without([]byte(was), same...) {
			t.Fatalf("%s\n%s", was, m)
		}
		if !strings.Contains(string(rest.Data()), "RELATED-TO;RELTYPE=PARENT:series") || strings.Contains(string(rest.Data()), "UID:series") || !strings.Contains(string(rest.Data()), "X-OTHER;X-P=\"a:b\":kept as\r\n  it is folded\r\n") {
			t.Fatalf("%s", rest.Data())
		}
	})
}

func TestASeriesMovesByTheWallClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, zone := randomSeries(t)
		have, ok := ReadSeries(o, zone)
		if !ok {
			t.Fatal("no series")
		}
		before, ids := instances(t, o, zone)
		minutes := rapid.SampledFrom([]int{0, 15, 600, 1440, -90}).Draw(t, "minutes")
		shift := time.Duration(minutes) * time.Minute
		by := zone
		switch have.Form {
		case ical.UTC:
			by = ical.UTCZone
		case ical.Zoned:
			by = ical.LookupZone(have.Zone)
		case ical.Floating, ical.Date:
		}
		move := func(x time.Time) time.Time { return by.Instant(by.Wall(x).Add(shift)) }
		w := When{Start: move(have.Start)}
		w.End = w.Start.Add(have.End.Sub(have.Start))
		if have.Form == ical.Date {
			w = When{Start: zone.Wall(have.Start).AddDate(0, 0, 1), End: zone.Wall(have.End).AddDate(0, 0, 1), AllDay: true}
			shift = 24 * time.Hour
		}
		got, err := EditWhole(o, Change{When: &w}, zone, editTime)
		if err != nil {
			t.Fatal(err)
		}
		if shift == 0 {
			if string(got.Data()) != string(o.Data()) {
				t.Fatalf("nothing was to be changed:\n%s\n%s", o.Data(), got.Data())
			}
			return
		}
		want := map[time.Time]told{}
		for i, x := range before {
			if x.start.Equal(ids[i]) && x.end.Sub(x.start) == have.End.Sub(have.Start) || x.title == "Series" || have.Form == ical.Date {
				length := x.end.Sub(x.start)
				x.start = move(x.start)
				x.end = x.start.Add(length)
				if have.Form == ical.Date {
					x.end = zone.Instant(zone.Wall(x.start).AddDate(0, 0, 1))
				}
			}
			want[move(ids[i])] = x
		}
		after, afterIDs := instances(t, got, zone)
		for i, id := range afterIDs {
			if want[id] != after[i] {
				t.Fatalf("%s\n%s\n%v at %v, want %v", o.Data(), got.Data(), after[i], id, want[id])
			}
		}
		if len(after) != len(before) {
			t.Fatalf("%s\n%s\n%v\n%v", o.Data(), got.Data(), before, after)
		}
		same := []string{"DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "DTEND", "DURATION", "EXDATE", "RDATE", "RECURRENCE-ID"}
		if a, b := without(o.Data(), same...), without(got.Data(), same...); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}

func TestTheWholeIsRenamedWhereItSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, zone := randomSeries(t)
		before, _ := instances(t, o, zone)
		got, err := EditWhole(o, rename("New"), zone, editTime)
		if err != nil {
			t.Fatal(err)
		}
		for i := range before {
			if before[i].title == "Series" {
				before[i].title = "New"
			}
		}
		if after, _ := instances(t, got, zone); !slices.Equal(after, before) {
			t.Fatalf("%s\n%v want %v", got.Data(), after, before)
		}
		same := []string{"DTSTAMP", "LAST-MODIFIED", "SUMMARY"}
		if a, b := without(o.Data(), same...), without(got.Data(), same...); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
		// Another rule keeps the overrides of instances that it has.
		weekly, err := EditWhole(o, Change{Rule: &Recurrence{Rule: "FREQ=DAILY;INTERVAL=2;COUNT=3"}}, zone, editTime)
		if err != nil {
			t.Fatal(err)
		}
		if after, _ := instances(t, weekly, zone); len(after) != 3 {
			t.Fatalf("%s\n%v", weekly.Data(), after)
		}
		single, err := EditWhole(o, Change{Rule: &Recurrence{}}, zone, editTime)
		if err != nil {
			t.Fatal(err)
		}
		if after, _ := instances(t, single, zone); len(after) != 1 || len(single.Main()) != 1 {
			t.Fatalf("%s\n%v", single.Data(), after)
		}
	})
}
