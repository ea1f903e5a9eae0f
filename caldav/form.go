package caldav

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/store"
)

// The media types of calendar object resources: as they are stored, and as
// JSON (RFC 7265).
const (
	calendarType = "text/calendar;charset=utf-8"
	jcalType     = "application/calendar+json"
)

// form is how objects are written in an answer; the zero form is as they are
// stored.
type form struct {
	jcal        bool // RFC 7265
	byReference bool // without the VTIMEZONEs that everybody knows (RFC 7809)
}

// suffix tells the entity tag of one form from that of another (RFC 9110
// §8.8.3).
func (f form) suffix() string {
	switch f {
	case form{jcal: true}:
		return "-json"
	case form{byReference: true}:
		return "-ref"
	case form{jcal: true, byReference: true}:
		return "-json-ref"
	}
	return ""
}

func (f form) mediaType() string {
	if f.jcal {
		return jcalType
	}
	return calendarType
}

// write gives stored data in the form. What this version cannot read is given
// as it is, in the zero form.
func (f form) write(data []byte, lim ical.Limits) ([]byte, form) {
	if f == (form{}) {
		return data, f
	}
	o, err := ical.Parse(data, lim)
	if err == nil && f.byReference {
		data = o.ByReference()
		if f.jcal {
			o, err = ical.Parse(data, lim)
		}
	}
	if err != nil {
		return data, form{}
	}
	if f.jcal {
		data = o.JCal()
	}
	return data, f
}

// mediaForm reads the media type of a calendar object, whatever its
// parameters.
func mediaForm(ct string) (jcal, ok bool) {
	ct, _, _ = strings.Cut(ct, ";")
	ct = strings.TrimSpace(ct)
	jcal = strings.EqualFold(ct, jcalType)
	return jcal, jcal || strings.EqualFold(ct, "text/calendar")
}

// byReference reads the CalDAV-Timezones header (RFC 7809 §7.1).
func byReference(h http.Header) bool {
	return strings.EqualFold(strings.TrimSpace(h.Get("CalDAV-Timezones")), "F")
}

// wanted gives the form that a GET asks for by Accept and CalDAV-Timezones. To
// those who accept neither media type the stored one is given.
func wanted(h http.Header) form {
	f := form{byReference: byReference(h)}
	if accept := h["Accept"]; len(accept) > 0 {
		list := strings.Join(accept, ",")
		f.jcal = quality(list, jcalType) > quality(list, "text/calendar")
	}
	return f
}

// quality gives the weight of a media type in an Accept header (RFC 9110
// §12.5.1): that of the range that fits best, 0 if none does.
func quality(accept, media string) float64 {
	weight, best := 0.0, 0
	kind, _, _ := strings.Cut(media, "/")
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		rank := slices.Index([]string{"*/*", kind + "/*", media}, name) + 1
		if rank > 0 && rank >= best {
			best, weight = rank, weightOf(params)
		}
	}
	return weight
}

// weightOf reads q among parameters; 1 if it is not there, 0 if it is none.
func weightOf(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || q < 0 || q > 1 {
			return 0
		}
		return q
	}
	return 1
}

// describe sets the headers of an object's state.
func (x *exchange) describe(m store.Member, f form) {
	h := x.w.Header()
	h.Set("ETag", `"`+m.ETag.String()+f.suffix()+`"`)
	h.Set("Last-Modified", m.Modified.UTC().Format(http.TimeFormat))
}

// sendObject answers with an object in the form that was asked for.
func (x *exchange) sendObject(code int, m store.Member, data []byte) error {
	data, f := wanted(x.r.Header).write(data, x.srv.Object)
	x.describe(m, f)
	x.w.Header().Add("Vary", "Accept, CalDAV-Timezones")
	return x.send(code, f.mediaType(), data)
}

// supportedData is CALDAV:supported-calendar-data (RFC 4791 §5.2.4).
const supportedData = `<C:calendar-data content-type="text/calendar" version="2.0"/>` +
	`<C:calendar-data content-type="` + jcalType + `" version="2.0"/>`

// dataForm reads the form that a CALDAV:calendar-data asks for.
func (x *exchange) dataForm(el *dav.Element) (form, error) {
	f := form{byReference: byReference(x.r.Header)}
	if v := el.Plain("version"); v != "" && v != "2.0" {
		return f, errSupportedData
	}
	if ct := el.Plain("content-type"); ct != "" {
		jcal, ok := mediaForm(ct)
		if !ok {
			return f, errSupportedData
		}
		f.jcal = jcal
	}
	return f, nil
}
