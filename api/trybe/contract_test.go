package trybe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"daybook/api/apitest"
)

// The statements of the contract that have a source, each by its mark: [seed]
// is the operation's description, [docs] a page of the original's guides. The
// other tests show what was decided where the sources are silent.

const blocked = "/shop/blocked-times"

func (p *place) in(t *testing.T) *place { return &place{p.In(t)} }

func TestContractOperations(t *testing.T) {
	p := newPlace(t)
	one := func() string { return blocked + "/" + p.create(nil).want(201).one().ID }
	for name, x := range map[string]struct {
		method, body string
		path         func() string
		status       int // of success
		right        string
	}{
		"[seed] list, RESERVATIONS_VIEW, 200":     {"GET", "", func() string { return listPath("2027-03-01", "2027-03-01") }, 200, viewer},
		"[seed] create, RESERVATIONS_MANAGE, 201": {"POST", "{}", func() string { return blocked + "?site_id=" + demo }, 201, manager},
		"[seed] get, RESERVATIONS_VIEW, 200":      {"GET", "", one, 200, viewer},
		"[seed] update, RESERVATIONS_MANAGE, 200": {"PUT", "{}", one, 200, manager},
		"[seed] delete, RESERVATIONS_MANAGE, 204": {"DELETE", "", one, 204, manager},
	} {
		t.Run(name, func(t *testing.T) {
			q := p.in(t)
			if x.method == "POST" {
				x.body = apitest.JSON(t, map[string]any{"start_time": "2027-03-01T12:30:00", "end_time": "2027-03-01T13:15:00", "type": "break", "practitioner_ids": []string{ada}})
			}
			at := x.path()
			q.as("").do(x.method, at, x.body).want(401)
			if x.right == manager { // the permission to read is not enough
				q.as(viewer).do(x.method, at, x.body).want(403)
			}
			a := q.as(x.right).do(x.method, at, x.body).want(x.status)
			if x.status == 204 && (a.Raw != "" || a.Header.Get("Content-Type") != "") {
				t.Errorf("a body: %q", a.Raw)
			}
		})
	}
}

func listPath(from, to string) string {
	return blocked + "?site_id=" + demo + "&date_from=" + from + "&date_to=" + to
}

func TestContractSignIn(t *testing.T) {
	p := newPlace(t)
	id := p.create(nil).want(201).one().ID
	t.Run("[docs guides/authentication] a bearer token carries its owner's permissions for each site", func(t *testing.T) {
		q := p.in(t)
		q.as(manager).do("GET", listPath("2027-03-01", "2027-03-01"), "").want(200)
		q.as(rival).do("GET", listPath("2027-03-01", "2027-03-01"), "").want(403)
	})
	t.Run("[seed] get, put and delete ask for no site_id: the id finds the site", func(t *testing.T) {
		q := p.in(t)
		q.do("GET", blocked+"/"+id, "").want(200)
		q.do("GET", blocked+"/"+id+"?site_id="+other, "").want(200)
		q.as(rival).do("GET", blocked+"/"+id, "").want(404)
	})
	t.Run("[docs guides/authentication] GET /sites finds site_id and its zone", func(t *testing.T) {
		sites := apitest.Read[sitesOut](p.in(t).do("GET", "/sites", "").want(200).Answer)
		if len(sites.Data) != 1 || sites.Data[0] != (Site{demo, "Demo Clinic", "Europe/Berlin"}) {
			t.Errorf("%+v", sites)
		}
	})
}

