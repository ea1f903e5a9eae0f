package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What the table "A block in several calendars" says, done by calendar clients
// and by the APIs: one body, and whoever is in it is in it for all faces.

// places are the calendars, and the list of Trybe's that their owners are in.
var memberPlaces = []struct{ owner, id, list, old, new string }{
	{"ada", demoAda, "practitioner_ids", "old_practitioner_id", "new_practitioner_id"},
	{"bob", facesBob, "practitioner_ids", "old_practitioner_id", "new_practitioner_id"},
	{"room-1", demoRoom, "room_ids", "old_room_id", "new_room_id"},
	{"pool", facesPool, "area_ids", "old_area_id", "new_area_id"},
}

// spread is a block, with a client of each calendar.
type spread struct {
	*world
	rt     *rapid.T
	phones map[string]*phone
	in     map[string]bool // owner → the block is in that calendar
	id     string
	title  string
	text   string
}

func membershipGoesRoundTheFaces(t *testing.T, w *world) {
	cases(t, 3, func(rt *rapid.T) {
		w := w.on(rt)
		*w.dirty = true
		b := &spread{world: w, rt: rt, phones: map[string]*phone{}, in: map[string]bool{}}
		for _, p := range memberPlaces {
			b.phones[p.owner] = w.phone(p.owner)
		}
		b.make()
		b.check("made")
		for _, do := range rapid.Permutation(slices.Sorted(maps.Keys(memberActions))).Draw(rt, "order") {
			if memberActions[do](b) {
				b.check(do)
			}
		}
		b.leave()
		*w.dirty = false
	})
}

// make makes the block, in one of the faces.
func (b *spread) make() {
	b.Helper()
	b.title = "Works"
	for _, p := range memberPlaces {
		b.in[p.owner] = rapid.Bool().Draw(b.rt, p.owner)
	}
	if len(b.owners(true)) == 0 {
		b.in["ada"] = true
	}
	var ids []string
	lists := map[string]any{"start_time": "2031-01-14T09:00:00", "end_time": "2031-01-14T10:00:00", "type": "other", "label": b.title}
	for list, of := range b.lists() {
		lists[list] = of
		ids = append(ids, of...)
	}
	var id any
	switch rapid.SampledFrom([]string{byHouse, byTrybe, byOnlive}).Draw(b.rt, "made by") {
	case byHouse:
		body := map[string]any{"start": "2031-01-14T08:00:00Z", "end": "2031-01-14T09:00:00Z", "title": b.title, "resources": ids}
		id = dig(b.rest("POST", "/v1/calendars/"+b.owners(true)[0]+"/blocks", jsonOf(b.rt, body)).want(201).json(), "id")
	case byTrybe:
		id = dig(b.rest("POST", "/shop/blocked-times?site_id="+demoSite, jsonOf(b.rt, lists)).want(201).json(), "data", "id")
	case byOnlive:
		body := map[string]any{"start": "2031-01-14T08:00:00Z", "end": "2031-01-14T09:00:00Z", "title": b.title, "calendarIds": ids}
		id = dig(b.onlive("POST", "/api/v1/appointments/block-slot", jsonOf(b.rt, body)).want(200).json(), "id")
	}
	b.id, _ = id.(string)
	b.sync()
}

// owners gives those whose calendars have the block, or those that do not.
func (b *spread) owners(in bool) (out []string) {
	for _, p := range memberPlaces {
		if b.in[p.owner] == in {
			out = append(out, p.owner)
		}
	}
	return out
}

// lists gives Trybe's three lists of ids.
func (b *spread) lists() map[string][]string {
	out := map[string][]string{"practitioner_ids": {}, "room_ids": {}, "area_ids": {}}
	for _, p := range memberPlaces {
		if b.in[p.owner] {
			out[p.list] = append(out[p.list], p.id)
		}
	}
	return out
}

func (b *spread) sync() {
	b.Helper()
	for _, p := range b.phones {
		p.sync()
	}
}

// at draws one of the calendars; "" if there is none.
func (b *spread) at(in bool, what string) string {
	all := b.owners(in)
	if len(all) == 0 {
		return ""
	}
	return rapid.SampledFrom(all).Draw(b.rt, what)
}

// href gives the block's place in a calendar that has it.
func (b *spread) href(owner string) string {
	b.Helper()
	all := slices.Collect(maps.Keys(b.phones[owner].tags))
	if len(all) != 1 {
		b.Fatalf("the calendar of %s has %v", owner, all)
	}
	return all[0]
}

