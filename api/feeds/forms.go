package feeds

import (
	"context"
	"slices"
	"strings"
	"time"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// form is what a feed can be served as.
type form struct {
	extension string // of the address
	media     string
	// daily is set for a form that has a window even where the feed has none,
	// so that it changes with the day.
	daily bool
	// window is the one that it has then.
	window store.Window
	// hours is set for a form that opening hours can be shown in.
	hours bool
	// content makes the text, with the validators of what it is made of.
	content func(context.Context, *store.Store, *fetch, store.Coding) (store.Content, error)
}

// forms are all of them: one row adds one.
func forms() []*form {
	return []*form{
		{extension: "ics", media: "text/calendar; charset=utf-8", hours: true, content: text},
		{extension: "jcal", media: "application/calendar+json; charset=utf-8", hours: true, content: derived(jcal)},
		{extension: "jscal", media: "application/jscalendar+json;type=group", hours: true, content: derived(jscalendar)},
		{extension: "json", media: "application/json", hours: true, daily: true, window: store.Window{Past: 7, Future: 90}, content: derived(instances)},
		{extension: "ifb", media: "text/calendar; charset=utf-8", daily: true, window: store.Window{Past: 7, Future: 60}, content: freeBusy},
	}
}

// formOf gives the form of an extension; nil if there is none.
func formOf(extension string) *form {
	for _, f := range forms() {
		if f.extension == strings.ToLower(extension) {
			return f
		}
	}
	return nil
}

// Forms are the extensions that feeds are served by.
func Forms() []string {
	var out []string
	for _, f := range forms() {
		out = append(out, f.extension)
	}
	return out
}

func (fm *form) suits(f *store.Feed) bool { return fm.hours || f.Source != store.FeedHours }

// tag gives the entity tag of the form: that of the stream, and what tells it
// from other forms and days.
func (fm *form) tag(st *store.Stream) string {
	tag := st.ETag
	if fm.extension != "ics" {
		tag += "-" + fm.extension
	}
	if fm.daily {
		tag += st.Today.Format("-20060102")
	}
	return tag
}

// days gives the form's window around today, by the feed's zone: its first
// and its last day, and the time from the begin of the one to the end of the
// other.
func (x *fetch) days() (first, last time.Time, w span.Span) {
	win := x.form.window
	if x.feed.Window != nil {
		win = *x.feed.Window
	}
	first, last = x.stream.Today.AddDate(0, 0, -win.Past), x.stream.Today.AddDate(0, 0, win.Future)
	zone := x.stream.Zone
	return first, last, span.Span{Start: zone.Instant(first), End: zone.Instant(last.AddDate(0, 0, 1))}
}

func text(ctx context.Context, _ *store.Store, x *fetch, c store.Coding) (store.Content, error) {
	return x.stream.Content(ctx, c)
}

// derived makes a form out of the iCalendar text. It is kept with that.
func derived(write func(*fetch, *store.StreamText) ([]byte, error)) func(context.Context, *store.Store, *fetch, store.Coding) (store.Content, error) {
	return func(ctx context.Context, _ *store.Store, x *fetch, c store.Coding) (store.Content, error) {
		name := x.form.extension
		if x.form.daily {
			name += x.stream.Today.Format("-20060102")
		}
		return x.stream.Derived(ctx, name, c, func(t *store.StreamText) ([]byte, error) { return write(x, t) })
	}
}

// freeBusy answers with one VFREEBUSY (RFC 5545 §3.6.4) out of the instance
// index. Of events that are not public it tells as much as of others.
func freeBusy(ctx context.Context, s *store.Store, x *fetch, c store.Coding) (store.Content, error) {
	var busy []ical.Busy
	var window span.Span
	err := s.View(ctx, func(v *store.View) error {
		st, err := v.FeedStream(x.feed, x.color, x.source) // as it is in this snapshot
		if err != nil {
			return err
		}
		x.stream = st
		_, _, window = x.days()
		ids, err := v.FeedCollections(x.feed)
		if err != nil {
			return err
		}
		busy, err = v.BusyTime(ids, window)
		return err
	})
	if err != nil {
		return store.Content{}, err
	}
	b := ical.FreeBusy(window, ical.MergeBusy(busy), x.modified())
	// RFC 5545 §3.6.4 wants a UID, which an answer to a REPORT has not.
	head := []byte("BEGIN:VFREEBUSY\r\n")
	i := strings.Index(string(b), string(head)) + len(head)
	b = slices.Concat(b[:i], []byte("UID:freebusy-"+x.feed.ID+"\r\n"), b[i:])
	return s.Compress(b, c)
}

// objects parses the objects of a text one by one. What does not parse is left
// out; the store has checked it.
func objects(t *store.StreamText, fn func(*ical.Object) error) error {
	head, err := ical.Parse(t.Head(), ical.StreamLimits)
	if err != nil {
		return err
	}
	// The zones that the zone data has need not be parsed with each object.
	prefix := []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
	for _, c := range head.Root().Children {
		if c.Name == "VTIMEZONE" && ical.LookupZone(c.Text("TZID")) == nil {
			prefix = append(prefix, head.Source(c)...)
		}
	}
	var text []byte
	return t.Each(func(components []byte) error {
		text = append(append(append(text[:0], prefix...), components...), ical.FeedTail...)
		o, err := ical.Parse(text, ical.DefaultLimits)
		if err != nil {
			return nil //nolint:nilerr // as said above
		}
		return fn(o)
	})
}

// jcal gives the text as jCal (RFC 7265).
func jcal(_ *fetch, t *store.StreamText) ([]byte, error) {
	head, err := ical.Parse(t.Head(), ical.StreamLimits)
	if err != nil {
		return nil, err
	}
	out := head.Root().AppendJCal(nil)
	out = out[:len(out)-len("]]")]
	some := len(head.Root().Children) > 0
	err = objects(t, func(o *ical.Object) error {
		for _, c := range o.Main() {
			if some {
				out = append(out, ',')
			}
			some = true
			out = c.AppendJCal(out)
		}
		return nil
	})
	return append(out, "]]\n"...), err
}

// jscalendar gives the text as a JSCalendar group (RFC 8984).
func jscalendar(x *fetch, t *store.StreamText) ([]byte, error) {
	var entries [][]byte
	err := objects(t, func(o *ical.Object) error {
		if e := o.JSCalendar(x.stream.Modified); e != nil {
			entries = append(entries, e)
		}
		return nil
	})
	return ical.JSGroup("feed-"+x.feed.ID, title(t), x.stream.Modified, entries), err
}
