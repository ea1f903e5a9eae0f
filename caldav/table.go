package caldav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/store"
)

// property is a row of the table of live properties. get appends the content
// of the property's element to b; errAbsent says that this resource has none,
// store.ErrForbidden that the actor may not read it.
type property struct {
	name    xml.Name
	on      kind
	allprop bool // answered to <allprop/>; the properties of RFC 4791 are not (§5.2)
	body    bool // needs the object's data, so only in a REPORT
	dead    bool // kept with the dead properties; get gives a default
	atBirth bool // set only when a collection is made
	get     func(x *exchange, r *resource, b []byte) ([]byte, error)
	set     func(x *exchange, d *draft, el *dav.Element) error // nil: protected; nil element: remove
}

// report is a row of the table of reports.
type report struct {
	name   xml.Name
	on     kind
	listed kind // where supported-report-set names it; 0: where it is
	run    func(x *exchange, root *dav.Element) error
}

// plan is what a request asks of each resource.
type plan struct {
	asks  []ask
	names bool // propname: no values
	all   bool // allprop and propname: dead properties too
	body  bool // some row needs the object's data
}

// ask is one property that is asked for.
type ask struct {
	row  *property // nil: not live
	name xml.Name
	tags dav.Tags
}

// maxAsks is more properties than any client asks for.
const maxAsks = 256

// ask appends a property to the plan, once.
func (x *exchange) ask(p *plan, name xml.Name) {
	for i := range p.asks {
		if p.asks[i].name == name {
			return
		}
	}
	row := x.srv.byName[name]
	if row != nil && row.body {
		if x.data == nil {
			row = nil
		} else {
			p.body = true
		}
	}
	p.asks = append(p.asks, ask{row, name, dav.MakeTags(name)})
}

// plan reads D:prop, D:allprop or D:propname among the children of a request
// (RFC 4918 §14.20); with none, bare says whether allprop is meant.
func (x *exchange) plan(root *dav.Element) (*plan, error) {
	p := &plan{}
	var found int
	for _, el := range root.Children {
		switch el.Name {
		case dav.D("prop"):
			found++
			for _, c := range el.Children[:min(len(el.Children), maxAsks+1)] {
				x.ask(p, c.Name)
			}
		case dav.D("allprop"):
			found++
			p.all = true
		case dav.D("propname"):
			found++
			p.all, p.names = true, true
		}
	}
	if found != 1 || len(p.asks) > maxAsks {
		return nil, errBadRequest
	}
	if p.all {
		x.askAll(p, root.Child(dav.D("include")))
	}
	return p, nil
}

// askAll appends the rows that allprop or propname means.
func (x *exchange) askAll(p *plan, include *dav.Element) {
	for _, row := range x.srv.props {
		if row.allprop || p.names && !row.body {
			x.ask(p, row.name)
		}
	}
	if include != nil && !p.names {
		for _, c := range include.Children[:min(len(include.Children), maxAsks)] {
			x.ask(p, c.Name)
		}
	}
}

// response appends the D:response of one resource.
func (x *exchange) response(b []byte, p *plan, r *resource) ([]byte, error) {
	b = append(b, dav.ResponseStart...)
	b = r.appendHref(b)
	b = append(b, "</D:href>"...)
	b, err := x.propstats(b, p, r)
	return append(b, dav.ResponseEnd...), err
}

