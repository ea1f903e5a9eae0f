package admin

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/store"
)

// service makes operations on a new store.
func service(t testing.TB) *Service {
	t.Helper()
	st, err := store.Open(context.Background(), store.Options{Path: filepath.Join(t.TempDir(), "daybook.db"), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Service{Store: st}
}

// overSocket serves the service on a socket and gives a client of it.
func overSocket(t testing.TB, s *Service) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(Handler(s, slog.New(slog.DiscardHandler)))
	_ = srv.Listener.Close()
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	c, err := Dial(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestOperationsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range Operations() {
		if op.Name == "" || op.Doc == "" || seen[op.Name] {
			t.Errorf("%+v", op)
		}
		seen[op.Name] = true
	}
}

func TestErrorsKeepTheirKindOverTheSocket(t *testing.T) {
	s := service(t)
	for name, c := range map[string]Caller{"direct": s, "socket": overSocket(t, s)} {
		for _, x := range []struct {
			operation string
			request   any
			want      error
		}{
			{"user.password", SetPassword{User: "nobody"}, store.ErrNotFound},
			{"user.create", CreateUser{Name: "ada", Rights: []string{"everything"}}, store.ErrInvalid},
			{"nonsense", None{}, store.ErrNotFound},
			{"user.create", map[string]string{"nmae": "ada"}, store.ErrInvalid},
			{"resource.create", CreateResource{Name: "r", Kind: "user"}, store.ErrInvalid},
			{"job.list", None{}, nil},
		} {
			_, err := c.Call(t.Context(), x.operation, x.request, &Stream{})
			if err == nil || x.want != nil && !errors.Is(err, x.want) {
				t.Errorf("%s: %s: %v, want %v", name, x.operation, err, x.want)
			}
		}
	}
}

func TestSetupIsDoneOnce(t *testing.T) {
	s := service(t)
	req := Setup{Slug: "demo", Zone: "Europe/Berlin", Admin: "ada"}
	first, err := Call[SetUp](t.Context(), s, "setup", req, nil)
	if err != nil || !first.Done || first.Password == "" {
		t.Fatalf("%+v %v", first, err)
	}
	if _, err := s.Store.Authenticate(t.Context(), "ada", first.Password, "test"); err != nil {
		t.Error(err)
	}
	second, err := Call[SetUp](t.Context(), s, "setup", req, nil)
	if err != nil || second.Done {
		t.Errorf("%+v %v", second, err)
	}
	bad := service(t)
	if _, err := Call[SetUp](t.Context(), bad, "setup", Setup{Slug: "demo", Admin: "a/b"}, nil); err == nil {
		t.Error("a bad name was accepted")
	}
	if again, err := Call[SetUp](t.Context(), bad, "setup", req, nil); err != nil || !again.Done {
		t.Errorf("a failed setup left something: %+v %v", again, err)
	}
}

// noise gives text that cannot be made smaller.
func noise(n int) string {
	rnd := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n/2)
	_, _ = rnd.Read(b) // never fails
	return hex.EncodeToString(b)
}

func TestLargeFilesComeOverTheSocketWhole(t *testing.T) {
	s := service(t)
	if _, err := Call[SetUp](t.Context(), s, "setup", Setup{Slug: "demo", Admin: "ada"}, nil); err != nil {
		t.Fatal(err)
	}
	large := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:a\nDTSTAMP:20270101T000000Z\nDTSTART:20270101T100000Z\n" +
		"DESCRIPTION:" + noise(5*chunk) + "\nEND:VEVENT\nEND:VCALENDAR\n"
	if _, err := Call[Imported](t.Context(), s, "import", ImportFile{Calendar: "ada"}, &Stream{In: strings.NewReader(large)}); err != nil {
		t.Fatal(err)
	}
	var direct, socket strings.Builder
	for c, w := range map[Caller]io.Writer{s: &direct, overSocket(t, s): &socket} {
		if _, err := Call[BackedUp](t.Context(), c, "backup", None{}, &Stream{Out: w}); err != nil {
			t.Fatal(err)
		}
	}
	if direct.Len() < 5*chunk || direct.String() != socket.String() {
		t.Errorf("%d and %d bytes", direct.Len(), socket.Len())
	}
}

func TestAnswerThatIsCutOffIsAnError(t *testing.T) {
	for _, body := range []string{"", `{"progress":{"done":1,"total":2}}` + "\n", `{"result":{"a`} {
		if _, err := events(strings.NewReader(body), &Stream{}); !errors.Is(err, ErrCutOff) {
			t.Errorf("%q: %v", body, err)
		}
	}
	res, err := events(strings.NewReader(`{"item":{"a":1}}`+"\n"+`{"result":{"b":2}}`), &Stream{})
	if err != nil || string(res) != `{"b":2}` {
		t.Errorf("%s %v", res, err)
	}
}

func TestHandlerTakesNothingElse(t *testing.T) {
	h := Handler(service(t), slog.New(slog.DiscardHandler))
	for _, x := range [][2]string{{"GET", "/v1/status"}, {"POST", "/status"}} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(x[0], x[1], nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%v: %d", x, w.Code)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/status", strings.NewReader(strings.Repeat("x", 2*maxRequest))))
	if !strings.Contains(w.Body.String(), "larger than") {
		t.Error(w.Body.String())
	}
}

func TestListenLeavesForeignFilesAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(file); err == nil {
		t.Error("a file was taken for a socket")
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "mine" {
		t.Errorf("%q %v", b, err)
	}
	if _, err := Listen(filepath.Join(dir, strings.Repeat("x", maxSocketPath))); err == nil || !strings.Contains(err.Error(), "admin_socket") {
		t.Errorf("a long path: %v", err)
	}
}

func TestListenTellsALiveSocketFromADeadOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, err := Listen(path); !errors.Is(err, ErrSocketInUse) {
		t.Errorf("a second listener: %v", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	l, err = Listen(path)
	if err != nil {
		t.Fatalf("a dead socket: %v", err)
	}
	_ = l.Close()
}

func TestImportKeepsTheNamesOfMembersThatClientsMade(t *testing.T) {
	s := service(t)
	if _, err := Call[SetUp](t.Context(), s, "setup", Setup{Slug: "demo", Admin: "ada"}, nil); err != nil {
		t.Fatal(err)
	}
	event := func(uid, summary string) string {
		return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:" + uid +
			"\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270101T100000Z\r\nSUMMARY:" + summary + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	}
	do := func(text string) (Imported, []ImportItem) {
		var items []ImportItem
		res, err := Call[Imported](t.Context(), s, "import", ImportFile{Calendar: "ada"}, &Stream{In: strings.NewReader(text), OnItem: func(raw json.RawMessage) error {
			var it ImportItem
			err := json.Unmarshal(raw, &it)
			items = append(items, it)
			return err
		}})
		if err != nil {
			t.Fatal(err)
		}
		return res, items
	}
	do(event("a", "one"))
	members := func() (names []string) {
		err := s.Store.View(t.Context(), func(v *store.View) error {
			c, _, err := findCalendar(v, "ada")
			if err != nil {
				return err
			}
			return v.EachMember(c.ID, "", func(m store.Member) bool {
				names = append(names, m.Name)
				return true
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		c, _, err := findCalendar(&tx.View, "ada")
		if err != nil {
			return err
		}
		// A client gave the name that the import would give to UID b.
		_, err = tx.MoveObject(store.Move{Actor: store.System(), From: c.ID, To: c.ID, FromName: "a.ics", ToName: "b.ics"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if res, _ := do(event("a", "two")); res.Updated != 1 {
		t.Errorf("%+v", res)
	}
	if res, items := do(event("b", "other")); res.Created != 1 {
		t.Errorf("%+v %+v", res, items)
	}
	if got := members(); len(got) != 2 {
		t.Errorf("members %v", got)
	}
}

func TestImportOfTooManyObjectsImportsNothing(t *testing.T) {
	s := service(t)
	s.Limits.ImportObjects = 1
	s.Limits.ImportBytes = 2000
	if _, err := Call[SetUp](t.Context(), s, "setup", Setup{Slug: "demo", Admin: "ada"}, nil); err != nil {
		t.Fatal(err)
	}
	two := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:a\nDTSTAMP:20270101T000000Z\nDTSTART:20270101T100000Z\nEND:VEVENT\n" +
		"BEGIN:VEVENT\nUID:b\nDTSTAMP:20270101T000000Z\nDTSTART:20270101T100000Z\nEND:VEVENT\nEND:VCALENDAR\n"
	for _, text := range []string{two, strings.Repeat("x", 2001)} {
		_, err := Call[Imported](t.Context(), s, "import", ImportFile{Calendar: "ada"}, &Stream{In: strings.NewReader(text)})
		if !errors.Is(err, store.ErrQuota) {
			t.Errorf("%v", err)
		}
	}
	if st, err := Call[Status](t.Context(), s, "status", None{}, nil); err != nil || st.Objects != 0 {
		t.Errorf("%+v %v", st, err)
	}
}

func TestSpecFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "the file is empty",
		"[":                                   "not YAML",
		"- a":                                 "a mapping",
		"organisations: 3":                    "line 1: organisations: a list is expected",
		"organisations: [3]":                  "line 1: organisations: a mapping",
		"x: 1":                                "known here: organisations",
		"organisations: [{}]":                 "needs a slug",
		"organisations: [{slug: [a]}]":        "slug: a text is expected",
		"organisations: [{slug: a, slug: b}]": "slug is there twice",
		"organisations: [&x {slug: a}, *x]":   "aliases are not supported",
		"organisations: [{slug: a, resources: [{kind: room, name: r, alias: x}]}]":                              "a whole number",
		"organisations: [{slug: a, resources: [{kind: room, name: r, alias: 0}]}]":                              "alias 0",
		"organisations: [{slug: a, resources: [{kind: user, name: r}]}]":                                        "known are staff",
		"organisations: [{slug: a, resources: [{kind: room, name: r, color: red}]}]":                            "#RRGGBB",
		"organisations: [{slug: a, users: [{name: u, password: ''}]}]":                                          "is empty",
		"organisations: [{slug: a, tokens: [{id: 'a.b', kind: bearer, secret: s}]}]":                            "letters, digits",
		"organisations: [{slug: a, tokens: [{id: a, kind: app, secret: s, grants: [read]}]}]":                   "needs a user",
		"organisations: [{slug: a, tokens: [{id: a, kind: bearer, secret: s}]}]":                                "could do nothing",
		"organisations: [{slug: a, tokens: [{id: a, kind: bearer, secret: s, grants: [read], expires: soon}]}]": "expires",
		"organisations: [{slug: a, feeds: [{name: f}]}]":                                                        "needs secret and name",
		"organisations: [{slug: a, feeds: [{secret: s, name: f, calendar: a, refresh: 1s}]}]":                   "refresh",
		"organisations: [{slug: a, feeds: [{secret: s, name: f/g, calendar: a, show: all}]}]":                   "show \"all\"",
	} {
		_, err := parseSpec([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if s, err := parseSpec([]byte("organisations:\n")); err != nil || len(s.Organisations) != 0 {
		t.Errorf("%+v %v", s, err)
	}
}

func FuzzParseSpec(f *testing.F) {
	f.Add([]byte("organisations: [{slug: a, users: [{name: u, grants: [read@x]}], services: [], feeds: [{secret: s}]}]"))
	f.Add([]byte("organisations: [&x {slug: a}, *x]\n? [y]\n: z"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseSpec(data)
		if (s == nil) == (err == nil) {
			t.Errorf("%v %v", s, err)
		}
		if err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}

// A house that was set up in UTC and then given its zone had all hours shifted.
func TestApplyOfAnotherZoneKeepsTheWallClocksOfHours(t *testing.T) {
	s := service(t)
	apply := func(zone string) {
		t.Helper()
		file := "organisations:\n  - {slug: demo, zone: " + zone + ", users: [{name: ada, password: secret-of-ada}], resources: [{kind: room, name: hall}]}\n"
		if _, err := Call[Applied](t.Context(), s, "apply", None{}, &Stream{In: strings.NewReader(file)}); err != nil {
			t.Fatal(err)
		}
	}
	apply("UTC")
	const week = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VAVAILABILITY\r\nUID:a\r\nDTSTAMP:20270101T000000Z\r\nBEGIN:AVAILABLE\r\nUID:b\r\n" +
		"DTSTAMP:20270101T000000Z\r\nDTSTART:20270104T090000Z\r\nDTEND:20270104T120000Z\r\nRRULE:FREQ=WEEKLY\r\nEND:AVAILABLE\r\nEND:VAVAILABILITY\r\nEND:VCALENDAR\r\n"
	for _, name := range []string{"demo", "hall", "ada"} {
		if _, err := Call[Imported](t.Context(), s, "import", ImportFile{Calendar: name}, &Stream{In: strings.NewReader(week)}); err != nil {
			t.Fatal(err)
		}
	}
	apply("Europe/Berlin")
	for name, want := range map[string]string{
		"demo": "DTSTART;TZID=Europe/Berlin:20270104T090000", "hall": "DTEND;TZID=Europe/Berlin:20270104T120000", "ada": "DTSTART:20270104T090000Z",
	} {
		err := s.Store.View(t.Context(), func(v *store.View) error {
			c, _, err := findCalendar(v, name)
			if err != nil {
				return err
			}
			m, err := v.MemberByUID(c.ID, "a")
			if err != nil {
				return err
			}
			data, err := v.Data(m.Object)
			if err == nil && !strings.Contains(string(data), "\r\n"+want+"\r\n") {
				t.Errorf("%s: no %s in\n%s", name, want, data)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
