package house

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"daybook/api/remotes"
	"daybook/api/rest"
	"daybook/store"
)

// Remotes are managed by who administers the calendar that they are pulled into.

func (s *service) remoteRoutes() []rest.Route {
	const list, one = base + "/remotes", base + "/remotes/{remote}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List remotes: calendars elsewhere that are pulled in", Op: rest.Endpoint(http.StatusOK, s.listRemotes)},
		{Pattern: "POST " + list, Summary: "Create a remote", Op: rest.Endpoint(http.StatusCreated, s.createRemote)},
		{Pattern: "GET " + one, Summary: "Get a remote", Op: rest.Endpoint(http.StatusOK, s.getRemote)},
		{Pattern: "PATCH " + one, Summary: "Change a remote", Op: rest.Endpoint(http.StatusOK, s.patchRemote)},
		{Pattern: "DELETE " + one, Summary: "Delete a remote with the objects that it keeps", Op: rest.Endpoint(http.StatusNoContent, s.deleteRemote)},
		{Pattern: "GET " + one + "/state", Summary: "Get how the pulls of a remote went", Op: rest.Endpoint(http.StatusOK, s.remoteState)},
		{Pattern: "POST " + one + "/pull", Summary: "Pull a remote now", Op: rest.Endpoint(http.StatusOK, s.pullRemote)},
		{Pattern: "POST " + one + "/resume", Summary: "Let a remote go on that is paused or was stopped", Op: rest.Endpoint(http.StatusOK, s.resumeRemote)},
	}
}

// keeps checks that the asker administers a calendar. store.ErrNotFound if
// for the asker it does not exist, else store.ErrForbidden.
func (d *desk) keeps(c store.CollectionID) error {
	col, err := d.Collection(c)
	if err != nil {
		return err
	}
	switch have := d.RightsOn(d.actor, col); {
	case have == 0:
		return fmt.Errorf("calendar: %w", store.ErrNotFound)
	case !have.Has(store.RightAdmin):
		return fmt.Errorf("calendar: %w", store.ErrForbidden)
	}
	return nil
}

// remote finds one that the asker manages, by UUID or name. store.ErrNotFound
// also for what the asker may not see, and for the remotes of calendars that it
// only reads: they are the affair of others.
func (d *desk) remote(ref string) (*store.Remote, error) {
	all, err := d.Remotes(d.actor.Org)
	if err != nil || d.actor.Org == 0 {
		return nil, errors.Join(err, fmt.Errorf("remote: %w", store.ErrNotFound))
	}
	id, bad := uuid.Parse(ref)
	for _, r := range all {
		if (r.Name == ref || bad == nil && r.UUID == id) && d.keeps(r.Target) == nil {
			return r, nil
		}
	}
	return nil, fmt.Errorf("remote %q: %w", ref, store.ErrNotFound)
}

type remotesIn struct {
	rest.Page
}

