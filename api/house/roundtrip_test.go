package house

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"daybook/ical"
	"daybook/store"
)

// fact is a member of an event, the content lines that are its home, and
// values: as REST says them and as a calendar client writes them.
type fact struct {
	member string
	names  []string // of its lines
	rest   []string // JSON
	lines  []string // of the same values; "" for none
}

var eventFields = []fact{
	{"title", []string{"SUMMARY"}, []string{`"Visit"`, `"a, b; c\\d\ne"`, `null`}, []string{"SUMMARY:Visit", `SUMMARY:a\, b\; c\\d\ne`, ""}},
	{"notes", []string{"DESCRIPTION"}, []string{`"x"`, `"ÄÖ\n"`, `null`}, []string{"DESCRIPTION:x", `DESCRIPTION:ÄÖ\n`, ""}},
	{"location", []string{"LOCATION"}, []string{`"Here"`, `null`}, []string{"LOCATION:Here", ""}},
	{"url", []string{"URL"}, []string{`"https://example.com/a,b"`, `null`}, []string{"URL:https://example.com/a,b", ""}},
	{"type", []string{"X-DAYBOOK-EVENT-TYPE"}, []string{`"CLASS"`, `"APPOINTMENT"`, `null`}, []string{"X-DAYBOOK-EVENT-TYPE:CLASS", "X-DAYBOOK-EVENT-TYPE:APPOINTMENT", ""}},
	{"status", []string{"STATUS"}, []string{`"tentative"`, `"cancelled"`, `"confirmed"`}, []string{"STATUS:TENTATIVE", "STATUS:CANCELLED", "STATUS:CONFIRMED"}},
	{"substatus", []string{"X-DAYBOOK-SUBSTATUS"}, []string{`"NOSHOW"`, `null`}, []string{"X-DAYBOOK-SUBSTATUS:NOSHOW", ""}},
	{"visibility", []string{"CLASS"}, []string{`"private"`, `"confidential"`, `"public"`}, []string{"CLASS:PRIVATE", "CLASS:CONFIDENTIAL", "CLASS:PUBLIC"}},
	{"busy", []string{"TRANSP"}, []string{`false`, `true`}, []string{"TRANSP:TRANSPARENT", "TRANSP:OPAQUE"}},
	{"color", []string{"COLOR", "X-DAYBOOK-COLOR"}, []string{`"#ff0000"`, `"#0000ff"`, `null`}, []string{"COLOR:red", "COLOR:Blue", ""}},
	{"categories", []string{"CATEGORIES"}, []string{`["A","B, C"]`, `[]`}, []string{`CATEGORIES:A,B\, C`, ""}},
	{
		"attendees",
		[]string{"ATTENDEE"},
		[]string{`[{"email":"x@example.com","name":"X, Y","status":"accepted"}]`, `[]`},
		[]string{`ATTENDEE;CN="X, Y";PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:x@example.com`, ""},
	},
	{"buffer_before", []string{"X-DAYBOOK-BUFFER-BEFORE"}, []string{`"PT15M"`, `null`}, []string{"X-DAYBOOK-BUFFER-BEFORE:PT15M", ""}},
	{"buffer_after", []string{"X-DAYBOOK-BUFFER-AFTER"}, []string{`"PT1H"`, `null`}, []string{"X-DAYBOOK-BUFFER-AFTER:PT60M", ""}},
	{"service_id", []string{"X-DAYBOOK-SERVICE-ID"}, []string{`"s"`, `null`}, []string{"X-DAYBOOK-SERVICE-ID:s", ""}},
	{"origin", []string{"X-DAYBOOK-ORIGIN"}, []string{`"o"`, `null`}, []string{"X-DAYBOOK-ORIGIN:o", ""}},
	{"external_id", []string{"X-DAYBOOK-EXTERNAL-ID"}, []string{`"e"`, `null`}, []string{"X-DAYBOOK-EXTERNAL-ID:e", ""}},
	{"invoice", []string{"X-DAYBOOK-INVOICE"}, []string{`"CLOSED"`, `"NONE"`, `null`}, []string{"X-DAYBOOK-INVOICE:CLOSED", "X-DAYBOOK-INVOICE:NONE", ""}},
	{"extra", []string{"X-DAYBOOK-EXTRA"}, []string{`{"a":[1,"x,y"]}`, `null`}, []string{`X-DAYBOOK-EXTRA:{"a":[1\,"x\,y"]}`, ""}},
}

