package house

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/store"
)

func (s *service) grantRoutes() []rest.Route {
	const list, one = base + "/grants", base + "/grants/{subject}/{target}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List grants: the asker's own, and those on what it administers", Op: rest.Endpoint(http.StatusOK, s.listGrants)},
		{Pattern: "GET " + one, Summary: "Get what a user was granted on a target", Op: rest.Endpoint(http.StatusOK, s.getGrant)},
		{Pattern: "PUT " + one, Summary: "Give a user exactly these rights on a target", Op: rest.Endpoint(http.StatusOK, s.putGrant).Guard(s.mayPutGrant)},
		{Pattern: "DELETE " + one, Summary: "Take a user's rights on a target away", Op: rest.Endpoint(http.StatusNoContent, s.deleteGrant)},
	}
}

// Grant is what somebody may do with something.
type Grant struct {
	Subject Ref      `json:"subject"`
	Target  Target   `json:"target"`
	Rights  []string `json:"rights"`
}

// Target is what a grant is on: an organisation with its resources, a resource,
// a user's home, or one calendar of it.
type Target struct {
	Ref
	Calendar *CalendarRef `json:"calendar" doc:"Null: all calendars."`
}

// CalendarRef names a calendar of a user.
type CalendarRef struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

const wantRights = "must be some of read-free-busy, read, delete, write and admin"

func (d *desk) showTarget(g store.Grant) (Target, bool) {
	p, err := d.Principal(g.Target)
	if err != nil {
		return Target{}, false
	}
	t := Target{Ref: refTo(p)}
	if g.Collection != 0 {
		c, err := d.Collection(g.Collection)
		if err != nil {
			return Target{}, false
		}
		t.Calendar = &CalendarRef{c.UUID, c.Name}
	}
	return t, true
}

func (d *desk) showGrants(grants []store.Grant) []MyGrant {
	out := []MyGrant{}
	for _, g := range grants {
		if t, ok := d.showTarget(g); ok {
			out = append(out, MyGrant{t, g.Rights.Names()})
		}
	}
	return out
}

// rightsOf gives what the asker may do with the target of a grant.
func (d *desk) rightsOf(g store.Grant) store.Rights {
	if g.Collection == 0 {
		return d.Rights(d.actor, g.Target)
	}
	c, err := d.Collection(g.Collection)
	if err != nil {
		return 0
	}
	return d.RightsOn(d.actor, c)
}

// target reads what a grant is on: "" is the organisation, else a principal by
// uuid or name, or a calendar by UUID or as OWNER/NAME. The asker must have some
// right on it. The only calendar of a resource or organisation is granted with
// its owner.
func (d *desk) target(ref string) (store.Grant, error) {
	if ref == "" {
		return store.Grant{Target: d.actor.Org}, nil
	}
	if p, err := d.lookup(ref); err == nil {
		if p.Org != d.actor.Org || p.Kind == store.KindGroup || d.Rights(d.actor, p.ID) == 0 {
			return store.Grant{}, fmt.Errorf("target %q: %w", ref, store.ErrNotFound)
		}
		return store.Grant{Target: p.ID}, nil
	}
	c, err := d.calendar(ref, store.RightFreeBusy)
	if err != nil {
		return store.Grant{}, fmt.Errorf("target %q: %w", ref, store.ErrNotFound)
	}
	owner, err := d.Principal(c.Owner)
	if err != nil {
		return store.Grant{}, err
	}
	if owner.Kind != store.KindUser {
		return store.Grant{Target: owner.ID}, nil
	}
	return store.Grant{Target: owner.ID, Collection: c.ID}, nil
}

// parties are whom a grant is to and what it is on. Who administers a target
// may name every user of the organisation, as in an access list (RFC 3744): a
// user who shares the own home as well as an administrator, who has no right on
// the homes of others.
type parties struct {
	Subject string `path:"subject" doc:"A user by UUID or name."`
	Target  string `path:"target" doc:"A principal by UUID or name, or a calendar."`
}

func (d *desk) parties(in parties) (*store.Principal, store.Grant, error) {
	g, err := d.target(in.Target)
	if err != nil {
		return nil, g, err
	}
	p, err := d.lookup(in.Subject)
	switch own := err == nil && d.isSelf(p); {
	case !own && !d.rightsOf(g).Has(store.RightAdmin):
		return nil, g, fmt.Errorf("grants on %q: %w", in.Target, store.ErrForbidden)
	case err != nil || p.Org != d.actor.Org || p.Kind != store.KindUser && !d.sees(p):
		return nil, g, fmt.Errorf("subject %q: %w", in.Subject, store.ErrNotFound)
	}
	g.Rights, err = d.granted(p.ID, g)
	return p, g, err
}

// granted gives what somebody was granted on the target of a grant.
func (d *desk) granted(subject store.PrincipalID, on store.Grant) (store.Rights, error) {
	all, err := d.GrantsOf(subject)
	for _, g := range all {
		if on.Rights = g.Rights; g == on {
			return g.Rights, nil
		}
	}
	return 0, err
}

type grantsIn struct {
	rest.Page
	Subject rest.Opt[string] `query:"subject"`
	Target  rest.Opt[string] `query:"target"`
}

