package apitest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/store"
)

// SecretPart goes after a token's ID in its secret.
const SecretPart = "-secret-0123456789"

// Token is a credential of a place. Its secret is the ID and [SecretPart].
type Token struct {
	ID      string
	Org     string // name of the organisation
	As      string // name of the principal that it stands for; "" nobody
	On      string // name of the principal that it has rights on; "" none
	Rights  store.Rights
	Kind    store.CredentialKind // "": a bearer token
	Expires time.Time
}

// Bearer signs with a bearer token of a place.
func Bearer(who string) Sign {
	return func(r *http.Request, _ string) {
		if who != "" {
			r.Header.Set("Authorization", "Bearer "+who+"."+who+SecretPart)
		}
	}
}

// Principals makes principals of an organisation in their order, and the
// organisation itself if that is among them.
func (p *Place) Principals(org string, rows ...store.Principal) {
	p.T.Helper()
	p.Update(func(tx *store.Tx) error {
		for _, x := range rows {
			x.Org = p.IDs[org]
			if err := tx.CreatePrincipal(&x); err != nil {
				return fmt.Errorf("%s: %w", x.Name, err)
			}
			p.IDs[x.Name] = x.ID
		}
		return nil
	})
}

// Tokens makes credentials.
func (p *Place) Tokens(rows ...Token) {
	p.T.Helper()
	p.Update(func(tx *store.Tx) error {
		for _, x := range rows {
			c := &store.Credential{ID: x.ID, Kind: x.Kind, Org: p.IDs[x.Org], Principal: p.IDs[x.As], Expires: x.Expires}
			if c.Kind == "" {
				c.Kind = store.CredentialBearer
			}
			if x.On != "" {
				c.Grants = []store.Grant{{Target: p.IDs[x.On], Rights: x.Rights}}
			}
			if err := tx.PutCredential(c, x.ID+SecretPart); err != nil {
				return fmt.Errorf("%s: %w", x.ID, err)
			}
		}
		return nil
	})
}

// Services makes services of an organisation.
func (p *Place) Services(org string, rows ...store.Service) {
	p.T.Helper()
	p.Update(func(tx *store.Tx) error {
		for _, x := range rows {
			x.Org = p.IDs[org]
			if err := tx.PutService(&x); err != nil {
				return fmt.Errorf("%s: %w", x.Name, err)
			}
		}
		return nil
	})
}

// CollectionOf gives the calendar of a principal, which is named or given by
// its UUID.
func CollectionOf(v *store.View, owner string) (store.CollectionID, error) {
	find := v.PrincipalByName
	if id, err := uuid.Parse(owner); err == nil {
		find = func(string) (*store.Principal, error) { return v.PrincipalByUUID(id) }
	}
	p, err := find(owner)
	if err != nil {
		return 0, err
	}
	c, err := v.Calendar(p.ID)
	if err != nil {
		return 0, err
	}
	return c.ID, nil
}

// Prepare parses an object as it is parsed for the store. Its lines may end
// with LF alone.
func (p *Place) Prepare(ics string) *store.Prepared {
	p.T.Helper()
	ics = strings.ReplaceAll(strings.ReplaceAll(ics, "\r\n", "\n"), "\n", "\r\n")
	o, err := ical.ParseResource([]byte(ics), ical.Limits{})
	if err != nil {
		p.T.Fatal(err)
	}
	prepared, err := p.Store.Prepare(o)
	if err != nil {
		p.T.Fatal(err)
	}
	return prepared
}

// Put puts an object into somebody's calendar as a calendar client does; ""
// removes it.
func (p *Place) Put(owner, name, ics string) {
	p.T.Helper()
	var prepared *store.Prepared
	if ics != "" {
		prepared = p.Prepare(ics)
	}
	p.Update(func(tx *store.Tx) error {
		c, err := CollectionOf(&tx.View, owner)
		if err != nil {
			return err
		}
		if prepared == nil {
			return tx.DeleteObject(store.System(), c, name, store.Cond{})
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c, Name: name, Object: prepared})
		return err
	})
}

// Stored gives the data of the members of somebody's calendar by name.
func (p *Place) Stored(owner string) map[string]string {
	p.T.Helper()
	out := map[string]string{}
	err := p.Store.View(p.T.Context(), func(v *store.View) error {
		c, err := CollectionOf(v, owner)
		if err != nil {
			return err
		}
		return v.EachMember(c, "", func(m store.Member) bool {
			data, err := v.Data(m.Object)
			if err != nil {
				p.T.Error(err)
			}
			out[m.Name] = string(data)
			return true
		})
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return out
}

// Listed gives the data of the members of somebody's calendar in the order of
// their names.
func (p *Place) Listed(owner string) []string {
	p.T.Helper()
	var out []string
	stored := p.Stored(owner)
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		out = append(out, stored[name])
	}
	return out
}

// Component gives a VEVENT with these lines, ended by LF.
func Component(uid string, lines ...string) string {
	return "BEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n"
}

// Calendar gives an iCalendar object of components.
func Calendar(components ...string) string {
	return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//T//T//EN\n" + strings.Join(components, "") + "END:VCALENDAR\n"
}

// Event gives an iCalendar object of one VEVENT with these lines.
func Event(uid string, lines ...string) string { return Calendar(Component(uid, lines...)) }
