package onlive

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// modelBlock is a block as a plain program would keep it: minutes from a base,
// and an end of -1 for none.
type modelBlock struct {
	calendars  []string // sorted; none: the own calendar
	start, end int
	external   string
}

func (b modelBlock) overlaps(c modelBlock) bool {
	return (b.end < 0 || c.start < b.end) && (c.end < 0 || b.start < c.end)
}

// inTheWayOf is the definition of a conflict: the same calendar, or the own
// calendar, which is in the way of all.
func (b modelBlock) inTheWayOf(c modelBlock) bool {
	shared := len(b.calendars) == 0 || slices.ContainsFunc(b.calendars, func(id string) bool { return slices.Contains(c.calendars, id) })
	return shared && b.overlaps(c)
}

// answer gives the status and, of a repeat, the id.
func (b modelBlock) answer(have map[string]modelBlock) (status int, id string) {
	for id, x := range have {
		if b.external != "" && x.external == b.external && x.start == b.start && x.end == b.end && slices.Equal(x.calendars, b.calendars) {
			return 200, id
		}
	}
	for _, x := range have {
		if x.inTheWayOf(b) {
			return 409, ""
		}
	}
	return 200, ""
}

func (b modelBlock) body() fields {
	base := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	out := fields{"start": base.Add(time.Duration(b.start) * time.Minute), "end": nil, "calendarIds": b.calendars, "externalId": b.external}
	if b.end >= 0 {
		out["end"] = base.Add(time.Duration(b.end) * time.Minute)
	}
	return out
}

func TestRandomRequestsAgreeWithAPlainModel(t *testing.T) {
	p := newPlace(t)
	rapid.Check(t, func(t *rapid.T) {
		have := map[string]modelBlock{}
		for range rapid.IntRange(1, 12).Draw(t, "requests") {
			if len(have) > 0 && rapid.IntRange(0, 4).Draw(t, "remove") == 0 {
				id := rapid.SampledFrom(slices.Sorted(maps.Keys(have))).Draw(t, "which")
				p.do("DELETE", "/api/v1/appointments/"+id, "").want(200)
				delete(have, id)
				continue
			}
			b := modelBlock{start: rapid.IntRange(0, 8).Draw(t, "start"), end: -1, external: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "external id")}
			if rapid.IntRange(0, 3).Draw(t, "endless") > 0 {
				b.end = b.start + rapid.IntRange(1, 4).Draw(t, "length")
			} else if rapid.Bool().Draw(t, "far") {
				b.start += 12 * 366 * 24 * 60 // an endless one is stored with an end before that
			}
			b.calendars = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{ada, bob, room}), 0, 2, rapid.ID).Draw(t, "calendars")
			slices.Sort(b.calendars)
			status, same := b.answer(have)
			a := p.block(b.body())
			if a.Status != status {
				t.Fatalf("%+v: %d %s, want %d beside %+v", b, a.Status, a.Raw, status, have)
			}
			if status != 200 {
				continue
			}
			id := a.id()
			if _, known := have[id]; known != (same != "") || same != "" && id != same {
				t.Fatalf("%+v: id %s, want %q", b, id, same)
			}
			have[id] = b
		}
		for id := range have {
			p.do("DELETE", "/api/v1/appointments/"+id, "").want(200)
		}
	})
	p.check()
}
