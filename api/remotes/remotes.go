// Package remotes is what the house API and the operator's commands have in
// common about remotes: how one is described, checked and shown. Addresses and
// credentials go in and are never shown.
package remotes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/store"
)

// Puller is the daemon's part that pulls remotes.
type Puller interface {
	// Check gives scheme and host of an address that may be fetched from, or
	// store.ErrInvalid with the reason.
	Check(address string) (host string, err error)
	// Pull pulls one now. What goes wrong with the remote is in its state;
	// store.ErrNotNow when it cannot be pulled now.
	Pull(ctx context.Context, id store.RemoteID) error
	// Resume lets one that is paused or was stopped go on.
	Resume(ctx context.Context, id store.RemoteID) error
	// Remove removes one with the objects that it keeps.
	Remove(ctx context.Context, id store.RemoteID) error
}

// Spec describes a remote. Empty fields are the defaults.
type Spec struct {
	Name        string   `json:"name" yaml:"name"`
	Calendar    string   `json:"calendar" yaml:"calendar"` // PRINCIPAL or PRINCIPAL/CALENDAR
	Kind        string   `json:"kind" yaml:"kind"`         // ics, caldav
	URL         string   `json:"url" yaml:"url"`           // http, https, webcal or webcals
	User        string   `json:"user" yaml:"user"`
	Password    string   `json:"password" yaml:"password"`
	Direction   string   `json:"direction" yaml:"direction"` // in, both
	Interval    string   `json:"interval" yaml:"interval"`   // PT1H or 1h; "" as the source hints
	Counts      string   `json:"counts" yaml:"counts"`       // source, busy, tentative, free, ignored
	Components  []string `json:"components" yaml:"components"`
	Categories  []string `json:"categories" yaml:"categories"`
	PastDays    int      `json:"past_days" yaml:"past_days"`
	FutureDays  int      `json:"future_days" yaml:"future_days"`
	Conflict    string   `json:"conflict" yaml:"conflict"` // remote, ours, both
	DeleteLimit int      `json:"delete_limit" yaml:"delete_limit"`
	Paused      bool     `json:"paused" yaml:"paused"`
}

// Directions of a remote.
const (
	In   = "in"
	Both = "both"
)

// Record gives the store's record and access of a description, without target
// and organisation. store.ErrInvalid.
func (s *Spec) Record(p Puller) (*store.Remote, *store.RemoteAccess, error) {
	r := &store.Remote{
		Name: s.Name, Kind: store.RemoteKind(s.Kind), Components: upper(s.Components), Categories: s.Categories,
		PastDays: s.PastDays, FutureDays: s.FutureDays, Conflict: store.ConflictRule(s.Conflict), DeleteLimit: s.DeleteLimit, Paused: s.Paused,
	}
	if s.Kind == "" {
		r.Kind = store.RemoteICS
	}
	switch s.Direction {
	case "", In:
	case Both:
		r.TwoWay = true
	default:
		return nil, nil, &store.FieldError{Field: "direction", Reason: "a direction is in or both"}
	}
	var err error
	if r.Counts, err = store.ParseCounts(s.Counts); err != nil {
		return nil, nil, err
	}
	if r.Interval, err = ParseInterval(s.Interval); err != nil {
		return nil, nil, err
	}
	if r.Host, err = p.Check(s.URL); err != nil {
		return nil, nil, err
	}
	return r, &store.RemoteAccess{URL: s.URL, User: s.User, Password: s.Password}, nil
}

func upper(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, strings.ToUpper(s))
	}
	return out
}

// ParseInterval reads PT1H, P1D, 1h or 90m; "" is 0. store.ErrInvalid.
func ParseInterval(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	days, exact, err := ical.ParseDuration(s)
	if d := time.Duration(min(days, 1000))*24*time.Hour + exact; err == nil && d > 0 {
		return d, nil
	}
	return 0, &store.FieldError{Field: "interval", Reason: "an interval is of the form PT1H or 1h"}
}

// interval writes a duration in the form of ISO 8601.
func interval(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	s := strings.ToUpper(d.Truncate(time.Second).String())
	for _, zero := range []struct{ end, cut string }{{"M0S", "0S"}, {"H0M", "0M"}} {
		if strings.HasSuffix(s, zero.end) {
			s = strings.TrimSuffix(s, zero.cut)
		}
	}
	return "PT" + s
}