// Validate checks the page.
func (in *grantsIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listGrants(ctx context.Context, in grantsIn) (out rest.List[Grant], err error) {
	return out, s.view(ctx, func(d *desk) error {
		subject, on := store.PrincipalID(0), store.Grant{}
		if ref, ok := in.Subject.Get(); ok {
			p, err := d.known(ref)
			if err != nil {
				return inBody("subject", err)
			}
			subject = p.ID
		}
		if ref, ok := in.Target.Get(); ok {
			if on, err = d.target(ref); err != nil {
				return inBody("target", err)
			}
		}
		found, err := d.visibleGrants()
		if err != nil {
			return err
		}
		var list []Grant
		for _, x := range found {
			same := x.on
			same.Rights = 0
			if subject != 0 && x.subject.ID != subject || in.Target.Present() && same != on {
				continue
			}
			if t, ok := d.showTarget(x.on); ok {
				list = append(list, Grant{refTo(x.subject), t, x.on.Rights.Names()})
			}
		}
		out = rest.Paged(in.Page, list, func(g Grant) string { return g.Subject.Name + "\x00" + g.Target.key() })
		return nil
	})
}

// key sorts targets.
func (t Target) key() string {
	if t.Calendar == nil {
		return t.Name
	}
	return t.Name + "/" + t.Calendar.Name
}

// grant is a grant with whom it is to.
type grant struct {
	subject *store.Principal
	on      store.Grant
}

// visibleGrants gives the grants to the asker, and those on what it
// administers.
func (d *desk) visibleGrants() ([]grant, error) {
	var out []grant
	subjects, err := d.Principals(d.actor.Org)
	if err != nil {
		return nil, err
	}
	for _, p := range subjects {
		grants, err := d.GrantsOf(p.ID)
		if err != nil {
			return nil, err
		}
		own := d.isSelf(p)
		for _, g := range grants {
			if own || d.rightsOf(g).Has(store.RightAdmin) {
				out = append(out, grant{p, g})
			}
		}
	}
	return out, nil
}

func (s *service) getGrant(ctx context.Context, in parties) (out rest.Tagged[Grant], err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, g, err := d.parties(in)
		if err != nil {
			return err
		}
		if g.Rights == 0 {
			return fmt.Errorf("grant: %w", store.ErrNotFound)
		}
		out = rest.Tag(d.showGrant(p, g))
		return nil
	})
}

func (d *desk) showGrant(subject *store.Principal, g store.Grant) Grant {
	t, _ := d.showTarget(g) // it was found
	return Grant{refTo(subject), t, g.Rights.Names()}
}

type grantPutIn struct {
	parties
	rest.IfMatch
	Body grantPut `body:"json"`
}

type grantPut struct {
	Rights []string `json:"rights"`
}

// Validate checks the rights.
func (in *grantPutIn) Validate(f *rest.Faults) {
	if r, err := store.ParseRights(in.Body.Rights); (err != nil || r == 0) && !f.Has("rights") {
		f.Add("rights", wantRights)
	}
}

// administers finds the parties of a grant that the asker may set.
func (d *desk) administers(in parties) (*store.Principal, store.Grant, error) {
	p, g, err := d.parties(in)
	if err == nil && !d.rightsOf(g).Has(store.RightAdmin) {
		return nil, g, fmt.Errorf("grants on %q: %w", in.Target, store.ErrForbidden)
	}
	return p, g, err
}

func (s *service) mayPutGrant(ctx context.Context, in grantPutIn) error {
	return s.view(ctx, func(d *desk) error {
		_, _, err := d.administers(in.parties)
		return err
	})
}

func (s *service) putGrant(ctx context.Context, in grantPutIn) (out rest.Tagged[Grant], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		p, g, err := d.administers(in.parties)
		if err != nil {
			return err
		}
		err = in.Check(d.showGrant(p, g))
		if g.Rights == 0 {
			err = in.CheckNone()
		}
		if err != nil {
			return err
		}
		if g.Rights, err = store.ParseRights(in.Body.Rights); err != nil {
			return err
		}
		if err := setGrant(tx, p, g); err != nil {
			return err
		}
		out = rest.Tag(d.showGrant(p, g))
		return nil
	})
}

func setGrant(tx *store.Tx, subject *store.Principal, g store.Grant) error {
	if g.Collection != 0 {
		return tx.SetGrantOn(subject.ID, g.Collection, g.Rights)
	}
	return tx.SetGrant(subject.ID, g.Target, g.Rights)
}

type grantDeleteIn struct {
	parties
	rest.IfMatch
}

// deleteGrant also lets users give up what they were granted.
func (s *service) deleteGrant(ctx context.Context, in grantDeleteIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.update(ctx, func(d *desk, tx *store.Tx) error {
		p, g, err := d.parties(in.parties)
		if err != nil {
			return err
		}
		if g.Rights == 0 {
			return fmt.Errorf("grant: %w", store.ErrNotFound)
		}
		if err := in.Check(d.showGrant(p, g)); err != nil {
			return err
		}
		g.Rights = 0
		return setGrant(tx, p, g)
	})
}
