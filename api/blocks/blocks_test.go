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
)

var testNow = time.Date(2027, 2, 20, 7, 0, 0, 0, time.UTC)

func parse(t testing.TB, lines ...string) *ical.Object {
	t.Helper()
	text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//T//EN\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20270101T000000Z\r\n" +
		strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	o, err := ical.ParseResource([]byte(text), ical.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func only(t testing.TB, o *ical.Object, zone *ical.Zone) ical.Instance {
	t.Helper()
	i, ok := First(o, zone)
	if !ok {
		t.Fatalf("no instance in\n%s", o.Data())
	}
	return i
}

func berlin(t testing.TB) *ical.Zone {
	t.Helper()
	z := ical.LookupZone("Europe/Berlin")
	if z == nil {
		t.Fatal("no Europe/Berlin")
	}
	return z
}

const when = "DTSTART:20270301T120000Z\r\nDTEND:20270301T130000Z"

func TestIs(t *testing.T) {
	for line, want := range map[string]bool{
		"X-DAYBOOK-BLOCK-TYPE:other": true, "CATEGORIES:Block": true, "CATEGORIES:Work,BREAK": true, "CATEGORIES:cleaning": true,
		"CATEGORIES:TIME_OFF": true, "CATEGORIES:MEETING": false, "CATEGORIES:BLOCKED": false, "SUMMARY:Block": false,
	} {
		if got := Is(only(t, parse(t, when, line), ical.UTCZone).Component); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestTypeIsReadFromPropertyThenCategories(t *testing.T) {
	for lines, want := range map[string]Type{
		"X-DAYBOOK-BLOCK-TYPE:cleaning\r\nCATEGORIES:BLOCK,BREAK": Cleaning, "CATEGORIES:BLOCK,MEETING": Meeting, "CATEGORIES:BREAK": Break,
		"X-DAYBOOK-BLOCK-TYPE:Break": Break, "X-DAYBOOK-BLOCK-TYPE:nonsense\r\nCATEGORIES:CLEANING": Cleaning, "CATEGORIES:TIME_OFF": Other,
		"CATEGORIES:BLOCK\r\nCATEGORIES:Meeting": Meeting,
	} {
		if got := Read(only(t, parse(t, when, lines), ical.UTCZone)).Type; got != want {
			t.Errorf("%q: %s", lines, got)
		}
	}
}

func TestLabelIsNullWhileUntitled(t *testing.T) {
	for lines, want := range map[string]string{
		"CATEGORIES:BLOCK": "", "CATEGORIES:BREAK\r\nSUMMARY:Break": "Break", "CATEGORIES:BREAK\r\nSUMMARY:Break\r\nX-DAYBOOK-UNTITLED:TRUE": "",
		"CATEGORIES:BREAK\r\nSUMMARY:Tea\r\nX-DAYBOOK-UNTITLED:TRUE": "Tea", "CATEGORIES:BLOCK\r\nSUMMARY:": "",
		"CATEGORIES:BLOCK\r\nSUMMARY:Blocked\r\nX-DAYBOOK-UNTITLED:TRUE": "",
	} {
		if got := Read(only(t, parse(t, when, lines), ical.UTCZone)).Label; got != want {
			t.Errorf("%q: %q", lines, got)
		}
	}
}

func TestColorFollowsTheClientsChange(t *testing.T) {
	for lines, want := range map[string]string{
		"COLOR:" + NearestName("#8ec5b5") + "\r\nX-DAYBOOK-COLOR:#8ec5b5": "#8ec5b5",
		"COLOR:tomato\r\nX-DAYBOOK-COLOR:#8ec5b5":                         "#ff6347",
		"COLOR:GREY\r\nX-DAYBOOK-COLOR:#818181":                           "#818181", // gray by another name
		"X-DAYBOOK-COLOR:#8ec5b5":                                         "",        // the client has taken it away
		"COLOR:nonsense":                                                  "", "COLOR:#AABBCC": "#aabbcc", "COLOR:RebeccaPurple": "#663399",
	} {
		if got := Read(only(t, parse(t, when, "CATEGORIES:BLOCK", lines), ical.UTCZone)).Color; got != want {
			t.Errorf("%q: %q", lines, got)
		}
	}
}

func TestNearestName(t *testing.T) {
	for hex, want := range map[string]string{"#ff0000": "red", "#00ffff": "aqua", "#808080": "gray", "#fe0101": "red", "#3B82F6": "royalblue", "": "", "red": ""} {
		if got := NearestName(hex); got != want {
			t.Errorf("%q: %q", hex, got)
		}
	}
	if !slices.IsSortedFunc(cssColors[:], func(a, b struct {
		name  string
		value uint32
	},
	) int {
		return strings.Compare(a.name, b.name)
	}) {
		t.Error("the table is not sorted")
	}
	for _, c := range cssColors {
		hex, ok := cssValue(strings.ToUpper(c.name))
		near, _ := cssValue(NearestName(hex))
		if !ok || near != hex {
			t.Errorf("%s: %s", c.name, near)
		}
	}
}

func TestOpenEndedLastsWhileAsWritten(t *testing.T) {
	start := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	o, err := New("u", Block{Start: start, End: OpenEnd(start), OpenEnded: true, Type: Other}, nil, ical.UTCZone, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if !Read(only(t, o, ical.UTCZone)).OpenEnded {
		t.Error("lost")
	}
	cut := parse(t, "DTSTART:20270301T120000Z", "DTEND:20270302T120000Z", "CATEGORIES:BLOCK", "X-DAYBOOK-OPEN-ENDED:TRUE")
	if Read(only(t, cut, ical.UTCZone)).OpenEnded {
		t.Error("a client has set another end")
	}
}

func TestNewIsWrittenAsTheMappingSays(t *testing.T) {
	z := berlin(t)
	start := time.Date(2027, 3, 1, 11, 30, 0, 0, time.UTC)
	o, err := New("u", Block{Start: start, End: start.Add(45 * time.Minute), Type: Break, Color: "#8ec5b5", Notes: "a\nb; c"}, nil, z, testNow)
	if err != nil {
		t.Fatal(err)
	}
	text := string(o.Data())
	for _, line := range []string{
		"DTSTART;TZID=Europe/Berlin:20270301T123000", "DTEND;TZID=Europe/Berlin:20270301T131500", "BEGIN:VTIMEZONE", "TZID:Europe/Berlin",
		"SUMMARY:Break", "X-DAYBOOK-UNTITLED:TRUE", `DESCRIPTION:a\nb\; c`, "CATEGORIES:BLOCK,BREAK", "X-DAYBOOK-BLOCK-TYPE:break",
		"COLOR:" + NearestName("#8ec5b5"), "X-DAYBOOK-COLOR:#8ec5b5", "TRANSP:OPAQUE", "CREATED:20270220T070000Z", "LAST-MODIFIED:20270220T070000Z",
	} {
		if !strings.Contains(text, "\r\n"+line+"\r\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
}

func TestUpdateKeepsTheFormOfTheTimes(t *testing.T) {
	z := berlin(t)
	day := time.Date(2027, 3, 4, 23, 0, 0, 0, time.UTC) // midnight in Berlin
	for _, c := range []struct{ name, lines, start, end string }{
		{"utc", when, "DTSTART:20270304T230000Z", "DTEND:20270305T230000Z"},
		{"floating", "DTSTART:20270301T120000\r\nDURATION:PT1H", "DTSTART:20270305T000000", "DTEND:20270306T000000"},
		{"date", "DTSTART;VALUE=DATE:20270301", "DTSTART;VALUE=DATE:20270305", "DTEND;VALUE=DATE:20270306"},
		{
			"other zone", "DTSTART;TZID=America/New_York:20270301T120000\r\nDTEND;TZID=America/New_York:20270301T130000",
			"DTSTART;TZID=America/New_York:20270304T180000", "DTEND;TZID=America/New_York:20270305T180000",
		},
	} {
		o := parse(t, c.lines, "CATEGORIES:BLOCK")
		i := only(t, o, z)
		want := Read(i)
		want.Start, want.End = day, day.Add(24*time.Hour)
		out, err := Update(o, i, want, z, testNow)
		if err != nil {
			t.Fatal(c.name, err)
		}
		text := string(out.Data())
		if !strings.Contains(text, c.start+"\r\n") || !strings.Contains(text, c.end+"\r\n") || strings.Contains(text, "DURATION") || !strings.Contains(text, "SEQUENCE:1\r\n") {
			t.Errorf("%s:\n%s", c.name, text)
		}
	}
}

func TestDateThatIsNoLongerWholeDaysBecomesZoned(t *testing.T) {
	z := berlin(t)
	o := parse(t, "DTSTART;VALUE=DATE:20270301", "CATEGORIES:BLOCK")
	i := only(t, o, z)
	want := Read(i)
	want.Start = want.Start.Add(time.Hour)
	out, err := Update(o, i, want, z, testNow)
	if err != nil {
		t.Fatal(err)
	}
	text := string(out.Data())
	if !strings.Contains(text, "DTSTART;TZID=Europe/Berlin:20270301T010000\r\n") || !strings.Contains(text, "DTEND;TZID=Europe/Berlin:20270302T000000\r\n") || !strings.Contains(text, "BEGIN:VTIMEZONE") {
		t.Error(text)
	}
}

func TestTypeChangeKeepsTheClientsCategories(t *testing.T) {
	o := parse(t, when, `CATEGORIES;LANGUAGE=en:Work\, hard,BLOCK,BREAK`, "CATEGORIES:More", "SUMMARY:Break", "X-DAYBOOK-UNTITLED:TRUE")
	i := only(t, o, ical.UTCZone)
	want := Read(i)
	want.Type = Meeting
	out, err := Update(o, i, want, ical.UTCZone, testNow)
	if err != nil {
		t.Fatal(err)
	}
	text := string(out.Data())
	if !strings.Contains(text, `CATEGORIES;LANGUAGE=en:Work\, hard,BLOCK,More,MEETING`+"\r\n") || strings.Count(text, "CATEGORIES") != 1 || !strings.Contains(text, "SUMMARY:Meeting\r\n") {
		t.Error(text)
	}
}

func TestExcludeWritesEXDATEInTheFormOfDTSTART(t *testing.T) {
	z := berlin(t)
	for start, want := range map[string]string{
		"DTSTART:20270301T120000Z":                      "EXDATE:20270302T120000Z",
		"DTSTART:20270301T120000":                       "EXDATE:20270302T120000",
		"DTSTART;VALUE=DATE:20270301":                   "EXDATE;VALUE=DATE:20270302",
		"DTSTART;TZID=America/New_York:20270301T120000": "EXDATE;TZID=America/New_York:20270302T120000",
	} {
		o := parse(t, start, "RRULE:FREQ=DAILY;COUNT=3", "CATEGORIES:BLOCK")
		all, err := o.Instances(ical.Expand{Zone: z})
		if err != nil || len(all) != 3 {
			t.Fatal(start, len(all), err)
		}
		out, err := Exclude(o, all[1].RecurrenceID, z, testNow)
		if err != nil {
			t.Fatal(start, err)
		}
		left, err := out.Instances(ical.Expand{Zone: z})
		if err != nil || len(left) != 2 || !strings.Contains(string(out.Data()), want+"\r\n") {
			t.Errorf("%s: %d left\n%s", start, len(left), out.Data())
		}
	}
}

func TestExcludeOfEveryKindOfInstance(t *testing.T) {
	z := berlin(t)
	const series = when + "\r\nRRULE:FREQ=DAILY;COUNT=4\r\nCATEGORIES:BLOCK"
	override := func(lines string) string {
		return series + "\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20270101T000000Z\r\nCATEGORIES:BLOCK\r\n" + lines
	}
	for name, lines := range map[string]string{
		"rule":          series,
		"rdate":         series + "\r\nRDATE:20270320T120000Z",
		"override":      override("RECURRENCE-ID:20270302T120000Z\r\nDTSTART:20270302T150000Z\r\nDTEND:20270302T160000Z"),
		"far override":  override("RECURRENCE-ID:20270302T120000Z\r\nDTSTART:20310302T150000Z\r\nDTEND:20310302T160000Z"),
		"from there on": override("RECURRENCE-ID;RANGE=THISANDFUTURE:20270302T120000Z\r\nDTSTART:20270302T150000Z\r\nDTEND:20270302T160000Z"),
	} {
		o := parse(t, lines)
		all, err := o.Instances(ical.Expand{Zone: z})
		if err != nil {
			t.Fatal(name, err)
		}
		for i, gone := range all {
			found, ok := Find(o, gone.RecurrenceID, z)
			if !ok || !found.Start.Equal(gone.Start) {
				t.Errorf("%s: instance %d is not found", name, i)
			}
			out, err := Exclude(o, gone.RecurrenceID, z, testNow)
			if err != nil {
				t.Fatal(name, i, err)
			}
			left, err := out.Instances(ical.Expand{Zone: z})
			if err != nil || len(left) != len(all)-1 {
				t.Errorf("%s: %d of %d left after instance %d\n%s", name, len(left), len(all), i, out.Data())
				continue
			}
			for k, l := range left {
				was := all[k]
				if k >= i {
					was = all[k+1]
				}
				if !l.Start.Equal(was.Start) || !l.RecurrenceID.Equal(was.RecurrenceID) {
					t.Errorf("%s: without instance %d, another moved", name, i)
				}
			}
			alone, err := Detach(o, gone, "u2", Read(gone), z, testNow)
			if err != nil {
				t.Fatal(name, i, err)
			}
			if got := only(t, alone, z); !got.Start.Equal(gone.Start) || !got.End.Equal(gone.End) || !got.RecurrenceID.IsZero() {
				t.Errorf("%s: instance %d detached as %v", name, i, got.Start)
			}
		}
	}
}

func TestExcludeOfTheLastInstance(t *testing.T) {
	o := parse(t, when, "RRULE:FREQ=DAILY;COUNT=1", "CATEGORIES:BLOCK")
	i := only(t, o, ical.UTCZone)
	if _, err := Exclude(o, i.RecurrenceID, ical.UTCZone, testNow); !errors.Is(err, ErrLast) {
		t.Error(err)
	}
	orphan := parse(t, "RECURRENCE-ID:20270301T120000Z", when, "CATEGORIES:BLOCK")
	i = only(t, orphan, ical.UTCZone)
	if _, err := Exclude(orphan, i.RecurrenceID, ical.UTCZone, testNow); !errors.Is(err, ErrLast) {
		t.Error(err)
	}
}

func TestDetachKeepsForeignLines(t *testing.T) {
	const foreign = "ATTENDEE;CN=\"B, C\":mailto:b@example.com\r\nX-OTHER;P=\"^n\":a\\,b\r\n"
	o := parse(t, when, "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20270302T120000Z", "CATEGORIES:BLOCK", strings.TrimSuffix(foreign, "\r\n"))
	i := only(t, o, ical.UTCZone)
	want := Read(i)
	want.Label = "Own"
	out, err := Detach(o, i, "u2", want, ical.UTCZone, testNow)
	if err != nil {
		t.Fatal(err)
	}
	text := string(out.Data())
	if !strings.Contains(text, foreign) || strings.Contains(text, "RRULE") || strings.Contains(text, "EXDATE") ||
		!strings.Contains(text, "RELATED-TO;RELTYPE=PARENT:u1\r\n") || out.UID() != "u2" || !strings.Contains(text, "SUMMARY:Own\r\n") {
		t.Error(text)
	}
	if got := Read(only(t, out, ical.UTCZone)); !Same(got, want) {
		t.Errorf("%+v\n%+v", got, want)
	}
}

var texts = rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("ab ,;:\\\"\n\t^'ÄöC0\u2028€😀")), rapid.Rune()))

func drawBlock(t *rapid.T) Block {
	clean := func(name string) string {
		s, ok := CleanText(texts.Draw(t, name))
		if !ok {
			s = name
		}
		return s
	}
	start := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "start"), 0).UTC()
	b := Block{
		Start: start, End: start.Add(time.Duration(rapid.Int64Range(1, 1e7).Draw(t, "length")) * time.Second),
		Type:  rapid.SampledFrom(Types()).Draw(t, "type"),
		Label: clean("label"), Notes: clean("notes"), Origin: clean("origin"), ExternalID: clean("external"),
	}
	if rapid.Bool().Draw(t, "coloured") {
		b.Color = fmt.Sprintf("#%06x", rapid.IntRange(0, 0xffffff).Draw(t, "color"))
	}
	if rapid.Bool().Draw(t, "extra") {
		b.Extra = `{"a":"b, c;\\n"}`
	}
	return b
}

func TestBlockComesBackFromItsVEVENT(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		zone := ical.LookupZone(rapid.SampledFrom([]string{"Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"}).Draw(r, "zone"))
		want := drawBlock(r)
		o, err := New("u", want, nil, zone, testNow)
		if err != nil {
			r.Fatal(err)
		}
		if got := Read(only(t, o, zone)); !Same(got, want) {
			r.Fatalf("%+v\n%+v\n%s", got, want, o.Data())
		}
	})
}

