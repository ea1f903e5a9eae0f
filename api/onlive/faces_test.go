package onlive

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"daybook/api/apitest"
	"daybook/store"
)

// What a calendar client does to a block is what this API then shows, and what
// is in the way.

func TestClientDragsABlock(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"calendarIds": []string{ada, room}, "extraFields": fields{"a": 1}, "origin": "web"}).id()
	ics := strings.ReplaceAll(p.stored(ada)[id+".ics"], "20270301T1", "20270302T1")
	ics = strings.Replace(ics, "SUMMARY:Blocked", "SUMMARY:Moved", 1)
	p.Put(ada, id+".ics", ics)
	got := p.get(id)
	if got.Start != "2027-03-02T10:00:00.000Z" || got.Title != "Moved" || string(got.ExtraFields) != `{"a":1}` || got.Origin != "web" || !slices.Equal(got.CalendarIDs, []string{ada, room}) {
		t.Errorf("%+v", got)
	}
	p.block(fields{"calendarIds": []string{room}}).want(200)
	p.block(fields{"calendarIds": []string{room}, "start": "2027-03-02T10:30:00Z", "end": "2027-03-02T10:31:00Z"}).busy()
	p.check()
}

func TestClientRemovesABlockFromOneCalendar(t *testing.T) {
	p := newPlace(t)
	body := fields{"calendarIds": []string{ada, room}, "externalId": "EXT-1"}
	id := p.block(body).id()
	p.Update(func(tx *store.Tx) error {
		c, err := apitest.CollectionOf(&tx.View, ada)
		if err != nil {
			return err
		}
		return tx.DeleteObject(store.System(), c, id+".ics", store.Cond{})
	})
	if got := p.get(id).CalendarIDs; !slices.Equal(got, []string{room}) {
		t.Errorf("got %v", got)
	}
	p.block(fields{"calendarIds": []string{ada}}).want(200)
	p.block(body).busy() // it is in other calendars now, so this is a new request
	p.check()
}

func TestClientMakesABlockTransparent(t *testing.T) {
	p := newPlace(t)
	id := p.block(nil).id()
	p.Put(ada, id+".ics", strings.Replace(p.stored(ada)[id+".ics"], "TRANSP:OPAQUE", "TRANSP:TRANSPARENT", 1))
	p.block(nil).want(200)
	if p.list("").Total != 2 {
		t.Error("it is still a block")
	}
}

// A user who has a copy of the block in an own calendar changes nothing here.
func TestCopyInTheHomeOfAUserDoesNotCount(t *testing.T) {
	p := newPlace(t)
	body := fields{"externalId": "EXT-1"}
	id := p.block(body).id()
	p.Put("0197f3c2-0000-7000-8000-0000000000f1", "mine.ics", p.stored(ada)[id+".ics"])
	if got := p.get(id).CalendarIDs; !slices.Equal(got, []string{ada}) {
		t.Errorf("got %v", got)
	}
	if again := p.block(body).id(); again != id {
		t.Error("no repeat any more")
	}
}

// A block of a user's own is nobody's business.
func TestBlocksInTheHomeOfAUserAreNotShown(t *testing.T) {
	p := newPlace(t)
	p.Put("0197f3c2-0000-7000-8000-0000000000f1", "mine.ics", apitest.Event(unknown, "DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "CATEGORIES:BLOCK"))
	p.do("GET", "/api/v1/appointments/"+unknown, "").want(404)
	p.do("DELETE", "/api/v1/appointments/"+unknown, "").want(404)
	if p.list("").Total != 0 {
		t.Error("it is listed")
	}
}

// Whatever is sent as text comes back, and a calendar holds it.
func TestFieldsComeBackAsSent(t *testing.T) {
	p := newPlace(t)
	plain := rapid.StringMatching(`[ -~üß☃😀,;:\\"\n]{1,80}`)
	rapid.Check(t, func(t *rapid.T) {
		want := Appointment{Start: "2027-03-01T10:00:00.000Z", State: "confirmed", Blocked: true}
		want.Title, want.Description = plain.Draw(t, "title"), plain.Draw(t, "description")
		want.Origin, want.ExternalID = plain.Draw(t, "origin"), plain.Draw(t, "external id")
		want.Lang = rapid.SampledFrom([]string{"", "en", "es-MX"}).Draw(t, "lang")
		body := fields{
			"title": want.Title, "description": want.Description, "origin": want.Origin, "externalId": want.ExternalID,
			"extraFields": fields{plain.Draw(t, "name"): plain.Draw(t, "value")}, "lang": absent,
		}
		if want.Lang != "" {
			body["lang"] = want.Lang
		}
		extra := apitest.JSON(p.T, body["extraFields"])
		id := p.block(body).id()
		got := p.get(id)
		if got.Title != want.Title || got.Description != want.Description || got.Origin != want.Origin || got.ExternalID != want.ExternalID ||
			got.Lang != want.Lang || string(got.ExtraFields) != extra || got.Start != want.Start || uuid.Validate(got.ID) != nil {
			t.Fatalf("sent %v, got %+v", body, got)
		}
		p.do("DELETE", "/api/v1/appointments/"+id, "").want(200)
	})
}