// blockFields are those that blocks have, with the lines of a block.
func blockFields() []fact {
	var out []fact
	for _, f := range eventFields {
		switch f.member {
		case "attendees":
			continue
		case "type":
			f = fact{
				"type",
				[]string{"X-DAYBOOK-BLOCK-TYPE"},
				[]string{`"cleaning"`, `"break"`, `"other"`},
				[]string{"X-DAYBOOK-BLOCK-TYPE:cleaning", "X-DAYBOOK-BLOCK-TYPE:break", "X-DAYBOOK-BLOCK-TYPE:other"},
			}
		case "categories":
			f.rest, f.lines = []string{`["A","B, C"]`, `[]`}, []string{`CATEGORIES:A,BLOCK,B\, C`, "CATEGORIES:BLOCK"}
		}
		out = append(out, f)
	}
	return out
}

// foreignLines are of other programs: odd folds, parameters, components.
const foreignLines = "X-OTHER;X-P=\"a:b\":kept as\r\n  it is\r\n\t folded\r\nGEO:1.0;2.0\r\nPRIORITY:5\r\nDTSTAMP:20270101T000000Z\r\n"

const foreignAlarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT5M\r\nX-WR-ALARMUID:1\r\nEND:VALARM\r\n"

// linesWithout gives a text without the lines of some names.
func linesWithout(text string, names []string) string {
	var b strings.Builder
	skip := false
	for l := range strings.Lines(text) {
		if l[0] != ' ' && l[0] != '\t' {
			name := strings.FieldsFunc(l, func(r rune) bool { return r == ':' || r == ';' })[0]
			skip = slices.Contains(names, name)
		}
		if !skip {
			b.WriteString(l)
		}
	}
	return b.String()
}

// putText writes an object as a calendar client does.
func (p *place) putText(owner, name, text string) {
	p.t.Helper()
	o, err := ical.ParseResource([]byte(text), ical.Limits{})
	if err != nil {
		p.t.Fatal(err, text)
	}
	prepared, err := p.store.Prepare(o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.update(func(tx *store.Tx) error {
		c, err := tx.Calendar(p.ids[owner])
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: name, Object: prepared})
		return err
	})
}

// members reads the JSON of one event.
func (a *answer) members() map[string]any {
	a.t.Helper()
	out := map[string]any{}
	a.into(&out)
	return out
}

func valueOf(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err, text)
	}
	return v
}