// Validate checks the page.
func (in *remotesIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listRemotes(ctx context.Context, in remotesIn) (out rest.List[remotes.Remote], err error) {
	return out, s.view(ctx, func(d *desk) error {
		org, err := d.organisation()
		if err != nil {
			return err
		}
		all, err := d.Remotes(org.ID)
		if err != nil {
			return err
		}
		var found []remotes.Remote
		for _, r := range all {
			if d.keeps(r.Target) != nil {
				continue
			}
			x, err := remotes.Show(d.View, r)
			if err != nil {
				return err
			}
			found = append(found, x)
		}
		out = rest.Paged(in.Page, found, func(r remotes.Remote) string { return r.ID.String() })
		return nil
	})
}

// remoteFields are what can be set, and changed later.
type remoteFields struct {
	Name        rest.Opt[string]   `json:"name"`
	URL         rest.Opt[string]   `json:"url"`
	User        rest.Opt[string]   `json:"user"`
	Password    rest.Opt[string]   `json:"password"`
	Interval    rest.Opt[string]   `json:"interval" doc:"PT1H; null: as the source hints."`
	Counts      rest.Opt[string]   `json:"counts"`
	Components  rest.Opt[[]string] `json:"components"`
	Categories  rest.Opt[[]string] `json:"categories"`
	PastDays    rest.Opt[int]      `json:"past_days"`
	FutureDays  rest.Opt[int]      `json:"future_days"`
	Conflict    rest.Opt[string]   `json:"conflict"`
	DeleteLimit rest.Opt[int]      `json:"delete_limit"`
	Paused      rest.Opt[bool]     `json:"paused"`
}

type remoteCreateIn struct {
	Body remoteCreate `body:"json"`
}

type remoteCreate struct {
	Calendar  string           `json:"calendar" doc:"Principal, by UUID or name; PRINCIPAL/CALENDAR."`
	Kind      rest.Opt[string] `json:"kind"`
	Direction rest.Opt[string] `json:"direction"`
	remoteFields
}

// Validate checks what must be there.
func (in *remoteCreateIn) Validate(f *rest.Faults) {
	for name, v := range map[string]string{"calendar": in.Body.Calendar, "name": in.Body.Name.Or(""), "url": in.Body.URL.Or("")} {
		if v == "" && !f.Has(name) {
			f.Add(name, "is required")
		}
	}
}

// fault tells why the store or the puller does not take a value, by field.
func fault(field string, err error) error {
	if errors.Is(err, store.ErrInvalid) {
		return rest.Invalid(field, strings.TrimPrefix(err.Error(), store.ErrInvalid.Error()+": "))
	}
	return err
}

func (s *service) createRemote(ctx context.Context, in remoteCreateIn) (out rest.Tagged[remotes.Remote], err error) {
	if s.remotes == nil {
		return out, fmt.Errorf("%w: remotes are not pulled here", store.ErrNotNow)
	}
	b := &in.Body
	spec := remotes.Spec{
		Name: b.Name.Or(""), Kind: b.Kind.Or(""), Direction: b.Direction.Or(""), URL: b.URL.Or(""), User: b.User.Or(""), Password: b.Password.Or(""),
		Interval: b.Interval.Or(""), Counts: b.Counts.Or(""), Components: b.Components.Or(nil), Categories: b.Categories.Or(nil),
		PastDays: b.PastDays.Or(0), FutureDays: b.FutureDays.Or(0), Conflict: b.Conflict.Or(""), DeleteLimit: b.DeleteLimit.Or(0), Paused: b.Paused.Or(false),
	}
	if _, err := s.remotes.Check(spec.URL); err != nil {
		return out, fault("url", err)
	}
	r, access, err := spec.Record(s.remotes)
	if err != nil {
		return out, saying(err)
	}
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		c, err := d.calendarOf(b.Calendar)
		if err != nil {
			return err
		}
		next := *r
		next.Org, next.Target = c.Org, c.ID
		if err := tx.PutRemote(&next, access); err != nil {
			return err
		}
		shown, err := remotes.Show(d.View, &next)
		out = rest.Tagged[remotes.Remote]{Value: shown, Location: base + "/remotes/" + next.UUID.String()}
		return err
	})
}

// calendarOf finds the calendar of a remote to be: a principal's own, or
// PRINCIPAL/CALENDAR. The asker must administer it.
func (d *desk) calendarOf(ref string) (*store.Collection, error) {
	owner, name, named := strings.Cut(ref, "/")
	p, err := d.lookup(owner)
	if err != nil || p.Org != d.actor.Org {
		return nil, rest.Invalid("calendar", "is not known")
	}
	c, err := d.Calendar(p.ID)
	if named {
		c, err = d.CollectionByName(p.ID, name)
	}
	if err != nil {
		return nil, rest.Invalid("calendar", "is not known")
	}
	if err := d.keeps(c.ID); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil, rest.Invalid("calendar", "is not known")
		}
		return nil, err
	}
	return c, nil
}

type remoteIn struct {
	Ref string `path:"remote"`
}

func (s *service) getRemote(ctx context.Context, in remoteIn) (out rest.Tagged[remotes.Remote], err error) {
	return out, s.view(ctx, func(d *desk) error {
		r, err := d.remote(in.Ref)
		if err != nil {
			return err
		}
		shown, err := remotes.Show(d.View, r)
		out = rest.Tag(shown)
		return err
	})
}

func (s *service) remoteState(ctx context.Context, in remoteIn) (out remotes.State, err error) {
	return out, s.view(ctx, func(d *desk) error {
		r, err := d.remote(in.Ref)
		if err == nil {
			out, err = remotes.ShowState(d.View, r)
		}
		return err
	})
}

type remotePatchIn struct {
	remoteIn
	rest.IfMatch
	Body remoteFields `body:"json"`
}

func (s *service) patchRemote(ctx context.Context, in remotePatchIn) (out rest.Tagged[remotes.Remote], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		r, err := d.remote(in.Ref)
		if err != nil {
			return err
		}
		shown, err := remotes.Show(d.View, r)
		if err != nil {
			return err
		}
		if err := in.Check(shown); err != nil {
			return err
		}
		access, err := s.applyRemote(d, r, &in.Body)
		if err != nil {
			return err
		}
		if err := tx.PutRemote(r, access); err != nil {
			return err
		}
		shown, err = remotes.Show(d.View, r)
		out = rest.Tag(shown)
		return err
	})
}

