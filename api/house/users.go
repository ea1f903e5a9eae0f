package house

import (
	"context"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/store"
)

func (s *service) userRoutes() []rest.Route {
	const list, one = base + "/users", base + "/users/{user}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List users", Op: rest.Endpoint(http.StatusOK, s.listUsers)},
		{Pattern: "POST " + list, Summary: "Create a user with a first calendar, without a password", Op: rest.Endpoint(http.StatusCreated, s.createUser).Guard(guard[userCreateIn](s, store.RightAdmin))},
		{Pattern: "GET " + one, Summary: "Get a user", Op: rest.Endpoint(http.StatusOK, s.getUser)},
		{Pattern: "PATCH " + one, Summary: "Change a user", Op: rest.Endpoint(http.StatusOK, s.patchUser).Guard(s.mayPatchUser)},
		{Pattern: "DELETE " + one, Summary: "Delete a user with all calendars", Op: rest.Endpoint(http.StatusNoContent, s.deleteUser)},
		{Pattern: "PUT " + one + "/password", Summary: "Set a user's password", Op: rest.Endpoint(http.StatusNoContent, s.setPassword).Guard(s.maySetPassword)},
		{Pattern: "DELETE " + one + "/password", Summary: "Take a user's password away", Op: rest.Endpoint(http.StatusNoContent, s.dropPassword)},
	}
}

// User is a user as the house API shows it.
type User struct {
	ID       uuid.UUID `json:"id"`
	Name     string    `json:"name" doc:"The login."`
	Title    string    `json:"display_name"`
	Email    *string   `json:"email"`
	Color    *string   `json:"color" doc:"As #RRGGBB."`
	Zone     string    `json:"zone" doc:"IANA name; the organisation's where it has none of its own."`
	Rights   []string  `json:"rights" doc:"Of the asker, on the user's home."`
	Created  time.Time `json:"created_at"`
	Modified time.Time `json:"updated_at"`
}

func (d *desk) showUser(p *store.Principal) User {
	return User{
		ID: p.UUID, Name: p.Name, Title: p.DisplayName, Email: orNull(p.Email), Color: orNull(p.Color),
		Zone: d.Zone(p).Name(), Rights: d.rights(p.ID), Created: p.Created.UTC(), Modified: p.Modified.UTC(),
	}
}

// user finds a user that the asker may know of.
func (d *desk) user(ref string) (*store.Principal, error) { return d.known(ref, store.KindUser) }

// isSelf reports whether the asker has signed in as the principal, with all of
// its rights.
func (d *desk) isSelf(p *store.Principal) bool {
	return d.actor.Full() && d.actor.Principal.ID == p.ID
}

// changeable finds a user that the asker may change: itself, or any as an
// administrator.
func (d *desk) changeable(ref string) (*store.Principal, error) {
	p, err := d.user(ref)
	if err == nil && !d.isSelf(p) && !d.manages() {
		return nil, fmt.Errorf("user %q: %w", ref, store.ErrForbidden)
	}
	return p, err
}

type usersIn struct{ rest.Page }

// Validate checks the page.
func (in *usersIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listUsers(ctx context.Context, in usersIn) (out rest.List[User], err error) {
	return out, s.view(ctx, func(d *desk) error {
		all, err := d.everybody(store.KindUser)
		if err != nil {
			return err
		}
		var found []User
		for _, p := range all {
			found = append(found, d.showUser(p))
		}
		out = rest.Paged(in.Page, found, func(u User) string { return u.Name })
		return nil
	})
}

type userIn struct {
	Ref string `path:"user" doc:"UUID or name."`
}

func (s *service) getUser(ctx context.Context, in userIn) (out rest.Tagged[User], err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, err := d.user(in.Ref)
		if err == nil {
			out = rest.Tag(d.showUser(p))
		}
		return err
	})
}

type userCreateIn struct {
	Body userCreate `body:"json"`
}

type userCreate struct {
	ID   rest.Opt[uuid.UUID] `json:"id"`
	Name string              `json:"name"`
	resourceFields
}

// Validate checks the fields.
func (in *userCreateIn) Validate(f *rest.Faults) {
	if in.Body.Name == "" && !f.Has("name") {
		f.Add("name", "is required")
	}
	in.Body.check(f)
}

