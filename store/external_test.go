package store

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/ical/span"
)

func external(t *testing.T, s *Store, org PrincipalID, id string) []ObjectID {
	t.Helper()
	var out []ObjectID
	view(t, s, func(v *View) (err error) {
		out, err = v.ObjectsByExternalID(org, id)
		return err
	})
	return out
}

func TestExternalIDsFollowTheBody(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	const line = "x-daybook-external-id:"
	first := put(t, s, h.adaCal, "a.ics", testEvent("a", ":20270301T100000Z", "CATEGORIES:BLOCK", line+"E-1")).Member.Object
	second := put(t, s, h.roomCal, "b.ics", testEvent("b", ":20270301T120000Z", line+"E-1")).Member.Object
	if got := external(t, s, h.org.ID, "E-1"); !slices.Equal(got, []ObjectID{first, second}) {
		t.Fatalf("got %v", got)
	}
	for _, none := range []string{"", "E", "E-2"} {
		if got := external(t, s, h.org.ID, none); got != nil {
			t.Errorf("%q: %v", none, got)
		}
	}
	if got := external(t, s, h.org.ID+1, "E-1"); got != nil {
		t.Error("another organisation's", got)
	}
	mustCheck(t, s)
	put(t, s, h.adaCal, "a.ics", testEvent("a", ":20270301T100000Z", "CATEGORIES:BLOCK", line+strings.Repeat("long ", 400)))
	put(t, s, h.roomCal, "b.ics", testEvent("b", ":20270301T130000Z"))
	if got := external(t, s, h.org.ID, "E-1"); got != nil {
		t.Errorf("after a change: %v", got)
	}
	if got := external(t, s, h.org.ID, strings.Repeat("long ", 400)); !slices.Equal(got, []ObjectID{first}) {
		t.Errorf("the new one: %v", got)
	}
	mustCheck(t, s)
	update(t, s, func(tx *Tx) error { return tx.DeleteEverywhere(System(), first, Cond{}) })
	if got := external(t, s, h.org.ID, strings.Repeat("long ", 400)); got != nil {
		t.Errorf("after removal: %v", got)
	}
	mustCheck(t, s)
}

