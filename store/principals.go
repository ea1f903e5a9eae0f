package store

import (
	"bytes"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"daybook/ical"
)

var colorPattern = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

func (p *Principal) check() error {
	if err := checkName(p.Name); err != nil {
		return err
	}
	switch {
	case len(p.Name) > 200:
		return badField("name", "a principal's name has at most 200 bytes")
	case p.Kind < KindOrganisation || p.Kind > KindGroup:
		return badField("kind", "%s is no kind of principal", p.Kind)
	case len(p.DisplayName) > 1000:
		return badField("display_name", "a display name has at most 1,000 bytes")
	case len(p.Email) > 254:
		return badField("email", "a mail address has at most 254 bytes")
	case p.Color != "" && !colorPattern.MatchString(p.Color):
		return badField("color", "colour %q is not of the form #RRGGBB", p.Color)
	case len(p.Members) > maxGroup || len(p.Members) > 0 && p.Kind != KindGroup:
		return badField("members", "only a group has members, at most %d", maxGroup)
	case p.Kind == KindUser && strings.ContainsRune(p.Name, ':'):
		return badField("name", "a user's name has no colon, it could not sign in (RFC 7617 §2)")
	case p.Zone != "" && ical.LookupZone(p.Zone) == nil:
		return badField("zone", "time zone %q is not known", p.Zone)
	}
	if p.Email != "" {
		if a, err := mail.ParseAddress(p.Email); err != nil || a.Address != p.Email {
			return badField("email", "%q is no mail address", p.Email)
		}
	}
	return checkDead(p.Dead)
}

// maxGroup bounds the members of a group.
const maxGroup = 10_000

// CreatePrincipal stores a new principal with its first calendar, named
// "calendar" (groups have none). ID and, where zero, UUID, Alias and Created are
// set. An organisation is its own Org. It checks records, not rights. ErrExists,
// ErrInvalid, ErrNotFound (the organisation).
func (tx *Tx) CreatePrincipal(p *Principal) error {
	if err := p.check(); err != nil {
		return err
	}
	if tx.get(nameKey(p.Name)) != nil {
		return fmt.Errorf("principal %q: %w", p.Name, ErrExists)
	}
	if p.Kind != KindOrganisation {
		if org, err := tx.principal(p.Org); err != nil || org.Kind != KindOrganisation {
			return fmt.Errorf("organisation %d: %w", p.Org, ErrNotFound)
		}
	}
	p.ID = PrincipalID(tx.next(metaPrincipal))
	if p.Kind == KindOrganisation {
		p.Org = p.ID
	}
	if err := tx.number(p); err != nil {
		return err
	}
	if p.Created.IsZero() {
		p.Created = tx.now
	}
	p.Modified = tx.now
	tx.put(nameKey(p.Name), key(nil).principal(p.ID))
	tx.put(principalKey(p.ID), encodeRecord(p))
	tx.directoryChanged()
	tx.notePrincipal(OpCreated, p)
	if p.Kind == KindGroup {
		return nil
	}
	return tx.createCollection(&Collection{Owner: p.ID, Name: CalendarName, DisplayName: p.DisplayName})
}

// number gives the principal its UUID and its alias.
func (tx *Tx) number(p *Principal) error {
	if p.UUID == uuid.Nil {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		p.UUID = id
	}
	uuidKey := newKey(tableUUIDs).bytes(p.UUID[:])
	if tx.get(uuidKey) != nil {
		return fmt.Errorf("id %s: %w", p.UUID, ErrExists)
	}
	tx.put(uuidKey, newKey('p').principal(p.ID))
	if !p.Kind.Resource() && p.Kind != KindGroup {
		p.Alias = 0
		return nil
	}
	if p.Alias == 0 {
		alias, err := tx.alias(p.Org)
		if err != nil {
			return err
		}
		p.Alias = alias
	}
	return tx.takeAlias(p)
}

// takeAlias notes an alias. The counter passes by those that were chosen.
func (tx *Tx) takeAlias(p *Principal) error {
	if p.Alias >= maxAlias {
		return badField("alias", "alias %d is not below 2^26", p.Alias)
	}
	k := newKey(tableAliases).principal(p.Org).u32(p.Alias)
	if tx.get(k) != nil {
		return fmt.Errorf("alias %d: %w", p.Alias, ErrExists)
	}
	tx.put(k, newKey('p').principal(p.ID))
	return nil
}

