package ical

import (
	"math"
	"strings"

	"daybook/ical/span"
)

// Selection is what CALDAV:calendar-data asks for (RFC 4791 §9.6). At most one
// of Expand and LimitSet is set; both have a start and an end.
type Selection struct {
	Comp         *CompSelection // nil: everything
	Expand       *span.Span     // instances instead of rules (§9.6.5)
	LimitSet     *span.Span     // limit-recurrence-set (§9.6.6)
	LimitFree    *span.Span     // limit-freebusy-set (§9.6.7)
	Zone         *Zone          // places floating times; nil: UTC
	MaxInstances int            // of Expand; 0 is DefaultMaxInstances
}

// CompSelection is CALDAV:comp (RFC 4791 §9.6.1). One without children means
// everything in the component.
type CompSelection struct {
	Name     string
	AllProps bool
	AllComps bool
	Props    []PropSelection
	Comps    []CompSelection
}

// PropSelection is CALDAV:prop (RFC 4791 §9.6.4). With NoValue the name and
// the parameters are given alone.
type PropSelection struct {
	Name    string
	NoValue bool
}

// maxSelected bounds the text that one selection gives beyond the object's
// own size: instances repeat the text of their component.
const maxSelected = 64 << 20

// Whole reports whether the selection changes nothing.
func (s *Selection) Whole() bool {
	return s == nil || s.Comp.everything() && s.Expand == nil && s.LimitSet == nil && s.LimitFree == nil
}

// everything reports whether nothing in the component is left out.
func (c *CompSelection) everything() bool {
	return c == nil || len(c.Props) == 0 && len(c.Comps) == 0 && c.AllProps == c.AllComps
}

// prop tells whether a property is wanted, and whether without its value.
func (c *CompSelection) prop(name string) (wanted, noValue bool) {
	if c.everything() || c.AllProps {
		return true, false
	}
	for i := range c.Props {
		if strings.EqualFold(c.Props[i].Name, name) {
			return true, c.Props[i].NoValue
		}
	}
	return false, false
}

// comp tells whether a component inside is wanted, and what of it.
func (c *CompSelection) comp(name string) (sel *CompSelection, wanted bool) {
	if c.everything() || c.AllComps {
		return nil, true
	}
	for i := range c.Comps {
		if strings.EqualFold(c.Comps[i].Name, name) {
			return &c.Comps[i], true
		}
	}
	return nil, false
}

// Select gives the bytes of the selected part as one VCALENDAR: the content
// lines as they are stored, but for those that an expansion rewrites. For a
// selection that is Whole it is Data. A *LimitError means that there are more
// instances than MaxInstances, or more text than is given at once; a
// *FilterError that the top component is not VCALENDAR.
func (o *Object) Select(s *Selection) ([]byte, error) {
	if s.Whole() {
		return o.data, nil
	}
	if s.Comp != nil && !strings.EqualFold(s.Comp.Name, o.root.Name) {
		return nil, invalidFilter("the top component of calendar-data is VCALENDAR")
	}
	p := picker{o: o, s: s, zone: s.Zone}
	if p.zone == nil {
		p.zone = UTCZone
	}
	if s.LimitSet != nil && s.Expand == nil {
		p.dropped = o.outside(*s.LimitSet, p.zone)
	}
	p.out = make([]byte, 0, min(len(o.data), 4096))
	p.begin(o.root, s.Comp)
	if s.Expand != nil {
		if err := p.expand(*s.Expand); err != nil {
			return nil, err
		}
	} else {
		p.children(o.root, s.Comp)
	}
	p.end(o.root)
	return p.out, nil
}

// picker writes the selected part of one object.
type picker struct {
	o       *Object
	s       *Selection
	zone    *Zone // not nil
	dropped map[*Component]bool
	out     []byte
}

func (p *picker) line(text string) { p.out = appendFolded(p.out, text) }

