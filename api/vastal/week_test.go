package vastal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/ical/span"
	"daybook/store"
)

// available is an AVAILABLE as a calendar client writes it.
func available(uid string, lines ...string) string {
	return "BEGIN:AVAILABLE\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\n" + strings.Join(lines, "\n") + "\nEND:AVAILABLE\n"
}

func hours(uid, parts string, lines ...string) string {
	more := ""
	if len(lines) > 0 {
		more = strings.Join(lines, "\n") + "\n"
	}
	return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//T//T//EN\nBEGIN:VAVAILABILITY\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\n" + more +
		parts + "END:VAVAILABILITY\nEND:VCALENDAR\n"
}

// [inferred] one VAVAILABILITY in the organisation's collection, an AVAILABLE
// with RRULE:FREQ=WEEKLY;BYDAY for each slot; MAPPING: PRIORITY:9,
// BUSYTYPE:BUSY-UNAVAILABLE, no DTSTART, X-DAYBOOK-APPOINTMENT-TYPE; wall clocks
// are in the organisation's zone.
func TestTheWeekIsOneAvailability(t *testing.T) {
	p := newPlace(t)
	slots := p.put("1 09:00:00 12:00:00", "2 13:00:00 17:30:00 type_x", "!3 09:00:00 12:00:00")
	name, data := p.only()
	_, body, _ := strings.Cut(data, "END:VTIMEZONE\n")
	uid := strings.TrimSuffix(name, ".ics")
	of := func(i int) string { return uuid.MustParse(slots[i].ID[len(slotPrefix):]).String() }
	want := "BEGIN:VAVAILABILITY\nUID:" + uid + "\nDTSTAMP:20270220T070000Z\nCREATED:20270220T070000Z\nLAST-MODIFIED:20270220T070000Z\n" +
		"PRIORITY:9\nBUSYTYPE:BUSY-UNAVAILABLE\n" +
		"BEGIN:AVAILABLE\nUID:" + of(0) + "\nDTSTAMP:20270220T070000Z\nCREATED:20270220T070000Z\n" +
		"DTSTART;TZID=Europe/Berlin:20010108T090000\nDTEND;TZID=Europe/Berlin:20010108T120000\nRRULE:FREQ=WEEKLY;BYDAY=MO\nEND:AVAILABLE\n" +
		"BEGIN:AVAILABLE\nUID:" + of(1) + "\nDTSTAMP:20270220T070000Z\nCREATED:20270220T070000Z\n" +
		"DTSTART;TZID=Europe/Berlin:20010109T130000\nDTEND;TZID=Europe/Berlin:20010109T173000\nRRULE:FREQ=WEEKLY;BYDAY=TU\n" +
		"X-DAYBOOK-APPOINTMENT-TYPE:type_x\nEND:AVAILABLE\nEND:VAVAILABILITY\nEND:VCALENDAR\n"
	if body != want {
		t.Errorf("got\n%s\nwant\n%s", body, want)
	}
}

