package ical

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// Names of the lines that a feed shows of a component. UID and SUMMARY of a
// busy one are written anew.
var (
	feedTimes = []string{
		"DTSTAMP", "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "SEQUENCE",
	}
	feedTitles = append([]string{
		"UID", "SUMMARY", "LOCATION", "STATUS", "TRANSP", "CLASS", "COMPLETED", "PERCENT-COMPLETE",
		"CREATED", "LAST-MODIFIED",
	}, feedTimes...)
	// What is written anew of a component that was removed.
	feedCancelled = []string{"DTSTAMP", "STATUS", "SEQUENCE", "LAST-MODIFIED"}
	// Other parameters can tell what the line does not: ALTREP, X- ones.
	feedParams = []string{"VALUE", "TZID", "RANGE", "LANGUAGE"}
)

// filtered adds what ShowTitles or ShowBusy show of one object.
func (m *FeedBuilder) filtered(data []byte) error {
	o, err := Parse(data, DefaultLimits)
	if err != nil {
		return err
	}
	show := m.opt.Show
	if show != ShowBusy && m.opt.Private != PrivateShown && slices.ContainsFunc(o.main, isPrivate) {
		show = ShowBusy
	}
	if m.opt.Private == PrivateHidden && slices.ContainsFunc(o.main, isPrivate) {
		return nil
	}
	if show == ShowBusy && (o.kind != "VEVENT" || len(m.opt.UIDKey) == 0) {
		return nil
	}
	f := feedObject{FeedBuilder: m, o: o}
	for _, c := range o.root.Children {
		if c.Name == "VTIMEZONE" {
			f.renamed = m.define(c.Text("TZID"), o.data[c.start:c.end], f.renamed)
		}
	}
	if show == ShowBusy {
		f.busy()
		return nil
	}
	for _, c := range o.main {
		switch c.Name {
		case "VEVENT", "VTODO", "VJOURNAL":
			f.title(c)
		}
	}
	return nil
}

// isPrivate reports a CLASS other than PUBLIC; one that is not known counts
// as private (RFC 5545 §3.8.1.3).
func isPrivate(c *Component) bool {
	l := c.Line("CLASS")
	return l != nil && !isPublic(l.Value)
}

func isPublic(class string) bool { return strings.EqualFold(strings.TrimSpace(class), "PUBLIC") }

// takesTime reports whether an event is busy time (RFC 4791 §7.10).
func takesTime(c *Component) bool {
	is := func(name, value string) bool {
		l := c.Line(name)
		return l != nil && strings.EqualFold(strings.TrimSpace(l.Value), value)
	}
	return !is("TRANSP", "TRANSPARENT") && !is("STATUS", "CANCELLED")
}

// feedObject is one object on its way into a feed.
type feedObject struct {
	*FeedBuilder
	o       *Object
	renamed map[string]string // TZIDs
}

func (f *feedObject) title(c *Component) {
	f.write("BEGIN", nil, c.Name)
	f.stamp(c)
	for i := range c.Lines {
		l := &c.Lines[i]
		switch {
		case !slices.Contains(feedTitles, l.Name):
		case l.Name == "UID":
			f.write(l.Name, l, l.Value+f.item.Twin)
		case !f.item.Cancelled || !slices.Contains(feedCancelled, l.Name):
			f.write(l.Name, l, l.Value)
		}
	}
	f.cancel(c)
	f.write("END", nil, c.Name)
}

// stamp writes a DTSTAMP where there is none to be copied.
func (f *feedObject) stamp(c *Component) {
	if f.item.Cancelled || c.Line("DTSTAMP") == nil {
		f.write("DTSTAMP", nil, utcText(f.item.Stamp))
	}
}

// cancel writes what is new of a component that was removed: of two states of
// one UID clients take the one with the higher SEQUENCE (RFC 5546 §2.1.4).
func (f *feedObject) cancel(c *Component) {
	if !f.item.Cancelled {
		return
	}
	n := 0
	if l := c.Line("SEQUENCE"); l != nil {
		n, _ = number(strings.TrimSpace(l.Value))
	}
	f.write("STATUS", nil, "CANCELLED")
	f.write("SEQUENCE", nil, strconv.Itoa(n+1))
	f.write("LAST-MODIFIED", nil, utcText(f.item.Stamp))
}

// busy writes the events of the object that take time. An instance that was
// overridden with one that takes none becomes an EXDATE of the master, for
// else the master's own instance would stand in its place.
func (f *feedObject) busy() {
	mac := hmac.New(sha256.New, f.opt.UIDKey)
	mac.Write([]byte(f.o.uid + f.item.Twin))
	uid := hex.EncodeToString(mac.Sum(nil)[:16])
	master := f.o.Master()
	if master != nil && !takesTime(master) {
		master = nil
	}
	for _, c := range f.o.main {
		rid := c.Line("RECURRENCE-ID")
		free := !takesTime(c)
		// What is cancelled from an instance on no EXDATE can say.
		cancelled := free && rid != nil && master != nil && rid.Param("RANGE") != ""
		if free && !cancelled {
			continue
		}
		f.write("BEGIN", nil, c.Name)
		f.write("UID", nil, uid)
		f.write("SUMMARY", nil, "Busy")
		if cancelled && !f.item.Cancelled {
			f.write("STATUS", nil, "CANCELLED")
		}
		f.stamp(c)
		for i := range c.Lines {
			l := &c.Lines[i]
			if !slices.Contains(feedTimes, l.Name) || f.item.Cancelled && slices.Contains(feedCancelled, l.Name) {
				continue
			}
			f.write(l.Name, l, l.Value)
		}
		f.cancel(c)
		if c == master {
			f.exclude()
		}
		f.write("END", nil, c.Name)
	}
}

// exclude writes an EXDATE for each override that takes no time.
func (f *feedObject) exclude() {
	for _, c := range f.o.main {
		rid := c.Line("RECURRENCE-ID")
		if rid != nil && rid.Param("RANGE") == "" && !takesTime(c) {
			f.write("EXDATE", rid, rid.Value)
		}
	}
}

// write writes a line with those parameters of another that a feed shows.
func (f *feedObject) write(name string, like *Line, value string) {
	b := append(f.line[:0], name...)
	if like != nil && like.params != "" {
		b = f.params(b, like.params)
	}
	b = append(b, ':')
	b = append(b, value...)
	if len(b) <= foldAt {
		b = append(b, '\r', '\n')
	} else {
		b = appendFolded(b[:0], string(b))
	}
	f.out = append(f.out, b...)
	f.line = b
	if name == "DTSTART" {
		year, _ := number(value[:min(4, len(value))])
		f.reach(year)
	}
}

func (f *feedObject) params(b []byte, params string) []byte {
	for params != "" {
		var one string
		one, params = cutUnquoted(params, ';')
		name, raw, _ := strings.Cut(one, "=")
		name = strings.ToUpper(name)
		switch {
		case name == "TZID":
			tzid := paramText(raw)
			f.use(tzid, f.renamed)
			if to, ok := f.renamed[tzid]; ok {
				b = append(b, ";TZID="...)
				b = appendParamValue(b, to)
				continue
			}
		case !slices.Contains(feedParams, name):
			continue
		}
		b = append(b, ';')
		b = append(b, one...)
	}
	return b
}