func TestContractErrors(t *testing.T) {
	p := newPlace(t)
	id := p.create(nil).want(201).one().ID
	t.Run("[docs guides/errors] message is always a string, errors only on 422, each field a list of messages", func(t *testing.T) {
		for path, status := range map[string]int{"/shop/nope": 404, blocked + "/x": 404, "/shop/rooms?site_id=" + other: 403, blocked: 422} {
			var body map[string]any
			p.in(t).do("GET", path, "").want(status).Into(&body)
			if _, text := body["message"].(string); !text {
				t.Errorf("%s: %v", path, body)
			}
			faults, given := body["errors"].(map[string]any)
			if given != (status == 422) || len(body) > 2 {
				t.Errorf("%s: %v", path, body)
			}
			for field, list := range faults {
				if messages, ok := list.([]any); !ok || len(messages) == 0 || !strings.HasPrefix(fmt.Sprint(messages[0]), "The "+field+" field ") {
					t.Errorf("%s: %v", field, list)
				}
			}
		}
	})
	t.Run("[seed] [docs guides/errors] 400: the body is not JSON, or not an object", func(t *testing.T) {
		for _, body := range []string{"", "{", "[]", "null", `"x"`, "5", "true", "{} {}", "a=b"} {
			p.in(t).do("POST", blocked+"?site_id="+demo, body).want(400)
			p.in(t).do("PUT", blocked+"/"+id, body).want(400)
		}
	})
	t.Run("[seed] 401: no or wrong token", func(t *testing.T) {
		p.in(t).as("").do("GET", blocked+"/"+id, "").want(401)
		p.in(t).as("wrong").do("GET", blocked+"/"+id, "").want(401)
	})
	t.Run("[seed] 403: the token is valid, the permission is missing on the site", func(t *testing.T) {
		p.in(t).as(viewer).put(id, map[string]any{"label": "x"}).want(403)
	})
	t.Run("[seed] [docs guides/errors] 404: no such block, or of a site that the caller cannot see", func(t *testing.T) {
		for _, m := range []string{"GET", "PUT", "DELETE"} {
			p.in(t).do(m, blocked+"/"+mustNotExist, "{}").want(404)
			p.in(t).as(rival).do(m, blocked+"/"+id, "{}").want(404)
		}
	})
	t.Run("[seed] 422: validation", func(t *testing.T) {
		p.in(t).do("POST", blocked+"?site_id="+demo, "{}").faults("start_time", "end_time", "type", "practitioner_ids", "room_ids", "area_ids")
	})
}

func TestContractFields(t *testing.T) {
	p := newPlace(t)
	id := p.create(func(b map[string]any) { b["area_ids"] = []string{area} }).want(201).one().ID
	with := func(t *testing.T, field string, v any) answer {
		t.Helper()
		return p.in(t).create(func(b map[string]any) { b[field] = v })
	}
	for field, bad := range map[string][]any{
		"start_time": {"x", "", 1, true, []any{}}, "end_time": {"x", "", 1, map[string]any{}}, "type": {"Break", "", 1, []any{}},
		"label": {1, true, []any{}, strings.Repeat("x", 256), "\x00"}, "notes": {1, []any{}, "\x07"}, "color": {"#8EC5B5", "red", "", "#fff", 1},
		"practitioner_ids": {"x", 1, []any{1}, []any{nil}, []any{"x"}, []any{room}}, "room_ids": {[]any{ada}, map[string]any{}}, "area_ids": {[]any{room}, true},
	} {
		t.Run("[seed] a value that is none is 422: "+field, func(t *testing.T) {
			for _, v := range bad {
				with(t, field, v).faults(field)
				p.in(t).put(id, map[string]any{field: v}).faults(field)
			}
		})
	}
	t.Run("[seed] start_time, end_time and type are required in POST, optional in PUT", func(t *testing.T) {
		for _, f := range []string{"start_time", "end_time", "type"} {
			with(t, f, absent).faults(f)
			with(t, f, nil).faults(f)
		}
		p.in(t).put(id, map[string]any{}).want(200)
	})
	t.Run("[seed] end_time is strictly after start_time", func(t *testing.T) {
		with(t, "end_time", "2027-03-01T12:30:00").faults("end_time")
		with(t, "end_time", "2027-03-01T11:30:00Z").faults("end_time")
		with(t, "end_time", "2027-03-01T12:30:01").want(201)
	})
	t.Run("[seed] type is cleaning, break, meeting or other", func(t *testing.T) {
		for _, v := range []string{"cleaning", "break", "meeting", "other"} {
			if b := with(t, "type", v).want(201).one(); b.Type != v {
				t.Errorf("%+v", b)
			}
		}
	})
	t.Run("[seed] label, notes and color are nullable; notes are plain text", func(t *testing.T) {
		notes := "a\n\n<b>; b, c\\n"
		p.in(t).put(id, map[string]any{"label": "L", "notes": notes, "color": "#8ec5b5"}).want(200)
		if b := p.in(t).do("GET", blocked+"/"+id, "").one(); *b.Label != "L" || *b.Notes != notes || *b.Color != "#8ec5b5" {
			t.Errorf("%+v", b)
		}
		if b := p.in(t).put(id, map[string]any{"label": nil, "notes": nil, "color": nil}).want(200).one(); b.Label != nil || b.Notes != nil || b.Color != nil {
			t.Errorf("%+v", b)
		}
	})
	t.Run("[seed] one of practitioner_ids, room_ids and area_ids is not empty; each alone will do", func(t *testing.T) {
		all := map[string]string{"practitioner_ids": ada, "room_ids": room, "area_ids": area}
		for f, v := range all {
			p.in(t).create(func(b map[string]any) { b["practitioner_ids"] = absent; b[f] = []string{v} }).want(201)
		}
		for _, empty := range []any{absent, nil, []string{}} {
			p.in(t).create(func(b map[string]any) {
				for f := range all {
					b[f] = empty
				}
			}).faults("practitioner_ids", "room_ids", "area_ids")
		}
	})
	t.Run("[seed] one request blocks one or more resources, and is one block", func(t *testing.T) {
		b := p.in(t).create(func(b map[string]any) {
			b["start_time"], b["end_time"] = "2028-01-10T10:00", "2028-01-10T11:00"
			b["practitioner_ids"], b["room_ids"], b["area_ids"] = []string{bob, ada}, []string{room}, []string{area}
		}).want(201).one()
		if list := p.in(t).days("2028-01-10", "2028-01-10"); len(list) != 1 || list[0].ID != b.ID || !slices.Equal(b.Practitioners, []string{bob, ada}) {
			t.Errorf("%+v", list)
		}
	})
}