// MAPPING "back": an AVAILABLE, weekly, INTERVAL 1, no end, is a slot for each
// BYDAY; anything else has no word: GET leaves it out.
func TestWhatIsASlot(t *testing.T) {
	const berlin = "DTSTART;TZID=Europe/Berlin:20270301T090000\nDTEND;TZID=Europe/Berlin:20270301T120000\n"
	for name, x := range map[string]struct{ part, want string }{
		"one day":          {berlin + "RRULE:FREQ=WEEKLY;BYDAY=MO", "1 09:00:00 12:00:00"},
		"days":             {berlin + "RRULE:FREQ=WEEKLY;INTERVAL=1;WKST=SU;BYDAY=FR,MO,SU", "0 09:00:00 12:00:00, 1 09:00:00 12:00:00, 5 09:00:00 12:00:00"},
		"no BYDAY":         {berlin + "RRULE:FREQ=WEEKLY", "1 09:00:00 12:00:00"},
		"lower case":       {berlin + "RRULE:freq=weekly;byday=tu", "2 09:00:00 12:00:00"},
		"duration":         {"DTSTART;TZID=Europe/Berlin:20270301T090000\nDURATION:PT90M\nRRULE:FREQ=WEEKLY", "1 09:00:00 10:30:00"},
		"floating":         {"DTSTART:20270301T090000\nDTEND:20270301T120000\nRRULE:FREQ=WEEKLY", "1 09:00:00 12:00:00"},
		"UTC":              {"DTSTART:20270301T090000Z\nDTEND:20270301T120000Z\nRRULE:FREQ=WEEKLY", "1 10:00:00 13:00:00"},
		"another zone":     {"DTSTART;TZID=America/New_York:20270301T190000\nDTEND;TZID=America/New_York:20270301T200000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU", "2 01:00:00 02:00:00, 3 01:00:00 02:00:00"},
		"end of the day":   {"DTSTART;TZID=Europe/Berlin:20270301T200000\nDTEND;TZID=Europe/Berlin:20270302T000000\nRRULE:FREQ=WEEKLY", "1 20:00:00 24:00:00"},
		"whole days":       {"DTSTART;VALUE=DATE:20270301\nRRULE:FREQ=WEEKLY", "1 00:00:00 24:00:00"},
		"type":             {berlin + "RRULE:FREQ=WEEKLY\nX-DAYBOOK-APPOINTMENT-TYPE:a\\,b", "1 09:00:00 12:00:00 a,b"},
		"exceptions":       {berlin + "RRULE:FREQ=WEEKLY\nEXDATE;TZID=Europe/Berlin:20270308T090000", "1 09:00:00 12:00:00"},
		"dated":            {berlin[:len(berlin)-1], ""},
		"every other week": {berlin + "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", ""},
		"until":            {berlin + "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20280101T000000Z", ""},
		"count":            {berlin + "RRULE:FREQ=WEEKLY;COUNT=5", ""},
		"daily":            {berlin + "RRULE:FREQ=DAILY", ""},
		"in March":         {berlin + "RRULE:FREQ=WEEKLY;BYMONTH=3", ""},
		"over midnight":    {"DTSTART;TZID=Europe/Berlin:20270301T220000\nDTEND;TZID=Europe/Berlin:20270302T020000\nRRULE:FREQ=WEEKLY", ""},
		"no length":        {"DTSTART;TZID=Europe/Berlin:20270301T220000\nRRULE:FREQ=WEEKLY", ""},
		"an override":      {"RECURRENCE-ID;TZID=Europe/Berlin:20270301T090000\n" + berlin + "RRULE:FREQ=WEEKLY", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.calendar("h.ics", hours("h", available("a", x.part)))
			if got := shown(p.list()); got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}

// [inferred] parts that have no word here: GET leaves them out, PUT keeps them,
// byte for byte.
func TestReplaceKeepsWhatHasNoWord(t *testing.T) {
	p := newPlace(t)
	dated := available("x1", "DTSTART;TZID=Europe/Berlin:20270306T100000", "DTEND;TZID=Europe/Berlin:20270306T130000", "SUMMARY:Open day; see\\, you")
	spring := available("x2", "DTSTART;TZID=Europe/Berlin:20270301T070000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;UNTIL=20270601T000000Z", "X-ODD;A=\"b:c\":d")
	weekly := available("x3", "DTSTART;TZID=Europe/Berlin:20270301T090000", "DURATION:PT3H", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU", "SUMMARY:Morning", "X-COLOR:7")
	p.calendar("h.ics", hours("h", dated+weekly+spring, "SUMMARY:Our hours", "X-KEEP:1"))
	before := p.list()
	if got := shown(before); got != "1 09:00:00 12:00:00, 2 09:00:00 12:00:00" {
		t.Fatal(got)
	}

	// The same week: nothing is touched.
	_, was := p.only()
	p.put("2 09:00:00 12:00:00", "1 09:00:00 12:00:00")
	if name, now := p.only(); now != was || name != "h.ics" {
		t.Errorf("%s: %s", name, now)
	}

	// One of two days goes: the other keeps its id and the client's lines.
	p.put("2 09:00:00 12:00:00", "4 14:00:00 15:00:00")
	_, now := p.only()
	for _, s := range []string{dated, spring, "SUMMARY:Our hours\nX-KEEP:1\n", "SUMMARY:Morning\nX-COLOR:7\n"} {
		if !strings.Contains(now, s) {
			t.Errorf("lost %s in\n%s", s, now)
		}
	}
	if strings.Contains(now, "UID:x3\n") {
		t.Error("the replaced part is still there")
	}
	if after := p.list(); shown(after) != "2 09:00:00 12:00:00, 4 14:00:00 15:00:00" || after[0] != before[1] {
		t.Errorf("%+v, was %+v", after, before)
	}

	p.put()
	if _, now = p.only(); !strings.Contains(now, dated) || !strings.Contains(now, spring) || strings.Count(now, "BEGIN:AVAILABLE") != 2 {
		t.Error(now)
	}
}

// PATCH of a slot edits its AVAILABLE where it is: other lines stay.
func TestPatchKeepsTheLinesOfAClient(t *testing.T) {
	p := newPlace(t)
	p.calendar("h.ics", hours("h", available("a", "DTSTART;TZID=Europe/Berlin:20270301T090000", "DURATION:PT3H", "RRULE:FREQ=WEEKLY;WKST=SU", "LOCATION:Back door")))
	slot := p.list()[0]
	read[scheduleOut](p.do("PATCH", availability+"/"+slot.ID, `{"appointment_type_id": "type_x"}`))
	if _, data := p.only(); !strings.Contains(data, "DURATION:PT3H\nRRULE:FREQ=WEEKLY;WKST=SU\nLOCATION:Back door\nX-DAYBOOK-APPOINTMENT-TYPE:type_x\n") {
		t.Error(data)
	}
	read[scheduleOut](p.do("PATCH", availability+"/"+slot.ID, `{"end_time": "13:00:00"}`))
	_, data := p.only()
	if !strings.Contains(data, "LOCATION:Back door\n") || strings.Contains(data, "DURATION") || !strings.Contains(data, "BEGIN:VTIMEZONE") {
		t.Error(data)
	}
	if got := p.list()[0]; got.ID != slot.ID || shown([]Slot{got}) != "1 09:00:00 13:00:00 type_x" {
		t.Errorf("%+v", got)
	}
}

// MAPPING "Identity": a slot without its own uuid has an id derived from UID and
// weekday, so that it stays the same; a slot of ours keeps its id when a client
// adds a day to it.
func TestDerivedIdsStay(t *testing.T) {
	p := newPlace(t)
	part := available("not a uuid", "DTSTART;TZID=Europe/Berlin:20270301T090000", "DURATION:PT3H", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU")
	p.calendar("h.ics", hours("h", part))
	first := p.list()
	p.calendar("h.ics", hours("h", strings.Replace(part, "MO,TU", "WE,TU,MO", 1)))
	second := p.list()
	if first[0].ID != second[0].ID || first[1].ID != second[1].ID || first[0].ID == first[1].ID {
		t.Errorf("%+v, %+v", first, second)
	}
	q := newPlace(t)
	own := q.put("1 09:00:00 12:00:00")[0]
	name, data := q.only()
	q.calendar(name, strings.Replace(data, "BYDAY=MO", "BYDAY=MO,FR", 1))
	if got := q.list(); len(got) != 2 || got[0] != own || got[1].ID == own.ID {
		t.Errorf("%+v", got)
	}
}

// [inferred] one VAVAILABILITY: the hours that a calendar client has made for the
// whole organisation are the week; opening hours of service points, their
// exceptions and dated availabilities are not.
func TestWhichAvailabilityIsTheWeek(t *testing.T) {
	p := newPlace(t)
	part := func(uid string) string {
		return available(uid, "DTSTART:20270301T090000", "DTEND:20270301T120000", "RRULE:FREQ=WEEKLY")
	}
	p.calendar("a.ics", hours("a", part("1"), "X-DAYBOOK-SERVICE-POINT:"))
	p.calendar("b.ics", hours("b", part("2"), "RELATED-TO;RELTYPE=PARENT:a"))
	p.calendar("c.ics", hours("c", part("3"), "DTSTART:20270101T000000", "DTEND:20270201T000000"))
	if got := p.list(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	p.calendar("d.ics", hours("d", part("4")))
	if got := shown(p.list()); got != "1 09:00:00 12:00:00" {
		t.Error(got)
	}
	p.put("2 09:00:00 12:00:00")
	all := p.stored()
	if len(all) != 4 || !strings.Contains(all["d.ics"], "BYDAY=TU") || strings.Contains(all["a.ics"], "BYDAY=TU") {
		t.Error(all)
	}
}

// [inferred] inactive slots are kept as a record, not as AVAILABLE, and give no
// openings; the union of overlapping slots is open; it does not look at
// appointments that are already there; resources without hours of their own
// inherit the week.
func TestOpeningsFollowTheActiveSlots(t *testing.T) {
	p := newPlace(t)
	p.put("1 09:00:00 12:00:00", "1 11:00:00 13:00:00", "!1 14:00:00 15:00:00")
	monday := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, who := range []string{demo, ada} {
		var got store.Openings
		err := p.Store.View(t.Context(), func(v *store.View) error {
			x, err := v.PrincipalByUUID(uuid.MustParse(who))
			if err != nil {
				return err
			}
			got, err = v.Openings(x.ID, span.Span{Start: monday, End: monday.Add(24 * time.Hour)})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := span.Set{{Start: monday.Add(8 * time.Hour), End: monday.Add(12 * time.Hour)}}
		if !got.Known || len(got.Free) != 1 || !got.Free[0].Start.Equal(want[0].Start) || !got.Free[0].End.Equal(want[0].End) {
			t.Errorf("%+v", got)
		}
	}
}

// [inferred] times are wall clocks of the organisation's zone: they keep them
// over a change of clocks.
func TestSlotsKeepTheirWallClock(t *testing.T) {
	p := newPlace(t)
	p.put("0 09:00:00 24:00:00", "1 09:00:00 12:00:00")
	for _, x := range []struct{ from, to, want string }{
		{"2027-03-28", "2027-03-29", "2027-03-28T07:00:00Z/2027-03-28T22:00:00Z 2027-03-29T07:00:00Z/2027-03-29T10:00:00Z"},
		{"2027-10-31", "2027-11-01", "2027-10-31T08:00:00Z/2027-10-31T23:00:00Z 2027-11-01T08:00:00Z/2027-11-01T11:00:00Z"},
	} {
		if got := p.openings("from=" + x.from + "&to=" + x.to); got != x.want {
			t.Errorf("got  %s\nwant %s", got, x.want)
		}
	}
}

// [inferred] in one transaction, all or nothing: what fails at its end has
// changed nothing.
func TestReplaceIsAllOrNothing(t *testing.T) {
	p := newPlace(t)
	p.put("1 09:00:00 12:00:00", "!2 09:00:00 12:00:00")
	before, seq := p.list(), p.seq()
	// Every slot is 255 quotes: more than a record takes, found in the middle of
	// the transaction.
	var list []string
	for i := range 500 {
		list = append(list, strings.Replace(slotText("!1 09:00:00 12:00:00"), `}`, `, "appointment_type_id": "`+
			strings.Repeat(`\"`, 250)+time.Duration(i).String()+`"}`, 1))
	}
	list = append(list[:499], slotText("3 09:00:00 12:00:00"))
	p.do("PUT", availability, `{"schedules": [`+strings.Join(list, ",")+`]}`).fails(507, "")
	if after := p.list(); shown(after) != shown(before) || p.seq() != seq {
		t.Errorf("changed: %s", shown(after))
	}
}

// There is no zone in the API: in UTC the hours are written in UTC, and when the
// organisation moves to another zone they are shown as its wall clock, until
// they are replaced.
func TestTheOrganisationsZone(t *testing.T) {
	p := newPlace(t)
	was := p.put("1 09:00:00 12:00:00")[0]
	move := func(zone string) {
		p.Update(func(tx *store.Tx) error {
			org, err := tx.PrincipalByUUID(uuid.MustParse(demo))
			if err != nil {
				return err
			}
			org.Zone = zone
			return tx.UpdatePrincipal(org)
		})
	}
	move("America/New_York")
	if got := p.list(); shown(got) != "1 03:00:00 06:00:00" || got[0].ID != was.ID {
		t.Errorf("%+v", got)
	}
	move("UTC")
	p.put("1 09:00:00 12:00:00")
	if _, data := p.only(); !strings.Contains(data, "DTSTART:20010108T090000Z\nDTEND:20010108T120000Z\n") {
		t.Error(data)
	}
	if got := p.openings(monday); got != "2027-03-01T09:00:00Z/2027-03-01T12:00:00Z" {
		t.Error(got)
	}
}

// A calendar client that deletes the hours deletes the week; what is not active
// is a record of this API, and stays.
func TestAClientDeletesTheHours(t *testing.T) {
	p := newPlace(t)
	p.put("1 09:00:00 12:00:00", "!2 09:00:00 12:00:00")
	name, _ := p.only()
	p.Update(func(tx *store.Tx) error { return tx.DeleteObject(store.System(), p.own(&tx.View), name, store.Cond{}) })
	if got := shown(p.list()); got != "!2 09:00:00 12:00:00" {
		t.Error(got)
	}
	p.put("3 09:00:00 12:00:00")
	if again, _ := p.only(); again != name {
		t.Errorf("the week came back as %s, was %s", again, name)
	}
}