// begin writes BEGIN and the component's own lines.
func (p *picker) begin(c *Component, sel *CompSelection) {
	p.line("BEGIN:" + c.Name)
	for i := range c.Lines {
		p.prop(c, &c.Lines[i], sel)
	}
}

func (p *picker) end(c *Component) { p.line("END:" + c.Name) }

// component writes a component and what is in it.
func (p *picker) component(c *Component, sel *CompSelection) {
	if sel.everything() && (c.Name != "VFREEBUSY" || p.s.LimitFree == nil) {
		p.out = append(p.out, p.o.data[c.start:c.end]...)
		return
	}
	p.begin(c, sel)
	p.children(c, sel)
	p.end(c)
}

func (p *picker) children(c *Component, sel *CompSelection) {
	for _, d := range c.Children {
		if sub, wanted := sel.comp(d.Name); wanted && !p.dropped[d] {
			p.component(d, sub)
		}
	}
}

// prop writes a line as it is stored, or what is left of it.
func (p *picker) prop(c *Component, l *Line, sel *CompSelection) {
	wanted, noValue := sel.prop(l.Name)
	switch {
	case !wanted:
	case noValue:
		p.bare(l)
	case l.Name == "FREEBUSY" && c.Name == "VFREEBUSY" && p.s.LimitFree != nil:
		p.periods(l, *p.s.LimitFree)
	default:
		p.out = append(p.out, p.o.data[l.start:l.end]...)
	}
}

// bare writes a line without its value.
func (p *picker) bare(l *Line) { p.line(l.head() + ":") }

// head is the line up to its colon.
func (l *Line) head() string {
	if l.params == "" {
		return l.Name
	}
	return l.Name + ";" + l.params
}

// periods writes those periods of a FREEBUSY line that are in the window (RFC
// 4791 §9.6.7), and no line where none is.
func (p *picker) periods(l *Line, w span.Span) {
	b := bounds(w)
	var kept []string
	for value := range strings.SplitSeq(l.Value, ",") {
		period, ok := parsePeriod(value)
		if !ok || b.startBefore(period.End) && b.endAfter(period.Start) {
			kept = append(kept, value)
		}
	}
	if len(kept) > 0 {
		p.line(l.head() + ":" + strings.Join(kept, ","))
	}
}

// outside gives the overrides that say nothing about the window (RFC 4791
// §9.6.6): they describe no instance in it, and none was in it before it was
// overridden. When that takes too much work to find, none is left out.
func (o *Object) outside(w span.Span, zone *Zone) map[*Component]bool {
	out := make(map[*Component]bool)
	for _, c := range o.main {
		if c.Line("RECURRENCE-ID") != nil {
			out[c] = true
		}
	}
	if len(out) == 0 {
		return nil
	}
	m := matcher{o: o, zone: zone}
	m.original(out, bounds(w))
	if len(out) == 0 {
		return nil
	}
	cond := m.overlap(o.kind, bounds(w))
	if cond.instance == nil {
		return nil
	}
	// What is in the window besides overrides is of no interest, but has to
	// be walked past.
	window, _ := cond.window(nil)
	err := o.EachInstance(Expand{Window: window, Zone: zone, Max: math.MaxInt}, func(i *Instance) bool {
		if out[i.Component] && cond.instance(i) {
			delete(out, i.Component)
		}
		return len(out) > 0
	})
	if err != nil {
		return nil
	}
	return out
}

// original takes the overrides out of the set whose RECURRENCE-ID, with the
// length of the master, touches b.
func (m *matcher) original(set map[*Component]bool, b bounds) {
	master := m.o.Master()
	for c := range set {
		start, ok := m.instant(c, "RECURRENCE-ID")
		if !ok {
			delete(set, c)
			continue
		}
		end := m.endOf(master, start)
		if b.endAfter(start) && (b.startBefore(end) || b.startUpTo(start)) {
			delete(set, c)
		}
	}
}