func TestContractList(t *testing.T) {
	p := newPlace(t)
	for label, x := range map[string][2]string{
		"before": {"2027-02-28T23:00", "2027-03-01T00:00"}, "into": {"2027-02-28T23:00", "2027-03-01T00:01"}, "long": {"2027-02-01T00:00", "2027-04-01T00:00"},
		"last": {"2027-03-02T23:59", "2027-03-03T00:00"}, "after": {"2027-03-03T00:00", "2027-03-03T01:00"},
	} {
		p.create(func(b map[string]any) { b["label"], b["start_time"], b["end_time"] = label, x[0], x[1] }).want(201)
	}
	t.Run("[seed] the blocks that intersect date_from..date_to, both inclusive, in the site's days", func(t *testing.T) {
		var got []string
		for _, b := range p.in(t).days("2027-03-01", "2027-03-02") {
			got = append(got, *b.Label)
		}
		if !slices.Equal(got, []string{"long", "into", "last"}) {
			t.Error(got)
		}
	})
	t.Run("[seed] site_id, date_from and date_to are required dates", func(t *testing.T) {
		p.in(t).do("GET", blocked, "").faults("site_id", "date_from", "date_to")
		p.in(t).do("GET", listPath("2027-02-29", "2027-3-1"), "").faults("date_from", "date_to")
		p.in(t).do("GET", listPath("0001-01-01", "0001-01-02"), "").want(200)
		p.in(t).do("GET", listPath("9999-12-30", "9999-12-31"), "").want(200)
	})
	t.Run("[docs guides/pagination] data, and without links and meta it is complete; [seed] no page parameters", func(t *testing.T) {
		var body map[string]any
		p.in(t).do("GET", listPath("2027-03-01", "2027-03-02")+"&page=2&per_page=1", "").want(200).Into(&body)
		if list, ok := body["data"].([]any); !ok || len(list) != 3 || len(body) != 1 {
			t.Errorf("%v", body)
		}
	})
	t.Run("[docs guides/availability-and-booking] times are ISO 8601 with an explicit offset, [seed] the site's", func(t *testing.T) {
		for _, x := range [][2]string{{"2027-07-01T09:00", "2027-07-01T09:00:00+02:00"}, {"2027-12-01T09:00Z", "2027-12-01T10:00:00+01:00"}} {
			b := p.in(t).create(func(b map[string]any) { b["start_time"], b["end_time"] = x[0], "2028-01-01T00:00" }).want(201).one()
			if b.StartTime != x[1] || len(b.CreatedAt) != len(x[1]) {
				t.Errorf("%+v", b)
			}
		}
	})
}

