package remotes

import (
	"context"
	"errors"
	"testing"
	"time"

	"daybook/store"
)

// puller takes every address but one, and pulls with a given result.
type puller struct {
	Puller
	err error
}

var errAddress = errors.New("no address")

func (p puller) Check(url string) (string, error) {
	if url == "" {
		return "", errAddress
	}
	return "https://example.com", nil
}

func (p puller) Pull(context.Context, store.RemoteID) error { return p.err }

func TestIntervalsAreReadInBothForms(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "PT1H": time.Hour, "1h": time.Hour, "90m": 90 * time.Minute, "P1D": 24 * time.Hour, "P1DT1H": 25 * time.Hour, "PT90S": 90 * time.Second,
	} {
		got, err := ParseInterval(text)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		again, err := ParseInterval(interval(got))
		if err != nil || again != want {
			t.Errorf("%q is shown as %q, which is %v, %v", text, interval(got), again, err)
		}
	}
	for _, text := range []string{"0", "0s", "-1h", "PT0S", "-PT1H", "daily", "1", "PT"} {
		var field *store.FieldError
		if d, err := ParseInterval(text); !errors.As(err, &field) || field.Field != "interval" {
			t.Errorf("%q: %v, %v", text, d, err)
		}
	}
}

func TestRecordOfADescription(t *testing.T) {
	s := &Spec{Name: "work", URL: "https://example.com/secret.ics", User: "u", Password: "p", Interval: "PT2H", Counts: "busy", Components: []string{"vevent"}}
	r, access, err := s.Record(puller{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Kind != store.RemoteICS || r.TwoWay || r.Host != "https://example.com" || r.Interval != 2*time.Hour || r.Components[0] != "VEVENT" || r.Counts.String() != "busy" {
		t.Errorf("%+v", r)
	}
	if access.URL != s.URL || access.User != "u" || access.Password != "p" {
		t.Errorf("%+v", access)
	}
	s.Kind, s.Direction = "caldav", Both
	if r, _, err := s.Record(puller{}); err != nil || !r.TwoWay || r.Kind != store.RemoteCalDAV {
		t.Errorf("%+v, %v", r, err)
	}
	for field, bad := range map[string]Spec{
		"direction": {URL: "x", Direction: "out"}, "counts": {URL: "x", Counts: "much"}, "interval": {URL: "x", Interval: "often"},
	} {
		var got *store.FieldError
		if _, _, err := bad.Record(puller{}); !errors.As(err, &got) || got.Field != field || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, _, err := (&Spec{}).Record(puller{}); !errors.Is(err, errAddress) {
		t.Error(err)
	}
}

// A remote that fails is told by its state; what the daemon lacks is an error.
func TestPullTellsOnlyOfOurOwnFailures(t *testing.T) {
	if err := Pull(t.Context(), nil, 1); !errors.Is(err, store.ErrNotNow) {
		t.Error(err)
	}
	for _, theirs := range []error{nil, errAddress, store.ErrInvalid} {
		if err := Pull(t.Context(), puller{err: theirs}, 1); err != nil {
			t.Error(err)
		}
	}
	for _, ours := range []error{store.ErrNotNow, store.ErrNotFound, store.ErrClosed, store.ErrFull, context.Canceled, context.DeadlineExceeded} {
		if err := Pull(t.Context(), puller{err: ours}, 1); !errors.Is(err, ours) {
			t.Errorf("%v: %v", ours, err)
		}
	}
}
