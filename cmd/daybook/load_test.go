package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"daybook/api/admin"
	"daybook/api/auth"
)

var loadTime = flag.Duration("load-time", 2*time.Second, "how long 50 clients use all APIs at once")

// crowd is what the clients of the load test share.
type crowd struct {
	t      *testing.T
	url    string
	client *http.Client
	until  time.Time
	asked  atomic.Int64
	refuse atomic.Int64 // 409 of block-slot: the time was taken
}

// visitor is one client: it remembers what it made and what it was told of it.
type visitor struct {
	*crowd
	n      int
	rnd    *rand.Rand
	blocks map[string]string // id of a Trybe block → label
	events map[string]string // name of an event in front-desk → ETag
	serial int
}

// send makes a request; the answer of a server that failed is an error of the
// test, whatever the API.
func (v *visitor) send(method, path, body string, header map[string]string) (int, http.Header, []byte) {
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Error(err)
		return 0, nil, nil
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Error(err)
		return 0, nil, nil
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 500 {
		v.t.Errorf("%s %s: %d %v\n%s", method, path, resp.StatusCode, err, b)
	}
	v.asked.Add(1)
	return resp.StatusCode, resp.Header, b
}

// rest makes a request with JSON and a token, and checks the status.
func (v *visitor) rest(method, path, body string, want ...int) []byte {
	header := map[string]string{
		"Authorization": "Bearer " + demoToken, "Content-Type": "application/json",
		"X-Okapi-Tenant": "demo", "X-Okapi-Token": demoToken,
	}
	status, _, b := v.send(method, path, body, header)
	return v.check(method, path, status, b, want)
}

func (v *visitor) check(method, path string, status int, b []byte, want []int) []byte {
	if slices.Contains(want, status) {
		return b
	}
	v.t.Errorf("%s %s: %d, want %v\n%s", method, path, status, want, b)
	return nil
}

func (v *visitor) decode(b []byte, out any) bool {
	if b == nil {
		return false
	}
	if err := json.Unmarshal(b, out); err != nil {
		v.t.Errorf("%v in %s", err, b)
		return false
	}
	return true
}

// day gives one of the days that all clients meet on.
func (v *visitor) day() time.Time { return time.Date(2031, 3, 1+v.rnd.IntN(28), 0, 0, 0, 0, time.UTC) }

// anyOf gives some key of the map.
func anyOf(m map[string]string) (string, bool) {
	for k := range m {
		return k, true
	}
	return "", false
}

// trybe makes, moves, reads or deletes a block.
func (v *visitor) trybe() {
	const list = "/shop/blocked-times?site_id=" + demoSite
	id, ok := anyOf(v.blocks)
	switch roll := v.rnd.IntN(4); {
	case !ok || roll == 0:
		v.serial++
		label := fmt.Sprintf("block %d of %d", v.serial, v.n)
		start := v.day().Add(time.Duration(v.rnd.IntN(20)) * time.Hour).Format("2006-01-02T15:04:05")
		end := v.day().AddDate(0, 1, 0).Format("2006-01-02T15:04:05")
		var made struct{ Data blockedTime }
		body := fmt.Sprintf(`{"start_time":%q,"end_time":%q,"type":"other","label":%q,"practitioner_ids":[%q],"room_ids":[%q]}`, start, end, label, demoAda, demoRoom)
		if v.decode(v.rest("POST", list, body, 201), &made) {
			v.blocks[made.Data.ID] = label
		}
	case roll == 1:
		label := v.blocks[id] + "'"
		v.rest("PUT", "/shop/blocked-times/"+id, fmt.Sprintf(`{"label":%q}`, label), 200)
		v.blocks[id] = label
	case roll == 2:
		v.rest("DELETE", "/shop/blocked-times/"+id, "", 204)
		delete(v.blocks, id)
	default:
		day := v.day().Format("2006-01-02")
		v.rest("GET", list+"&date_from="+day+"&date_to="+day, "", 200)
	}
}

// onlive asks for an hour that others want too.
func (v *visitor) onlive() {
	const path = "/api/v1/appointments/block-slot"
	start := v.day().AddDate(1, 0, 0).Add(time.Duration(v.rnd.IntN(24)) * time.Hour)
	body := fmt.Sprintf(`{"start":%q,"end":%q,"calendarIds":[%q]}`, start.Format(time.RFC3339), start.Add(time.Hour).Format(time.RFC3339), demoAda)
	date := time.Now().UTC().Format("20060102T150405Z")
	signature, err := auth.Sign("onlive-secret", "POST", path, "", date, []byte(body))
	if err != nil {
		v.t.Error(err)
		return
	}
	status, _, b := v.send("POST", path, body, map[string]string{
		"Content-Type": "application/json", "X-Onlive-Site-Date": date,
		"Authorization": "ONLIVESITE Credential:ONLIVEKEY1, Signature=" + signature,
	})
	v.check("POST", path, status, b, []int{200, 409})
	if status == 409 {
		v.refuse.Add(1)
	}
}

func (v *visitor) timetap() {
	from := v.day()
	v.rest("GET", "/calendar/range/1?startDate="+from.Format("2006-01-02")+"&endDate="+from.AddDate(0, 0, 7).Format("2006-01-02"), "", 200)
}

