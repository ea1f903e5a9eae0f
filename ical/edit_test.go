package ical

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func apply(t testing.TB, e *Edit) *Object {
	t.Helper()
	o, err := e.Apply()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestEditOfNothingChangesNothing(t *testing.T) {
	o := mustParse(t, []byte(plainEvent))
	if got := apply(t, o.Edit()); string(got.Data()) != plainEvent {
		t.Errorf("changed to %s", got.Data())
	}
	e := o.Main()[0]
	same := apply(t, o.Edit().Set(e, "summary", e.Line("SUMMARY").Value).
		Set(e, "DTSTART", "20260112T090000", Param{"TZID", "Europe/Berlin"}).Remove(e, "COLOR"))
	if string(same.Data()) != plainEvent {
		t.Errorf("setting what is there gave %s", same.Data())
	}
}

func TestEditSetsAddsAndRemoves(t *testing.T) {
	o := mustParse(t, event("SUMMARY:old|"+monday+"|COMMENT:1|X-A:keep|COMMENT:2|BEGIN:VALARM|ACTION:AUDIO|END:VALARM"))
	e := o.Main()[0]
	got := apply(t, o.Edit().
		Set(e, "SUMMARY", EscapeText("new, "+strings.Repeat("ü", 40))).
		Set(e, "COMMENT", "only").
		Set(e, "LOCATION", "first").Set(e, "LOCATION", "Room 3", Param{"X-N", `a "b": c`}).
		Add(e, "CATEGORIES", "A").Add(e, "CATEGORIES", "B").
		Add(e, "URL", "gone").Remove(e, "URL").
		Remove(e, "DTSTAMP").
		AddComponent(e, "BEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM").
		RemoveComponent(e.Children[0]))
	// 75 octets are the line, 74 and the space that marks it what continues it.
	want := calendarOf("BEGIN:VEVENT|UID:a|SUMMARY:new\\, " + strings.Repeat("ü", 30) + "| " + strings.Repeat("ü", 10) + "|" +
		monday + "|COMMENT:only|X-A:keep|LOCATION;X-N=\"a ^'b^': c\":Room 3|CATEGORIES:A|CATEGORIES:B|" +
		"BEGIN:VALARM|ACTION:DISPLAY|END:VALARM|END:VEVENT")
	if !bytes.Equal(got.Data(), want) {
		t.Errorf("got\n%s\nwant\n%s", got.Data(), want)
	}
	checkOffsets(t, got)
}

func TestEditRemovesOneLineOrComponent(t *testing.T) {
	o := mustParse(t, calendarOf("BEGIN:VTODO|UID:a|COMMENT:1|COMMENT:2|END:VTODO|BEGIN:VTODO|UID:a|RECURRENCE-ID:20260101|END:VTODO"))
	e := o.Main()[0]
	got := apply(t, o.Edit().RemoveLine(e, e.All("COMMENT")[1]).RemoveComponent(o.Main()[1]).Add(o.Main()[1], "X-A", "gone too"))
	if want := calendarOf("BEGIN:VTODO|UID:a|COMMENT:1|END:VTODO"); !bytes.Equal(got.Data(), want) {
		t.Errorf("got\n%s", got.Data())
	}
}

func TestEditRefusesMistakes(t *testing.T) {
	o := mustParse(t, event(monday))
	other := mustParse(t, event(monday))
	e := o.Main()[0]
	for name, edit := range map[string]*Edit{
		"component of another object": o.Edit().Set(other.Main()[0], "SUMMARY", "x"),
		"no component":                o.Edit().Remove(nil, "SUMMARY"),
		"line of another component":   o.Edit().RemoveLine(e, other.Main()[0].Line("UID")),
		"the root":                    o.Edit().RemoveComponent(o.Root()),
		"name with a line break":      o.Edit().Set(e, "X\r\nY", "x"),
		"BEGIN":                       o.Edit().Add(e, "begin", "VALARM"),
		"parameter name":              o.Edit().Add(e, "X-A", "x", Param{"A B", "c"}),
	} {
		if _, err := edit.Apply(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	_, err := o.Edit().Set(e, "DTSTART", "20260230").Apply()
	wantInvalid(t, err, ValidCalendarData)
	if _, err := o.Edit().AddComponent(e, "BEGIN:VALARM").Apply(); err == nil {
		t.Error("a component without END was added")
	}
	if _, err := o.Edit().Set(e, "", "x").Set(nil, "", "").Apply(); !errors.Is(err, errName) {
		t.Errorf("the first mistake is told as %v", err)
	}
}

func TestEditCannotBreakOutOfALine(t *testing.T) {
	o := mustParse(t, event(monday))
	e := o.Main()[0]
	got := apply(t, o.Edit().Set(e, "SUMMARY", "a\r\nEND:VEVENT\x00\xff", Param{"X-A", "b\r\nc\""}))
	l := got.Main()[0].Line("SUMMARY")
	if l.Value != "a\\nEND:VEVENT\ufffd" || l.Param("X-A") != "b\nc\"" {
		t.Errorf("value %q, parameter %q", l.Value, l.Param("X-A"))
	}
}

// TestEditLeavesOtherLinesAlone makes random changes, and compares the raw
// lines of names that no change named.
func TestEditLeavesOtherLinesAlone(t *testing.T) {
	names := []string{"SUMMARY", "DESCRIPTION", "COMMENT", "ATTENDEE", "X-A", "LOCATION"}
	rapid.Check(t, func(t *rapid.T) {
		o, err := Parse(event(monday+"|"+randomLines(t, names)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		e, c := o.Edit(), o.Main()[0]
		named := make(map[string]bool)
		for range rapid.IntRange(0, 6).Draw(t, "changes") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			named[name] = true
			value := EscapeText(rapid.String().Draw(t, "value"))
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				e.Set(c, name, value, Param{"X-P", rapid.String().Draw(t, "param")})
			case 1:
				e.Add(c, name, value)
			case 2:
				e.Remove(c, name)
			case 3:
				if all := c.All(name); len(all) > 0 {
					e.RemoveLine(c, rapid.SampledFrom(all).Draw(t, "line"))
				}
			}
		}
		got, err := e.Apply()
		if err != nil {
			t.Fatal(err)
		}
		before, after := rawLines(o, c, named), rawLines(got, got.Main()[0], named)
		if !slices.Equal(before, after) {
			t.Fatalf("other lines were\n%q\nand are\n%q", before, after)
		}
		for l := range bytes.SplitSeq(got.Data(), []byte("\r\n")) {
			if len(l) > foldAt && !bytes.Contains(o.Data(), l) {
				t.Fatalf("a new line has %d octets", len(l))
			}
		}
	})
}

// randomLines gives lines folded at odd places, "|" for the line break.
func randomLines(t *rapid.T, names []string) string {
	var b strings.Builder
	for range rapid.IntRange(0, 8).Draw(t, "lines") {
		line := rapid.SampledFrom(names).Draw(t, "name") + ":" +
			strings.ReplaceAll(EscapeText(rapid.String().Draw(t, "text")), "|", "-")
		for i, r := range line {
			if i > 0 && i%rapid.IntRange(20, 90).Draw(t, "fold") == 0 {
				b.WriteString("|\t")
			}
			b.WriteRune(r)
		}
		b.WriteString("|")
	}
	return b.String() + "X-LAST:1"
}

// rawLines gives the octets of the lines that are not named.
func rawLines(o *Object, c *Component, named map[string]bool) []string {
	var raw []string
	for i := range c.Lines {
		if l := &c.Lines[i]; !named[l.Name] {
			raw = append(raw, string(o.data[l.start:l.end]))
		}
	}
	return raw
}
