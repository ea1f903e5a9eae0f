package onlive

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
	"daybook/store/storetest"
)

// BenchmarkHouseBlockSlot takes time away in one calendar of a house of a
// thousand. free, taken, repeat and endless are whole requests, sign-in
// included; free alone has a commit. check is the conflict check alone of free
// time with an end, ahead that of free time without one; write is check and
// write in a transaction, with what the commit costs beside.
func BenchmarkHouseBlockSlot(b *testing.B) {
	for _, events := range storetest.Sizes() {
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			h := newHouse(b, events)
			last := storetest.At((events + storetest.Resources - 1) / storetest.Resources)
			week := storetest.Start.Add(-time.Hour)
			b.Run("free", func(b *testing.B) {
				h.ask(b, http.StatusOK, func() fields { return h.second(time.Hour) })
			})
			b.Run("taken", func(b *testing.B) {
				h.ask(b, http.StatusConflict, func() fields { return h.hour(storetest.Start.Add(15 * time.Minute)) })
			})
			b.Run("endless", func(b *testing.B) {
				h.ask(b, http.StatusConflict, func() fields {
					f := h.hour(storetest.Start.Add(time.Hour))
					delete(f, "end")
					return f
				})
			})
			repeat := h.second(80 * time.Minute)
			repeat["externalId"] = "EXT-1"
			b.Run("repeat", func(b *testing.B) {
				h.ask(b, http.StatusOK, func() fields { return repeat })
			})
			b.Run("check", func(b *testing.B) {
				h.check(b, blocks.Block{Start: week.AddDate(0, 0, 2), End: week.AddDate(0, 0, 2).Add(time.Hour)})
			})
			b.Run("ahead", func(b *testing.B) {
				h.check(b, blocks.Block{Start: last.AddDate(0, 0, 7), End: blocks.OpenEnd(last.AddDate(0, 0, 7)), OpenEnded: true})
			})
			b.Run("write", h.write)
		})
	}
}

// house is a house with the API over it.
type house struct {
	*storetest.House
	api http.Handler
	n   int // counts what was asked for
}

const houseKey, houseSecret = "HOUSE", "house-secret-0123456789"

func atStart() time.Time { return storetest.Start }

func newHouse(b *testing.B, events int) *house {
	b.Helper()
	h := &house{House: storetest.Load(b, events)}
	err := h.Store.Update(b.Context(), func(tx *store.Tx) error {
		return tx.PutCredential(&store.Credential{
			ID: houseKey, Org: h.Org.ID, Kind: store.CredentialOnlive, Grants: []store.Grant{{Target: h.Org.ID, Rights: store.RightWrite}},
		}, houseSecret)
	})
	if err != nil {
		b.Fatal(err)
	}
	if h.api, err = New(rest.Options{Store: h.Store, Now: atStart}).Handler(); err != nil {
		b.Fatal(err)
	}
	return h
}

// second asks for a second between the first two events of a resource; another
// resource each time, and another second with each round.
func (h *house) second(after time.Duration) fields {
	start := storetest.Start.Add(after + time.Duration(h.n/storetest.Resources)*time.Second)
	return h.body(start, start.Add(time.Second))
}

func (h *house) hour(start time.Time) fields { return h.body(start, start.Add(time.Hour)) }

func (h *house) body(start, end time.Time) fields {
	h.n++
	return fields{"start": start, "end": end, "calendarIds": []string{h.Resources[h.n%storetest.Resources].UUID.String()}}
}

// ask sends requests and prints the median beside the mean.
func (h *house) ask(b *testing.B, status int, body func() fields) {
	var took apitest.Timings
	for b.Loop() {
		took.Ask(b, h.api, signedRequest(b, apitest.JSON(b, body())), status)
	}
	took.Report(b)
}

func signedRequest(b *testing.B, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, slotPath, strings.NewReader(body))
	date := storetest.Start.Format("20060102T150405Z")
	signature, err := auth.Sign(houseSecret, r.Method, slotPath, "", date, []byte(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "ONLIVESITE Credential:"+houseKey+", Signature="+signature)
	r.Header.Set("x-onlive-site-date", date)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// check asks whether the time is free in one calendar after the other.
func (h *house) check(b *testing.B, block blocks.Block) {
	err := h.Store.View(b.Context(), func(v *store.View) error {
		r := &request{org: h.Org, owners: make([]store.PrincipalID, 1), block: block}
		for i := 0; b.Loop(); i++ {
			r.owners[0] = h.Resources[i%len(h.Resources)].ID
			if _, err := r.decide(v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// write blocks in transactions of their own and prints what check and write
// take inside of them, and what is left: the wait for the writer and the commit.
func (h *house) write(b *testing.B) {
	var inside, checks, all time.Duration
	for b.Loop() {
		h.n++
		at := h.n % storetest.Resources
		start := storetest.Start.Add(3*time.Hour + time.Duration(h.n/storetest.Resources)*time.Second)
		r := &request{
			org: h.Org, owners: []store.PrincipalID{h.Resources[at].ID}, targets: []store.CollectionID{h.Calendars[at]},
			block: blocks.Block{Start: start, End: start.Add(time.Second), Type: blocks.Other},
		}
		o, err := blocks.New(uuid.NewString(), r.block, nil, ical.UTCZone, storetest.Start)
		if err != nil {
			b.Fatal(err)
		}
		p, err := h.Store.Prepare(o)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		err = h.Store.Update(b.Context(), func(tx *store.Tx) error {
			began := time.Now()
			if _, err := r.decide(&tx.View); err != nil {
				return err
			}
			checks += time.Since(began)
			_, err := r.write(tx, store.System(), p)
			inside += time.Since(began)
			return err
		})
		all += time.Since(began)
		if err != nil {
			b.Fatal(err)
		}
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) }
	b.ReportMetric(each(checks), "check-µs")
	b.ReportMetric(each(inside), "check+write-µs")
	b.ReportMetric(each(all-inside), "commit-µs")
}
