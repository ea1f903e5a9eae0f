package main

import (
	"slices"
	"strings"

	"pgregory.net/rapid"

	"daybook/ical"
)

// Content lines, as a simple client handles them: as text.

// contentLine is a line with its folds, and where it stands.
type contentLine struct {
	raw  string // with its line end
	name string // in upper case
	in   string // e.g. VCALENDAR/VEVENT; of BEGIN and END the component itself
}

func linesOf(text string) (out []contentLine) {
	for raw := range strings.Lines(text) {
		if n := len(out); n > 0 && (raw[0] == ' ' || raw[0] == '\t') {
			out[n-1].raw += raw
			continue
		}
		out = append(out, contentLine{raw: raw})
	}
	var stack []string
	for i := range out {
		l := &out[i]
		line := unfold(l.raw) // a name may be folded, too
		at := strings.IndexAny(line, ":;")
		l.name = strings.ToUpper(line[:at])
		if l.name == "BEGIN" {
			stack = append(stack, line[at+1:])
		}
		l.in = strings.Join(stack, "/")
		if l.name == "END" {
			stack = stack[:len(stack)-1]
		}
	}
	return out
}

func textOf(lines []contentLine) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.raw)
	}
	return b.String()
}

const inEvent = "VCALENDAR/VEVENT"

// without gives a text less the lines with some names that stand in a component
// itself; those of its alarms stay.
func without(text, in string, names ...string) string {
	return textOf(slices.DeleteFunc(linesOf(text), func(l contentLine) bool { return l.in == in && slices.Contains(names, l.name) }))
}

// has reports whether the event of a text has a line, without its folds.
func has(text, line string) bool {
	return slices.ContainsFunc(linesOf(text), func(l contentLine) bool { return l.in == inEvent && unfold(l.raw) == line })
}

func unfold(raw string) string {
	return strings.TrimRight(strings.NewReplacer("\r\n ", "", "\r\n\t", "").Replace(raw), "\r\n")
}

// replaced gives a text in whose event the lines with some names are others,
// at a place that is drawn.
func replaced(t *rapid.T, text string, names []string, lines ...string) string {
	all := linesOf(without(text, inEvent, names...))
	var places []int
	for i, l := range all {
		if l.in == inEvent && l.name != "BEGIN" {
			places = append(places, i) // before it, the last of them being END
		}
	}
	var raw string
	for _, line := range lines {
		raw += folded(t, line)
	}
	at := rapid.SampledFrom(places).Draw(t, "place")
	return textOf(slices.Insert(all, at, contentLine{raw: raw, in: inEvent}))
}

// folded writes a line, folded somewhere, as clients do in their own ways.
func folded(t *rapid.T, line string) string {
	out := line
	for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "folds") {
		runes := []rune(out)
		if len(runes) < 4 {
			break
		}
		at := rapid.IntRange(2, len(runes)-1).Draw(t, "fold")
		if strings.ContainsAny(string(runes[at-2:at+1]), "\r\n \t") {
			continue // a fold of a fold
		}
		out = string(runes[:at]) + rapid.SampledFrom([]string{"\r\n ", "\r\n\t"}).Draw(t, "by") + string(runes[at:])
	}
	return out + "\r\n"
}

// zoneText is the VTIMEZONE of a zone, as a client sends it.
func zoneText(t rapid.TB, name string) string {
	z := ical.LookupZone(name)
	if z == nil {
		t.Fatal("no zone", name)
	}
	return z.VTimezone(spanOf("2020-01-01", "2040-01-01"))
}

// withZones adds the VTIMEZONEs that the lines name and the text does not have.
func withZones(t rapid.TB, text string, lines []string) string {
	for _, line := range lines {
		_, rest, ok := strings.Cut(line, ";TZID=")
		name, _, _ := strings.Cut(rest, ":")
		name, _, _ = strings.Cut(name, ";")
		if ok && !strings.Contains(text, "\nTZID:"+name+"\r\n") {
			text = strings.Replace(text, "BEGIN:VEVENT", zoneText(t, name)+"BEGIN:VEVENT", 1)
		}
	}
	return text
}
