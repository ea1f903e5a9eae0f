package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// told gives the entries of an organisation behind a number.
func told(t testing.TB, s *Store, org PrincipalID, after uint64) (out []Entry) {
	t.Helper()
	view(t, s, func(v *View) error {
		v.EachEntry(org, after, func(e *Entry) bool {
			out = append(out, *e)
			return true
		})
		return nil
	})
	return out
}

func lastOf(t testing.TB, s *Store, org PrincipalID) (last uint64) {
	t.Helper()
	view(t, s, func(v *View) error {
		_, last = v.JournalSpan(org)
		return nil
	})
	return last
}

// tells gives what a transaction is told to have done, a line each.
func (h *testHouse) tells(t *testing.T, s *Store, fn func(*Tx) error) string {
	t.Helper()
	before := lastOf(t, s, h.org.ID)
	update(t, s, fn)
	var lines []string
	for _, e := range told(t, s, h.org.ID, before) {
		line := fmt.Sprintf("%s %s %s", e.What(), h.nameOf(e.Owner), e.Name)
		if e.FromName != "" {
			line += " from " + e.FromName
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

func (h *testHouse) nameOf(id PrincipalID) string {
	for _, p := range []*Principal{h.org, h.user, h.ada, h.room} {
		if p.ID == id {
			return p.Name
		}
	}
	return fmt.Sprint(id)
}

func TestJournalTellsEveryChangeOnce(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	plain := prepare(t, s, testEvent("u1", ":20270301T090000Z"))
	block := prepare(t, s, testEvent("u1", ":20270301T090000Z", "CATEGORIES:BLOCK"))
	todo := prepare(t, s, strings.NewReplacer("VEVENT", "VTODO", "UID:u1", "UID:u2").Replace(testEvent("u1", ":20270301T090000Z")))
	put := func(c CollectionID, name string, p *Prepared) func(*Tx) error {
		return func(tx *Tx) error {
			_, err := tx.PutObject(Put{Actor: System(), Collection: c, Name: name, Object: p})
			return err
		}
	}
	service := &Service{Org: h.org.ID, Name: "Cut"}
	hash, err := HashPassword("password")
	if err != nil {
		t.Fatal(err)
	}
	cred := func() *Credential { return &Credential{ID: "key", Kind: CredentialBearer, Org: h.org.ID} }
	sealed := func() *Credential { return &Credential{ID: "sealed", Kind: CredentialOnlive, Org: h.org.ID} }
	feed := func() *Feed { return &Feed{Org: h.org.ID, Collection: h.adaCal, Name: "ada"} }
	access := func() *RemoteAccess { return &RemoteAccess{URL: "https://example.org/secret.ics"} }
	remote := &Remote{Org: h.org.ID, Name: "pulled", Kind: RemoteICS, Target: h.adaCal, Host: "https://example.org"}
	start := s.now().Add(time.Hour).Truncate(time.Second)
	hold := &Hold{
		Org: h.org.ID, Resources: []PrincipalID{h.ada.ID, h.room.ID}, Start: start, End: start.Add(time.Hour), Expires: s.now().Add(time.Minute),
	}
	var feedID string
	for _, step := range []struct {
		want string
		fn   func(*Tx) error
	}{
		{"event.created ada a.ics", put(h.adaCal, "a.ics", plain)},
		{"", put(h.adaCal, "a.ics", plain)},
		{"block.changed ada a.ics", put(h.adaCal, "a.ics", block)},
		{"block.created room-1 b.ics", put(h.roomCal, "b.ics", block)},
		{"event.deleted ada a.ics; event.created ada a.ics", func(tx *Tx) error {
			// Two that are far from each other stay two.
			if err := tx.DeleteObject(System(), h.adaCal, "a.ics", Cond{}); err != nil {
				return err
			}
			tx.noted[len(tx.noted)-1].Subject = SubjectEvent
			for range lookBack {
				tx.note(Entry{Org: h.org.ID})
			}
			if err := put(h.adaCal, "a.ics", plain)(tx); err != nil {
				return err
			}
			tx.noted = slices.Delete(tx.noted, 1, 1+lookBack)
			return nil
		}},
		{"todo.created ada t.ics", put(h.adaCal, "t.ics", todo)},
		{"todo.moved ada s.ics from t.ics", func(tx *Tx) error {
			_, err := tx.MoveObject(Move{System(), h.adaCal, h.adaCal, "t.ics", "s.ics", false, Cond{}})
			return err
		}},
		{"todo.deleted ada s.ics; todo.moved user01 t.ics from s.ics", func(tx *Tx) error {
			_, err := tx.MoveObject(Move{System(), h.adaCal, h.userCal, "s.ics", "t.ics", false, Cond{}})
			return err
		}},
		{"", func(tx *Tx) error {
			if err := put(h.adaCal, "x.ics", todo)(tx); err != nil {
				return err
			}
			return tx.DeleteObject(System(), h.adaCal, "x.ics", Cond{})
		}},
		{"todo.deleted user01 t.ics", func(tx *Tx) error { return tx.DeleteObject(System(), h.userCal, "t.ics", Cond{}) }},
		{"block.created ada u1.ics; block.created user01 u1.ics", func(tx *Tx) error {
			if err := tx.DeleteObject(System(), h.adaCal, "a.ics", Cond{}); err != nil {
				return err
			}
			tx.noted = nil
			_, err := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: block, Targets: []CollectionID{h.adaCal, h.roomCal, h.userCal}})
			return err
		}},
		{"block.deleted ada u1.ics; block.deleted user01 u1.ics", func(tx *Tx) error {
			_, err := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: block, Targets: []CollectionID{h.roomCal}})
			return err
		}},
		{"calendar.created user01 work", func(tx *Tx) error {
			return tx.CreateCollection(System(), &Collection{Owner: h.user.ID, Name: "work"})
		}},
		{"", func(tx *Tx) error {
			c, err := tx.CollectionByName(h.user.ID, "work")
			if err != nil {
				return err
			}
			return tx.UpdateCollection(System(), c)
		}},
		{"calendar.changed user01 work; calendar.moved user01 play from work; calendar.deleted user01 play", func(tx *Tx) error {
			c, err := tx.CollectionByName(h.user.ID, "work")
			if err != nil {
				return err
			}
			c.DisplayName = "Work"
			return errors.Join(tx.UpdateCollection(System(), c), tx.RenameCollection(System(), c.ID, "play"), tx.DeleteCollection(System(), c.ID))
		}},
		{"resource.changed ada ada", func(tx *Tx) error {
			h.ada.DisplayName = "Ada"
			return tx.UpdatePrincipal(h.ada)
		}},
		{"", func(tx *Tx) error { return tx.UpdatePrincipal(h.ada) }},
		{"grant.created ada user01", func(tx *Tx) error { return tx.SetGrant(h.user.ID, h.ada.ID, RightRead) }},
		{"", func(tx *Tx) error { return tx.SetGrant(h.user.ID, h.ada.ID, RightRead) }},
		{"grant.changed ada user01; grant.deleted ada user01", func(tx *Tx) error {
			return errors.Join(tx.SetGrant(h.user.ID, h.ada.ID, RightWrite), tx.SetGrant(h.user.ID, h.ada.ID, 0))
		}},
		{"", func(tx *Tx) error { return tx.SetGrant(h.user.ID, h.ada.ID, 0) }},
		{"password.created demo user01", func(tx *Tx) error { return tx.SetPassword(h.user.ID, hash) }},
		{"", func(tx *Tx) error { return tx.SetPassword(h.user.ID, hash) }},
		{"password.deleted demo user01", func(tx *Tx) error { return errors.Join(tx.SetPassword(h.user.ID, nil), tx.SetPassword(h.user.ID, nil)) }},
		{"credential.created demo key; credential.created demo sealed", func(tx *Tx) error {
			return errors.Join(tx.PutCredential(cred(), "secret-secret"), tx.PutCredential(sealed(), "secret-secret"))
		}},
		{"", func(tx *Tx) error {
			return errors.Join(tx.PutCredential(cred(), "secret-secret"), tx.PutCredential(sealed(), "secret-secret"))
		}},
		{"credential.changed demo sealed; credential.deleted demo key", func(tx *Tx) error {
			return errors.Join(tx.PutCredential(sealed(), "another-secret"), tx.DeleteCredential("key"))
		}},
		{"feed.created ada ID", func(tx *Tx) error {
			f := feed()
			err := tx.PutFeed(f, "secret-secret")
			feedID = f.ID
			return err
		}},
		{"", func(tx *Tx) error { return tx.PutFeed(feed(), "secret-secret") }},
		{"feed.deleted ada ID", func(tx *Tx) error { return tx.DeleteFeed(h.org.ID, feedID) }},
		{"service.created demo Cut", func(tx *Tx) error { return tx.PutService(service) }},
		{"", func(tx *Tx) error { return tx.PutService(service) }},
		{"service.changed demo Cut; service.deleted demo Cut", func(tx *Tx) error {
			service.Color = "#112233"
			return errors.Join(tx.PutService(service), tx.DeleteService(h.org.ID, service.UUID))
		}},
		{"note.created demo space/a; note.changed demo space/a; note.deleted demo space/a", func(tx *Tx) error {
			var errs []error
			for _, b := range []string{"1", "1", "2", "2"} {
				errs = append(errs, tx.PutNote(h.org.ID, "space", "a", []byte(b)))
			}
			return errors.Join(append(errs, tx.PutNote(h.org.ID, "space", "a", nil), tx.PutNote(h.org.ID, "space", "a", nil))...)
		}},
		{"hold.created ada ; hold.created room-1 ", func(tx *Tx) error { return tx.AddHold(hold) }},
		{"hold.deleted ada ; hold.deleted room-1 ", func(tx *Tx) error { return tx.DeleteHold(h.org.ID, hold.UUID) }},
		{"remote.created ada pulled", func(tx *Tx) error { return tx.PutRemote(remote, access()) }},
		{"", func(tx *Tx) error {
			return errors.Join(tx.PutRemote(remote, access()), tx.PutRemote(remote, nil), tx.ResumeRemote(remote.ID))
		}},
		{"remote.changed ada pulled; remote.changed ada pulled", func(tx *Tx) error {
			remote.Paused = true
			return errors.Join(tx.PutRemote(remote, nil), tx.ResumeRemote(remote.ID))
		}},
		{"remote.changed ada pulled", func(tx *Tx) error {
			err := tx.PutRemoteState(remote.ID, RemoteState{Stopped: "too many deletions"})
			return errors.Join(err, tx.ResumeRemote(remote.ID))
		}},
		{"remote.changed ada pulled", func(tx *Tx) error {
			remote.Paused = false
			return tx.PutRemote(remote, &RemoteAccess{URL: "https://example.org/other.ics"})
		}},
		{"remote.deleted ada pulled", func(tx *Tx) error {
			remote.Ending = true
			return errors.Join(tx.PutRemote(remote, nil), tx.PutRemote(remote, nil), tx.DeleteRemote(remote.ID))
		}},
		{"calendar.deleted room-1 calendar; resource.deleted room-1 room-1", func(tx *Tx) error { return tx.DeletePrincipal(h.room.ID) }},
	} {
		got := h.tells(t, s, step.fn)
		if feedID != "" {
			got = strings.ReplaceAll(got, feedID, "ID")
		}
		if got != step.want {
			t.Errorf("told:   %s\nwanted: %s", got, step.want)
		}
	}
	mustCheck(t, s)
}

