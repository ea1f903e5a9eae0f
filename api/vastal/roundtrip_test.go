package vastal

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"daybook/ical"
)

// genSlot draws a slot in the form that put takes.
func genSlot(t *rapid.T, label string) string {
	from := rapid.IntRange(0, 86399).Draw(t, label+" from")
	to := rapid.IntRange(from+1, 86400).Draw(t, label+" to")
	hms := func(s int) string { return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60) }
	only := rapid.SampledFrom([]string{"", "", " type_a", " type;b"}).Draw(t, label+" type")
	off := rapid.SampledFrom([]string{"", "", "", "!"}).Draw(t, label+" active")
	return fmt.Sprintf("%s%d %s %s%s", off, rapid.IntRange(0, 6).Draw(t, label+" day"), hms(from), hms(to), only)
}

// model is what the week should be, and what a client added that is no slot.
type model struct {
	*place
	slots  []string // as put takes them
	extras []string // AVAILABLE texts without a word in the API
	n      int
}

// edit changes the stored object as a calendar client does.
func (m *model) edit(t *rapid.T, fn func(o *ical.Object, e *ical.Edit)) {
	all := m.stored()
	for name, data := range all {
		o, err := ical.ParseResource([]byte(data), ical.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		e := o.Edit()
		fn(o, e)
		changed, err := e.Apply()
		if err != nil {
			t.Fatal(err)
		}
		m.calendar(name, string(changed.Data()))
	}
}

func (m *model) addDated(t *rapid.T) {
	if len(m.stored()) == 0 {
		return
	}
	m.n++
	text := available(fmt.Sprintf("extra %d", m.n), "DTSTART;TZID=Europe/Berlin:20270306T100000", "DTEND;TZID=Europe/Berlin:20270306T130000",
		"SUMMARY:"+rapid.StringMatching(`[a-zé ]{0,90}`).Draw(t, "summary"))
	m.extras = append(m.extras, text)
	m.edit(t, func(o *ical.Object, e *ical.Edit) { e.AddComponent(o.Master(), strings.ReplaceAll(text, "\n", "\r\n")) })
}

// moveOne moves one slot to another day and hour, as a drag does, and gives it
// a line of its own.
func (m *model) moveOne(t *rapid.T) {
	active := slices.DeleteFunc(slices.Clone(m.slots), func(s string) bool { return s[0] == '!' })
	if len(active) == 0 {
		return
	}
	from := rapid.SampledFrom(active).Draw(t, "from")
	only := strings.TrimSpace(strings.Join(strings.Fields(from)[3:], " "))
	day := rapid.IntRange(0, 6).Draw(t, "new day")
	was := m.one(from)
	m.edit(t, func(o *ical.Object, e *ical.Edit) {
		for _, c := range o.Master().Children {
			if formatUID(c.Text("UID")) == was.ID {
				e.Set(c, "DTSTART", fmt.Sprintf("202703%02dT080000", 7+day), ical.Param{Name: "TZID", Value: "Europe/Berlin"})
				e.Set(c, "DTEND", fmt.Sprintf("202703%02dT093000", 7+day), ical.Param{Name: "TZID", Value: "Europe/Berlin"})
				e.Set(c, "RRULE", "FREQ=WEEKLY;BYDAY="+dayNames[day])
				e.Set(c, "X-MOVED", "yes")
			}
		}
	})
	to := strings.TrimSpace(fmt.Sprintf("%d 08:00:00 09:30:00 %s", day, only))
	i := slices.Index(m.slots, from)
	m.slots[i] = to
	if got := m.one(to); !slices.ContainsFunc(m.list(), func(s Slot) bool { return s.ID == was.ID && shown([]Slot{s}) == to }) {
		t.Fatalf("the moved slot lost its identity: %+v, was %+v", got, was)
	}
}

func formatUID(uid string) string { return slotPrefix + strings.ReplaceAll(uid, "-", "") }

// one gives a listed slot by what it says.
func (m *model) one(text string) Slot {
	m.T.Helper()
	for _, s := range m.list() {
		if shown([]Slot{s}) == text {
			return s
		}
	}
	m.T.Fatalf("no slot %s in %s", text, shown(m.list()))
	return Slot{}
}

func (m *model) replace(t *rapid.T) {
	var sent []string
	for i := range rapid.IntRange(0, 6).Draw(t, "slots") {
		s := genSlot(t, fmt.Sprint("slot ", i))
		if len(m.slots) > 0 && rapid.Bool().Draw(t, "keep") {
			s = rapid.SampledFrom(m.slots).Draw(t, "kept")
		}
		sent = append(sent, s)
	}
	before := m.list()
	after := m.put(sent...)
	m.slots = nil
	for _, s := range sent {
		if !slices.Contains(m.slots, s) {
			m.slots = append(m.slots, s)
		}
	}
	for _, s := range after {
		same := func(x Slot) bool { return shown([]Slot{x}) == shown([]Slot{s}) }
		if slices.ContainsFunc(before, same) && !slices.ContainsFunc(before, func(x Slot) bool { return same(x) && x.ID == s.ID && x.CreatedAt == s.CreatedAt }) {
			t.Fatalf("%+v has a new identity, was %+v", s, before)
		}
	}
}

func (m *model) patch(t *rapid.T) {
	if len(m.slots) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.slots)-1).Draw(t, "index")
	to := genSlot(t, "patched")
	if slices.Contains(m.slots, to) {
		return
	}
	was := m.one(m.slots[i])
	body := slotText(to)
	if to[0] != '!' {
		body = strings.TrimSuffix(body, "}") + `, "is_active": true}`
	}
	if len(strings.Fields(to)) < 4 {
		body = strings.TrimSuffix(body, "}") + `, "appointment_type_id": null}`
	}
	got := read[scheduleOut](m.do("PATCH", availability+"/"+was.ID, body)).Schedule
	if got.ID != was.ID || got.CreatedAt != was.CreatedAt {
		t.Fatalf("%+v, was %+v", got, was)
	}
	m.slots[i] = to
}