// UpdatePrincipal changes all of a principal but ID, UUID, Org, Kind, Alias and
// Created. What changes nothing is no write: Modified stays. ErrNotFound, ErrExists (the name), ErrInvalid.
func (tx *Tx) UpdatePrincipal(p *Principal) error {
	old, err := tx.Principal(p.ID)
	if err != nil {
		return err
	}
	p.UUID, p.Org, p.Kind, p.Alias, p.Created = old.UUID, old.Org, old.Kind, old.Alias, old.Created
	if err := p.check(); err != nil {
		return err
	}
	if p.Name != old.Name {
		if tx.get(nameKey(p.Name)) != nil {
			return fmt.Errorf("principal %q: %w", p.Name, ErrExists)
		}
		tx.del(nameKey(old.Name))
		tx.put(nameKey(p.Name), key(nil).principal(p.ID))
	}
	p.Modified = old.Modified
	if bytes.Equal(encodeRecord(p), encodeRecord(old)) {
		return nil
	}
	tx.notePrincipal(OpChanged, p)
	p.Modified = tx.now
	tx.put(principalKey(p.ID), encodeRecord(p))
	tx.directoryChanged()
	return nil
}

// DeletePrincipal removes a principal with its collections, grants, memberships,
// credentials and feeds. ErrInvalid for an organisation that has other principals.
func (tx *Tx) DeletePrincipal(id PrincipalID) error {
	p, err := tx.Principal(id)
	if err != nil {
		return err
	}
	if p.Kind == KindOrganisation {
		if all, err := tx.Principals(id); err != nil || len(all) > 1 {
			return fmt.Errorf("%w: organisation %q still has principals", ErrInvalid, p.Name)
		}
	}
	cols, err := tx.Collections(id)
	if err != nil {
		return err
	}
	for _, c := range cols {
		if err := tx.dropCollection(c); err != nil {
			return err
		}
	}
	if err := tx.dropFeedsOf(p); err != nil {
		return err
	}
	tx.dropGrants(id)
	if err := tx.dropMemberships(p); err != nil {
		return err
	}
	if err := tx.dropCredentials(p); err != nil {
		return err
	}
	tx.del(nameKey(p.Name))
	tx.del(newKey(tableUUIDs).bytes(p.UUID[:]))
	if p.Alias != 0 { // stays taken: aliases are never used again
		tx.put(newKey(tableAliases).principal(p.Org).u32(p.Alias), newKey('p').principal(0))
	}
	services, err := tx.Services(id)
	if err != nil {
		return err
	}
	for _, s := range services {
		if err := tx.DeleteService(id, s.UUID); err != nil {
			return err
		}
	}
	if err := tx.dropHoldsOf(p); err != nil {
		return err
	}
	for _, table := range []byte{tableHolds, tableNotes, tableReplays, tableFormer, tableWebhooks, tableHookStates, tableDeliveries, tableDeadLetters} {
		tx.dropPrefix(newKey(table).principal(id))
	}
	tx.del(principalKey(id))
	tx.directoryChanged()
	if p.Kind == KindOrganisation {
		tx.ended = true // its journal is left, which may be long
		return nil
	}
	tx.leaveName(p)
	tx.notePrincipal(OpDeleted, p)
	return nil
}

// dropMemberships takes a principal out of its groups.
func (tx *Tx) dropMemberships(p *Principal) error {
	groups, err := tx.Principals(p.Org, KindGroup)
	if err != nil {
		return err
	}
	for _, g := range groups {
		i := slices.Index(g.Members, p.UUID)
		if i < 0 {
			continue
		}
		g.Members = slices.Delete(g.Members, i, i+1)
		if err := tx.UpdatePrincipal(g); err != nil {
			return err
		}
	}
	return nil
}

// dropPrefix deletes all keys that begin with k.
func (tx *Tx) dropPrefix(k key) {
	for _, k := range tx.keys(k) {
		tx.del(k)
	}
}

// keys gives all keys that begin with k.
func (v *View) keys(k key) []key {
	var out []key
	v.r.Scan(k, k.after(), func(k, _ []byte) bool {
		out = append(out, slices.Clone(k))
		return true
	})
	return out
}

// SetGrant gives subject exactly these rights on all calendars of target; 0
// takes them away. Both must be of one organisation, and neither a group. Grants
// on single calendars of the target stay. ErrNotFound, ErrInvalid.
func (tx *Tx) SetGrant(subject, target PrincipalID, r Rights) error {
	return tx.setGrant(subject, Grant{Target: target, Rights: r})
}

// SetGrantOn gives subject exactly these rights on one calendar of a user, beside
// those that it has on all of them; 0 takes them away. The only calendar of
// anybody else is granted with its owner. ErrNotFound, ErrInvalid.
func (tx *Tx) SetGrantOn(subject PrincipalID, id CollectionID, r Rights) error {
	c, err := tx.Collection(id)
	if err != nil {
		return err
	}
	return tx.setGrant(subject, Grant{Target: c.Owner, Collection: id, Rights: r})
}