// mirror is what a reader of nothing but the journal knows: the members.
type mirror map[CollectionID]map[string]uuid.UUID

func (m mirror) apply(e *Entry) error {
	if e.Subject > SubjectHours {
		return nil
	}
	names := m[e.Collection]
	if names == nil {
		names = map[string]uuid.UUID{}
		m[e.Collection] = names
	}
	_, there := names[e.Name]
	switch e.Op {
	case OpDeleted:
		delete(names, e.Name)
	case OpMoved:
		if e.FromCollection == 0 {
			delete(names, e.FromName)
		}
		fallthrough
	default:
		names[e.Name] = e.UUID
	}
	if e.Op == OpDeleted && !there || e.Op == OpChanged && !there || e.Op == OpCreated && there {
		return fmt.Errorf("%s of %s, which is there: %t", e.What(), e.Name, there)
	}
	return nil
}

// same compares with the listings.
func (m mirror) same(t testing.TB, s *Store, cols []CollectionID) error {
	t.Helper()
	for _, c := range cols {
		want := map[string]uuid.UUID{}
		view(t, s, func(v *View) error {
			return v.EachMember(c, "", func(x Member) bool {
				f, err := v.facts(x.Object)
				if err != nil {
					t.Fatal(err)
				}
				id, err := v.Identity(f.Org, f.UID)
				if err != nil {
					t.Fatal(err)
				}
				want[x.Name] = id.UUID
				return true
			})
		})
		if got := m[c]; len(got)+len(want) > 0 && !maps.Equal(got, want) {
			return fmt.Errorf("collection %d is said to have %v, and has %v", c, got, want)
		}
	}
	return nil
}

