package caldav

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"daybook/caldav/dav"
	"daybook/ical/span"
	"daybook/store"
)

// report answers REPORT (RFC 3253 §3.6) by the table.
func (x *exchange) report() error {
	root, err := x.readXML()
	if err != nil {
		return err
	}
	var r *resource
	err = x.view(func(v *store.View) (err error) {
		r, err = x.resolve(v, x.target)
		return err
	})
	if err != nil {
		return err
	}
	if root == nil {
		return errBadRequest
	}
	row := x.srv.reports[root.Name]
	if row == nil || row.on&r.kind == 0 {
		return errNoReport
	}
	x.srv.metrics.reports.WithLabelValues(row.name.Local).Inc()
	return row.run(x, root)
}

// prop makes the plan of a report: D:prop, allprop, propname, or none of them,
// which asks for nothing.
func (x *exchange) prop(root *dav.Element) (*plan, error) {
	n := root.Count(dav.D("prop")) + root.Count(dav.D("allprop")) + root.Count(dav.D("propname"))
	if n == 0 {
		return &plan{}, nil
	}
	return x.plan(root)
}

// readable resolves the target of a report again, inside of the View that
// answers, and checks the right to read.
func (x *exchange) readable(v *store.View) (*resource, error) {
	r, err := x.resolve(v, x.target)
	if err != nil {
		return nil, err
	}
	return r, x.require(r, store.RightRead)
}

// readRange reads the start and end of a time-range (RFC 4791 §9.9): UTC
// times, at least one; with both, both must be there.
func readRange(el *dav.Element, both bool) (*span.Span, error) {
	var s span.Span
	for _, side := range []struct {
		name string
		t    *time.Time
	}{{"start", &s.Start}, {"end", &s.End}} {
		v := strings.TrimSpace(el.Plain(side.name))
		if v == "" {
			if both {
				return nil, errBadRequest
			}
			continue
		}
		t, err := time.Parse("20060102T150405Z", v)
		if err != nil {
			return nil, errFilter
		}
		*side.t = t
	}
	if s.Start.IsZero() && s.End.IsZero() || !s.Start.IsZero() && !s.End.IsZero() && !s.Start.Before(s.End) {
		return nil, errFilter
	}
	return &s, nil
}

// rfc3253 is of versioning the reports and their set (§3.1.5, §3.6, §3.8).
func rfc3253() module {
	return module{
		props: []property{
			{name: dav.D("supported-report-set"), on: anywhere, get: getReports},
			{name: dav.D("supported-method-set"), on: anywhere, get: getMethods},
		},
		reports: []report{{name: dav.D("expand-property"), on: anywhere, run: (*exchange).expandProperty}},
	}
}

func getReports(x *exchange, r *resource, b []byte) ([]byte, error) {
	for _, row := range x.srv.reportsOn(r.kind) {
		if row.listed != 0 && row.listed&r.kind == 0 {
			continue
		}
		b = append(b, "<D:supported-report><D:report>"...)
		b = append(b, dav.MakeTags(row.name).Empty...)
		b = append(b, "</D:report></D:supported-report>"...)
	}
	return b, nil
}

func getMethods(x *exchange, r *resource, b []byte) ([]byte, error) {
	for name := range strings.SplitSeq(x.srv.allowed(r.kind), ", ") {
		b = append(append(append(b, `<D:supported-method name="`...), name...), `"/>`...)
	}
	return b, nil
}

// maxExpand bounds the resources that one expand-property visits.
const maxExpand = 1000

// expandProperty answers D:expand-property (RFC 3253 §3.8).
func (x *exchange) expandProperty(root *dav.Element) error {
	a := x.newAnswer(dav.MultistatusStart)
	defer a.release()
	err := x.view(func(v *store.View) error {
		r, err := x.readable(v)
		if err != nil {
			return err
		}
		left := maxExpand
		a.b, err = x.expanded(a.b, r, root, &left)
		return err
	})
	if err != nil {
		return err
	}
	return a.finish(dav.MultistatusEnd)
}

// expanded appends the response of one resource, its properties with the
// addresses in them replaced by responses of their own.
func (x *exchange) expanded(b []byte, r *resource, el *dav.Element, left *int) ([]byte, error) {
	if *left--; *left < 0 {
		return b, errMatches
	}
	if len(el.Children) > maxAsks {
		return b, errBadRequest
	}
	p := &plan{}
	nested := make(map[int]*dav.Element)
	for _, c := range el.Children {
		if !c.Is(dav.D("property")) || c.Plain("name") == "" {
			return b, errBadRequest
		}
		name := dav.D(c.Plain("name"))
		for _, at := range c.Attrs {
			if at.Name.Space == "" && at.Name.Local == "namespace" {
				name.Space = at.Value
			}
		}
		n := len(p.asks)
		if x.ask(p, name); len(p.asks) > n && len(c.Children) > 0 {
			nested[n] = c
		}
	}
	b = append(b, dav.ResponseStart...)
	b = append(r.appendHref(b), "</D:href>"...)
	begin := len(b)
	b = append(b, dav.PropstatStart...)
	start := len(b)
	var missing, denied []int
	for i := range p.asks {
		var err error
		x.missing, x.denied = x.missing[:0], x.denied[:0]
		at := len(b)
		if b, err = x.value(b, p, i, r); err != nil {
			return b, err
		}
		missing, denied = append(missing, x.missing...), append(denied, x.denied...)
		if c := nested[i]; c != nil && len(b) > at {
			if b, err = x.expandValue(b, at, p.asks[i].tags, c, left); err != nil {
				return b, err
			}
		}
	}
	if len(b) > start || len(missing)+len(denied) == 0 {
		b = append(b, dav.PropstatOK...)
	} else {
		b = b[:begin]
	}
	if !x.prefer.Minimal {
		b = p.appendNames(b, missing, http.StatusNotFound, nil)
	}
	b = p.appendNames(b, denied, http.StatusForbidden, errNeedPrivileges)
	return append(b, dav.ResponseEnd...), nil
}

// expandValue replaces the value that begins at at by responses for the
// addresses in it. What the actor may not see has a status alone.
func (x *exchange) expandValue(b []byte, at int, tags dav.Tags, c *dav.Element, left *int) ([]byte, error) {
	value, err := dav.Parse(slices.Concat([]byte("<v"+dav.Namespaces+">"), b[at:], []byte("</v>")), dav.Limits{})
	if err != nil {
		return b, err
	}
	b = append(b[:at], tags.Open...)
	for _, h := range value.Children[0].Children {
		if !h.Is(dav.D("href")) {
			continue
		}
		r, err := x.resolveHref(h.Trimmed())
		if err == nil {
			err = x.require(r, store.RightRead)
		}
		if err != nil {
			e := x.davError(err)
			if e.Status >= http.StatusInternalServerError {
				return b, err
			}
			b = append(dav.AppendText(append(b, dav.ResponseStart...), h.Trimmed()), "</D:href>"...)
			b = append(dav.AppendStatus(b, e.Status), dav.ResponseEnd...)
			continue
		}
		if b, err = x.expanded(b, r, c, left); err != nil {
			return b, err
		}
	}
	return append(b, tags.Close...), nil
}

// resolveHref finds what a D:href names.
func (x *exchange) resolveHref(ref string) (*resource, error) {
	path, err := dav.PathOf(ref)
	if err != nil {
		return nil, errNotFound
	}
	a, err := x.parse(path)
	if err != nil {
		return nil, err
	}
	r, err := x.resolve(x.v, a)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errNotFound
	}
	return r, err
}