// applyRemote puts what was sent into the record; null is the default. access is
// nil where nothing of it changes.
func (s *service) applyRemote(d *desk, r *store.Remote, b *remoteFields) (access *store.RemoteAccess, err error) {
	if b.Name.Present() {
		r.Name = b.Name.Or("")
	}
	if b.Interval.Present() {
		if r.Interval, err = remotes.ParseInterval(b.Interval.Or("")); err != nil {
			return nil, err
		}
	}
	if b.Counts.Present() {
		if r.Counts, err = store.ParseCounts(b.Counts.Or("")); err != nil {
			return nil, err
		}
	}
	if b.Conflict.Present() {
		r.Conflict = store.ConflictRule(b.Conflict.Or(""))
	}
	for _, x := range []struct {
		from rest.Opt[int]
		to   *int
	}{{b.PastDays, &r.PastDays}, {b.FutureDays, &r.FutureDays}, {b.DeleteLimit, &r.DeleteLimit}} {
		if x.from.Present() {
			*x.to = x.from.Or(0)
		}
	}
	if b.Components.Present() {
		r.Components = b.Components.Or(nil)
	}
	if b.Categories.Present() {
		r.Categories = b.Categories.Or(nil)
	}
	if b.Paused.Present() {
		r.Paused = b.Paused.Or(false)
	}
	if !b.URL.Present() && !b.User.Present() && !b.Password.Present() {
		return nil, nil //nolint:nilnil // nothing changes
	}
	return s.applyAccess(d, r, b)
}

func (s *service) applyAccess(d *desk, r *store.Remote, b *remoteFields) (*store.RemoteAccess, error) {
	if s.remotes == nil {
		return nil, fmt.Errorf("%w: remotes are not pulled here", store.ErrNotNow)
	}
	access, err := d.RemoteAccess(r)
	if err != nil && !errors.Is(err, store.ErrCredentials) { // sealed with a key that is lost: all is given anew
		return nil, err
	}
	if b.URL.Present() {
		host, err := s.remotes.Check(b.URL.Or(""))
		if err != nil {
			return nil, fault("url", err)
		}
		if host != r.Host { // what was a secret with one host is none with another
			access.User, access.Password = "", ""
		}
		access.URL, r.Host = b.URL.Or(""), host
	}
	if b.User.Present() {
		access.User = b.User.Or("")
	}
	if b.Password.Present() {
		access.Password = b.Password.Or("")
	}
	return &access, nil
}

// act finds a remote, does something with it, and shows how its pulls went then.
func (s *service) act(ctx context.Context, ref string, do func(context.Context, store.RemoteID) error) (out remotes.State, err error) {
	var r *store.Remote
	if err := s.view(ctx, func(d *desk) error {
		r, err = d.remote(ref)
		return err
	}); err != nil {
		return out, err
	}
	if s.remotes == nil {
		return out, fmt.Errorf("%w: remotes are not pulled here", store.ErrNotNow)
	}
	if err := do(ctx, r.ID); err != nil {
		return out, err
	}
	return s.remoteState(ctx, remoteIn{ref})
}

func (s *service) pullRemote(ctx context.Context, in remoteIn) (remotes.State, error) {
	return s.act(ctx, in.Ref, func(ctx context.Context, id store.RemoteID) error { return remotes.Pull(ctx, s.remotes, id) })
}

func (s *service) resumeRemote(ctx context.Context, in remoteIn) (remotes.State, error) {
	return s.act(ctx, in.Ref, func(ctx context.Context, id store.RemoteID) error { return s.remotes.Resume(ctx, id) })
}

type remoteDeleteIn struct {
	remoteIn
	rest.IfMatch
}

func (s *service) deleteRemote(ctx context.Context, in remoteDeleteIn) (rest.NoContent, error) {
	var r *store.Remote
	err := s.view(ctx, func(d *desk) (err error) {
		if r, err = d.remote(in.Ref); err != nil {
			return err
		}
		shown, err := remotes.Show(d.View, r)
		if err != nil {
			return err
		}
		return in.Check(shown)
	})
	if err != nil {
		return rest.NoContent{}, err
	}
	if s.remotes == nil {
		return rest.NoContent{}, fmt.Errorf("%w: remotes are not pulled here", store.ErrNotNow)
	}
	return rest.NoContent{}, s.remotes.Remove(ctx, r.ID)
}