// Remote is a remote as it is shown.
type Remote struct {
	ID          uuid.UUID `json:"id"`
	Name        string    `json:"name"`
	Calendar    string    `json:"calendar"` // PRINCIPAL/CALENDAR
	Kind        string    `json:"kind"`
	Server      string    `json:"server"` // scheme and host of its address; the rest may be a secret
	Direction   string    `json:"direction"`
	Interval    string    `json:"interval,omitempty"`
	Counts      string    `json:"counts"`
	Components  []string  `json:"components"`
	Categories  []string  `json:"categories"`
	PastDays    int       `json:"past_days"`
	FutureDays  int       `json:"future_days"`
	Conflict    string    `json:"conflict"`
	DeleteLimit int       `json:"delete_limit"`
	Paused      bool      `json:"paused"`
	Condition   string    `json:"condition"` // new, ok, failing, stopped, paused, ending
	Created     time.Time `json:"created_at"`
	Modified    time.Time `json:"updated_at"`
}

// State is how a remote's pulls went.
type State struct {
	Condition  string                 `json:"condition"`
	Result     string                 `json:"result,omitempty"` // of the last pull, in a word
	Error      string                 `json:"error,omitempty"`
	Stopped    string                 `json:"stopped,omitempty"` // why it waits to be resumed
	Tried      *time.Time             `json:"last_pull"`
	Success    *time.Time             `json:"last_success"`
	Next       *time.Time             `json:"next_pull"`
	Failures   int                    `json:"failures"` // in a row
	Hint       string                 `json:"source_interval,omitempty"`
	Collection string                 `json:"collection,omitempty"` // address of the CalDAV collection that was found
	Items      int                    `json:"items"`
	Changed    *time.Time             `json:"last_change"`
	Added      int                    `json:"added"` // by that change
	Updated    int                    `json:"updated"`
	Removed    int                    `json:"removed"`
	Sent       int                    `json:"sent"`
	Refused    int                    `json:"refused"`
	Refusals   []store.RemoteNote     `json:"refusals"`
	Conflicts  []store.RemoteConflict `json:"conflicts"`
}

// Show gives what may be seen of a remote.
func Show(v *store.View, r *store.Remote) (Remote, error) {
	st, err := v.RemoteState(r.ID)
	if err != nil {
		return Remote{}, err
	}
	out := Remote{
		ID: r.UUID, Name: r.Name, Kind: string(r.Kind), Server: r.Host, Direction: In, Interval: interval(r.Interval),
		Counts: r.Counts.String(), Components: orEmpty(r.Components), Categories: orEmpty(r.Categories), PastDays: r.PastDays,
		FutureDays: r.FutureDays, Conflict: string(r.Conflict), DeleteLimit: r.DeleteLimit, Paused: r.Paused,
		Condition: st.Condition(r), Created: r.Created.UTC(), Modified: r.Modified.UTC(),
	}
	if r.TwoWay {
		out.Direction = Both
	}
	if r.Conflict == "" {
		out.Conflict = string(store.ConflictRemote)
	}
	if r.DeleteLimit == 0 {
		out.DeleteLimit = store.DefaultDeleteLimit
	}
	if len(out.Components) == 0 {
		out.Components = []string{"VEVENT"}
	}
	c, err := v.Collection(r.Target)
	if err != nil {
		return out, err
	}
	p, err := v.Principal(c.Owner)
	if err != nil {
		return out, err
	}
	out.Calendar = p.Name + "/" + c.Name
	return out, nil
}

// ShowState gives how its pulls went.
func ShowState(v *store.View, r *store.Remote) (State, error) {
	s, err := v.RemoteState(r.ID)
	if err != nil {
		return State{}, err
	}
	out := State{
		Condition: s.Condition(r), Result: s.Result, Error: s.Error, Stopped: s.Stopped,
		Tried: orNil(s.Tried), Success: orNil(s.Success), Next: orNil(s.Next), Changed: orNil(s.Changed),
		Failures: s.Failures, Hint: interval(s.Hint), Collection: s.Collection, Items: s.Items,
		Added: s.Added, Updated: s.Updated, Removed: s.Removed, Sent: s.Sent, Refused: s.Refused,
		Refusals: s.Refusals, Conflicts: s.Conflicts,
	}
	if out.Refusals == nil {
		out.Refusals = []store.RemoteNote{}
	}
	if out.Conflicts == nil {
		out.Conflicts = []store.RemoteConflict{}
	}
	return out, nil
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return slices.Clone(s)
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Pull pulls a remote now. What is wrong with the remote is told by its state,
// and no error.
func Pull(ctx context.Context, p Puller, id store.RemoteID) error {
	if p == nil {
		return fmt.Errorf("%w: remotes are not pulled here", store.ErrNotNow)
	}
	err := p.Pull(ctx, id)
	for _, ours := range []error{store.ErrNotNow, store.ErrNotFound, store.ErrClosed, store.ErrFull, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ours) {
			return err
		}
	}
	return nil
}
