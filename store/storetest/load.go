// Package storetest fills stores for benchmarks: a house with many resources
// and as many events as are asked for, the same each time, so that all
// benchmarks measure on the same facts. It is imported by tests alone.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"daybook/ical"
	"daybook/store"
)

// The shape of a house. Each resource has Weekly events in a week, four on each
// day from Monday to Friday, of which every tenth is a block.
const (
	Resources = 1000
	Weekly    = 20
	Length    = 45 * time.Minute
)

// Start is the Monday on which the events begin, at 07:00 in UTC.
var Start = time.Date(2027, 1, 4, 7, 0, 0, 0, time.UTC)

// OrgID is the organisation's UUID.
var OrgID = uuid.MustParse("0197f3c2-0000-7000-8000-000000000001")

// House is an organisation in Berlin, open from Monday to Friday from 08:00 to
// 18:00, with a store of its own.
type House struct {
	Store     *store.Store
	Org       *store.Principal
	Resources []*store.Principal   // staff, each with hours of their own
	Calendars []store.CollectionID // of the resources
}

// Sizes gives how many events benchmarks are run with; the largest takes
// minutes to fill and is left out with -short.
func Sizes() []int {
	if testing.Short() {
		return []int{10_000, 100_000}
	}
	return []int{10_000, 100_000, 1_000_000}
}

// keepVar names a folder where filled stores are kept from one run to the next.
const keepVar = "DAYBOOK_BENCH_DIR"

// keepVersion is part of the name of a kept store; count it up when the events
// of a house change.
const keepVersion = 2

// Load gives a house with so many events, which is the caller's to change. Now
// stands at Start. A store is filled anew, unless the environment names a
// folder in DAYBOOK_BENCH_DIR where it was kept.
func Load(tb testing.TB, events int) *House {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "daybook.db")
	kept := ""
	if dir := os.Getenv(keepVar); dir != "" {
		kept = filepath.Join(dir, fmt.Sprintf("house-%d-%d.db", keepVersion, events))
	}
	h := &House{}
	have, err := restore(kept, path)
	if err == nil {
		err = h.open(tb, path)
	}
	if err == nil && !have {
		if err = h.fill(tb.Context(), events); err == nil {
			err = keep(h.Store, kept)
		}
	}
	if err == nil {
		err = h.read(tb.Context())
	}
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// restore copies a kept store, if there is one.
func restore(kept, path string) (have bool, err error) {
	if kept == "" {
		return false, nil
	}
	from, err := os.Open(kept)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := os.Create(path)
	if err != nil {
		return false, err
	}
	_, err = io.Copy(to, from)
	// What is written here must not be waited for by the first commits.
	return true, errors.Join(err, to.Sync(), to.Close())
}

// keep keeps a filled store; a file that is there is whole.
func keep(s *store.Store, kept string) error {
	if kept == "" {
		return nil
	}
	if err := s.Compact(kept + ".new"); err != nil {
		return err
	}
	return os.Rename(kept+".new", kept)
}

func (h *House) open(tb testing.TB, path string) (err error) {
	h.Store, err = store.Open(tb.Context(), store.Options{
		Path: path, Create: true, Horizon: 800 * 24 * time.Hour, Now: func() time.Time { return Start },
	})
	if err == nil {
		tb.Cleanup(func() { _ = h.Store.Close() })
	}
	return err
}

// fill makes the house: a batch of resources in each transaction, whose events
// are made ready beside the writing of the batch before.
func (h *House) fill(ctx context.Context, events int) error {
	err := h.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.CreatePrincipal(&store.Principal{UUID: OrgID, Kind: store.KindOrganisation, Name: "demo", DisplayName: "Demo", Zone: "Europe/Berlin"})
	})
	if err != nil {
		return err
	}
	const batch = 100
	batches := make(chan []room, 1)
	var work errgroup.Group
	work.Go(func() error {
		defer close(batches)
		for first := 0; first < Resources; first += batch {
			rooms, err := h.prepare(first, batch, events)
			if err != nil {
				return err
			}
			batches <- rooms
		}
		return nil
	})
	var failed error
	for rooms := range batches {
		if failed == nil {
			failed = h.Store.Update(ctx, func(tx *store.Tx) error { return put(tx, rooms) })
		}
	}
	return errors.Join(failed, work.Wait())
}

// room is a resource that is ready to be stored.
type room struct {
	n       int
	objects []*store.Prepared
}