func TestEditedBlockComesBackAndForeignLinesStay(t *testing.T) {
	const foreign = "X-FOREIGN;P=\"a;b\":one,two\\;three\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n"
	rapid.Check(t, func(r *rapid.T) {
		zone := ical.LookupZone(rapid.SampledFrom([]string{"Europe/Berlin", "UTC"}).Draw(r, "zone"))
		made, err := New("u", drawBlock(r), nil, zone, testNow)
		if err != nil {
			r.Fatal(err)
		}
		o, err := ical.ParseResource([]byte(strings.Replace(string(made.Data()), "END:VEVENT", foreign+"END:VEVENT", 1)), ical.Limits{})
		if err != nil {
			r.Fatal(err)
		}
		want := drawBlock(r)
		i := only(t, o, zone)
		out, err := Update(o, i, want, zone, testNow.Add(time.Hour))
		if err != nil {
			r.Fatal(err)
		}
		if got := Read(only(t, out, zone)); !Same(got, want) {
			r.Fatalf("%+v\n%+v\n%s", got, want, out.Data())
		}
		for line := range strings.SplitSeq(foreign, "\r\n") {
			if !strings.Contains(string(out.Data()), line) {
				r.Fatalf("%s is gone:\n%s", line, out.Data())
			}
		}
		again, err := Update(out, only(t, out, zone), want, zone, testNow.Add(2*time.Hour))
		if err != nil || string(again.Data()) != string(out.Data()) {
			r.Fatal("a second update with the same wish changed something", err)
		}
	})
}

