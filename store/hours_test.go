package store

import (
	"errors"
	"slices"
	"testing"

	"daybook/ical/span"
)

// hoursIn gives those of the week as "Mon 09:00-17:00" in Berlin.
func (h *house) hoursIn(p *Principal) (Hours, []string) {
	h.t.Helper()
	var out Hours
	err := h.s.View(h.t.Context(), func(v *View) (err error) {
		out, err = v.Hours(p.ID, houseWeek)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	var text []string
	for _, s := range out.Open {
		text = append(text, out.Zone.Wall(s.Start).Format("Mon 15:04")+"-"+out.Zone.Wall(s.End).Format("15:04"))
	}
	return out, text
}

func TestHoursAreWhatIsOfferedLessClosuresOfTheHouse(t *testing.T) {
	h := newHouse(t)
	want := func(p *Principal, want ...string) {
		t.Helper()
		if _, got := h.hoursIn(p); !slices.Equal(got, want) {
			t.Errorf("hours of %s: %q, want %q", p.Name, got, want)
		}
	}
	if got, _ := h.hoursIn(h.room); len(got.Covered) > 0 || len(got.Open) > 0 || got.Zone.Name() != "Europe/Berlin" {
		t.Errorf("%+v", got)
	}
	h.put(h.org, "week", hours("week", "PRIORITY:9\n", "MO,TU,WE", "0900", "1700"))
	h.put(h.room, "booked", event("booked", "20270322T100000", "20270322T110000", ""))
	want(h.room, "Mon 09:00-17:00", "Tue 09:00-17:00", "Wed 09:00-17:00")

	// In the house's own calendar some events are appointments, which close nothing.
	h.put(h.org, "visit", event("visit", "20270322T100000", "20270322T110000", "X-DAYBOOK-EVENT-TYPE:APPOINTMENT\n"))
	h.put(h.org, "class", event("class", "20270322T100000", "20270322T110000", "X-DAYBOOK-SERVICE-ID:x\n"))
	h.put(h.org, "maybe", event("maybe", "20270322T100000", "20270322T110000", "TRANSP:TRANSPARENT\n"))
	want(h.room, "Mon 09:00-17:00", "Tue 09:00-17:00", "Wed 09:00-17:00")
	h.put(h.org, "holiday", "BEGIN:VEVENT\nUID:holiday\nDTSTAMP:20270101T000000Z\nDTSTART;VALUE=DATE:20270323\nSUMMARY:Closed\nEND:VEVENT\n")
	h.put(h.org, "block", event("block", "20270322T120000", "20270322T130000", "CATEGORIES:BLOCK\nX-DAYBOOK-SERVICE-ID:x\n"))
	h.put(h.org, "off", event("off", "20270324T120000", "20270324T170000", "X-DAYBOOK-EVENT-TYPE;X-A=1:Vacation\n"))
	want(h.room, "Mon 09:00-12:00", "Mon 13:00-17:00", "Wed 09:00-12:00")
	want(h.org, "Mon 09:00-12:00", "Mon 13:00-17:00", "Wed 09:00-12:00")

	// An exception of the week replaces it for all.
	h.put(h.org, "exception", hours("exception", "PRIORITY:1\nRELATED-TO;RELTYPE=PARENT:week\n"+
		"DTSTART;TZID=Europe/Berlin:20270324T000000\nDTEND;TZID=Europe/Berlin:20270325T000000\n", "WE", "0800", "1000"))
	want(h.other, "Mon 09:00-12:00", "Mon 13:00-17:00", "Wed 08:00-10:00")
}

func TestHoursOfWhatHasNone(t *testing.T) {
	h := newHouse(t)
	user := h.add(&Principal{Kind: KindUser, Name: "grace"})
	for _, x := range []struct {
		p    PrincipalID
		w    span.Span
		want error
	}{
		{user.ID, houseWeek, ErrInvalid},
		{999, houseWeek, ErrNotFound},
		{h.room.ID, span.Span{Start: houseWeek.End, End: houseWeek.Start}, ErrInvalid},
		{h.room.ID, span.Span{Start: houseWeek.Start, End: houseWeek.Start.AddDate(4, 0, 0)}, ErrInvalid},
	} {
		err := h.s.View(t.Context(), func(v *View) error {
			_, err := v.Hours(x.p, x.w)
			return err
		})
		if !errors.Is(err, x.want) {
			t.Errorf("%v, want %v", err, x.want)
		}
	}
}