func (h *House) prepare(first, n, events int) ([]room, error) {
	rooms := make([]room, n)
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range rooms {
		work.Go(func() error {
			r := &rooms[i]
			r.n = first + i
			texts := []string{hours(r.n)}
			for k := r.n; k < events; k += Resources {
				texts = append(texts, event(r.n, k/Resources))
			}
			for _, text := range texts {
				o, err := ical.ParseResource([]byte(strings.ReplaceAll(text, "\n", "\r\n")), ical.Limits{})
				if err != nil {
					return err
				}
				p, err := h.Store.Prepare(o)
				if err != nil {
					return err
				}
				r.objects = append(r.objects, p)
			}
			return nil
		})
	}
	return rooms, work.Wait()
}

func put(tx *store.Tx, rooms []room) error {
	org, err := tx.PrincipalByUUID(OrgID)
	if err != nil {
		return err
	}
	for _, r := range rooms {
		p := &store.Principal{Org: org.ID, Kind: store.KindStaff, Name: fmt.Sprintf("staff-%04d", r.n)}
		if err := tx.CreatePrincipal(p); err != nil {
			return err
		}
		c, err := tx.Calendar(p.ID)
		if err != nil {
			return err
		}
		for _, o := range r.objects {
			name := strings.TrimSuffix(o.Object().UID(), "@example.com") + ".ics"
			if _, err := tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: name, Object: o}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *House) read(ctx context.Context) error {
	return h.Store.View(ctx, func(v *store.View) (err error) {
		if h.Org, err = v.PrincipalByUUID(OrgID); err != nil {
			return err
		}
		if h.Resources, err = v.Principals(h.Org.ID, store.KindStaff); err != nil {
			return err
		}
		h.Calendars = make([]store.CollectionID, len(h.Resources))
		for i, p := range h.Resources {
			c, err := v.Calendar(p.ID)
			if err != nil {
				return err
			}
			h.Calendars[i] = c.ID
		}
		return nil
	})
}

// Token gives a bearer token that administers the house.
func (h *House) Token(tb testing.TB) string {
	tb.Helper()
	const id, secret = "benchmark", "benchmark-secret-0123456789"
	err := h.Store.Update(tb.Context(), func(tx *store.Tx) error {
		grants := []store.Grant{{Target: h.Org.ID, Rights: store.RightAdmin}}
		return tx.PutCredential(&store.Credential{ID: id, Org: h.Org.ID, Kind: store.CredentialBearer, Grants: grants}, secret)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return id + "." + secret
}

// At gives the start of the n-th event of a resource.
func At(n int) time.Time {
	day, turn := n%Weekly/4, n%4
	return Start.AddDate(0, 0, n/Weekly*7+day).Add(time.Duration(turn) * 2 * time.Hour)
}

const (
	head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Daybook//benchmark//EN\n"
	tail = "END:VCALENDAR\n"
	utc  = "20060102T150405Z"
)

// event is the n-th event of a resource, of the size of a common one.
func event(resource, n int) string {
	start := At(n)
	kind := "CATEGORIES:CLASS\nORGANIZER;CN=Desk:mailto:desk@example.com\nATTENDEE;CN=Ben Ilic;PARTSTAT=ACCEPTED:mailto:ben@example.com\n"
	if n%10 == 9 {
		kind = "CATEGORIES:BLOCK,BREAK\nX-DAYBOOK-BLOCK-TYPE:break\n"
	}
	return head + fmt.Sprintf("BEGIN:VEVENT\nUID:event-%d-%d@example.com\nDTSTAMP:20270101T000000Z\nCREATED:20270101T000000Z\nLAST-MODIFIED:20270101T000000Z\n", resource, n) +
		fmt.Sprintf("SUMMARY:Session %d\nDTSTART:%s\nDTEND:%s\n", n, start.Format(utc), start.Add(Length).Format(utc)) +
		"LOCATION:Room\nDESCRIPTION:" + strings.Repeat("A line of notes. ", 6) + "\nSTATUS:CONFIRMED\n" + kind + "END:VEVENT\n" + tail
}

// hours is when a resource is open.
func hours(resource int) string {
	return head + fmt.Sprintf("BEGIN:VAVAILABILITY\nUID:hours-%d@example.com\nDTSTAMP:20270101T000000Z\nBEGIN:AVAILABLE\nUID:hours-%d-1@example.com\n", resource, resource) +
		"DTSTAMP:20270101T000000Z\nDTSTART;TZID=Europe/Berlin:20270104T080000\nDTEND;TZID=Europe/Berlin:20270104T180000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR\n" +
		"END:AVAILABLE\nEND:VAVAILABILITY\n" + tail
}
