package admin

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/remotes"
	"daybook/store"
)

// The file of apply. Every struct keeps the line that it began at, for errors.
// Pointers are nil for what the file does not say: that is left as it is.

type spec struct {
	Organisations []organisationSpec `yaml:"organisations"`
}

type organisationSpec struct {
	Line      int            `yaml:"-"`
	Slug      string         `yaml:"slug"`
	ID        *string        `yaml:"id"`
	Name      *string        `yaml:"name"`
	Zone      *string        `yaml:"zone"`
	Users     []userSpec     `yaml:"users"`
	Resources []resourceSpec `yaml:"resources"`
	Groups    []groupSpec    `yaml:"groups"`
	Services  []serviceSpec  `yaml:"services"`
	Tokens    []tokenSpec    `yaml:"tokens"`
	Feeds     []feedSpec     `yaml:"feeds"`
	Remotes   []remoteSpec   `yaml:"remotes"`
}

// remoteSpec is a remote as the file says it: what it leaves out is the default.
type remoteSpec struct {
	Line         int `yaml:"-"`
	remotes.Spec `yaml:",inline"`
}

type userSpec struct {
	Line        int       `yaml:"-"`
	ID          *string   `yaml:"id"`
	Name        string    `yaml:"name"`
	Password    *string   `yaml:"password"`
	Email       *string   `yaml:"email"`
	DisplayName *string   `yaml:"display_name"`
	Color       *string   `yaml:"color"`
	Zone        *string   `yaml:"zone"`
	Grants      *[]string `yaml:"grants"` // RIGHT on the organisation, or RIGHT@TARGET, RIGHT@USER/CALENDAR
}

type resourceSpec struct {
	Line        int     `yaml:"-"`
	ID          *string `yaml:"id"`
	Kind        string  `yaml:"kind"`
	Name        string  `yaml:"name"`
	DisplayName *string `yaml:"display_name"`
	Email       *string `yaml:"email"`
	Alias       *int    `yaml:"alias"`
	Color       *string `yaml:"color"`
	Zone        *string `yaml:"zone"`
}

type tokenSpec struct {
	Line    int      `yaml:"-"`
	ID      string   `yaml:"id"`
	Secret  string   `yaml:"secret"`
	Kind    string   `yaml:"kind"`
	User    *string  `yaml:"user"`
	Label   *string  `yaml:"label"`
	Expires *string  `yaml:"expires"` // a day or an instant (RFC 3339)
	Grants  []string `yaml:"grants"`
}

type feedSpec struct {
	Line      int     `yaml:"-"`
	Secret    string  `yaml:"secret"`
	Name      string  `yaml:"name"`
	Calendar  string  `yaml:"calendar"` // one more of Calendars
	Refresh   *string `yaml:"refresh"`  // a duration such as 6h
	Expires   *string `yaml:"expires"`
	FeedShape `yaml:",inline"`
}

// shape gives the shape with the one calendar among the others.
func (d *feedSpec) shape() *FeedShape {
	s := d.FeedShape
	if d.Calendar != "" {
		s.Calendars = append([]string{d.Calendar}, s.Calendars...)
	}
	return &s
}

// Fault is one thing wrong with the file of apply.
type Fault struct {
	Line    int // from 1; 0 when the whole file is meant
	Message string
}

// Faults is every thing wrong with the file, in order of lines. It unwraps to
// store.ErrInvalid.
type Faults []Fault

func (f Faults) Error() string {
	var b strings.Builder
	if len(f) > 1 {
		fmt.Fprintf(&b, "%d problems in the file, nothing was changed:\n  ", len(f))
	}
	for i, x := range f {
		if i > 0 {
			b.WriteString("\n  ")
		}
		if x.Line > 0 {
			b.WriteString("line " + strconv.Itoa(x.Line) + ": ")
		}
		b.WriteString(x.Message)
	}
	return b.String()
}

// Unwrap gives the store's error.
func (f Faults) Unwrap() error { return store.ErrInvalid }

func (f *Faults) add(line int, format string, args ...any) {
	*f = append(*f, Fault{line, fmt.Sprintf(format, args...)})
}

func (f *Faults) err(line int, where string, err error) {
	if err != nil {
		f.add(line, "%s: %v", where, err)
	}
}

func (f Faults) sorted() Faults {
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return f
}

// parseSpec reads and checks a file as far as it can be without a store. The
// error is of type Faults.
func parseSpec(data []byte) (*spec, error) {
	var s spec
	var faults Faults
	decodeYAML(data, &s, &faults)
	seen := uniques{}
	for i := range s.Organisations {
		s.Organisations[i].check(&faults, seen)
	}
	if len(faults) > 0 {
		return nil, faults.sorted()
	}
	return &s, nil
}

// uniques remembers where a value was used first.
type uniques map[string]int

func (u uniques) check(f *Faults, line int, what, value string) {
	if value == "" {
		return
	}
	key := what + "\x00" + value
	if first, ok := u[key]; ok {
		f.add(line, "%s %q is used twice, first at line %d", what, value, first)
		return
	}
	u[key] = line
}