// TestFollowerOfTheJournalKnowsEveryMember does random writes. A reader that
// knows nothing but event ids, and breaks off and comes back at any of them, has
// the members of every collection; and each member that became another object, or
// whose bytes changed, is named by an entry of its transaction, and no other.
func TestFollowerOfTheJournalKnowsEveryMember(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newTest(t)
		h := newTestHouse(t, s)
		cols := []CollectionID{h.adaCal, h.roomCal, h.userCal, h.otherCal}
		known, id := mirror{}, ""
		view(t, s, func(v *View) error {
			id = v.Position(lastOf(t, s, h.org.ID)).String()
			return nil
		})
		gen := genOp(cols)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			o := gen.Draw(rt, "op")
			var p *Prepared
			if o.kind < 2 || o.kind == 5 {
				p = prepare(t, s, o.body())
			}
			before, seq := listings(t, s, cols), lastOf(t, s, h.org.ID)
			_ = s.Update(t.Context(), func(tx *Tx) error { return o.onStore(tx, p) }) // refusals are part of it
			named := map[string]bool{}
			for _, e := range told(t, s, h.org.ID, seq) {
				named[fmt.Sprint(e.Collection, e.Name)] = true
				if e.FromName != "" && e.FromCollection == 0 {
					named[fmt.Sprint(e.Collection, e.FromName)] = true
				}
			}
			if want := differing(before, listings(t, s, cols)); !maps.Equal(named, want) {
				rt.Fatalf("%+v: told of %v, what changed is %v", o, named, want)
			}
			if rapid.IntRange(0, 2).Draw(rt, "read") == 0 {
				id = follow(rt, s, h.org.ID, id, rapid.IntRange(1, 5).Draw(rt, "break off after"), known)
			}
		}
		follow(rt, s, h.org.ID, id, 1<<30, known)
		if err := known.same(t, s, cols); err != nil {
			rt.Fatal(err)
		}
		mustCheck(t, s)
	})
}

