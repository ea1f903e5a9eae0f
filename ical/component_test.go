package ical

import (
	"slices"
	"testing"
)

func mustParse(t testing.TB, data []byte) *Object {
	t.Helper()
	o, err := Parse(data, Limits{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	return o
}

func TestLineGivesParametersAndText(t *testing.T) {
	l, err := parseLine(`ATTENDEE;CN="Doe, J: ^'x^' ^^ ^n^q";member="a","b";ROLE=;X-B:mailto:a\,b@c\n\;\\ \p\`, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := l.Param("CN"), "Doe, J: \"x\" ^ \n^q"; got != want {
		t.Errorf("CN is %q, want %q", got, want)
	}
	if _, ok := l.LookupParam("ROLE"); !ok {
		t.Error("an empty parameter is absent")
	}
	if _, ok := l.LookupParam("CUTYPE"); ok {
		t.Error("an absent parameter is there")
	}
	var got []string
	for name, value := range l.Params() {
		got = append(got, name+"="+value)
	}
	want := []string{"CN=Doe, J: \"x\" ^ \n^q", "MEMBER=a", "MEMBER=b", "ROLE=", "X-B="}
	if !slices.Equal(got, want) {
		t.Errorf("parameters are %q, want %q", got, want)
	}
	if got, want := l.Text(), "mailto:a,b@c\n;\\ \\p\\"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
}

func TestListSplitsAtUnescapedCommas(t *testing.T) {
	for value, want := range map[string][]string{
		"":             {""},
		"a":            {"a"},
		"a,b\\,c,":     {"a", "b,c", ""},
		`a\\,b`:        {`a\`, "b"},
		`\n,N\N,\`:     {"\n", "N\n", `\`},
		"grün,\"x,y\"": {"grün", "\"x", "y\""},
	} {
		if got := (&Line{Value: value}).List(); !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", value, got, want)
		}
	}
}

func TestEscapeTextIsReadBack(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"a;b,c\\d":          `a\;b\,c\\d`,
		"one\r\ntwo\nthree": `one\ntwo\nthree`,
		"bell\a tab\t":      "bell tab\t",
		"bad \xff":          "bad \ufffd",
		"grün 🦉":            "grün 🦉",
	} {
		if got := EscapeText(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

func TestComponentFindsLines(t *testing.T) {
	o := mustParse(t, event("SUMMARY:a|COMMENT:x|BEGIN:VALARM|COMMENT:z|END:VALARM|comment:y"))
	e := o.Main()[0]
	if got := e.Text("SUMMARY"); got != "a" {
		t.Errorf("summary %q", got)
	}
	if e.Line("LOCATION") != nil || e.Text("LOCATION") != "" {
		t.Error("a line that is not there was found")
	}
	var got []string
	for _, l := range e.All("COMMENT") {
		got = append(got, l.Value)
	}
	if !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("comments %q", got)
	}
}

func TestMainSkipsWhatStandsBetween(t *testing.T) {
	o := mustParse(t, calendarOf("BEGIN:VEVENT|UID:a|RECURRENCE-ID:20260101|END:VEVENT|"+
		"BEGIN:VTIMEZONE|TZID:x|END:VTIMEZONE|BEGIN:VEVENT|UID:a|END:VEVENT"))
	if len(o.Main()) != 2 || o.Master() != o.Main()[1] || len(o.Root().Children) != 3 {
		t.Errorf("main %v, master %v", o.Main(), o.Master())
	}
	if o.Root().Children[1].Name != "VTIMEZONE" {
		t.Error("finding the main components moved others")
	}
}

func TestGoICalHasTheSameContent(t *testing.T) {
	cal := mustParse(t, []byte(plainEvent)).GoICal()
	if len(cal.Children) != 2 || len(cal.Children[0].Children) != 2 {
		t.Fatalf("children %v", cal.Children)
	}
	e := cal.Events()[0]
	if got, _ := e.Props.Text("SUMMARY"); got != "Planning, weekly" {
		t.Errorf("summary %q", got)
	}
	attendees := e.Props["ATTENDEE"]
	if len(attendees) != 2 || attendees[0].Params.Get("CN") != "Grace H." {
		t.Errorf("attendees %v", attendees)
	}
	if names := []string{cal.Children[0].Children[0].Name, cal.Children[0].Children[1].Name}; !slices.Equal(names, []string{"DAYLIGHT", "STANDARD"}) {
		t.Errorf("order of children is %v", names)
	}
}
