package caldav

import (
	"slices"
	"strconv"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/store"
)

// components are the kinds of calendar object resources that a calendar takes
// if nothing else was said when it was made.
var components = []string{"VEVENT", "VTODO", "VJOURNAL", "VAVAILABILITY"}

// rfc4791 is CalDAV: the properties of §5.2, §6.2 and §7.5, and the reports.
func rfc4791() module {
	return module{
		features: []string{"calendar-access"},
		props: []property{
			{name: dav.C("calendar-home-set"), on: kindPrincipal, get: getHomeSet},
			{
				name: dav.C("calendar-description"), on: kindCalendar, set: setDescription,
				get: text(func(r *resource) string { return r.coll.Description }),
			},
			{name: dav.C("supported-calendar-component-set"), on: kindCalendar, atBirth: true, get: getComponents, set: setComponents},
			{name: dav.C("supported-calendar-data"), on: kindCalendar, get: constant(supportedData)},
			{name: dav.C("supported-collation-set"), on: kindHome | kindCalendar, get: constant(collationSet)},
			{name: dav.C("max-resource-size"), on: kindCalendar, get: getMaxSize},
			{name: dav.C("max-instances"), on: kindCalendar, get: getMaxInstances},
			{name: dav.C("max-attendees-per-instance"), on: kindCalendar, get: getMaxAttendees},
			{name: dav.C("min-date-time"), on: kindCalendar, get: constant("00010101T000000Z")},
			{name: dav.C("max-date-time"), on: kindCalendar, get: constant("99991231T235959Z")},
			{name: dav.C("calendar-data"), on: kindObject, body: true, get: getData},
		},
		reports: []report{
			{name: dav.C("calendar-query"), on: kindHome | kindCalendar | kindObject, listed: kindHome | kindCalendar, run: (*exchange).calendarQuery},
			{name: dav.C("calendar-multiget"), on: kindHome | kindCalendar | kindObject, listed: kindHome | kindCalendar, run: (*exchange).calendarMultiget},
			{name: dav.C("free-busy-query"), on: kindHome | kindCalendar, run: (*exchange).freeBusyQuery},
		},
	}
}

const collationSet = "<C:supported-collation>i;ascii-casemap</C:supported-collation>" +
	"<C:supported-collation>i;octet</C:supported-collation>" +
	"<C:supported-collation>i;unicode-casemap</C:supported-collation>"

func getHomeSet(x *exchange, r *resource, b []byte) ([]byte, error) {
	if r.owner.Kind == store.KindGroup {
		return b, errAbsent
	}
	return dav.AppendHref(b, x.homeHref(r.owner.Name)), nil
}

func setDescription(_ *exchange, d *draft, el *dav.Element) error {
	if d.coll == nil {
		return errProtected
	}
	d.coll.Description = el.Text()
	return nil
}

func getComponents(_ *exchange, r *resource, b []byte) ([]byte, error) {
	names := r.coll.Components
	if len(names) == 0 {
		names = components
	}
	for _, n := range names {
		b = append(dav.AppendText(append(b, `<C:comp name="`...), n), `"/>`...)
	}
	return b, nil
}

// setComponents takes the set that a new calendar is made with (RFC 4791
// §5.2.3).
func setComponents(_ *exchange, d *draft, el *dav.Element) error {
	if el == nil || d.coll == nil {
		return errProtected
	}
	var names []string
	for _, c := range el.Children {
		name := c.Plain("name")
		if !c.Is(dav.C("comp")) || !slices.Contains(append(components, "VFREEBUSY", "VTIMEZONE", "VPOLL"), name) {
			return errComponent
		}
		if slices.Contains(components, name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return errComponent
	}
	d.coll.Components = names
	return nil
}

func getMaxSize(x *exchange, _ *resource, b []byte) ([]byte, error) {
	return strconv.AppendInt(b, int64(x.srv.Object.Bytes), 10), nil
}

func getMaxInstances(x *exchange, _ *resource, b []byte) ([]byte, error) {
	return strconv.AppendInt(b, int64(x.srv.MaxInstances), 10), nil
}

func getMaxAttendees(x *exchange, _ *resource, b []byte) ([]byte, error) {
	return strconv.AppendInt(b, int64(x.srv.MaxAttendees), 10), nil
}

// setResourcetype takes the type of a new collection: a calendar is the only
// one that there is (RFC 5689 §3).
func setResourcetype(_ *exchange, d *draft, el *dav.Element) error {
	if el == nil || len(el.Children) != 2 || el.Child(dav.D("collection")) == nil || el.Child(dav.C("calendar")) == nil {
		return errResourcetype
	}
	d.calendar = true
	return nil
}

// dataRequest is a CALDAV:calendar-data that was asked for (RFC 4791 §9.6).
type dataRequest struct {
	selection *ical.Selection
	form      form
}

// readDataRequest reads the calendar-data element of a report's prop; x.data
// stays nil if there is none.
func (x *exchange) readDataRequest(root *dav.Element) error {
	el := root.Child(dav.D("prop")).Child(dav.C("calendar-data"))
	if el == nil {
		return nil
	}
	f, err := x.dataForm(el)
	if err != nil {
		return err
	}
	sel := &ical.Selection{}
	for _, c := range el.Children {
		if err := readSelection(sel, c); err != nil {
			return err
		}
	}
	x.data = &dataRequest{sel, f}
	return nil
}

func readSelection(sel *ical.Selection, c *dav.Element) (err error) {
	switch c.Name {
	case dav.C("comp"):
		if sel.Comp != nil {
			return errBadRequest
		}
		comp := readComp(c)
		sel.Comp = &comp
	case dav.C("expand"):
		sel.Expand, err = readRange(c, true)
	case dav.C("limit-recurrence-set"):
		sel.LimitSet, err = readRange(c, true)
	case dav.C("limit-freebusy-set"):
		sel.LimitFree, err = readRange(c, true)
	}
	if sel.Expand != nil && sel.LimitSet != nil {
		return errBadRequest
	}
	return err
}

func readComp(el *dav.Element) ical.CompSelection {
	s := ical.CompSelection{Name: el.Plain("name")}
	for _, c := range el.Children {
		switch c.Name {
		case dav.C("allprop"):
			s.AllProps = true
		case dav.C("allcomp"):
			s.AllComps = true
		case dav.C("prop"):
			s.Props = append(s.Props, ical.PropSelection{Name: c.Plain("name"), NoValue: c.Plain("novalue") == "yes"})
		case dav.C("comp"):
			s.Comps = append(s.Comps, readComp(c))
		}
	}
	return s
}

// getData appends the object's data, or the part of it that was asked for.
// Data that this version cannot read is served as it is.
func getData(x *exchange, r *resource, b []byte) ([]byte, error) {
	if len(r.body) == 0 {
		return b, errAbsent
	}
	if x.data.selection.Whole() {
		data, _ := x.data.form.write(r.body, x.srv.Object)
		return dav.AppendText(b, data), nil
	}
	o, err := ical.Parse(r.body, x.srv.Object)
	if err != nil {
		return dav.AppendText(b, r.body), nil //nolint:nilerr // see above; check reports it
	}
	sel := *x.data.selection
	if sel.Zone == nil {
		sel.Zone = x.v.CollectionZone(r.coll)
	}
	part, err := o.Select(&sel)
	if err != nil {
		return b, err
	}
	part, _ = x.data.form.write(part, x.srv.Object)
	return dav.AppendText(b, part), nil
}