func TestWeeklyFirst(t *testing.T) {
	from := time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC) // a Tuesday
	w := Weekly{Days: []time.Weekday{time.Monday}, From: from, To: from.AddDate(0, 0, 5)}
	if _, ok := w.First(); ok {
		t.Error("no Monday in the range")
	}
	w.To = from.AddDate(0, 0, 6)
	if d, ok := w.First(); !ok || d.Day() != 8 {
		t.Error(d)
	}
	if got := byDay([]time.Weekday{0, 3, 1, 3}); got != "MO,WE,SU" {
		t.Error(got)
	}
}

func TestParseStamp(t *testing.T) {
	if s, err := ParseStamp("20270301T113000Z"); err != nil || Stamp(s) != "20270301T113000Z" {
		t.Error(s, err)
	}
	for _, bad := range []string{"", "20270301T113000", "20270301t113000z", "20270230T113000Z", "20270301T113000Z ", "20270301T113000.5Z"} {
		if _, err := ParseStamp(bad); err == nil {
			t.Error(bad)
		}
	}
}

func TestLanguageIsKeptWithoutTexts(t *testing.T) {
	start := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	o, err := New("u", Block{Start: start, End: start.Add(time.Hour), Type: Other, Lang: "es-MX"}, nil, ical.UTCZone, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if got := Read(only(t, o, ical.UTCZone)); got.Lang != "es-MX" || got.Label != "" {
		t.Errorf("%+v", got)
	}
}

// A label that is the name of another type is one of its own also when the type
// becomes that.
func TestALabelStaysWhenItsWordBecomesTheType(t *testing.T) {
	o := parse(t, when, "X-DAYBOOK-BLOCK-TYPE:other", "SUMMARY;LANGUAGE=en:Meeting", "X-DAYBOOK-UNTITLED:TRUE")
	i := only(t, o, ical.UTCZone)
	want := Read(i)
	if want.Type = Meeting; want.Label != "Meeting" {
		t.Fatalf("%+v", want)
	}
	out, err := Update(o, i, want, ical.UTCZone, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if got := Read(only(t, out, ical.UTCZone)); !Same(got, want) || !strings.Contains(string(out.Data()), "SUMMARY;LANGUAGE=en:Meeting\r\n") {
		t.Errorf("%+v of\n%s", got, out.Data())
	}
}

// What a client's block does not say about TRANSP, a change of something else
// does not say either.
func TestAnEditOfAClientsBlockAddsNoTRANSP(t *testing.T) {
	o := parse(t, when, "CATEGORIES:BLOCK")
	retitle := func(e Event) Event {
		e.Label = "x"
		return e
	}
	out, err := EditWhole(o, Change{Facts: retitle}, ical.UTCZone, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(out.Data()); strings.Contains(text, "TRANSP") || !strings.Contains(text, "SUMMARY:x") {
		t.Error(text)
	}
}
