package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Limits bounds a request body. Zero fields take the value of DefaultLimits.
type Limits struct {
	Bytes    int // of the whole body
	Depth    int // nesting of elements
	Elements int // elements, comments and pieces of text
}

// DefaultLimits take a multiget of some twenty thousand members.
var DefaultLimits = Limits{Bytes: 4 << 20, Depth: 48, Elements: 100_000}

// Filled gives the limits with zero fields set to their defaults.
func (l Limits) Filled() Limits {
	if l.Bytes <= 0 {
		l.Bytes = DefaultLimits.Bytes
	}
	if l.Depth <= 0 {
		l.Depth = DefaultLimits.Depth
	}
	if l.Elements <= 0 {
		l.Elements = DefaultLimits.Elements
	}
	return l
}

// Errors of Parse. ErrTooLarge asks for status 413, the others for 400.
var (
	ErrEmpty    = errors.New("the body is empty")
	ErrTooLarge = errors.New("the body is larger than the limit")
	ErrSyntax   = errors.New("the body is not well-formed XML")
)

// Element is one element of a request body with its content.
type Element struct {
	Name     xml.Name
	Attrs    []xml.Attr // namespace declarations left out
	Children []*Element
	text     []byte
	raw      []byte // the element as sent
	scope    *scope // namespaces declared around it
	own      []string
	lang     string // xml:lang in force around it
}

// Bounds of what one start tag and what is around it may declare, far above
// what any client sends.
const (
	maxAttrs  = 128
	maxScopes = 128
)

// scope is a namespace declaration and those around it.
type scope struct {
	prefix, uri string
	outer       *scope
	depth       int
}

func (s *scope) declare(prefix, uri string) *scope {
	n := &scope{prefix: prefix, uri: uri, outer: s, depth: 1}
	if s != nil {
		n.depth += s.depth
	}
	return n
}

func (s *scope) find(prefix string) (uri string, ok bool) {
	for ; s != nil; s = s.outer {
		if s.prefix == prefix {
			return s.uri, s.uri != "" || prefix == ""
		}
	}
	return "", prefix == ""
}

// Parse reads a whole body with one root element. A prefix without a
// declaration, a document type, and instructions inside the root are refused
// (RFC 4918 §8.2, §20.6).
func Parse(body []byte, lim Limits) (*Element, error) {
	lim = lim.Filled()
	if len(body) > lim.Bytes {
		return nil, ErrTooLarge
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, ErrEmpty
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	p := &parser{body: body, dec: xml.NewDecoder(bytes.NewReader(body)), lim: lim}
	for {
		start := p.dec.InputOffset()
		tok, err := p.dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		if p.tokens++; p.tokens > lim.Elements {
			return nil, ErrTooLarge
		}
		if err := p.token(tok, int(start)); err != nil {
			return nil, err
		}
	}
	if p.root == nil || len(p.open) > 0 {
		return nil, fmt.Errorf("%w: it ends early", ErrSyntax)
	}
	return p.root, nil
}

type parser struct {
	body   []byte
	dec    *xml.Decoder
	lim    Limits
	tokens int
	root   *Element
	open   []frame
}

// frame is an element that is not closed yet.
type frame struct {
	el    *Element
	name  xml.Name // with the prefix as written
	start int
	scope *scope
	lang  string
}

func (p *parser) token(tok xml.Token, start int) error {
	switch t := tok.(type) {
	case xml.StartElement:
		return p.begin(t, start)
	case xml.EndElement:
		return p.end(t)
	case xml.CharData:
		if len(p.open) > 0 {
			el := p.open[len(p.open)-1].el
			el.text = append(el.text, t...)
		} else if len(bytes.TrimSpace(t)) > 0 {
			return fmt.Errorf("%w: text outside of the root element", ErrSyntax)
		}
	case xml.ProcInst:
		if p.root != nil || start > 0 && t.Target == "xml" {
			return fmt.Errorf("%w: a processing instruction", ErrSyntax)
		}
	case xml.Directive:
		return fmt.Errorf("%w: a document type", ErrSyntax)
	}
	return nil
}

func (p *parser) begin(t xml.StartElement, start int) error {
	if len(p.open) >= p.lim.Depth {
		return fmt.Errorf("%w: elements nest too deep", ErrSyntax)
	}
	if len(t.Attr) > maxAttrs {
		return ErrTooLarge
	}
	f := frame{el: &Element{}, name: t.Name, start: start}
	if n := len(p.open); n > 0 {
		up := &p.open[n-1]
		f.scope, f.lang = up.scope, up.lang
		up.el.Children = append(up.el.Children, f.el)
	} else if p.root == nil {
		p.root = f.el
	} else {
		return fmt.Errorf("%w: a second root element", ErrSyntax)
	}
	f.el.scope, f.el.lang = f.scope, f.lang
	if err := f.declare(t.Attr); err != nil {
		return err
	}
	var err error
	if f.el.Name, err = f.resolve(t.Name, true); err != nil {
		return err
	}
	if err := f.attributes(t.Attr); err != nil {
		return err
	}
	p.open = append(p.open, f)
	return nil
}

// declare takes the namespace declarations of a start tag.
func (f *frame) declare(attrs []xml.Attr) error {
	for _, a := range attrs {
		var prefix string
		switch {
		case a.Name.Space == "xmlns":
			prefix = a.Name.Local
			if a.Value == "" || prefix == "xmlns" || prefix == "xml" && a.Value != nsXML {
				return fmt.Errorf("%w: a bad namespace declaration", ErrSyntax)
			}
		case a.Name.Space == "" && a.Name.Local == "xmlns":
		default:
			continue
		}
		if slices.Contains(f.el.own, prefix) {
			return fmt.Errorf("%w: a namespace declared twice", ErrSyntax)
		}
		f.el.own = append(f.el.own, prefix)
		if f.scope = f.scope.declare(prefix, a.Value); f.scope.depth > maxScopes {
			return ErrTooLarge
		}
	}
	return nil
}

// attributes takes the other attributes.
func (f *frame) attributes(attrs []xml.Attr) error {
	for _, a := range attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		name, err := f.resolve(a.Name, false)
		if err != nil {
			return err
		}
		if _, twice := f.el.Attr(name); twice {
			return fmt.Errorf("%w: an attribute given twice", ErrSyntax)
		}
		if name.Space == nsXML && name.Local == "lang" {
			f.lang = a.Value
		}
		f.el.Attrs = append(f.el.Attrs, xml.Attr{Name: name, Value: a.Value})
	}
	return nil
}