// propstats appends what was found, then what is missing, then what is denied.
func (x *exchange) propstats(b []byte, p *plan, r *resource) ([]byte, error) {
	begin := len(b)
	b = append(b, dav.PropstatStart...)
	start := len(b)
	x.missing, x.denied, x.endless = x.missing[:0], x.denied[:0], x.endless[:0]
	var err error
	for i := range p.asks {
		if b, err = x.value(b, p, i, r); err != nil {
			return b, err
		}
	}
	if p.all {
		if b, err = x.allDead(b, p, r); err != nil {
			return b, err
		}
	}
	switch {
	case len(b) > start || len(x.missing)+len(x.denied)+len(x.endless) == 0 || x.prefer.Minimal && len(x.denied)+len(x.endless) == 0:
		b = append(b, dav.PropstatOK...)
	default:
		b = b[:begin]
	}
	if !x.prefer.Minimal {
		b = p.appendNames(b, x.missing, http.StatusNotFound, nil)
	}
	b = p.appendNames(b, x.endless, 403, errMatches)
	return p.appendNames(b, x.denied, http.StatusForbidden, errNeedPrivileges), nil
}

// value appends one property, or notes why not.
func (x *exchange) value(b []byte, p *plan, i int, r *resource) ([]byte, error) {
	a := &p.asks[i]
	if a.row == nil || a.row.dead || a.row.on&r.kind == 0 {
		dead, err := x.dead(r)
		if err != nil {
			return b, err
		}
		for _, d := range dead {
			if d.Local == a.name.Local && d.Space == a.name.Space {
				if p.names {
					return append(b, a.tags.Empty...), nil
				}
				return append(b, d.XML...), nil
			}
		}
	}
	at := len(b)
	err := errAbsent
	if a.row != nil && a.row.on&r.kind != 0 && a.row.get != nil {
		b = append(b, a.tags.Open...)
		n := len(b)
		b, err = a.row.get(x, r, b)
		if err == nil && (len(b) == n || p.names) {
			return append(b[:at], a.tags.Empty...), nil
		}
	}
	switch {
	case err == nil:
		return append(b, a.tags.Close...), nil
	case errors.Is(err, errAbsent):
		if !p.all || a.row == nil {
			x.missing = append(x.missing, i)
		}
	case errors.Is(err, store.ErrForbidden):
		if !p.all {
			x.denied = append(x.denied, i)
		}
	default:
		if _, ok := errors.AsType[*ical.LimitError](err); !ok {
			return b, err
		}
		x.endless = append(x.endless, i)
	}
	return b[:at], nil
}

// allDead appends the dead properties that no row stands for.
func (x *exchange) allDead(b []byte, p *plan, r *resource) ([]byte, error) {
	all, err := x.dead(r)
dead:
	for _, d := range all {
		name := xml.Name{Space: d.Space, Local: d.Local}
		for i := range p.asks {
			if p.asks[i].name == name {
				continue dead
			}
		}
		if p.names {
			b = append(b, dav.MakeTags(name).Empty...)
		} else {
			b = append(b, d.XML...)
		}
	}
	return b, err
}

// appendNames appends a propstat with names only.
func (p *plan) appendNames(b []byte, which []int, code int, e *dav.Error) []byte {
	if len(which) == 0 {
		return b
	}
	b = append(b, dav.PropstatStart...)
	for _, i := range which {
		b = append(b, p.asks[i].tags.Empty...)
	}
	b = dav.AppendStatus(append(b, "</D:prop>"...), code)
	if e != nil {
		b = e.AppendElement(b)
	}
	return append(b, "</D:propstat>"...)
}

// constant is a getter of the same content for every resource.
func constant(content string) func(*exchange, *resource, []byte) ([]byte, error) {
	return func(_ *exchange, _ *resource, b []byte) ([]byte, error) { return append(b, content...), nil }
}

// text is a getter of character data; "" is absent.
func text(of func(*resource) string) func(*exchange, *resource, []byte) ([]byte, error) {
	return func(_ *exchange, r *resource, b []byte) ([]byte, error) {
		s := of(r)
		if s == "" {
			return b, errAbsent
		}
		return dav.AppendText(b, s), nil
	}
}

// deadEqual compares two lists, to know whether a write changes anything.
func deadEqual(a, b []store.DeadProp) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Space != b[i].Space || a[i].Local != b[i].Local || !bytes.Equal(a[i].XML, b[i].XML) {
			return false
		}
	}
	return true
}
