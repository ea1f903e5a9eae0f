package onlive

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func FuzzInstant(f *testing.F) {
	for _, s := range []string{
		"2027-03-01T12:30:00Z", "2027-03-01T12:30:00.123+00:00", "2027-03-01T12:30Z", "2027-03-01T12:30:00,5Z", "2027-03-01T9:30:00Z",
		"2027-03-01T12:30:60Z", "2027-03-01T24:00:00Z", "0000-01-01T00:00:00Z", "2027-03-01T12:30:00.Z", "Z", "+00:00", "2027-03-01t12:30:00z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var at instant
		if at.UnmarshalText([]byte(s)) != nil {
			return
		}
		var again instant
		if y := at.Year(); y < 1900 || y > 9999 || at.Nanosecond() != 0 || at.Location() != time.UTC {
			t.Fatalf("%q is %v", s, at)
		}
		if err := again.UnmarshalText([]byte(show(at.Time))); err != nil || !again.Equal(at.Time) {
			t.Fatalf("%q is %v, shown and read %v (%v)", s, at, again, err)
		}
	})
}

// FuzzBlockSlot sends bodies: none is answered with anything that the contract
// does not name, and what was stored is read back as JSON.
func FuzzBlockSlot(f *testing.F) {
	for _, s := range []string{
		`{"start":"2027-03-01T10:00:00Z","calendarIds":["` + ada + `"]}`, `{"start":"8999-12-31T23:59:59Z","lang":"en","title":"a\nb;,\\"}`,
		`{"start":"2027-03-01T10:00:00Z","end":"2027-03-01T10:00:01Z","extraFields":{"\u0000":"` + "\u2028" + `"},"externalId":" x "}`,
		`{"start":"2027-03-01T10:00:00Z","serviceId":"` + massage + `","description":"\r\n\t"}`, `[]`, `{"start":{}}`, "\xef\xbb\xbf{}",
	} {
		f.Add(s)
	}
	p := newPlace(f)
	f.Fuzz(func(t *testing.T, body string) {
		q := *p
		q.T = t
		if body == "" {
			return
		}
		a := q.do("POST", slotPath, body)
		switch a.Status {
		case 200:
			id := a.id()
			got := q.do("GET", "/api/v1/appointments/"+id, "").want(200)
			if !json.Valid([]byte(got.Raw)) {
				t.Fatalf("%q is answered as %s", body, got.Raw)
			}
			q.do("DELETE", "/api/v1/appointments/"+id, "").want(200)
		case 400, 403, 409:
			if !strings.HasPrefix(a.Raw, `{"statusCode":`) {
				t.Fatalf("%q: %s", body, a.Raw)
			}
		default:
			t.Fatalf("%q: %d %s", body, a.Status, a.Raw)
		}
	})
}

func FuzzParseID(f *testing.F) {
	f.Add(ada)
	f.Add(ada + "_20270301T113000Z")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := parseID(s)
		if err != nil {
			return
		}
		b := &block{found: found{uuid: id.object}, whole: id.rid.IsZero()}
		b.says.RecurrenceID = id.rid
		if !strings.EqualFold(b.id(), s) {
			t.Fatalf("%q is %q", s, b.id())
		}
	})
}