func TestCheckRebuildsExternalIDs(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	id := put(t, s, h.adaCal, "a.ics", testEvent("a", ":20270301T100000Z", ExternalIDProperty+":E-1")).Member.Object
	for name, damage := range map[string]func(*Tx){
		"missing": func(tx *Tx) { tx.dropPrefix(newKey(tableExternal)) },
		"too many": func(tx *Tx) {
			tx.put(externalKey(h.org.ID, make([]byte, 16), id), nil)
		},
		"not in the facts": func(tx *Tx) {
			f, _ := tx.facts(id)
			tx.setExternal(f, nil)
			tx.put(factsKey(id), packFacts(f))
		},
	} {
		update(t, s, func(tx *Tx) error { damage(tx); return nil })
		found := 0
		if _, err := s.Check(t.Context(), true, func(Problem) { found++ }); err != nil || found == 0 {
			t.Errorf("%s: %d problems, %v", name, found, err)
		}
		mustCheck(t, s)
		if got := external(t, s, h.org.ID, "E-1"); !slices.Equal(got, []ObjectID{id}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func taken(t *testing.T, s *Store, p PrincipalID, from, to string) bool {
	t.Helper()
	const layout = "20060102T150405Z"
	w := span.Span{}
	w.Start, _ = time.Parse(layout, from)
	if to != "" {
		w.End, _ = time.Parse(layout, to)
	}
	var out bool
	view(t, s, func(v *View) (err error) {
		out, err = v.Taken(p, w)
		return err
	})
	return out
}

func TestTakenIsWhatOpeningsLack(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "a.ics", testEvent("a", ":20270301T100000Z"))
	put(t, s, h.adaCal, "free.ics", testEvent("free", ":20270302T100000Z", "TRANSP:TRANSPARENT"))
	put(t, s, h.adaCal, "off.ics", testEvent("off", ":20270303T100000Z", "STATUS:CANCELLED"))
	put(t, s, h.adaCal, "weekly.ics", testEvent("weekly", ":20270304T100000Z", "RRULE:FREQ=WEEKLY"))
	put(t, s, h.adaCal, "buffer.ics", testEvent("buffer", ":20270305T100000Z", "X-DAYBOOK-BUFFER-BEFORE:PT30M", "X-DAYBOOK-BUFFER-AFTER:PT15M"))
	put(t, s, h.orgCal, "closed.ics", testEvent("closed", ":20270306T100000Z"))
	put(t, s, h.roomCal, "later.ics", testEvent("later", ":20400306T100000Z"))
	for _, c := range []struct {
		name     string
		of       PrincipalID
		from, to string
		want     bool
	}{
		{"inside", h.ada.ID, "20270301T101500Z", "20270301T103000Z", true},
		{"before, touching", h.ada.ID, "20270301T090000Z", "20270301T100000Z", false},
		{"after, touching", h.ada.ID, "20270301T110000Z", "20270301T120000Z", false},
		{"transparent", h.ada.ID, "20270302T100000Z", "20270302T110000Z", false},
		{"cancelled", h.ada.ID, "20270303T100000Z", "20270303T110000Z", false},
		{"an instance", h.ada.ID, "20270325T100000Z", "20270325T110000Z", true},
		{"an instance beyond the horizon", h.ada.ID, "20350329T080000Z", "20350405T080000Z", true},
		{"buffer before", h.ada.ID, "20270305T090000Z", "20270305T094500Z", true},
		{"until the buffer", h.ada.ID, "20270305T090000Z", "20270305T093000Z", false},
		{"buffer after", h.ada.ID, "20270305T111000Z", "20270305T120000Z", true},
		{"from the buffer on", h.ada.ID, "20270305T111500Z", "20270305T120000Z", false},
		{"closure", h.ada.ID, "20270306T103000Z", "20270306T104500Z", true},
		{"closure of the organisation", h.org.ID, "20270306T103000Z", "20270306T104500Z", true},
		{"a resource's time is not the organisation's", h.org.ID, "20270301T100000Z", "20270301T110000Z", false},
		{"for ever, a series", h.ada.ID, "20270306T110000Z", "", true},
		{"for ever, one far away", h.room.ID, "20270307T000000Z", "", true},
		{"for ever, nothing more", h.room.ID, "20400307T000000Z", "", false},
	} {
		if got := taken(t, s, c.of, c.from, c.to); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	view(t, s, func(v *View) error {
		w := span.Span{Start: testNow, End: testNow.Add(time.Hour)}
		if _, err := v.Taken(h.user.ID, w); !errors.Is(err, ErrInvalid) {
			t.Error("of a user:", err)
		}
		if _, err := v.Taken(99, w); !errors.Is(err, ErrNotFound) {
			t.Error("of nobody:", err)
		}
		if _, err := v.Taken(h.ada.ID, span.Span{Start: testNow, End: testNow}); !errors.Is(err, ErrInvalid) {
			t.Error("an empty span:", err)
		}
		return nil
	})
}

func TestOpenEndedBlockTakesTimeForEver(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	block := func(end string) string {
		e := testEvent("a", ":20270301T100000Z", "CATEGORIES:BLOCK", OpenEndedProperty+":TRUE")
		return strings.Replace(e, "DURATION:PT1H", "DTEND:"+end, 1)
	}
	put(t, s, h.adaCal, "a.ics", block("20370301T100000Z"))
	for from, to := range map[string]string{
		"20270301T090000Z": "20270301T100001Z", "20370301T100000Z": "20370301T110000Z", "20990101T000000Z": "20990101T000001Z",
	} {
		if !taken(t, s, h.ada.ID, from, to) {
			t.Errorf("%s is not taken", from)
		}
	}
	if taken(t, s, h.ada.ID, "20270301T090000Z", "20270301T100000Z") {
		t.Error("time before it")
	}
	if !taken(t, s, h.ada.ID, "20600301T090000Z", "") {
		t.Error("for ever after it")
	}
	mustCheck(t, s)
	put(t, s, h.adaCal, "a.ics", block("20370302T100000Z"))
	if taken(t, s, h.ada.ID, "20400101T000000Z", "20400102T000000Z") {
		t.Error("a client gave it another end")
	}
	mustCheck(t, s)
}

func TestSignedCredentials(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	update(t, s, func(tx *Tx) error {
		return errors.Join(
			tx.PutCredential(&Credential{ID: "KEY1", Kind: CredentialOnlive, Org: h.org.ID, Grants: []Grant{{Target: h.org.ID, Rights: RightWrite}}}, "a-secret-of-hers"),
			tx.PutCredential(&Credential{ID: "bearer", Kind: CredentialBearer, Org: h.org.ID}, "another-secret"))
	})
	wrong := errors.New("wrong")
	verify := func(secret string) error {
		if secret != "a-secret-of-hers" {
			return wrong
		}
		return nil
	}
	a, err := s.AuthenticateSigned(t.Context(), "KEY1", verify)
	if err != nil || a.Credential != "KEY1" || a.Org != h.org.ID {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := s.AuthenticateSigned(t.Context(), "KEY1", func(string) error { return wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
	for _, id := range []string{"", "nobody", "bearer", "no such\nid"} {
		if _, err := s.AuthenticateSigned(t.Context(), id, verify); !errors.Is(err, ErrCredentials) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