func (o *organisationSpec) check(f *Faults, seen uniques) {
	if o.Slug == "" {
		f.add(o.Line, "an organisation needs a slug")
	}
	seen.check(f, o.Line, "name", o.Slug)
	checkID(f, seen, o.Line, o.ID)
	f.err(o.Line, "zone", checkZone(text(o.Zone)))
	for i := range o.Users {
		o.Users[i].check(f, seen)
	}
	for i := range o.Resources {
		o.Resources[i].check(f, seen, o.Slug)
	}
	for i := range o.Groups {
		o.Groups[i].check(f, seen, o.Slug)
	}
	for i := range o.Services {
		o.Services[i].check(f, seen, o.Slug)
	}
	for i := range o.Tokens {
		o.Tokens[i].check(f, seen)
	}
	for i := range o.Feeds {
		o.Feeds[i].check(f, seen)
	}
	for i := range o.Remotes {
		r := &o.Remotes[i]
		if r.Name == "" || r.Calendar == "" || r.URL == "" {
			f.add(r.Line, "a remote needs name, calendar and url")
		}
		seen.check(f, r.Line, "remote of "+o.Slug, r.Name)
	}
}

func (u *userSpec) check(f *Faults, seen uniques) {
	if u.Name == "" {
		f.add(u.Line, "a user needs a name")
	}
	seen.check(f, u.Line, "name", u.Name)
	checkID(f, seen, u.Line, u.ID)
	if u.Password != nil && *u.Password == "" {
		f.add(u.Line, "the password of user %q is empty", u.Name)
	}
	f.err(u.Line, "color", checkColor(text(u.Color)))
	f.err(u.Line, "zone", checkZone(text(u.Zone)))
	if u.Grants != nil {
		checkGrants(f, u.Line, *u.Grants)
	}
}

func (r *resourceSpec) check(f *Faults, seen uniques, org string) {
	if r.Name == "" {
		f.add(r.Line, "a resource needs a name")
	}
	seen.check(f, r.Line, "name", r.Name)
	checkID(f, seen, r.Line, r.ID)
	if _, err := resourceKind(r.Kind); err != nil {
		f.err(r.Line, "resource "+strconv.Quote(r.Name), err)
	}
	checkAlias(f, seen, r.Line, r.Alias, org)
	f.err(r.Line, "color", checkColor(text(r.Color)))
	f.err(r.Line, "zone", checkZone(text(r.Zone)))
}

func (t *tokenSpec) check(f *Faults, seen uniques) {
	f.err(t.Line, "token", checkTokenID(t.ID))
	seen.check(f, t.Line, "token", t.ID)
	if t.Secret == "" {
		f.add(t.Line, "token %q needs a secret", t.ID)
	}
	if _, err := tokenKind(t.Kind); err != nil {
		f.err(t.Line, "token "+strconv.Quote(t.ID), err)
	}
	if t.Kind == string(store.CredentialApp) && t.User == nil {
		f.add(t.Line, "token %q: an app password needs a user", t.ID)
	}
	if t.User == nil && len(t.Grants) == 0 {
		f.add(t.Line, "token %q has neither user nor grants and could do nothing", t.ID)
	}
	checkGrants(f, t.Line, t.Grants)
	_, err := parseInstant(t.Expires)
	f.err(t.Line, "expires", err)
}

func (d *feedSpec) check(f *Faults, seen uniques) {
	if d.Secret == "" || d.Name == "" {
		f.add(d.Line, "a feed needs secret and name")
	}
	f.err(d.Line, "feed", d.shape().check())
	if first, ok := seen["feed\x00"+d.Secret]; ok && d.Secret != "" {
		f.add(d.Line, "the secret of feed %q is used twice, first at line %d", d.Name, first)
	}
	seen["feed\x00"+d.Secret] = d.Line
	if d.Name != feedName(d.Name) {
		f.add(d.Line, "feed name %q: letters, digits, - and _ are accepted", d.Name)
	}
	_, err := parseRefresh(d.Refresh)
	f.err(d.Line, "refresh", err)
	_, err = parseInstant(d.Expires)
	f.err(d.Line, "expires", err)
}

func checkID(f *Faults, seen uniques, line int, id *string) {
	if id == nil {
		return
	}
	u, err := uuid.Parse(*id)
	if err != nil || u == uuid.Nil {
		f.add(line, "id %q is not a UUID", *id)
		return
	}
	seen.check(f, line, "id", u.String())
}

func checkAlias(f *Faults, seen uniques, line int, alias *int, org string) {
	if alias == nil {
		return
	}
	if *alias < 1 || *alias >= 1<<26 {
		f.add(line, "alias %d is not between 1 and %d", *alias, 1<<26-1)
	}
	seen.check(f, line, "alias of "+org, strconv.Itoa(*alias))
}

func checkGrants(f *Faults, line int, words []string) {
	for _, w := range words {
		right, _, _ := strings.Cut(w, "@")
		_, err := parseRights([]string{right})
		f.err(line, "grants", err)
	}
}

// parseInstant reads a day (its begin in UTC) or an instant; nil is the zero
// time.
func parseInstant(s *string) (time.Time, error) {
	if s == nil || *s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, *s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a day such as 2027-01-31 nor an instant such as 2027-01-31T12:00:00Z", *s)
}

func parseRefresh(s *string) (time.Duration, error) {
	if s == nil || *s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(*s)
	if err != nil || d < time.Minute || d > 366*24*time.Hour {
		return 0, fmt.Errorf("%q is not a duration between 1m and 8784h", *s)
	}
	return d, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// id gives the UUID that a spec names; zero for none. It was checked before.
func id(s *string) uuid.UUID {
	if s == nil {
		return uuid.Nil
	}
	u, err := uuid.Parse(*s)
	if err != nil {
		return uuid.Nil
	}
	return u
}
