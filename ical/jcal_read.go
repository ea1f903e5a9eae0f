package ical

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// FromJCal gives the iCalendar text of a jCal document (RFC 7265 §4), to be
// read by Parse or ParseResource. The errors are *InvalidError with the rule
// ValidCalendarData, or MaxResourceSize for what is beyond lim.
func FromJCal(data []byte, lim Limits) ([]byte, error) {
	lim = lim.orDefault()
	if len(data) > lim.Bytes {
		return nil, invalid(MaxResourceSize, 0, "RFC 4791 §5.2.5", "the text has more than %d octets", lim.Bytes)
	}
	r := &jcalReader{dec: json.NewDecoder(bytes.NewReader(data)), lim: lim, out: make([]byte, 0, len(data))}
	r.dec.UseNumber()
	err := r.open('[')
	if err == nil {
		err = r.component(1)
	}
	if err == nil {
		if _, more := r.dec.Token(); !errors.Is(more, io.EOF) {
			err = errJCal
		}
	}
	if err != nil {
		return nil, invalid(ValidCalendarData, 0, "RFC 7265 §3", "the text is no jCal: %s", err)
	}
	return r.out, nil
}

var (
	errJCal      = errors.New("it does not have the shape of jCal")
	errJCalLimit = errors.New("it has too many components or lines, or nests too deep")
)

// jcalReader writes content lines of the tokens that it reads, so that nothing
// of the document is held but one property.
type jcalReader struct {
	dec        *json.Decoder
	lim        Limits
	out        []byte
	components int
	lines      int
}

func (r *jcalReader) token() (json.Token, error) {
	tok, err := r.dec.Token()
	if err != nil {
		return nil, errJCal // the decoder's words would quote the text
	}
	return tok, nil
}

// open takes the delimiter that begins an array or an object.
func (r *jcalReader) open(want json.Delim) error {
	tok, err := r.token()
	if err != nil {
		return err
	}
	if tok != want {
		return errJCal
	}
	return nil
}

func (r *jcalReader) text() (string, error) {
	tok, err := r.token()
	if err != nil {
		return "", err
	}
	s, ok := tok.(string)
	if !ok {
		return "", errJCal
	}
	return s, nil
}

// name takes a name, which jCal has in lower case.
func (r *jcalReader) name() (string, error) {
	s, err := r.text()
	if err == nil && !isToken(s) {
		err = errJCal
	}
	return strings.ToUpper(s), err
}

// component reads the rest of [name, [property…], [component…]].
func (r *jcalReader) component(depth int) error {
	if r.components++; depth > r.lim.Depth || r.components > r.lim.Components {
		return errJCalLimit
	}
	name, err := r.name()
	if err != nil {
		return err
	}
	r.out = append(append(append(r.out, "BEGIN:"...), name...), '\r', '\n')
	if err := r.each(r.property); err != nil {
		return err
	}
	if err := r.each(func() error { return r.component(depth + 1) }); err != nil {
		return err
	}
	r.out = append(append(append(r.out, "END:"...), name...), '\r', '\n')
	return r.open(']')
}

// each reads an array of arrays.
func (r *jcalReader) each(one func() error) error {
	if err := r.open('['); err != nil {
		return err
	}
	for r.dec.More() {
		if err := r.open('['); err != nil {
			return err
		}
		if err := one(); err != nil {
			return err
		}
	}
	return r.open(']')
}

// property reads the rest of [name, {parameter…}, type, value…].
func (r *jcalReader) property() error {
	if r.lines++; r.lines > r.lim.Lines {
		return errJCalLimit
	}
	name, err := r.name()
	if err != nil {
		return err
	}
	line, err := r.params([]byte(name))
	if err != nil {
		return err
	}
	kind, err := r.name()
	if err != nil {
		return err
	}
	kind = strings.ToLower(kind)
	if kind != jcalDefault(name) && kind != jcalUnknown {
		line = append(append(line, ";VALUE="...), strings.ToUpper(kind)...)
	}
	line = append(line, ':')
	for n := 0; r.dec.More(); n++ {
		if n > 0 {
			line = append(line, ',')
		}
		if line, err = r.value(line, kind, 0); err != nil {
			return err
		}
	}
	r.out = appendFolded(r.out, string(line))
	return r.open(']')
}

