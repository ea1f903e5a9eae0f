package ical

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
)

// Content gives a hash of what an object says, for comparing two versions of
// it: the order of components and lines, folding, UIDs and the stamps of the
// export do not count. Programs that write all of these anew at each request
// still say the same.
func (o *Object) Content() [16]byte {
	var b []byte
	for _, text := range o.root.said(volatileLines) {
		b = append(append(b, text...), 0)
	}
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

// said gives the lines and, each as one text, the children, in order. Of the
// VCALENDAR's own lines none counts.
func (c *Component) said(without []string) []string {
	var out []string
	if c.Name != "VCALENDAR" {
		for i := range c.Lines {
			if l := &c.Lines[i]; !slices.Contains(without, l.Name) {
				out = append(out, l.raw())
			}
		}
	}
	for _, k := range c.Children {
		out = append(out, k.Name+"\x01"+strings.Join(k.said(without), "\x02"))
	}
	slices.Sort(out)
	return out
}

// raw is the line unfolded, with its name in upper case.
func (l *Line) raw() string {
	if l.params == "" {
		return l.Name + ":" + l.Value
	}
	return l.Name + ";" + l.params + ":" + l.Value
}

// ErrConflict tells that both sides changed the same thing in different ways.
var ErrConflict = errors.New("changed on both sides")

// stampLines are of the last writer; that both sides have others is no
// conflict.
var stampLines = []string{"DTSTAMP", "LAST-MODIFIED", "CREATED", "SEQUENCE"}

// timeLines make one statement together: two changes of it do not join.
var timeLines = []string{"DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE"}

// Join gives theirs with the changes that ours made since base, which both come
// from: a three-way merge by property and component. Times and recurrence are
// one thing, and so are all alarms of a component. ErrConflict where both changed
// the same thing, *InvalidError where the result would be none.
func Join(base, ours, theirs *Object) (*Object, error) {
	if base.kind != ours.kind || base.kind != theirs.kind || ours.uid != theirs.uid {
		return nil, ErrConflict
	}
	was, mine, here := base.byInstance(), ours.byInstance(), theirs.byInstance()
	e := theirs.Edit()
	for id, m := range mine {
		b, t := was[id], here[id]
		switch {
		case b != nil && equalSaid(b, m): // only they may have changed it
		case t == nil && b == nil:
			e.AddComponent(theirs.root, string(ours.data[m.start:m.end]))
		case b == nil || t == nil:
			if t == nil || !equalSaid(m, t) {
				return nil, ErrConflict
			}
		default:
			if err := joinComponent(e, ours, b, m, t); err != nil {
				return nil, err
			}
		}
	}
	for id, b := range was {
		if mine[id] != nil || here[id] == nil {
			continue
		}
		if !equalSaid(b, here[id]) {
			return nil, ErrConflict // we removed what they changed
		}
		e.RemoveComponent(here[id])
	}
	// Instances are added or removed by one side while the other moves the
	// series: which of them is meant cannot be told.
	if !sameTimes(base, ours) && !sameTimes(base, theirs) && !sameTimes(ours, theirs) {
		return nil, ErrConflict
	}
	return e.Apply()
}

// byInstance gives the main components by their RECURRENCE-ID, "" the master.
func (o *Object) byInstance() map[string]*Component {
	out := make(map[string]*Component, len(o.main))
	for _, c := range o.main {
		id := ""
		if l := c.Line("RECURRENCE-ID"); l != nil {
			id = l.raw()
		}
		out[id] = c
	}
	return out
}

func equalSaid(a, b *Component) bool { return slices.Equal(a.said(stampLines), b.said(stampLines)) }

// sameTimes compares which instances two versions have, and when.
func sameTimes(a, b *Object) bool {
	x, y := a.byInstance(), b.byInstance()
	if len(x) != len(y) {
		return false
	}
	for id, c := range x {
		if y[id] == nil || !slices.Equal(c.group("times"), y[id].group("times")) {
			return false
		}
	}
	return true
}

// statement names the thing that a line is part of.
func statement(name string) string {
	if slices.Contains(timeLines, name) {
		return "times"
	}
	return name
}

// group gives the lines of one statement, in order.
func (c *Component) group(what string) []string {
	var out []string
	for i := range c.Lines {
		if statement(c.Lines[i].Name) == what {
			out = append(out, c.Lines[i].raw())
		}
	}
	slices.Sort(out)
	return out
}

// joinComponent takes ours over into theirs where only ours was changed.
func joinComponent(e *Edit, ours *Object, base, mine, here *Component) error {
	seen := map[string]bool{}
	for _, c := range []*Component{base, mine, here} {
		for i := range c.Lines {
			seen[statement(c.Lines[i].Name)] = true
		}
	}
	for what := range seen {
		if slices.Contains(stampLines, what) {
			continue
		}
		b, m, t := base.group(what), mine.group(what), here.group(what)
		switch {
		case slices.Equal(b, m), slices.Equal(m, t):
		case !slices.Equal(b, t):
			return ErrConflict
		default:
			takeLines(e, mine, here, what)
		}
	}
	b, m, t := base.alarms(), mine.alarms(), here.alarms()
	switch {
	case slices.Equal(b, m), slices.Equal(m, t):
	case !slices.Equal(b, t):
		return ErrConflict
	default:
		for _, k := range here.Children {
			e.RemoveComponent(k)
		}
		for _, k := range mine.Children {
			e.AddComponent(here, string(bytes.Clone(ours.data[k.start:k.end])))
		}
	}
	return nil
}

func takeLines(e *Edit, from, to *Component, what string) {
	for i := range to.Lines {
		if l := &to.Lines[i]; statement(l.Name) == what {
			e.RemoveLine(to, l)
		}
	}
	for i := range from.Lines {
		l := &from.Lines[i]
		if statement(l.Name) != what {
			continue
		}
		var params []Param
		for name, value := range l.Params() {
			params = append(params, Param{Name: name, Value: value})
		}
		e.Add(to, l.Name, l.Value, params...)
	}
}

// alarms gives what the children say, in order.
func (c *Component) alarms() []string {
	var out []string
	for _, k := range c.Children {
		out = append(out, k.Name+"\x01"+strings.Join(k.said(stampLines), "\x02"))
	}
	slices.Sort(out)
	return out
}
