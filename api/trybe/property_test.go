package trybe

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/store"
)

// The zones of the sites: with changes by an hour and by half of one, at
// midnight, and none.
var zones = []string{"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "America/Havana", "Pacific/Chatham"}

// TestBlocksAgainstModel sends random requests to sites in several zones, near
// changes of the clock, and compares each list with a plain model: one entry for
// each blocked time, each occurrence reckoned by itself.
func TestBlocksAgainstModel(t *testing.T) {
	p := newPlace(t)
	rnd := rand.New(rand.NewPCG(3, 5))
	for i, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		m := &model{t: t, rnd: rnd, loc: loc, site: uuid.NewString(), staff: uuid.NewString(), room: uuid.NewString(), world: map[string]entry{}}
		name := fmt.Sprint("site", i)
		p.Principals("", store.Principal{UUID: uuid.MustParse(m.site), Kind: store.KindOrganisation, Name: name, Zone: zone})
		p.Principals(name,
			store.Principal{UUID: uuid.MustParse(m.staff), Kind: store.KindStaff, Name: name + "-staff"},
			store.Principal{UUID: uuid.MustParse(m.room), Kind: store.KindRoom, Name: name + "-room"})
		p.Tokens(apitest.Token{ID: name, Org: name, On: name, Rights: store.RightWrite})
		m.place = p.as(name)
		m.changes = changesOf(loc)
		for range 30 {
			m.step()
			m.compare()
		}
	}
}

// entry is a blocked time of the model.
type entry struct {
	start, end time.Time
	label      string
	room       bool
	series     string
}

type model struct {
	t                 *testing.T
	place             *place
	rnd               *rand.Rand
	loc               *time.Location
	site, staff, room string
	changes           []time.Time // wall clocks as if they were UTC
	world             map[string]entry
}

// changesOf gives the wall clocks of 2027 behind a change.
func changesOf(loc *time.Location) (out []time.Time) {
	for at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() == 2027; at = at.Add(time.Hour) {
		if _, now := at.In(loc).Zone(); now != offset(at.Add(-time.Hour), loc) {
			out = append(out, at.Add(time.Duration(now)*time.Second))
		}
	}
	return out
}

func offset(at time.Time, loc *time.Location) int {
	_, seconds := at.In(loc).Zone()
	return seconds
}

// instant is that of a wall clock: the first of two, behind a gap by its length.
func (m *model) instant(wall time.Time) time.Time {
	before := wall.Add(-time.Duration(offset(wall.Add(-26*time.Hour), m.loc)) * time.Second)
	after := wall.Add(-time.Duration(offset(wall.Add(26*time.Hour), m.loc)) * time.Second)
	for _, at := range []time.Time{before, after} {
		if at.Add(time.Duration(offset(at, m.loc)) * time.Second).Equal(wall) {
			return at
		}
	}
	return before
}

func (m *model) show(at time.Time) string { return at.In(m.loc).Format("2006-01-02T15:04:05-07:00") }

// wall draws a wall clock, often near a change of the clock.
func (m *model) wall() time.Time {
	if len(m.changes) > 0 && m.rnd.IntN(3) > 0 {
		c := m.changes[m.rnd.IntN(len(m.changes))]
		return c.Add(time.Duration(m.rnd.IntN(25)-12)*15*time.Minute).AddDate(0, 0, m.rnd.IntN(5)-2)
	}
	return time.Date(2027, 1, 1, 0, 15*m.rnd.IntN(35_000), 0, 0, time.UTC)
}

// some gives one of the blocked times, "" when there are none.
func (m *model) some() string {
	ids := make([]string, 0, len(m.world))
	for id := range m.world {
		ids = append(ids, id)
	}
	slices.Sort(ids) // maps have no order, and the test is to be repeated
	if len(ids) == 0 {
		return ""
	}
	return ids[m.rnd.IntN(len(ids))]
}

func (m *model) step() {
	id := m.some()
	switch n := m.rnd.IntN(10); {
	case n < 4 || id == "":
		m.create()
	case n < 8:
		m.update(id)
	default:
		m.place.do(http.MethodDelete, blocked+"/"+id, "").want(204)
		delete(m.world, id)
	}
}