// memberActions are what is done to the block; false: there is no place to do
// it in now.
var memberActions = map[string]func(*spread) bool{
	"a client's new title": func(b *spread) bool {
		owner := b.at(true, "changed in")
		b.title = rapid.SampledFrom([]string{"Paint", "Repair"}).Draw(b.rt, "title")
		b.phones[owner].put(b.href(owner), replaced(b.rt, b.text, []string{"SUMMARY"}, "SUMMARY:"+b.title))
		return true
	},
	"a client that is behind": func(b *spread) bool {
		owner := b.at(true, "behind in")
		b.phones[owner].dav("PUT", b.href(owner), strings.Replace(b.text, b.title, "Nothing", 1), map[string]string{"Content-Type": "text/calendar", "If-Match": `"old"`}).want(412)
		return true
	},
	"a client who may not write all of them": func(b *spread) bool {
		if !b.in["ada"] || !b.in["room-1"] && !b.in["pool"] {
			return false
		}
		got := b.phones["ada"].dav("PUT", b.href("ada"), strings.Replace(b.text, b.title, "Nothing", 1), map[string]string{
			"Content-Type": "text/calendar", "Authorization": "Basic " + basic("user02", "user02"),
		}).want(403)
		if !strings.Contains(got.body, "need-privileges") {
			b.Fatalf("%s", got.body)
		}
		return true
	},
	"a client's DELETE": func(b *spread) bool {
		owner := b.at(true, "deleted in")
		if len(b.owners(true)) < 2 {
			return false
		}
		b.phones[owner].remove(b.href(owner))
		b.in[owner] = false
		return true
	},
	"MOVE": func(b *spread) bool { return b.carry("MOVE") },
	"COPY": func(b *spread) bool { return b.carry("COPY") },
	"drag and drop": func(b *spread) bool { // PUT there, then DELETE here
		from, to := b.at(true, "from"), b.at(false, "to")
		if to == "" {
			return false
		}
		b.title = "Dragged"
		there := b.phones[to]
		there.put(there.path+"dropped.ics", replaced(b.rt, b.text, []string{"SUMMARY"}, "SUMMARY:Dragged"))
		here := b.phones[from]
		here.sync() // what was put there is the body here, too
		here.remove(b.href(from))
		b.in[from], b.in[to] = false, true
		return true
	},
	"Trybe's lists": func(b *spread) bool {
		for _, p := range memberPlaces[1:] {
			b.in[p.owner] = rapid.Bool().Draw(b.rt, p.owner)
		}
		b.in["ada"] = true
		b.rest("PUT", "/shop/blocked-times/"+b.id, jsonOf(b.rt, b.lists())).want(200)
		return true
	},
	"Trybe's swap": func(b *spread) bool {
		if b.in["ada"] == b.in["bob"] {
			return false
		}
		from, to := demoAda, facesBob
		if b.in["bob"] {
			from, to = to, from
		}
		b.rest("PUT", "/shop/blocked-times/"+b.id, `{"old_practitioner_id": "`+from+`", "new_practitioner_id": "`+to+`"}`).want(200)
		b.in["ada"], b.in["bob"] = b.in["bob"], b.in["ada"]
		return true
	},
	"the house's resources": func(b *spread) bool {
		var names []string
		for _, p := range memberPlaces {
			if b.in[p.owner] = p.owner == "pool" || rapid.Bool().Draw(b.rt, p.owner); b.in[p.owner] {
				names = append(names, p.owner)
			}
		}
		b.title = "By name"
		b.rest("PATCH", "/v1/blocks/"+b.id, jsonOf(b.rt, map[string]any{"resources": names, "title": b.title})).want(200)
		return true
	},
}

// carry moves or copies the block from one calendar to another.
func (b *spread) carry(method string) bool {
	from, to := b.at(true, "from"), b.at(false, "to")
	if to == "" {
		return false
	}
	p := b.phones[from]
	p.dav(method, b.href(from), "", map[string]string{"Destination": b.url + b.phones[to].path + "carried.ics", "Overwrite": "F"}).want(201)
	b.in[to] = true
	if method == "MOVE" {
		b.in[from] = false
	}
	return true
}