// resolve turns a prefix into its namespace. The default namespace is not for
// attributes.
func (f *frame) resolve(n xml.Name, element bool) (xml.Name, error) {
	if strings.Contains(n.Local, ":") || n.Local == "" {
		return n, fmt.Errorf("%w: a bad name", ErrSyntax)
	}
	switch {
	case n.Space == "xml":
		return xml.Name{Space: nsXML, Local: n.Local}, nil
	case n.Space == "" && !element:
		return n, nil
	}
	uri, ok := f.scope.find(n.Space)
	if !ok {
		return n, fmt.Errorf("%w: the prefix %q is not declared", ErrSyntax, n.Space)
	}
	return xml.Name{Space: uri, Local: n.Local}, nil
}

func (p *parser) end(t xml.EndElement) error {
	n := len(p.open)
	if n == 0 || p.open[n-1].name != t.Name {
		return fmt.Errorf("%w: an end tag without its start", ErrSyntax)
	}
	f := p.open[n-1]
	p.open = p.open[:n-1]
	f.el.raw = p.body[f.start:p.dec.InputOffset()]
	return nil
}

// Is reports whether the element has the name.
func (e *Element) Is(name xml.Name) bool { return e != nil && e.Name == name }

// Child gives the first child of the name, nil if there is none.
func (e *Element) Child(name xml.Name) *Element {
	if e == nil {
		return nil
	}
	for _, c := range e.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Count counts the children of the name.
func (e *Element) Count(name xml.Name) int {
	n := 0
	for _, c := range e.Children {
		if c.Name == name {
			n++
		}
	}
	return n
}

// Text gives the character data directly in the element; that of a nil
// element is empty.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	return string(e.text)
}

// Trimmed gives Text without white space around it.
func (e *Element) Trimmed() string { return strings.TrimSpace(e.Text()) }

// Attr gives an attribute's value.
func (e *Element) Attr(name xml.Name) (string, bool) {
	for _, a := range e.Attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// Plain gives the value of an attribute without namespace, "" if it is absent.
func (e *Element) Plain(local string) string {
	v, _ := e.Attr(xml.Name{Local: local})
	return v
}

// Raw gives the element as sent, made to stand alone: the namespaces and the
// xml:lang that are in force around it are declared in its start tag
// (RFC 4918 §4.3, §4.4).
func (e *Element) Raw() []byte {
	cut := 1
	for cut < len(e.raw) && !bytes.ContainsRune([]byte(" \t\r\n/>"), rune(e.raw[cut])) {
		cut++
	}
	out := append(make([]byte, 0, len(e.raw)+64), e.raw[:cut]...)
	seen := slices.Clone(e.own)
	for s := e.scope; s != nil; s = s.outer {
		if slices.Contains(seen, s.prefix) {
			continue
		}
		seen = append(seen, s.prefix)
		switch {
		case s.prefix == "" && s.uri != "":
			out = append(out, " xmlns"...)
		case s.prefix != "" && bytes.Contains(e.raw, []byte(s.prefix+":")):
			out = append(append(out, " xmlns:"...), s.prefix...)
		default:
			continue
		}
		out = append(AppendText(append(out, `="`...), s.uri), '"')
	}
	if _, ok := e.Attr(xml.Name{Space: nsXML, Local: "lang"}); !ok && e.lang != "" {
		out = append(AppendText(append(out, ` xml:lang="`...), e.lang), '"')
	}
	return append(out, e.raw[cut:]...)
}

// Sent reports whether the element is from a request, not made by hand.
func (e *Element) Sent() bool { return len(e.raw) > 0 }