func (m *model) create() {
	wall, length := m.wall(), time.Duration([]int{15, 60, 90, 600, 1500}[m.rnd.IntN(5)])*time.Minute
	e := entry{start: m.instant(wall), label: []string{"", "Break", "x;y, z"}[m.rnd.IntN(3)], room: m.rnd.IntN(2) == 0}
	body := map[string]any{
		"start_time": wall.Format("2006-01-02T15:04:05"), "end_time": e.start.Add(length).UTC().Format(time.RFC3339),
		"type": "break", "label": e.label, "practitioner_ids": []string{m.staff},
	}
	if e.room {
		body["room_ids"] = []string{m.room}
	}
	starts := []time.Time{e.start}
	if m.rnd.IntN(2) == 0 {
		days := m.rnd.Perm(7)[:1+m.rnd.IntN(7)]
		from := wall.Truncate(24*time.Hour).AddDate(0, 0, m.rnd.IntN(9)-6)
		to := from.AddDate(0, 0, m.rnd.IntN(25))
		body["recurrence"] = map[string]any{"weekdays": days, "date_from": from.Format(time.DateOnly), "date_to": to.Format(time.DateOnly)}
		starts = nil
		for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
			if slices.Contains(days, int(d.Weekday())) {
				starts = append(starts, m.instant(d.Add(wall.Sub(wall.Truncate(24*time.Hour)))))
			}
		}
	}
	a := m.place.do(http.MethodPost, blocked+"?site_id="+m.site, apitest.JSON(m.t, body))
	if len(starts) == 0 {
		a.faults("recurrence.weekdays")
		return
	}
	made := a.want(201).one()
	if made.StartTime != m.show(starts[0]) {
		m.t.Fatalf("%s: %v answers %s, want %s", m.loc, body, made.StartTime, m.show(starts[0]))
	}
	for _, at := range starts {
		e.start, e.end = at, at.Add(length)
		id := made.ID
		if made.RecurrenceID != nil {
			e.series = *made.RecurrenceID
			id = e.series + "_" + at.UTC().Format("20060102T150405Z")
		}
		m.world[id] = e
	}
}

func (m *model) update(id string) {
	was := m.world[id]
	next, body := was, map[string]any{}
	switch m.rnd.IntN(5) {
	case 0:
		next.label = "changed"
		body["label"] = next.label
	case 1:
		wall := m.wall()
		next.start = m.instant(wall)
		next.end = next.start.Add(was.end.Sub(was.start))
		body["start_time"], body["end_time"] = wall.Format("2006-01-02T15:04"), m.show(next.end)
	case 2:
		next.end = was.end.Add(45 * time.Minute)
		body["end_time"] = m.show(next.end)
	case 3:
		next.room = false
		body["room_ids"] = []string{}
	}
	status := http.StatusOK
	if next != was && was.series != "" {
		status, next.series = http.StatusCreated, ""
		delete(m.world, id)
	}
	got := m.place.put(id, body).want(status).one()
	if (got.ID == id) != (status == http.StatusOK) {
		m.t.Fatalf("%s: %v of %s gives %d and %s", m.loc, body, id, status, got.ID)
	}
	m.world[got.ID] = next
}

// compare asks for some days.
func (m *model) compare() {
	first := m.wall().Truncate(24 * time.Hour)
	last := first.AddDate(0, 0, []int{0, 1, 6, 30, 364}[m.rnd.IntN(5)])
	from, to := m.instant(first), m.instant(last.AddDate(0, 0, 1))
	row := func(id, start, end, label string, room bool, series string) string {
		return fmt.Sprint(start, " ", end, " ", id, " ", label, room, series)
	}
	var want []string
	for id, e := range m.world {
		if e.start.Before(to) && e.end.After(from) {
			want = append(want, row(id, m.show(e.start), m.show(e.end), e.label, e.room, e.series))
		}
	}
	var got []string
	days := "&date_from=" + first.Format(time.DateOnly) + "&date_to=" + last.Format(time.DateOnly)
	for _, b := range m.place.do(http.MethodGet, blocked+"?site_id="+m.site+days, "").want(200).list() {
		got = append(got, row(b.ID, b.StartTime, b.EndTime, deref(b.Label), len(b.Rooms) > 0, deref(b.RecurrenceID)))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		m.t.Fatalf("%s, %s to %s:\n%q, want\n%q", m.loc, first, last, got, want)
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