func TestContractRecurrence(t *testing.T) {
	p := newPlace(t)
	fan := func(t *testing.T, r any) answer {
		t.Helper()
		return p.in(t).create(func(b map[string]any) { b["recurrence"] = r })
	}
	t.Run("[seed] null, or weekdays null or empty: no recurrence", func(t *testing.T) {
		for _, r := range []any{nil, map[string]any{"weekdays": nil}, map[string]any{"weekdays": []any{}, "date_from": "2027-03-01", "date_to": "2027-03-31"}} {
			if b := fan(t, r).want(201).one(); b.RecurrenceID != nil {
				t.Errorf("%v: %+v", r, b)
			}
		}
	})
	t.Run("[seed] at most 366 days", func(t *testing.T) {
		fan(t, weekly("2028-01-01", "2028-12-31")).want(201)
		fan(t, weekly("2028-01-01", "2029-01-01")).faults("recurrence.date_to")
	})
	t.Run("[seed] copies on the matching weekdays, both days inclusive; the answer is a single one, and far more than 30 are there", func(t *testing.T) {
		b := fan(t, map[string]any{"weekdays": []any{0, 1, 2, 3, 4, 5, 6}, "date_from": "2029-01-01", "date_to": "2029-12-31"}).want(201).one()
		list := p.in(t).days("2029-01-01", "2030-01-31")
		if len(list) != 365 || list[0].ID != b.ID || list[364].StartTime != "2029-12-31T12:30:00+01:00" {
			t.Errorf("%d: %+v", len(list), b)
		}
	})
	t.Run("[seed] 201 and a new id when one of a series is split off, else 200; DELETE takes one occurrence only", func(t *testing.T) {
		list := p.in(t).days("2029-06-04", "2029-06-06")
		alone := p.in(t).put(list[1].ID, map[string]any{"label": "x"}).want(http.StatusCreated).one()
		if alone.ID == list[1].ID || alone.RecurrenceID != nil {
			t.Errorf("%+v", alone)
		}
		p.in(t).put(alone.ID, map[string]any{"label": "y"}).want(http.StatusOK)
		p.in(t).do("GET", blocked+"/"+list[1].ID, "").want(404)
		p.in(t).do("DELETE", blocked+"/"+list[0].ID, "").want(204)
		if rest := p.in(t).days("2029-06-04", "2029-06-06"); len(rest) != 2 || rest[0].ID != alone.ID || rest[1].ID != list[2].ID {
			t.Errorf("%+v", rest)
		}
		if series := p.in(t).days("2029-01-01", "2029-12-31"); len(series) != 364 {
			t.Error(len(series))
		}
	})
}

func TestContractUpdate(t *testing.T) {
	p := newPlace(t)
	t.Run("[seed] practitioner_ids replaces the list", func(t *testing.T) {
		b := p.in(t).create(nil).want(201).one()
		if b = p.in(t).put(b.ID, map[string]any{"practitioner_ids": []string{bob}}).want(200).one(); !slices.Equal(b.Practitioners, []string{bob}) {
			t.Errorf("%+v", b)
		}
	})
	for i, x := range [...]struct{ list, old, new, from, to string }{
		{"practitioner_ids", "old_practitioner_id", "new_practitioner_id", ada, bob},
		{"room_ids", "old_room_id", "new_room_id", room, room2},
		{"area_ids", "old_area_id", "new_area_id", area, area},
	} {
		t.Run("[seed] old_* and new_* swap one target: "+x.list, func(t *testing.T) {
			b := p.in(t).create(func(b map[string]any) { b["practitioner_ids"] = absent; b[x.list] = []string{x.from} }).want(201).one()
			send := func(body map[string]any) answer { return p.in(t).put(b.ID, body) }
			for _, bad := range []any{1, []any{}, true, ""} {
				send(map[string]any{x.old: bad, x.new: x.to}).faults(x.old)
				send(map[string]any{x.old: x.from, x.new: bad}).faults(x.new)
			}
			send(map[string]any{x.old: mustNotExist, x.new: foreign, "type": "x"}).faults(x.old, x.new, "type")
			got := send(map[string]any{x.old: strings.ToUpper(x.from), x.new: x.to}).want(200).one()
			if lists := [...][]string{got.Practitioners, got.Rooms, got.Areas}; !slices.Equal(lists[i], []string{x.to}) {
				t.Errorf("%+v", got)
			}
		})
	}
}