// follow reads at most n entries behind an id and gives the id of the last.
func follow(rt *rapid.T, s *Store, org PrincipalID, id string, n int, known mirror) string {
	p, err := ParsePosition(id)
	if err != nil {
		rt.Fatal(err)
	}
	err = s.View(context.Background(), func(v *View) error {
		if err := v.Resume(org, p); err != nil {
			return err
		}
		v.EachEntry(org, p.Seq, func(e *Entry) bool {
			if err := known.apply(e); err != nil {
				rt.Fatal(err)
			}
			id = v.Position(e.Seq).String()
			n--
			return n > 0
		})
		return nil
	})
	if err != nil {
		rt.Fatal(err)
	}
	return id
}

// listed is what a member is: the same bytes may come as another object.
type listed struct {
	tag    ETag
	object ObjectID
}

func listings(t testing.TB, s *Store, cols []CollectionID) map[string]listed {
	out := map[string]listed{}
	for _, c := range cols {
		view(t, s, func(v *View) error {
			return v.EachMember(c, "", func(m Member) bool {
				out[fmt.Sprint(c, m.Name)] = listed{m.ETag, m.Object}
				return true
			})
		})
	}
	return out
}

func differing(a, b map[string]listed) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		if a[k] != b[k] {
			out[k] = true
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			out[k] = true
		}
	}
	return out
}