// check looks at it in all calendars and faces.
func (b *spread) check(why string) {
	b.Helper()
	fail := func(face string, got, want any) {
		b.Helper()
		b.Fatalf("after %s %s says %v, want %v of\n%s", why, face, got, want, b.text)
	}
	b.sync()
	var ids []string
	for i, owner := range b.owners(true) {
		text := b.phones[owner].fetch(b.href(owner))
		if i > 0 && text != b.text {
			fail("the calendar of "+owner, text, "the same as in the others")
		}
		b.text = text
	}
	if !has(b.text, "SUMMARY:"+b.title) {
		fail("the client", b.text, b.title)
	}
	for _, p := range memberPlaces {
		in := b.in[p.owner]
		if !in && len(b.phones[p.owner].tags) != 0 {
			fail("the calendar of "+p.owner, b.phones[p.owner].tags, "nothing")
		}
		listed := list(dig(b.get("/v1/calendars/"+p.owner+"/blocks?from=2031-01-14&to=2031-01-14"), "items"))
		if (len(listed) == 1) != in || in && dig(listed[0], "id") != b.id {
			fail("the house's list of "+p.owner, listed, in)
		}
		why := list(dig(b.get("/v1/explain?resource="+p.owner+"&start=2031-01-14T08:00:00Z&end=2031-01-14T08:30:00Z"), "reasons"))
		if taken := slices.ContainsFunc(why, func(r any) bool { return dig(r, "event", "id") == b.id }); taken != in {
			fail("explain of "+p.owner, why, in)
		}
		if in {
			ids = append(ids, p.id)
		}
	}
	for alias, owner := range map[string]string{"1": "ada", "2": "bob"} {
		if got := list(b.get("/calendar/range/" + alias + "?startDate=2031-01-14&endDate=2031-01-14&showTimeOff=1")); (len(got) == 1) != b.in[owner] || len(got) == 1 && dig(got[0], "title") != b.title {
			fail("TimeTap of "+owner, got, b.in[owner])
		}
	}
	for face, got := range map[string]any{
		byHouse:  dig(b.get("/v1/blocks/"+b.id), "resources"),
		byOnlive: dig(b.onlive("GET", "/api/v1/appointments/"+b.id, "").want(200).json(), "calendarIds"),
	} {
		if !sameIDs(list(got), ids) {
			fail(face, got, ids)
		}
	}
	trybe := dig(b.get("/shop/blocked-times/"+b.id), "data")
	for name, want := range b.lists() {
		if got := list(dig(trybe, name)); !sameIDs(got, want) {
			fail("Trybe's "+name, got, want)
		}
	}
	if all := list(dig(b.get("/shop/blocked-times?site_id="+demoSite+"&date_from=2031-01-14&date_to=2031-01-14"), "data")); len(all) != 1 || dig(all[0], "label") != b.title {
		fail("Trybe's list", all, "one")
	}
	feed := eventOf(b.send("GET", facesFeed, "", nil).want(200).body, b.id)
	if shown := feed != "" && !strings.Contains(feed, "STATUS:CANCELLED"); shown != b.in["ada"] {
		fail("Ada's feed", feed, b.in["ada"])
	}
}

// sameIDs compares without order.
func sameIDs(got []any, want []string) bool {
	var have []string
	for _, g := range got {
		s, _ := g.(string)
		have = append(have, s)
	}
	slices.Sort(have)
	return slices.Equal(have, slices.Sorted(slices.Values(want)))
}

// leave takes the block away: one that loses both its marks in one calendar is
// an ordinary event there and stays a block in the others, and it ends with its
// last calendar.
func (b *spread) leave() {
	b.Helper()
	all := b.owners(true)
	if len(all) > 1 {
		owner := all[0]
		p := b.phones[owner]
		p.put(b.href(owner), without(b.text, inEvent, "CATEGORIES", "X-DAYBOOK-BLOCK-TYPE"))
		if got := list(dig(b.get("/v1/calendars/"+owner+"/events?from=2031-01-14&to=2031-01-14"), "items")); len(got) != 1 || dig(got[0], "title") != b.title {
			b.Fatalf("the unmarked event of %s: %v", owner, got)
		}
		p.remove(b.href(owner))
		b.in[owner] = false
		b.check("an event that is no block any more")
	}
	for _, owner := range b.owners(true) {
		b.phones[owner].remove(b.href(owner))
	}
	b.rest("GET", "/v1/blocks/"+b.id, "").want(404)
	b.rest("GET", "/shop/blocked-times/"+b.id, "").want(404)
	b.onlive("GET", "/api/v1/appointments/"+b.id, "").want(404)
}