func (tx *Tx) setGrant(subject PrincipalID, g Grant) error {
	s, err := tx.Principal(subject)
	if err != nil {
		return err
	}
	if err := tx.checkGrant(s.Org, g); err != nil {
		return err
	}
	g.Rights &= RightFreeBusy | RightRead | RightDelete | RightWrite | RightAdmin
	// It would reach nobody.
	if g.Rights != 0 && s.Kind == KindGroup {
		return fmt.Errorf("%w: a group gets no grants", ErrInvalid)
	}
	there := grantKey(subject, g)
	switch old := tx.get(there); {
	case old == nil && g.Rights == 0, old != nil && Rights(old[0]) == g.Rights:
		return nil // it is so already
	case g.Rights == 0:
		tx.noteGrant(OpDeleted, s, g)
	default:
		tx.noteGrant(createdUnless(old != nil), s, g)
	}
	if g.Rights == 0 {
		tx.del(there)
		tx.del(grantOnKey(there))
	} else {
		tx.put(there, []byte{byte(g.Rights)})
		tx.put(grantOnKey(there), []byte{byte(g.Rights)})
	}
	tx.directoryChanged()
	return nil
}

// checkGrant checks what a grant is on.
func (tx *Tx) checkGrant(org PrincipalID, g Grant) error {
	t, err := tx.principal(g.Target)
	if err != nil || t.Org != org {
		return fmt.Errorf("principal %d: %w", g.Target, ErrNotFound)
	}
	if g.Rights != 0 && t.Kind == KindGroup {
		return fmt.Errorf("%w: a group is not the target of grants", ErrInvalid)
	}
	if g.Collection == 0 {
		return nil
	}
	if c, err := tx.collection(g.Collection); err != nil || c.Owner != g.Target {
		return fmt.Errorf("collection %d: %w", g.Collection, ErrNotFound)
	}
	if t.Kind != KindUser {
		return fmt.Errorf("%w: a %s has one calendar: the grant is on the %[2]s itself", ErrInvalid, t.Kind)
	}
	return nil
}

// dropGrants takes away what a principal was granted, and what was granted on
// it and its calendars.
func (tx *Tx) dropGrants(id PrincipalID) {
	for _, k := range tx.keys(newKey(tableGrants).principal(id)) {
		tx.del(k)
		tx.del(grantOnKey(k))
	}
	tx.dropGrantsOn(newKey(tableGrantsOn).principal(id), 0)
}

// dropGrantsOn takes away the grants that are found by keys beginning with from,
// of one length (0: of any).
func (tx *Tx) dropGrantsOn(from key, length int) {
	for _, k := range tx.keys(from) {
		if length == 0 || len(k) == length {
			tx.del(k)
			tx.del(grantBackKey(k))
		}
	}
}

// dropShares takes away the grants on one calendar.
func (tx *Tx) dropShares(c *Collection) error {
	from := newKey(tableGrantsOn).principal(c.Owner).collection(c.ID)
	tx.dropGrantsOn(from, len(from)+4)
	return tx.dropCredentialGrants(c.Org, func(g Grant) bool { return g.Collection == c.ID }, nil)
}

// --- collections ---

// home checks that the actor may change the owner's home.
func (tx *Tx) home(a *Actor, owner PrincipalID) error {
	p, err := tx.principal(owner)
	if err != nil {
		return fmt.Errorf("principal %d: %w", owner, err)
	}
	switch have := tx.Rights(a, owner); {
	case have == 0:
		return fmt.Errorf("principal %d: %w", owner, ErrNotFound)
	case !have.Has(RightWrite):
		return fmt.Errorf("home of principal %d: %w", owner, ErrForbidden)
	case p.Kind != KindUser:
		return fmt.Errorf("home of principal %d: %w", owner, ErrHomeFixed)
	}
	return nil
}

// maxCollections bounds a home.
const maxCollections = 1000

// CreateCollection stores a new collection in a user's home; the actor needs
// write on it. ID, UUID, Org and Created are set. ErrExists, ErrForbidden,
// ErrHomeFixed (a resource has exactly one), ErrQuota, ErrInvalid.
func (tx *Tx) CreateCollection(a *Actor, c *Collection) error {
	if err := tx.home(a, c.Owner); err != nil {
		return err
	}
	if all := tx.keys(newKey(tableHomes).principal(c.Owner)); len(all) >= maxCollections {
		return fmt.Errorf("home has %d calendars: %w", len(all), ErrQuota)
	}
	return tx.createCollection(c)
}

