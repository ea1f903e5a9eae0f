package store

import (
	"slices"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store/engine"
)

// The blocks of an organisation have a view in the index beside the calendars
// that they are in: a question about all of a site is answered from one range of
// rows, whatever the number of its calendars, and a block that is in many of
// them is found once. In the index the view is one more collection, whose number
// none ever has; it has no members, no state and no tokens.

// viewMark is in the numbers of views.
const viewMark CollectionID = 1 << 31

// blocksOf gives the place of an organisation's blocks in the index.
func blocksOf(org PrincipalID) CollectionID { return viewMark | CollectionID(org) }

func (c CollectionID) isView() bool { return c&viewMark != 0 }

// places gives where the index has the object's rows.
func (f *facts) places() []CollectionID {
	out := make([]CollectionID, 0, len(f.Bindings)+1)
	for _, b := range f.Bindings {
		out = append(out, b.Collection)
	}
	if f.Block && len(out) > 0 {
		out = append(out, blocksOf(f.Org))
	}
	return out
}

// allClasses are the classes of rows that there are.
const allClasses = 1<<len(classLengths) - 1 | (1<<len(classLengths)-1)<<classFloating

// classesOf gives the classes of rows that a place in the index may have. A view
// has no state that would tell.
func (v *View) classesOf(c CollectionID) (uint16, error) {
	if c.isView() {
		return allClasses, nil
	}
	st, err := v.State(c)
	return st.classes, err
}

// BlockInstances gives the instances of the organisation's blocks in the window,
// each once, however many calendars it is in: those of users' homes too. Order,
// window and zone are those of Instances.
func (v *View) BlockInstances(org PrincipalID, w span.Span, zone *ical.Zone) ([]Row, error) {
	rows, err := v.Instances(blocksOf(org), w, zone)
	if err != nil {
		return nil, err
	}
	if len(v.goneMarks()) == 0 {
		return rows, nil
	}
	return slices.DeleteFunc(rows, func(r Row) bool {
		_, err := v.facts(r.Object)
		return err != nil // its calendars are being swept
	}), nil
}

// viewBlocks gives a file of before there were views the rows of its blocks.
func viewBlocks(w engine.Writer) error {
	tx := &Tx{View: View{r: w, writing: true}, w: w}
	var blocks []*facts
	tx.scan(tableFacts, func(k, b []byte) {
		if f, err := unpackFacts(ObjectID(u64(k[1:])), b); err == nil && f.Block && len(f.Bindings) > 0 {
			blocks = append(blocks, f) // what cannot be read is Check's to report
		}
	})
	for _, f := range blocks {
		if err := tx.viewBlock(f); err != nil {
			return err
		}
	}
	return nil
}

// viewBlock copies what the index says of a block in its first calendar.
func (tx *Tx) viewBlock(f *facts) error {
	from, to := f.Bindings[0].Collection, blocksOf(f.Org)
	copied := func(k key) bool {
		b := tx.get(k)
		if b != nil {
			tx.put(newKey(k[0]).collection(to).bytes(k[5:]), slices.Clone(b))
		}
		return b != nil
	}
	rows := int64(0)
	err := rowKeys(from, f.ID, f.rows, func(_ int, _ byte, k key) {
		if copied(k) {
			rows++
		}
	})
	tx.count(metaRows, rows)
	copied(newKey(tableDense).collection(from).object(f.ID))
	copied(newKey(tableEndless).collection(from).object(f.ID))
	return err
}