// params reads the object of parameters.
func (r *jcalReader) params(line []byte) ([]byte, error) {
	if err := r.open('{'); err != nil {
		return nil, err
	}
	for r.dec.More() {
		name, err := r.name()
		if err != nil {
			return nil, err
		}
		line = append(append(append(line, ';'), name...), '=')
		tok, err := r.token()
		if err != nil {
			return nil, err
		}
		switch v := tok.(type) {
		case string:
			line = appendParamValue(line, v)
		case json.Delim:
			if v != '[' {
				return nil, errJCal
			}
			for n := 0; r.dec.More(); n++ {
				one, err := r.text()
				if err != nil {
					return nil, err
				}
				if n > 0 {
					line = append(line, ',')
				}
				line = appendParamValue(line, one)
			}
			if err := r.open(']'); err != nil {
				return nil, err
			}
		default:
			return nil, errJCal
		}
	}
	return line, r.open('}')
}

// value reads one value: a scalar, a structured value (RFC 7265 §3.3) as an
// array, or the parts of a rule as an object.
func (r *jcalReader) value(line []byte, kind string, depth int) ([]byte, error) {
	tok, err := r.token()
	if err != nil {
		return nil, err
	}
	delim, structured := tok.(json.Delim)
	switch {
	case !structured:
		return r.scalar(line, kind, tok)
	case delim == '{' && kind == "recur" && depth == 0:
		return r.rule(line)
	case delim != '[' || depth > 1:
		return nil, errJCal
	}
	sep := byte(';')
	switch {
	case depth > 0:
		sep = ','
	case kind == "period":
		sep = '/'
	}
	for n := 0; r.dec.More(); n++ {
		if n > 0 {
			line = append(line, sep)
		}
		if line, err = r.value(line, kind, depth+1); err != nil {
			return nil, err
		}
	}
	return line, r.open(']')
}

// scalar appends one string, number or boolean.
func (r *jcalReader) scalar(line []byte, kind string, tok json.Token) ([]byte, error) {
	switch v := tok.(type) {
	case bool:
		if v {
			return append(line, "TRUE"...), nil
		}
		return append(line, "FALSE"...), nil
	case json.Number:
		return append(line, v.String()...), nil
	case string:
		switch kind {
		case "text":
			return append(line, EscapeText(v)...), nil
		case "date", "date-time", "time", "utc-offset":
			return append(line, cleanValue(basic(v))...), nil
		case "period":
			start, end, ok := strings.Cut(v, "/")
			if line = append(line, cleanValue(basic(start))...); ok {
				line = append(append(line, '/'), cleanValue(basic(end))...)
			}
			return line, nil
		}
		return append(line, cleanValue(v)...), nil
	}
	return nil, errJCal
}

// basic undoes extended; what is not of its form stays as it is.
func basic(v string) string {
	short := strings.NewReplacer("-", "", ":", "").Replace(v)
	if strings.HasPrefix(v, "-") {
		short = "-" + short
	}
	if extended(short) == v {
		return short
	}
	return v
}

// rule reads the rest of an object of a rule's parts.
func (r *jcalReader) rule(line []byte) ([]byte, error) {
	for n := 0; r.dec.More(); n++ {
		name, err := r.name()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			line = append(line, ';')
		}
		line = append(append(line, name...), '=')
		kind := jcalUnknown
		if name == "UNTIL" {
			kind = "date-time"
		}
		if line, err = r.value(line, kind, 1); err != nil {
			return nil, err
		}
	}
	return line, r.open('}')
}