func (s *service) createUser(ctx context.Context, in userCreateIn) (out rest.Tagged[User], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		p := &store.Principal{Org: d.actor.Org, Kind: store.KindUser, Name: in.Body.Name, UUID: in.Body.ID.Or(uuid.Nil)}
		in.Body.apply(p)
		if err := tx.CreatePrincipal(p); err != nil {
			return err
		}
		out = rest.Tagged[User]{Value: d.showUser(p), Location: base + "/users/" + p.UUID.String()}
		return nil
	})
}

type userPatchIn struct {
	userIn
	rest.IfMatch
	Body resourceFields `body:"json"`
}

// Validate checks the fields.
func (in *userPatchIn) Validate(f *rest.Faults) { in.Body.check(f) }

func (s *service) mayPatchUser(ctx context.Context, in userPatchIn) error {
	return s.view(ctx, func(d *desk) error {
		_, err := d.changeable(in.Ref)
		return err
	})
}

// patchUser lets users change what is shown of them; their address stands for
// them in what others send, and is the administrator's.
func (s *service) patchUser(ctx context.Context, in userPatchIn) (out rest.Tagged[User], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		p, err := d.changeable(in.Ref)
		if err != nil {
			return err
		}
		if err := in.Check(d.showUser(p)); err != nil {
			return err
		}
		if in.Body.Email.Present() && in.Body.Email.Or("") != p.Email && !d.manages() {
			return rest.Errorf(http.StatusForbidden, "only an administrator changes a user's mail address")
		}
		in.Body.apply(p)
		if err := tx.UpdatePrincipal(p); err != nil {
			return err
		}
		out = rest.Tag(d.showUser(p))
		return nil
	})
}

type userDeleteIn struct {
	userIn
	rest.IfMatch
}

func (s *service) deleteUser(ctx context.Context, in userDeleteIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.update(ctx, func(d *desk, tx *store.Tx) error {
		p, err := d.user(in.Ref)
		if err != nil {
			return err
		}
		switch {
		case !d.manages():
			return fmt.Errorf("user %q: %w", in.Ref, store.ErrForbidden)
		case d.actor.Principal != nil && d.actor.Principal.ID == p.ID:
			return rest.Errorf(http.StatusConflict, "nobody can delete oneself: another administrator can")
		}
		if err := in.Check(d.showUser(p)); err != nil {
			return err
		}
		return tx.DeletePrincipal(p.ID)
	})
}

// minPassword is the shortest password that is taken over the network, in
// characters.
const minPassword = 8

// passwordDropIn names the user whose password goes. A password is never shown
// and has no tag: the condition is on the user's record.
type passwordDropIn struct {
	userIn
	rest.IfMatch
}

type passwordIn struct {
	passwordDropIn
	Body struct {
		Password string `json:"password"`
	} `body:"json"`
}

// Validate checks the length.
func (in *passwordIn) Validate(f *rest.Faults) {
	p := in.Body.Password
	if (utf8.RuneCountInString(p) < minPassword || len(p) > store.MaxPassword) && !f.Has("password") {
		f.Add("password", fmt.Sprintf("must have at least %d characters and at most %d bytes", minPassword, store.MaxPassword))
	}
}

// mayChangePassword finds the user whose password the asker may change: its own
// if it signed in with it, so that what is kept on a device cannot take the
// account over; anybody's as an administrator. The user notices that.
func (d *desk) mayChangePassword(ref string) (*store.Principal, error) {
	p, err := d.user(ref)
	if err == nil && !d.manages() && (!d.isSelf(p) || d.actor.Credential != "") {
		return nil, fmt.Errorf("password of user %q: %w", ref, store.ErrForbidden)
	}
	return p, err
}

func (s *service) maySetPassword(ctx context.Context, in passwordIn) error {
	return s.view(ctx, func(d *desk) error {
		_, err := d.mayChangePassword(in.Ref)
		return err
	})
}

func (s *service) setPassword(ctx context.Context, in passwordIn) (rest.NoContent, error) {
	hash, err := s.store.HashPassword(ctx, in.Body.Password)
	if err != nil {
		return rest.NoContent{}, err
	}
	return rest.NoContent{}, s.changePassword(ctx, in.passwordDropIn, hash)
}

func (s *service) dropPassword(ctx context.Context, in passwordDropIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.changePassword(ctx, in, nil)
}

func (s *service) changePassword(ctx context.Context, in passwordDropIn, hash []byte) error {
	return s.update(ctx, func(d *desk, tx *store.Tx) error {
		p, err := d.mayChangePassword(in.Ref)
		if err != nil {
			return err
		}
		if err := in.Check(d.showUser(p)); err != nil {
			return err
		}
		return tx.SetPassword(p.ID, hash)
	})
}