func TestJournalSaysWhoAndThroughWhat(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	name := func(ctx context.Context, name string) {
		t.Helper()
		if err := s.Update(ctx, func(tx *Tx) error { return tx.PutNote(h.org.ID, "space", name, []byte("x")) }); err != nil {
			t.Fatal(err)
		}
	}
	before := lastOf(t, s, h.org.ID)
	token := &Actor{Org: h.org.ID, Credential: "key"}
	ctx := By(t.Context(), nil, "trybe")
	name(t.Context(), "a")
	name(By(ctx, token, ""), "b")
	name(By(ctx, &Actor{Org: h.org.ID, Principal: h.user}, "caldav"), "c")
	name(By(By(ctx, token, ""), System(), "an API of tomorrow"), "d")
	var got []string
	for _, e := range told(t, s, h.org.ID, before) {
		got = append(got, fmt.Sprintf("%s system=%t user=%t %q %q", e.Name, e.System, e.Principal == h.user.ID, e.Credential, e.API))
	}
	want := []string{
		`space/a system=false user=false "" ""`, `space/b system=false user=false "key" "trybe"`,
		`space/c system=false user=true "" "caldav"`, `space/d system=true user=false "" "an API of tomorrow"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestTokenKnowsItsOwnChanges: a token without a user was told of its own
// changes as of anybody's, so that an integration could not pass by its echo.
func TestTokenKnowsItsOwnChanges(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	e := &Entry{Org: h.org.ID, Owner: h.ada.ID, Subject: SubjectBlock, Op: OpCreated, Credential: "key"}
	for credential, want := range map[string]string{"key": "key", "other": "", "": ""} {
		a := &Actor{Org: h.org.ID, Credential: credential, Grants: []Grant{{Target: h.ada.ID, Rights: RightWrite}}}
		view(t, s, func(v *View) error {
			if got := v.Event(a, e).Actor; got.Kind != "token" || got.Credential != want {
				t.Errorf("%q is told of %+v", credential, got)
			}
			return nil
		})
	}
}

func TestJournalEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		e := Entry{
			Org: 3, Seq: 9, Time: time.UnixMilli(rapid.Int64Range(0, 1<<45).Draw(t, "time")).UTC(),
			Principal: PrincipalID(rapid.Uint32().Draw(t, "principal")), Credential: rapid.String().Draw(t, "credential"),
			System: rapid.Bool().Draw(t, "system"), API: rapid.SampledFrom([]string{"", "caldav", "webhooks", "another"}).Draw(t, "api"),
			Subject: Subject(rapid.IntRange(1, len(subjects)-1).Draw(t, "subject")), Op: Op(rapid.IntRange(1, 4).Draw(t, "op")),
			Owner: PrincipalID(rapid.Uint32().Draw(t, "owner")), Collection: CollectionID(rapid.Uint32().Draw(t, "collection")),
			Name: rapid.SampledFrom([]string{"", "a.ics", id.String() + ".ics", strings.ToUpper(id.String()) + ".ics"}).Draw(t, "name"),
		}
		if rapid.Bool().Draw(t, "has id") {
			e.UUID = id
		}
		if rapid.Bool().Draw(t, "from") {
			e.FromCollection, e.FromName = CollectionID(rapid.Uint32().Draw(t, "from collection")), rapid.String().Draw(t, "from name")
		}
		row := packEntry(&e)
		got, err := unpackEntry(3, 9, row)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, e)
		}
		for n := range row[:4] {
			if _, err := unpackEntry(3, 9, row[:n]); err == nil {
				t.Fatalf("%d bytes of a row were read", n)
			}
		}
	})
}

func TestJournalIsReadByWhoMayReadWhatItTells(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	far := &Principal{Kind: KindOrganisation, Name: "far"}
	gone := &Principal{Kind: KindUser, Name: "gone", Org: h.org.ID}
	update(t, s, func(tx *Tx) error { return errors.Join(tx.CreatePrincipal(far), tx.CreatePrincipal(gone)) })
	update(t, s, func(tx *Tx) error { return tx.DeletePrincipal(gone.ID) })
	actors := map[string]*Actor{
		"admin":    {Org: h.org.ID, Grants: []Grant{{Target: h.org.ID, Rights: RightAdmin}}},
		"reader":   {Org: h.org.ID, Grants: []Grant{{Target: h.org.ID, Rights: RightRead}}},
		"busy":     {Org: h.org.ID, Grants: []Grant{{Target: h.org.ID, Rights: RightFreeBusy}}},
		"ada":      {Org: h.org.ID, Grants: []Grant{{Target: h.ada.ID, Rights: RightRead}}},
		"user":     {Org: h.org.ID, Principal: h.user},
		"calendar": {Org: h.org.ID, Grants: []Grant{{Target: h.user.ID, Collection: h.otherCal, Rights: RightRead}}},
		"nobody":   {Org: h.org.ID},
		"stranger": {Org: far.ID, Grants: []Grant{{Target: far.ID, Rights: RightAdmin}, {Target: h.org.ID, Rights: RightAdmin}}},
	}
	for _, row := range []struct {
		subject    Subject
		owner      PrincipalID
		who        string
		collection CollectionID
	}{
		{SubjectEvent, h.org.ID, "admin reader", 0},
		{SubjectBlock, h.ada.ID, "ada admin reader", 0},
		{SubjectEvent, h.user.ID, "user", 0},
		{SubjectCalendar, h.user.ID, "user", 0},
		{SubjectEvent, gone.ID, "", 0},
		{SubjectUser, h.org.ID, "admin", 0},
		{SubjectCredential, h.org.ID, "admin", 0},
		{SubjectPassword, h.org.ID, "admin", 0},
		{SubjectGrant, h.ada.ID, "admin", 0},
		{SubjectGrant, h.user.ID, "user", 0},
		{SubjectFeed, h.ada.ID, "admin", 0},
		{SubjectService, h.org.ID, "admin reader", 0},
		{SubjectResource, 9999, "admin reader", 0},
		{Subject(200), h.org.ID, "admin", 0},
		{SubjectEvent, h.user.ID, "calendar user", h.otherCal},
	} {
		var may []string
		view(t, s, func(v *View) error {
			for name, a := range actors {
				if v.MayRead(a, &Entry{Org: h.org.ID, Subject: row.subject, Owner: row.owner, Collection: row.collection}) {
					may = append(may, name)
				}
			}
			return nil
		})
		slices.Sort(may)
		if got := strings.Join(may, " "); got != row.who {
			t.Errorf("%s of %d: read by %q, want %q", row.subject, row.owner, got, row.who)
		}
	}
}

func TestJournalEndsWithItsOrganisationAndIsPruned(t *testing.T) {
	now := testNow
	s, err := Open(t.Context(), Options{Path: t.TempDir() + "/test.db", Create: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h := newTestHouse(t, s)
	far := &Principal{Kind: KindOrganisation, Name: "far"}
	update(t, s, func(tx *Tx) error { return tx.CreatePrincipal(far) })
	update(t, s, func(tx *Tx) error { return tx.DeletePrincipal(h.room.ID) })
	last := lastOf(t, s, h.org.ID)
	prune := func(before time.Time) {
		t.Helper()
		for done := false; !done; {
			if _, done, err = s.PruneJournal(t.Context(), before); err != nil {
				t.Fatal(err)
			}
		}
	}
	prune(testNow)
	if n := len(told(t, s, h.org.ID, 0)); n != int(last) {
		t.Errorf("%d entries of %d are left, none is old enough", n, last)
	}
	prune(testNow.Add(time.Second))
	left := told(t, s, h.org.ID, 0)
	if len(left) != 1 || left[0].Seq != last || lastOf(t, s, far.ID) == 0 {
		t.Errorf("left is %+v, want the newest of each organisation", left)
	}
	view(t, s, func(v *View) error {
		if err := v.Resume(h.org.ID, v.Position(last-1)); err != nil {
			t.Errorf("all behind the last but one is there: %v", err)
		}
		other := v.Position(last)
		other.Epoch[0]++
		for _, p := range []Position{v.Position(last - 2), v.Position(last + 1), other} {
			if err := v.Resume(h.org.ID, p); !errors.Is(err, ErrToken) {
				t.Errorf("resumed at %s: %v", p, err)
			}
		}
		if p := v.former(h.org.ID, h.room.ID); p.Name != "" {
			t.Errorf("a name is left: %v", p)
		}
		return nil
	})
	update(t, s, func(tx *Tx) error { return tx.PutNote(h.org.ID, "space", "a", []byte("b")) })
	if n := lastOf(t, s, h.org.ID); n != last+1 {
		t.Errorf("the next entry is %d, want %d", n, last+1)
	}
	update(t, s, func(tx *Tx) error { return tx.DeletePrincipal(far.ID) })
	prune(time.Time{})
	if n := lastOf(t, s, far.ID); n != 0 {
		t.Errorf("the journal of an organisation that is gone has entry %d", n)
	}
	mustCheck(t, s)
}

func TestJournalledWakesAfterTheCommit(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	own, other, all := s.Journalled(h.org.ID), s.Journalled(h.org.ID+1000), s.Journalled(0)
	update(t, s, func(tx *Tx) error { return tx.PutNote(h.org.ID, "space", "a", []byte("b")) })
	<-own
	<-all
	select {
	case <-other:
		t.Error("another organisation's reader was woken")
	default:
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-other
	<-s.Journalled(h.org.ID)
}

func TestCheckMendsUnreadableEntries(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	last := lastOf(t, s, h.org.ID)
	update(t, s, func(tx *Tx) error {
		tx.put(journalKey(h.org.ID, last), []byte{99})
		return nil
	})
	stats, err := s.Check(t.Context(), true, func(Problem) {})
	if err != nil || stats.Problems != 1 {
		t.Fatalf("%d problems, %v", stats.Problems, err)
	}
	mustCheck(t, s)
	if n := lastOf(t, s, h.org.ID); n != last {
		t.Errorf("the newest entry is %d, want %d", n, last)
	}
}

func TestFilterOfTheJournal(t *testing.T) {
	e := &Entry{Subject: SubjectBlock, Op: OpCreated, Owner: 4, Principal: 2, API: "trybe", Time: testNow}
	for _, row := range []struct {
		f    JournalFilter
		want bool
	}{
		{JournalFilter{}, true},
		{JournalFilter{What: []string{"event", "block"}}, true},
		{JournalFilter{What: []string{"block.created"}}, true},
		{JournalFilter{What: []string{"block.changed"}}, false},
		{JournalFilter{What: []string{"blo"}}, false},
		{JournalFilter{Owners: []PrincipalID{3, 4}}, true},
		{JournalFilter{Owners: []PrincipalID{3}}, false},
		{JournalFilter{Principal: 2, API: "trybe"}, true},
		{JournalFilter{Principal: 3}, false},
		{JournalFilter{API: "caldav"}, false},
		{JournalFilter{From: testNow, To: testNow.Add(1)}, true},
		{JournalFilter{To: testNow}, false},
		{JournalFilter{From: testNow.Add(1)}, false},
	} {
		if got := row.f.Match(e); got != row.want {
			t.Errorf("%+v: %t", row.f, got)
		}
	}
	for _, w := range []string{"", ".", "block.", "blocks", "block.eaten", ".created"} {
		if _, _, err := ParseWhat(w); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q is read", w)
		}
	}
	if s, o, err := ParseWhat("hours.moved"); err != nil || s != SubjectHours || o != OpMoved {
		t.Error(s, o, err)
	}
}
