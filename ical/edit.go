package ical

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Edit collects changes to content lines. Its functions can be chained; the
// first mistake is told by Apply. Of two changes of one line the later wins.
type Edit struct {
	o       *Object
	changes []change
	err     error
}

// change replaces octets of the object's data by text.
type change struct {
	start, end int // equal for an insertion
	rank       rank
	text       []byte
	c          *Component // that has the line
	name       string     // of the line, "" for components
}

// rank orders the changes at one offset: new lines, new components, then what
// becomes of the octets that are there.
type rank uint8

const (
	newLine rank = iota
	newComponent
	replaced
)

var (
	errForeign    = errors.New("edit: the component is not of this object")
	errForeignRow = errors.New("edit: the line is not of this component")
	errRoot       = errors.New("edit: the VCALENDAR cannot be removed")
)

// Edit begins a change of the object. The object itself stays as it is.
func (o *Object) Edit() *Edit { return &Edit{o: o} }

// Set replaces the first line of the name in c and removes its repetitions,
// or adds one before the first child or END. Value is raw (see EscapeText). A
// line that is already so keeps its octets.
func (e *Edit) Set(c *Component, name, value string, params ...Param) *Edit {
	name = strings.ToUpper(name)
	text := e.line(c, name, value, params)
	if e.err != nil {
		return e
	}
	e.forget(c, name)
	done := false
	for i := range c.Lines {
		l := &c.Lines[i]
		switch {
		case l.Name != name:
		case done:
			e.replace(c, l, nil)
		default:
			done = true
			if !l.is(text) {
				e.replace(c, l, text)
			}
		}
	}
	if !done {
		e.insert(c, name, text)
	}
	return e
}

// is reports whether a new text says the same as the line.
func (l *Line) is(text []byte) bool {
	n, err := parseLine(unfoldLine(text), 0)
	return err == nil && n.Value == l.Value && n.params == l.params
}

// Add adds one line before the first child or END, after those added before.
func (e *Edit) Add(c *Component, name, value string, params ...Param) *Edit {
	name = strings.ToUpper(name)
	if text := e.line(c, name, value, params); e.err == nil {
		e.insert(c, name, text)
	}
	return e
}

// Remove removes all lines of the name.
func (e *Edit) Remove(c *Component, name string) *Edit {
	name = strings.ToUpper(name)
	if !e.owns(c) {
		return e
	}
	e.forget(c, name)
	for i := range c.Lines {
		if c.Lines[i].Name == name {
			e.replace(c, &c.Lines[i], nil)
		}
	}
	return e
}

// RemoveLine removes one line of c.
func (e *Edit) RemoveLine(c *Component, l *Line) *Edit {
	if !e.owns(c) {
		return e
	}
	for i := range c.Lines {
		if &c.Lines[i] == l {
			e.changes = slices.DeleteFunc(e.changes, func(x change) bool {
				return x.rank == replaced && x.start == l.start && x.end == l.end
			})
			e.replace(c, l, nil)
			return e
		}
	}
	e.fail(errForeignRow)
	return e
}

// AddComponent adds a component's text (content lines from BEGIN to END) at
// the end of c.
func (e *Edit) AddComponent(c *Component, text string) *Edit {
	if !e.owns(c) {
		return e
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	if !strings.HasSuffix(text, "\n") {
		text += "\r\n"
	}
	e.changes = append(e.changes, change{start: c.endLine, end: c.endLine, rank: newComponent, text: []byte(text), c: c})
	return e
}

// RemoveComponent removes a child, with every change that was made in it.
func (e *Edit) RemoveComponent(child *Component) *Edit {
	if !e.owns(child) {
		return e
	}
	if child == e.o.root {
		e.fail(errRoot)
		return e
	}
	e.changes = append(e.changes, change{start: child.start, end: child.end, rank: replaced, c: child})
	return e
}

// Apply gives the changed object; every byte that no call named is as before.
// The result is parsed anew and checked by ParseResource, so that the error
// is an *InvalidError when the changes do not make a valid object.
func (e *Edit) Apply() (*Object, error) {
	if e.err != nil {
		return nil, e.err
	}
	changes := slices.Clone(e.changes)
	slices.SortStableFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.rank, b.rank), cmp.Compare(b.end, a.end))
	})
	size := len(e.o.data)
	for _, x := range changes {
		size += len(x.text)
	}
	out := make([]byte, 0, size)
	at := 0
	for _, x := range changes {
		if x.start < at {
			continue // inside a component that was removed
		}
		out = append(out, e.o.data[at:x.start]...)
		out = append(out, x.text...)
		at = x.end
	}
	return ParseResource(append(out, e.o.data[at:]...), DefaultLimits)
}

// line writes a new line, if c is of the object.
func (e *Edit) line(c *Component, name, value string, params []Param) []byte {
	if !e.owns(c) {
		return nil
	}
	if name == "BEGIN" || name == "END" {
		e.fail(fmt.Errorf("edit: %s: %w", name, errName))
		return nil
	}
	text, err := appendLine(nil, name, value, params)
	if err != nil {
		e.fail(fmt.Errorf("edit: %w", err))
	}
	return text
}

func (e *Edit) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// owns finds c by its offset, level by level.
func (e *Edit) owns(c *Component) bool {
	if e.err != nil {
		return false
	}
	at := e.o.root
	for c != nil && at != c {
		i, ok := slices.BinarySearchFunc(at.Children, c.start, func(k *Component, start int) int {
			switch {
			case k.end <= start:
				return -1
			case k.start > start:
				return 1
			}
			return 0
		})
		if !ok {
			c = nil
			break
		}
		at = at.Children[i]
	}
	if c == nil {
		e.fail(errForeign)
	}
	return c != nil
}

// forget drops the changes made before to lines of the name.
func (e *Edit) forget(c *Component, name string) {
	e.changes = slices.DeleteFunc(e.changes, func(x change) bool { return x.c == c && x.name == name })
}

func (e *Edit) replace(c *Component, l *Line, text []byte) {
	e.changes = append(e.changes, change{start: l.start, end: l.end, rank: replaced, text: text, c: c, name: l.Name})
}

func (e *Edit) insert(c *Component, name string, text []byte) {
	at := c.endLine
	if len(c.Children) > 0 {
		at = c.Children[0].start
	}
	e.changes = append(e.changes, change{start: at, end: at, rank: newLine, text: text, c: c, name: name})
}