func (m *model) remove(t *rapid.T) {
	if len(m.slots) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.slots)-1).Draw(t, "index")
	m.do("DELETE", availability+"/"+m.one(m.slots[i]).ID, "").want(200)
	m.slots = slices.Delete(m.slots, i, i+1)
}

// check compares the list with the model, and looks for the client's own parts
// in the stored text, byte for byte.
func (m *model) check(t *rapid.T) {
	got := strings.Split(shown(m.list()), ", ")
	want := slices.Clone(m.slots)
	if len(want) == 0 {
		want = []string{""}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
	for _, data := range m.stored() {
		for _, x := range m.extras {
			if !strings.Contains(data, strings.ReplaceAll(x, "\n", "\r\n")) {
				t.Fatalf("lost %s in %s", x, data)
			}
		}
	}
}

// REST → a calendar client's edit → REST: whatever was done from either side,
// both tell the same week, ids stay, and what has no word stays as it is.
func TestRoundTripsBetweenFaces(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &model{place: newPlace(t)}
		r.Repeat(map[string]func(*rapid.T){
			"":       m.check,
			"put":    m.replace,
			"patch":  m.patch,
			"delete": m.remove,
			"dated":  m.addDated,
			"move":   m.moveOne,
		})
	})
}

// Writes at the same time are each done as a whole, and none is lost.
func TestWritesAtTheSameTime(t *testing.T) {
	p := newPlace(t)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if a := p.do("POST", availability, slotText(fmt.Sprintf("1 09:%02d:00 12:00:00", i))); a.Status != 200 {
				t.Error(a.Raw)
			}
		})
		wg.Go(func() {
			if a := p.do("POST", availability, slotText("!2 09:00:00 12:00:00")); a.Status != 200 {
				t.Error(a.Raw)
			}
		})
	}
	wg.Wait()
	if n := len(p.list()); n != 41 {
		t.Error(n)
	}
}