// A calendar client changes a line of what REST made: REST says the new value,
// and all others as they were; REST changes it back, and all lines that it does
// not name are as the client wrote them.
func TestEveryFieldGoesFromRESTToCalDAVAndBack(t *testing.T) {
	kinds := []struct {
		path, one, category string
		fields              []fact
	}{
		{adaEvents, adaEvents + "/", "", eventFields},
		{adaBlocks, "/v1/blocks/", "BLOCK", blockFields()},
	}
	p := newPlace(t)
	rapid.Check(t, func(rt *rapid.T) {
		kind := kinds[rapid.IntRange(0, 1).Draw(rt, "kind")]
		body := map[string]any{"start": "2027-03-02T09:00:00+01:00", "end": "2027-03-02T10:00:00+01:00"}
		for _, f := range kind.fields {
			body[f.member] = valueOf(t, rapid.SampledFrom(f.rest).Draw(rt, f.member))
		}
		text, err := json.Marshal(body)
		if err != nil {
			rt.Fatal(err)
		}
		made := p.do("POST", kind.path, string(text)).want(201).members()
		id, uid := made["id"].(string), made["uid"].(string)
		path := kind.one + id
		defer p.do("DELETE", path, "")

		x := rapid.SampledFrom(kind.fields).Draw(rt, "field")
		n := rapid.IntRange(0, len(x.rest)-1).Draw(rt, "value")
		stored := p.textOf("ada", uid)
		edited := linesWithout(stored, x.names)
		line := x.lines[n]
		if line != "" {
			line += "\r\n"
		}
		edited = strings.Replace(edited, "END:VEVENT", line+foreignLines[:strings.Index(foreignLines, "DTSTAMP")]+foreignAlarm+"END:VEVENT", 1)
		p.putText("ada", uid+".ics", edited)

		want := maps.Clone(made)
		want[x.member] = valueOf(t, x.rest[n])
		got := p.get(path).want(200).members()
		same(rt, "after "+x.lines[n], got, want, x.member)
		want["title"] = got["title"] // the default title of one type is a title of its own in another

		// And back by REST.
		back := rapid.SampledFrom(kind.fields).Draw(rt, "back")
		value := rapid.SampledFrom(back.rest).Draw(rt, "back value")
		after := p.do("PATCH", path, `{"`+back.member+`": `+value+`}`).want(200).members()
		want[back.member] = valueOf(t, value)
		same(rt, "after "+back.member+" "+value, after, want, back.member)
		names := slices.Concat(back.names, []string{"DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "X-DAYBOOK-UNTITLED"})
		if back.member == "type" && kind.category != "" {
			names = append(names, "CATEGORIES", "SUMMARY") // they say the type, and the default title
		}
		now := p.textOf("ada", uid)
		if a, b := linesWithout(edited, names), linesWithout(now, names); a != b {
			rt.Fatalf("%s %s changed other lines: was\n%s\nis\n%s", back.member, value, a, b)
		}
	})
}

// same compares two events but for their tags and times of change.
func same(t *rapid.T, what string, got, want map[string]any, member string) {
	for name, w := range want {
		g := got[name]
		switch name {
		case "updated_at", "created_at", "sequence":
			continue
		case "title":
			if member == "type" && w == nil {
				continue // the default title of another type is nobody's
			}
		}
		if !reflect.DeepEqual(g, w) {
			t.Fatalf("%s: %s is %v, want %v", what, name, g, w)
		}
	}
}

// textOf gives the object with a UID.
func (p *place) textOf(owner, uid string) string {
	p.t.Helper()
	for _, s := range p.stored(owner) {
		if strings.Contains(s, "\nUID:"+uid+"\r\n") {
			return s
		}
	}
	p.t.Fatal("no object", uid)
	return ""
}

// REST changes what a calendar client has made: what is not named keeps every
// byte, in whatever form the client wrote it.
func TestEveryFieldGoesFromCalDAVToRESTAndBack(t *testing.T) {
	p := newPlace(t)
	rapid.Check(t, func(rt *rapid.T) {
		times := rapid.SampledFrom([]string{
			"DTSTART;TZID=Europe/Berlin:20270302T090000\r\nDTEND;TZID=Europe/Berlin:20270302T100000\r\n",
			"DTSTART:20270302T080000Z\r\nDURATION:PT1H\r\n", "DTSTART:20270302T090000\r\nDTEND:20270302T100000\r\n",
			"DTSTART;VALUE=DATE:20270302\r\n",
		}).Draw(rt, "times")
		rule := rapid.SampledFrom([]string{"", "RRULE:FREQ=WEEKLY;COUNT=3\r\n"}).Draw(rt, "rule")
		var b strings.Builder
		b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Other//EN\r\n" + string(berlin(t)) + "BEGIN:VEVENT\r\nUID:theirs\r\n" + foreignLines + times + rule)
		drawn := map[string]any{}
		for _, f := range eventFields {
			n := rapid.IntRange(0, len(f.lines)-1).Draw(rt, f.member)
			if drawn[f.member] = valueOf(t, f.rest[n]); f.lines[n] != "" {
				b.WriteString(f.lines[n] + "\r\n")
			}
		}
		b.WriteString(foreignAlarm + "END:VEVENT\r\nEND:VCALENDAR\r\n")
		text := b.String()
		p.putText("ada", "theirs.ics", text)
		id := p.identity("theirs")
		path := adaEvents + "/" + id
		got := p.get(path).want(200).members()
		same(rt, "as PUT", got, drawn, "")

		change := map[string]any{}
		var names []string
		for _, f := range rapid.SliceOfNDistinct(rapid.SampledFrom(eventFields), 1, 3, func(f fact) string { return f.member }).Draw(rt, "fields") {
			change[f.member] = valueOf(t, rapid.SampledFrom(f.rest).Draw(rt, "new "+f.member))
			names = append(names, f.names...)
		}
		body, err := json.Marshal(change)
		if err != nil {
			rt.Fatal(err)
		}
		maps.Copy(drawn, change)
		same(rt, "patched", p.do("PATCH", path, string(body)).want(200).members(), drawn, "")
		names = append(names, "DTSTAMP", "LAST-MODIFIED", "SEQUENCE")
		now := p.textOf("ada", "theirs")
		if a, b := linesWithout(text, names), linesWithout(now, names); a != b {
			rt.Fatalf("%s changed other lines: was\n%s\nis\n%s", body, a, b)
		}
		p.do("DELETE", path, "").want(204)
	})
}

func berlin(t testing.TB) []byte {
	z := ical.LookupZone("Europe/Berlin")
	if z == nil {
		t.Fatal("no zone")
	}
	return []byte("BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")
}

// identity gives the id that REST knows a UID by.
func (p *place) identity(uid string) (id string) {
	p.t.Helper()
	err := p.store.View(p.t.Context(), func(v *store.View) error {
		x, err := v.Identity(p.ids["demo"], uid)
		id = x.UUID.String()
		return err
	})
	if err != nil {
		p.t.Fatal(fmt.Errorf("identity of %s: %w", uid, err))
	}
	return id
}
