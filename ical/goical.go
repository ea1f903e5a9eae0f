package ical

import goical "github.com/emersion/go-ical"

// GoICal gives a copy as go-ical's types. Those keep no order among lines of
// different names and no quotes in parameters, so they are for handing data
// to other libraries, not for writing it back.
func (o *Object) GoICal() *goical.Calendar {
	root := goical.NewComponent(o.root.Name)
	type pair struct {
		from *Component
		to   *goical.Component
	}
	for todo := []pair{{o.root, root}}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for i := range p.from.Lines {
			l := &p.from.Lines[i]
			p.to.Props[l.Name] = append(p.to.Props[l.Name], l.goICal())
		}
		for _, c := range p.from.Children {
			child := goical.NewComponent(c.Name)
			p.to.Children = append(p.to.Children, child)
			todo = append(todo, pair{c, child})
		}
	}
	return &goical.Calendar{Component: root}
}

func (l *Line) goICal() goical.Prop {
	params := make(goical.Params)
	for name, value := range l.Params() {
		params[name] = append(params[name], value)
	}
	return goical.Prop{Name: l.Name, Params: params, Value: l.Value}
}