func (v *visitor) vastal() {
	if v.rnd.IntN(3) > 0 {
		v.rest("GET", "/v1/calendar/availability", "", 200)
		return
	}
	v.rest("PUT", "/v1/calendar/availability", fmt.Sprintf(`{"schedules":[{"day_of_week":%d,"start_time":"09:00:00","end_time":"1%d:00:00"}]}`,
		v.rnd.IntN(7), v.rnd.IntN(10)), 200)
}

// folio gives a service point of the client's own its hours, and reads them.
func (v *visitor) folio() {
	point := fmt.Sprintf("0197f3c2-0000-7000-8000-%012d", v.n)
	if v.serial == 0 || v.rnd.IntN(10) == 0 {
		v.serial++
		year := 2040 + v.serial%50
		v.rest("POST", "/calendar/calendars", fmt.Sprintf(`{"name":"c%d","startDate":"%d-01-01","endDate":"%d-12-31","assignments":[%q],
			"normalHours":[{"startDay":"MONDAY","startTime":"09:00","endDay":"MONDAY","endTime":"16:59"}],"exceptions":[]}`, v.serial, year, year, point), 201, 409)
		return
	}
	v.rest("GET", "/calendar/dates/"+point+"/surrounding-openings?date=2041-03-01", "", 200)
}

// caldav is a calendar app on front-desk.
func (v *visitor) caldav() {
	const calendar = "/dav/calendars/front-desk/calendar/"
	header := map[string]string{"Authorization": "Basic " + basic("user01", "user01"), "Content-Type": "text/calendar"}
	name, ok := anyOf(v.events)
	switch roll := v.rnd.IntN(5); {
	case !ok || roll == 0:
		v.serial++
		name = fmt.Sprintf("v%d-%d.ics", v.n, v.serial)
		header["If-None-Match"] = "*"
		v.put(calendar, name, header, 201)
	case roll == 1:
		header["If-Match"] = v.events[name]
		v.put(calendar, name, header, 204)
	case roll == 2:
		header["If-Match"] = v.events[name]
		status, _, b := v.send("DELETE", calendar+name, "", header)
		v.check("DELETE", name, status, b, []int{204})
		delete(v.events, name)
	case roll == 3:
		header["Content-Type"], header["Depth"] = "application/xml", "1"
		status, _, b := v.send("REPORT", calendar, `<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>`, header)
		v.check("REPORT", calendar, status, b, []int{207})
	default:
		status, _, b := v.send("GET", demoFeed, "", nil)
		v.check("GET", demoFeed, status, b, []int{200})
	}
}

func (v *visitor) put(calendar, name string, header map[string]string, want int) {
	event := strings.Replace(someEvent, "UID:slow", fmt.Sprintf("UID:%s\r\nSUMMARY:%d", name, v.rnd.Uint32()), 1)
	status, h, b := v.send("PUT", calendar+name, event, header)
	v.check("PUT", name, status, b, []int{want})
	v.events[name] = h.Get("ETag")
}

// TestFiftyClientsOfAllAPIs lets 50 clients use all APIs and CalDAV at once.
// Nothing fails, each finds what it was told, and what is derived agrees with
// the facts. -load-time makes it longer; the race detector is to be on.
func TestFiftyClientsOfAllAPIs(t *testing.T) {
	data := t.TempDir()
	d := startDaemon(t, data)
	must[admin.Applied](t, data, "apply", "testdata/demo.yaml")
	transport := &http.Transport{MaxIdleConnsPerHost: 50}
	defer transport.CloseIdleConnections()
	c := &crowd{t: t, url: d.URL, client: &http.Client{Transport: transport}, until: time.Now().Add(*loadTime)}
	visitors := make([]*visitor, 50)
	var wg sync.WaitGroup
	for n := range visitors {
		v := &visitor{crowd: c, n: n, rnd: rand.New(rand.NewPCG(1, uint64(n))), blocks: map[string]string{}, events: map[string]string{}}
		visitors[n] = v
		does := []func(){v.trybe, v.onlive, v.timetap, v.vastal, v.folio, v.caldav}
		wg.Go(func() {
			for time.Now().Before(c.until) && !t.Failed() {
				does[v.rnd.IntN(len(does))]()
			}
		})
	}
	wg.Wait()
	for _, v := range visitors {
		for id, label := range v.blocks {
			var one struct{ Data blockedTime }
			if v.decode(v.rest("GET", "/shop/blocked-times/"+id, "", 200), &one) && one.Data.Label != label {
				t.Errorf("block %s is %q, was answered as %q", id, one.Data.Label, label)
			}
		}
		for name, tag := range v.events {
			status, h, _ := v.send("GET", "/dav/calendars/front-desk/calendar/"+name, "", map[string]string{"Authorization": "Basic " + basic("user01", "user01")})
			if status != 200 || h.Get("ETag") != tag {
				t.Errorf("%s: %d %s, was answered as %s", name, status, h.Get("ETag"), tag)
			}
		}
	}
	t.Logf("%d requests, %d refused because the time was taken", c.asked.Load(), c.refuse.Load())
	d.stop()
	if r := command(t, data, "check"); r.code != 0 {
		t.Errorf("after the load: %+v", r)
	}
}
