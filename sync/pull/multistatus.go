package pull

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// multistatus is a 207 answer (RFC 4918 §13), as far as a pull needs it.
type multistatus struct {
	responses []*davResponse
	token     string // of a sync-collection
}

// davResponse is what is told of one member.
type davResponse struct {
	href   string // path, see cleanHref
	status int    // of the member as a whole; 0: its properties have their own
	found  davProp
}

// davProp are the properties that were found.
type davProp struct {
	ETag  string `xml:"DAV: getetag"`
	Data  string `xml:"urn:ietf:params:xml:ns:caldav calendar-data"`
	Token string `xml:"DAV: sync-token"`
	CTag  string `xml:"http://calendarserver.org/ns/ getctag"`
	Type  struct {
		Collection *struct{} `xml:"DAV: collection"`
		Calendar   *struct{} `xml:"urn:ietf:params:xml:ns:caldav calendar"`
	} `xml:"DAV: resourcetype"`
}

// xmlResponse is the element DAV:response.
type xmlResponse struct {
	Href     string `xml:"DAV: href"`
	Status   string `xml:"DAV: status"`
	Propstat []struct {
		Status string  `xml:"DAV: status"`
		Prop   davProp `xml:"DAV: prop"`
	} `xml:"DAV: propstat"`
}

var (
	errCutXML   = errors.New("the answer is no whole multistatus")
	errNotGiven = errors.New("the server lists it and does not give it")
)

// readMultistatus reads a body. One that ends before its root does is an error:
// what is missing in it is not missing there.
func readMultistatus(r io.Reader, base *url.URL) (*multistatus, error) {
	d := xml.NewDecoder(r)
	out := &multistatus{}
	root := false
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) && root {
			return out, nil
		}
		if err != nil {
			if _, syntax := errors.AsType[*xml.SyntaxError](err); syntax || errors.Is(err, io.EOF) {
				return nil, &fault{kind: "answer", text: errCutXML.Error()}
			}
			return nil, err
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch {
		case !root:
			if start.Name.Space != "DAV:" || start.Name.Local != "multistatus" {
				return nil, &fault{kind: "answer", text: errCutXML.Error()}
			}
			root = true
		case start.Name.Space == "DAV:" && start.Name.Local == "response":
			var x xmlResponse
			if err := d.DecodeElement(&x, &start); err != nil {
				return nil, &fault{kind: "answer", text: errCutXML.Error()}
			}
			resp, err := x.resolve(base)
			if err != nil {
				return nil, err
			}
			out.responses = append(out.responses, resp)
		case start.Name.Space == "DAV:" && start.Name.Local == "sync-token":
			if err := d.DecodeElement(&out.token, &start); err != nil {
				return nil, &fault{kind: "answer", text: errCutXML.Error()}
			}
		default:
			if err := d.Skip(); err != nil {
				return nil, &fault{kind: "answer", text: errCutXML.Error()}
			}
		}
	}
}

func (x *xmlResponse) resolve(base *url.URL) (*davResponse, error) {
	u, err := base.Parse(strings.TrimSpace(x.Href))
	if err != nil {
		return nil, &fault{kind: "answer", text: "the answer names an address that cannot be read"}
	}
	r := &davResponse{href: cleanHref(u)}
	if x.Status != "" {
		r.status = statusCode(x.Status)
	}
	for _, p := range x.Propstat {
		if p.Status == "" || statusCode(p.Status) == http.StatusOK {
			r.found.merge(p.Prop)
		} else if r.status == 0 && len(x.Propstat) == 1 && statusCode(p.Status) != http.StatusNotFound {
			r.status = statusCode(p.Status)
		}
	}
	return r, nil
}

func (p *davProp) merge(q davProp) {
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	set(&p.ETag, strings.TrimSpace(q.ETag))
	set(&p.Data, q.Data)
	set(&p.Token, strings.TrimSpace(q.Token))
	set(&p.CTag, strings.TrimSpace(q.CTag))
	if q.Type.Collection != nil {
		p.Type.Collection = q.Type.Collection
	}
	if q.Type.Calendar != nil {
		p.Type.Calendar = q.Type.Calendar
	}
}

// statusCode reads a status line such as HTTP/1.1 404 Not Found; 0 if it is none.
func statusCode(s string) int {
	parts := strings.Fields(s)
	if len(parts) < 2 {
		return 0
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0
	}
	return n
}

// cleanHref gives the path of a member in one spelling: servers escape it in one
// way in a listing and in another in a report. A slash that is part of a name
// stays escaped.
func cleanHref(u *url.URL) string {
	if strings.Contains(strings.ToUpper(u.EscapedPath()), "%2F") {
		return u.EscapedPath()
	}
	return (&url.URL{Path: u.Path}).EscapedPath()
}

// calendarText gives the octets of calendar-data: reading XML makes line feeds
// of the line breaks (XML 1.0 §2.11).
func calendarText(s string) []byte {
	s = strings.TrimLeft(strings.ReplaceAll(s, "\r", ""), "\n ")
	return []byte(strings.ReplaceAll(s, "\n", "\r\n"))
}

// xmlText escapes text for a request's body.
func xmlText(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return fmt.Sprintf("%q", s) // a Builder does not fail
	}
	return b.String()
}
