package onlive

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

// crowd fills the place with events of an hour, spread over a thousand more
// resources and years from 2027 on, and gives the ids of the resources.
func (p *place) crowd(events int) []string {
	p.T.Helper()
	const resources, batch = 1000, 5000
	ids := make([]string, resources)
	homes := make([]store.CollectionID, resources)
	p.Update(func(tx *store.Tx) error {
		org, err := tx.PrincipalByUUID(uuid.MustParse(demo))
		if err != nil {
			return err
		}
		for i := range resources {
			r := &store.Principal{Org: org.ID, Kind: store.KindRoom, Name: fmt.Sprintf("crowd-%d", i)}
			if err := tx.CreatePrincipal(r); err != nil {
				return err
			}
			c, err := tx.Calendar(r.ID)
			if err != nil {
				return err
			}
			ids[i], homes[i] = r.UUID.String(), c.ID
		}
		return nil
	})
	for from := 0; from < events; from += batch {
		prepared := make([]*store.Prepared, min(batch, events-from))
		for i := range prepared {
			prepared[i] = p.crowdEvent(from + i)
		}
		p.Update(func(tx *store.Tx) error {
			for i, x := range prepared {
				put := store.Put{Actor: store.System(), Collection: homes[(from+i)%resources], Name: fmt.Sprintf("%d.ics", from+i), Object: x}
				if _, err := tx.PutObject(put); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return ids
}

// crowdEvent is the n-th event: one for each resource, three hours after the
// one before.
func (p *place) crowdEvent(n int) *store.Prepared {
	start := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n/1000) * 3 * time.Hour)
	ics := apitest.Event(fmt.Sprintf("crowd-%d", n), "DTSTART:"+start.Format("20060102T150405Z"), "DURATION:PT1H", "SUMMARY:Visit")
	o, err := ical.ParseResource([]byte(strings.ReplaceAll(ics, "\n", "\r\n")), ical.Limits{})
	if err != nil {
		p.T.Fatal(err)
	}
	x, err := p.Store.Prepare(o)
	if err != nil {
		p.T.Fatal(err)
	}
	return x
}

// BenchmarkBlockSlot measures whole requests, sign-in included: free time is
// blocked, with its commit; taken time is refused and a request is repeated,
// without one; time without end is asked for where events are ahead. check is the
// conflict check alone, transaction a block without HTTP.
func BenchmarkBlockSlot(b *testing.B) {
	for _, events := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			if events > 100_000 && testing.Short() {
				b.Skip("takes minutes to fill")
			}
			p := newPlace(b)
			p.benchBlocks(b, p.crowd(events))
		})
	}
}

func (p *place) benchBlocks(b *testing.B, ids []string) {
	n := 0
	free := func() fields { // a second between the first two events of a resource, another one each time
		start := time.Date(2027, 3, 1, 1, 0, n/len(ids), 0, time.UTC)
		n++
		return fields{"start": start, "end": start.Add(time.Second), "calendarIds": []string{ids[n%len(ids)]}}
	}
	taken := fields{"start": "2027-03-01T00:30:00Z", "end": "2027-03-01T00:45:00Z", "calendarIds": []string{ids[0]}}
	endless := fields{"start": "2027-02-25T00:30:00Z", "end": absent, "calendarIds": []string{ids[0]}}
	repeat := free()
	repeat["externalId"] = "EXT-1"
	p.block(repeat).want(200)
	b.Run("free", func(b *testing.B) {
		for b.Loop() {
			p.block(free()).want(200)
		}
	})
	for name, x := range map[string]struct {
		body   fields
		status int
	}{"taken": {taken, 409}, "endless": {endless, 409}, "repeat": {repeat, 200}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p.block(x.body).want(x.status)
			}
		})
	}
	b.Run("check", func(b *testing.B) { p.benchCheck(b, ids) })
	b.Run("transaction", func(b *testing.B) { p.benchTransaction(b, ids) })
}

// benchTransaction reports as tx-ns/op what a block costs inside the transaction,
// check and write, without the commit.
func (p *place) benchTransaction(b *testing.B, ids []string) {
	inside, n := time.Duration(0), 0
	for b.Loop() {
		start := time.Date(2027, 3, 1, 2, 0, n/len(ids), 0, time.UTC)
		body := &blockSlotBody{Start: rest.Some(instant{start}), End: rest.Some(instant{start.Add(time.Second)}), Calendars: rest.Some(idList{ids[n%len(ids)]})}
		n++
		err := p.Store.Update(b.Context(), func(tx *store.Tx) error {
			org, err := tx.PrincipalByUUID(uuid.MustParse(demo))
			if err != nil {
				return err
			}
			r, err := resolve(&tx.View, store.System(), org, body)
			if err != nil {
				return err
			}
			o, err := blocks.New(uuid.NewString(), r.block, nil, ical.UTCZone, now)
			if err != nil {
				return err
			}
			prepared, err := p.Store.Prepare(o)
			if err != nil {
				return err
			}
			began := time.Now()
			if _, err = r.decide(&tx.View); err == nil {
				_, err = r.write(tx, store.System(), prepared)
			}
			inside += time.Since(began)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(inside.Nanoseconds())/float64(n), "tx-ns/op")
}

// benchCheck asks for free time in one calendar after the other, without HTTP.
func (p *place) benchCheck(b *testing.B, ids []string) {
	err := p.Store.View(b.Context(), func(v *store.View) error {
		owners := make([]store.PrincipalID, len(ids))
		for i, id := range ids {
			r, err := v.PrincipalByUUID(uuid.MustParse(id))
			if err != nil {
				return err
			}
			owners[i] = r.ID
		}
		start := time.Date(2027, 3, 1, 2, 58, 0, 0, time.UTC)
		for i := 0; b.Loop(); i++ {
			r := &request{org: &store.Principal{}, owners: owners[i%len(owners):][:1], block: blocks.Block{Start: start, End: start.Add(time.Minute)}}
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