func (tx *Tx) createCollection(c *Collection) error {
	if err := c.check(); err != nil {
		return err
	}
	if tx.get(homeKey(c.Owner, c.Name)) != nil {
		return fmt.Errorf("collection %q: %w", c.Name, ErrExists)
	}
	p, err := tx.principal(c.Owner)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	c.ID, c.UUID, c.Org = CollectionID(tx.next(metaCollection)), id, p.Org
	c.Created, c.Modified = tx.now, tx.now
	tx.put(collectionKey(c.ID), encodeRecord(c))
	for k, b := range c.derived() {
		tx.put([]byte(k), b)
	}
	tx.setState(c.ID, &State{})
	tx.directoryChanged()
	tx.noteCollection(OpCreated, c)
	return nil
}

// Bounds of what a collection's record holds, in bytes.
const (
	maxTextProperty = 64 << 10
	maxDeadBytes    = 512 << 10
	maxDeadProps    = 1000 // of one resource
)

func (c *Collection) check() error {
	if err := checkName(c.Name); err != nil {
		return err
	}
	n := len(c.DisplayName) + len(c.Description) + len(c.Timezone) + len(c.TimezoneID)
	for _, kind := range c.Components {
		n += len(kind)
	}
	if n > maxTextProperty || len(c.Components) > 16 {
		return fmt.Errorf("%w: properties of the calendar are too large", ErrInvalid)
	}
	return checkDead(c.Dead)
}

func checkDead(props []DeadProp) error {
	n := 0
	for _, d := range props {
		n += len(d.Space) + len(d.Local) + len(d.XML)
	}
	if len(props) > maxDeadProps {
		return fmt.Errorf("%w: more than %d properties", ErrQuota, maxDeadProps)
	}
	if n > maxDeadBytes {
		return fmt.Errorf("%w: properties are larger than %d bytes", ErrQuota, maxDeadBytes)
	}
	return nil
}

// UpdateCollection changes a collection's properties; ID, UUID, Owner, Org, Name
// and Created stay, and Modified where nothing changes. The actor needs write.
// ErrNotFound, ErrForbidden, ErrInvalid.
func (tx *Tx) UpdateCollection(a *Actor, c *Collection) error {
	if _, err := tx.need(a, c.ID, RightWrite); err != nil {
		return err
	}
	old, err := tx.Collection(c.ID)
	if err != nil {
		return err
	}
	c.UUID, c.Owner, c.Org, c.Name, c.Created = old.UUID, old.Owner, old.Org, old.Name, old.Created
	if err := c.check(); err != nil {
		return err
	}
	c.Modified = old.Modified
	if bytes.Equal(encodeRecord(c), encodeRecord(old)) {
		return nil
	}
	tx.noteCollection(OpChanged, c)
	c.Modified = tx.now
	tx.put(collectionKey(c.ID), encodeRecord(c))
	tx.directoryChanged()
	tx.touch(c.ID)
	return nil
}

// DeleteCollection removes a collection with its members; blocks are released.
// All of that is so at once for everybody who looks; the members of a large one
// leave the file bit by bit, see sweep.go. ErrHomeFixed for the calendar of a
// resource or organisation. ErrNotFound, ErrForbidden.
func (tx *Tx) DeleteCollection(a *Actor, id CollectionID) error {
	c, err := tx.need(a, id, RightWrite)
	if err != nil {
		return err
	}
	if err := tx.home(a, c.Owner); err != nil {
		return err
	}
	if err := tx.dropShares(c); err != nil {
		return err
	}
	return tx.dropCollection(c)
}

// RenameCollection gives a collection another name in the same home. Members,
// tokens and tags stay. ErrExists, ErrHomeFixed, ErrForbidden, ErrInvalid.
func (tx *Tx) RenameCollection(a *Actor, id CollectionID, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := tx.need(a, id, RightWrite); err != nil {
		return err
	}
	c, err := tx.Collection(id)
	if err != nil {
		return err
	}
	if err := tx.home(a, c.Owner); err != nil {
		return err
	}
	if tx.get(homeKey(c.Owner, name)) != nil {
		return fmt.Errorf("collection %q: %w", name, ErrExists)
	}
	tx.del(homeKey(c.Owner, c.Name))
	tx.noteRename(c, name)
	c.Name, c.Modified = name, tx.now
	tx.put(collectionKey(id), encodeRecord(c))
	tx.put(homeKey(c.Owner, name), key(nil).collection(id))
	tx.directoryChanged()
	return nil
}
