package admin

import (
	"context"
	"fmt"
	"reflect"

	"github.com/google/uuid"

	"daybook/api/remotes"
	"daybook/store"
)

// CreateRemote asks for a remote of PRINCIPAL or PRINCIPAL/CALENDAR.
type CreateRemote struct {
	remotes.Spec
}

// RemoteRef names a remote by its name or id.
type RemoteRef struct {
	Remote       string `json:"remote"`
	Organisation string `json:"organisation"`
}

// RemoteRow is a remote with how its pulls went.
type RemoteRow struct {
	remotes.Remote
	State remotes.State `json:"state"`
}

var errNoRemotes = fmt.Errorf("%w: remotes are not pulled here", store.ErrInvalid)

func remoteRow(v *store.View, r *store.Remote) (out RemoteRow, err error) {
	if out.Remote, err = remotes.Show(v, r); err != nil {
		return out, err
	}
	out.State, err = remotes.ShowState(v, r)
	return out, err
}

func createRemote(ctx context.Context, s *Service, req CreateRemote, _ *Stream) (out RemoteRow, err error) {
	if s.Remotes == nil {
		return out, errNoRemotes
	}
	r, access, err := req.Record(s.Remotes)
	if err != nil {
		return out, err
	}
	return out, s.Store.Update(ctx, func(tx *store.Tx) error {
		c, _, err := findCalendar(&tx.View, req.Calendar)
		if err != nil {
			return err
		}
		next := *r
		next.Org, next.Target = c.Org, c.ID
		if err := tx.PutRemote(&next, access); err != nil {
			return err
		}
		out, err = remoteRow(&tx.View, &next)
		return err
	})
}

func listRemotes(ctx context.Context, s *Service, req OfOrganisation, _ *Stream) ([]RemoteRow, error) {
	out := []RemoteRow{}
	return out, s.Store.View(ctx, func(v *store.View) error {
		out = out[:0]
		return eachOrganisation(v, req.Organisation, func(org *store.Principal) error {
			all, err := v.Remotes(org.ID)
			if err != nil {
				return err
			}
			for _, r := range all {
				row, err := remoteRow(v, r)
				if err != nil {
					return err
				}
				out = append(out, row)
			}
			return nil
		})
	})
}

// findRemote finds one by name or id.
func findRemote(v *store.View, req RemoteRef) (*store.Remote, error) {
	id, bad := uuid.Parse(req.Remote)
	var found []*store.Remote
	err := eachOrganisation(v, req.Organisation, func(org *store.Principal) error {
		all, err := v.Remotes(org.ID)
		for _, r := range all {
			if r.Name == req.Remote || bad == nil && r.UUID == id {
				found = append(found, r)
			}
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("remote %q: %w", req.Remote, store.ErrNotFound)
	case len(found) > 1:
		return nil, fmt.Errorf("%w: several organisations have a remote %q; name one with --organisation", store.ErrInvalid, req.Remote)
	}
	return found[0], nil
}

// withRemote finds a remote, does something with it, and shows it as it is then.
func withRemote(ctx context.Context, s *Service, req RemoteRef, do func(*store.Remote) error) (out RemoteRow, err error) {
	if s.Remotes == nil {
		return out, errNoRemotes
	}
	var r *store.Remote
	if err := s.Store.View(ctx, func(v *store.View) error {
		r, err = findRemote(v, req)
		return err
	}); err != nil {
		return out, err
	}
	if err := do(r); err != nil {
		return out, err
	}
	return out, s.Store.View(ctx, func(v *store.View) error {
		if r, err = v.Remote(r.ID); err != nil {
			return err
		}
		out, err = remoteRow(v, r)
		return err
	})
}

func showRemote(ctx context.Context, s *Service, req RemoteRef, _ *Stream) (RemoteRow, error) {
	return withRemote(ctx, s, req, func(*store.Remote) error { return nil })
}

func pullRemote(ctx context.Context, s *Service, req RemoteRef, _ *Stream) (RemoteRow, error) {
	return withRemote(ctx, s, req, func(r *store.Remote) error { return remotes.Pull(ctx, s.Remotes, r.ID) })
}

func pauseRemote(ctx context.Context, s *Service, req RemoteRef, _ *Stream) (RemoteRow, error) {
	return withRemote(ctx, s, req, func(r *store.Remote) error {
		return s.Store.Update(ctx, func(tx *store.Tx) error {
			next, err := tx.Remote(r.ID)
			if err != nil {
				return err
			}
			next.Paused = true
			return tx.PutRemote(next, nil)
		})
	})
}

func resumeRemote(ctx context.Context, s *Service, req RemoteRef, _ *Stream) (RemoteRow, error) {
	return withRemote(ctx, s, req, func(r *store.Remote) error { return s.Remotes.Resume(ctx, r.ID) })
}

func deleteRemote(ctx context.Context, s *Service, req RemoteRef, _ *Stream) (out RemoteRow, err error) {
	if s.Remotes == nil {
		return out, errNoRemotes
	}
	var id store.RemoteID
	err = s.Store.View(ctx, func(v *store.View) error {
		r, err := findRemote(v, req)
		if err != nil {
			return err
		}
		id = r.ID
		out, err = remoteRow(v, r)
		return err
	})
	if err != nil {
		return out, err
	}
	return out, s.Remotes.Remove(ctx, id)
}

func (a *applier) remote(d *remoteSpec) {
	outcome, err := a.putRemote(d)
	if err != nil {
		a.failed(d.Line, "remote", d.Name, err)
		return
	}
	a.done("remote", d.Name, outcome)
}

// putRemote makes a remote as the file says it. An address that it moved to for
// good since is put back.
func (a *applier) putRemote(d *remoteSpec) (string, error) {
	if a.s.Remotes == nil {
		return "", errNoRemotes
	}
	want, access, err := d.Record(a.s.Remotes)
	if err != nil {
		return "", err
	}
	c, _, err := findCalendar(&a.tx.View, d.Calendar)
	if err != nil {
		return "", err
	}
	if c.Org != a.org.ID {
		return "", fmt.Errorf("%q is of another organisation", d.Calendar)
	}
	want.Org, want.Target = c.Org, c.ID
	all, err := a.tx.Remotes(c.Org)
	if err != nil {
		return "", err
	}
	for _, have := range all {
		if have.Name != d.Name {
			continue
		}
		was, err := a.tx.RemoteAccess(have)
		want.ID, want.UUID, want.Created, want.Modified, want.Sealed = have.ID, have.UUID, have.Created, have.Modified, have.Sealed
		if err == nil && was == *access && reflect.DeepEqual(*want, *have) {
			return Unchanged, nil
		}
		return "changed", a.tx.PutRemote(want, access)
	}
	return Created, a.tx.PutRemote(want, access)
}
