package feeds

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"daybook/store"
)

// subscriber polls one address with what it was told at the last answer.
type subscriber struct {
	path   string
	header []string // sent with every request
	etags  bool     // knows entity tags
	dates  bool     // knows dates

	etag, date string
	body       []byte
}

func (s *subscriber) poll(p *place) *httptest.ResponseRecorder {
	header := s.header
	if s.etags && s.etag != "" {
		header = append(header, "If-None-Match", s.etag)
	}
	if s.dates && s.date != "" {
		header = append(header, "If-Modified-Since", s.date)
	}
	w := p.get("GET", s.path, header...)
	switch w.Code {
	case 200:
		s.etag, s.date, s.body = w.Header().Get("ETag"), w.Header().Get("Last-Modified"), w.Body.Bytes()
	case 304:
		if w.Body.Len() > 0 {
			p.Error("304 with a body")
		}
	default:
		p.Error(w.Code)
	}
	return w
}

// TestSubscribersEndWithWhatThereIs: whoever polls only with conditions ends
// with what somebody gets who asks for the first time.
func TestSubscribersEndWithWhatThereIs(t *testing.T) {
	p := newPlace(t)
	rapid.Check(t, func(r *rapid.T) {
		var all []*subscriber
		for _, path := range []string{
			full, "/feeds/" + busySecret + "/ada.ics", "/feeds/" + windowSecret + "/ada.ics", "/feeds/" + windowSecret + "/ada.json",
			"/feeds/" + busySecret + "/ada.ifb", "/feeds/" + fullSecret + "/ada.jcal", "/feeds/" + hoursSecret + "/open.ics",
		} {
			all = append(all, &subscriber{path: path, etags: true}, &subscriber{path: path, dates: true},
				&subscriber{path: path, etags: true, dates: true, header: []string{"Accept-Encoding", "gzip"}})
		}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			p.step(r)
			for _, s := range all {
				if rapid.Bool().Draw(r, "polls") {
					s.poll(p)
				}
			}
		}
		p.later(2 * time.Second)
		for _, s := range all {
			s.poll(p)
			fresh := subscriber{path: s.path, header: s.header}
			fresh.poll(p)
			if !bytes.Equal(s.body, fresh.body) || s.etag != fresh.etag {
				r.Fatalf("%s (tags %t, dates %t): has\n%s\nand there is\n%s", s.path, s.etags, s.dates, s.body, fresh.body)
			}
			if w := s.poll(p); w.Code != 304 {
				r.Fatalf("%s: asked again, it is %d", s.path, w.Code)
			}
		}
	})
}

// step changes something, or lets time pass.
func (p *place) step(r *rapid.T) {
	name := fmt.Sprint("s", rapid.IntRange(0, 5).Draw(r, "name"))
	switch rapid.IntRange(0, 5).Draw(r, "kind") {
	case 0:
		_ = p.store.Update(p.Context(), func(tx *store.Tx) error {
			return tx.DeleteObject(store.System(), p.coll, name+".ics", store.Cond{})
		})
	case 1:
		p.later(time.Duration(rapid.IntRange(0, 3000).Draw(r, "ms")) * time.Millisecond)
	case 2:
		p.later(time.Duration(rapid.IntRange(0, 60).Draw(r, "hours")) * time.Hour)
	case 3:
		p.object("hours", fmt.Sprintf("BEGIN:VAVAILABILITY\r\nUID:hours\r\nDTSTAMP:20270101T000000Z\r\nBEGIN:AVAILABLE\r\nUID:hours-1\r\n"+
			"DTSTAMP:20270101T000000Z\r\nDTSTART:20270104T%02d0000Z\r\nDURATION:PT3H\r\nRRULE:FREQ=WEEKLY;BYDAY=MO\r\nEND:AVAILABLE\r\nEND:VAVAILABILITY\r\n",
			rapid.IntRange(8, 12).Draw(r, "hour")))
	default:
		day := p.now().AddDate(0, 0, rapid.IntRange(-40, 40).Draw(r, "day")).Format("20060102")
		p.put(name, "DTSTART:"+day+"T090000Z", "DURATION:PT1H", fmt.Sprint("SUMMARY:", rapid.IntRange(0, 99).Draw(r, "title")))
	}
}

func TestZstd(t *testing.T) {
	p := newPlace(t)
	plain := p.get("GET", full).Body.Bytes()
	for accept, want := range map[string]string{
		"gzip, deflate, br, zstd": "zstd", "gzip;q=1.0, zstd;q=0.5": "gzip", "zstd;q=0, gzip": "gzip", "zstd": "zstd", "zstd;q=0, *": "gzip",
	} {
		w := p.get("GET", full, "Accept-Encoding", accept)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("%q: %q", accept, got)
		}
		if want != "zstd" {
			continue
		}
		d, err := zstd.NewReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := d.DecodeAll(w.Body.Bytes(), nil)
		d.Close()
		if err != nil || !bytes.Equal(text, plain) {
			t.Errorf("%q: %v", accept, err)
		}
	}
}

func TestNoDateWithinTheSecondOfAChange(t *testing.T) {
	p := newPlace(t)
	p.put("b", "DTSTART:20270302T090000Z")
	if w := p.get("GET", full); w.Header().Get("Last-Modified") != "" || w.Header().Get("ETag") == "" {
		t.Error(w.Header())
	}
}

func TestManyWrongSecretsOfAnAddressAreSlowedDown(t *testing.T) {
	p := newPlace(t)
	p.get("GET", full)
	for i := range 200 {
		w := p.get("GET", fmt.Sprintf("/feeds/wrong-%d/ada.ics", i))
		if i == 0 && w.Code != 404 {
			t.Fatal(w.Code)
		}
		if w.Code == 429 {
			if w.Header().Get("Retry-After") == "" || i < 50 {
				t.Error(i, w.Header())
			}
			if w := p.get("GET", full); w.Code != 200 {
				t.Error("a feed that was right before is served still:", w.Code)
			}
			if w := p.get("GET", "/feeds/"+busySecret+"/ada.ics"); w.Code != 429 {
				t.Error("nothing else is looked up:", w.Code)
			}
			return
		}
	}
	t.Error("never slowed down")
}

func TestSourceIsTheFeedsOwnAddress(t *testing.T) {
	p := newPlace(t)
	p.h.public = "https://calendar.example.com"
	want := "SOURCE;VALUE=URI:https://calendar.example.com/feeds/" + fullSecret + "/ada.ics"
	if text := unfold(p.get("GET", full).Body.Bytes()); !bytes.Contains(text, []byte(want+"\r\n")) {
		t.Errorf("%s", text)
	}
}

func unfold(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n "), nil) }
