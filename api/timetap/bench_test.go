package timetap

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/api/rest"
	"daybook/store"
)

// BenchmarkRange asks for a week of twenty staff, with twenty events each, of
// stores of rising size: the cost is that of the answer. Asked before means
// that the events were read lately; else each is read from its text.
func BenchmarkRange(b *testing.B) {
	for _, size := range []struct{ staff, weeks int }{{20, 25}, {100, 50}} {
		b.Run(fmt.Sprintf("%dk", size.staff*size.weeks*weekly/1000), func(b *testing.B) {
			p := newPlace(b)
			p.crowd(size.staff, size.weeks)
			h := p.API
			for _, before := range []bool{true, false} {
				b.Run(fmt.Sprintf("asked before=%v", before), func(b *testing.B) {
					var took apitest.Timings
					week := 0
					for b.Loop() {
						if !before {
							b.StopTimer()
							fresh, err := New(rest.Options{Store: p.Store, Now: p.clock}).Handler()
							if err != nil {
								b.Fatal(err)
							}
							p.API = fresh
							week = (week + 1) % size.weeks
							b.StartTimer()
						} else {
							p.API = h
						}
						r := p.Request(http.MethodGet, crowdWeek(week), "")
						took.Ask(b, p.API, r, http.StatusOK)
					}
					took.Report(b)
				})
			}
		})
	}
}

// weekly is how many events a staff member has in a week.
const weekly = 20

var crowdStart = time.Date(2027, 1, 4, 7, 0, 0, 0, time.UTC) // a Monday

// crowd makes staff 101, 102, … with events in so many weeks.
func (p *place) crowd(staff, weeks int) {
	p.T.Helper()
	cs := make([]*store.Collection, staff)
	rows := make([]store.Principal, staff)
	for n := range rows { // before any object takes an alias
		rows[n] = store.Principal{Name: fmt.Sprintf("crowd%d", n), Kind: store.KindStaff, Alias: uint32(101 + n)}
	}
	p.Principals("demo", rows...)
	p.Update(func(tx *store.Tx) (err error) {
		for n, x := range rows {
			if cs[n], err = tx.Calendar(p.IDs[x.Name]); err != nil {
				return err
			}
		}
		return nil
	})
	for n, c := range cs {
		var batch []store.Put
		for i := range weeks * weekly {
			batch = append(batch, store.Put{
				Actor: store.System(), Collection: c.ID, Name: fmt.Sprintf("%d.ics", i), Object: p.Prepare(crowdEvent(n, i)),
			})
		}
		p.Update(func(tx *store.Tx) error {
			for _, put := range batch {
				if _, err := tx.PutObject(put); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func crowdEvent(staff, i int) string {
	start := crowdStart.AddDate(0, 0, i/weekly*7+i%weekly/4).Add(time.Duration(i%4) * 2 * time.Hour)
	const form = "20060102T150405Z"
	return apitest.Event(fmt.Sprintf("crowd-%d-%d@example.com", staff, i),
		"CREATED:20270101T000000Z", "LAST-MODIFIED:20270101T000000Z",
		"SUMMARY:Session "+fmt.Sprint(i), "DTSTART:"+start.Format(form), "DTEND:"+start.Add(45*time.Minute).Format(form),
		"LOCATION:Room 1", "DESCRIPTION:"+strings.Repeat("A line of notes. ", 8), "CATEGORIES:CLASS", "STATUS:CONFIRMED",
		"ORGANIZER;CN=Desk:mailto:desk@example.com", "ATTENDEE;CN=Ben Ilic;PARTSTAT=ACCEPTED:mailto:ben@example.com",
		"ATTENDEE;CN=Ida Berg;PARTSTAT=ACCEPTED:mailto:ida@example.com",
		"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDESCRIPTION:Soon\nEND:VALARM")
}

// crowdWeek asks for a week of the first twenty.
func crowdWeek(week int) string {
	ids := make([]string, 20)
	for i := range ids {
		ids[i] = fmt.Sprint(101 + i)
	}
	from := crowdStart.AddDate(0, 0, 7*week)
	return "/calendar/range/" + strings.Join(ids, ",") + "?startDate=" + from.Format(time.DateOnly) + "&endDate=" + from.AddDate(0, 0, 6).Format(time.DateOnly)
}
