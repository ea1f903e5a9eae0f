package rest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// maxDepth bounds the nesting of a JSON body.
const maxDepth = 32

// node is a JSON value, checked and ready to be assigned to a field.
type node struct {
	kind    byte // one of { [ " 0 t n
	text    string
	raw     []byte
	names   []string
	members []*node // of an object beside names, or of an array
}

// parseJSON reads one JSON text (RFC 8259). It refuses what encoding/json lets
// pass: bytes that are not UTF-8, a name given twice in one object, deep
// nesting, and anything after the value. The error's text is for the client.
func parseJSON(data []byte) (*node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, errors.New("the body is not UTF-8")
	}
	p := &parser{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	p.dec.UseNumber()
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body goes on after its JSON value")
	}
	return n, nil
}

type parser struct {
	dec  *json.Decoder
	data []byte
}

func (p *parser) token() (json.Token, error) {
	t, err := p.dec.Token()
	if err != nil {
		return nil, fmt.Errorf("the body is not JSON (byte %d)", p.dec.InputOffset())
	}
	return t, nil
}

func (p *parser) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the body is nested more than %d deep", maxDepth)
	}
	start := p.dec.InputOffset()
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	n := &node{}
	switch t := t.(type) {
	case json.Delim:
		n.kind = byte(t)
		if err := p.children(n, depth); err != nil {
			return nil, err
		}
	case string:
		n.kind, n.text = '"', t
	case json.Number:
		n.kind, n.text = '0', t.String()
	case bool:
		n.kind, n.text = 't', strconv.FormatBool(t)
	case nil:
		n.kind = 'n'
	}
	n.raw = bytes.TrimLeft(p.data[start:p.dec.InputOffset()], " \t\r\n,:")
	return n, nil
}

// children reads the members of an object or array up to its end.
func (p *parser) children(n *node, depth int) error {
	seen := map[string]bool{}
	for p.dec.More() {
		if n.kind == '{' {
			t, err := p.token()
			if err != nil {
				return err
			}
			name, ok := t.(string)
			if !ok {
				return errors.New("the body is not JSON")
			}
			if seen[name] {
				return errors.New("the body names a member twice")
			}
			seen[name] = true
			n.names = append(n.names, name)
		}
		m, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.members = append(n.members, m)
	}
	_, err := p.token() // the closing bracket
	return err
}

// assigner puts JSON values into typed fields and collects what does not fit.
type assigner struct {
	faults *Faults
	strict bool // unknown members are faults
}

const mustNotBeNull = "must not be null"

func (a *assigner) assign(path string, n *node, v reflect.Value) {
	if o, ok := reflect.TypeAssert[optional](v.Addr()); ok {
		if n.kind == 'n' {
			o.setNull()
			return
		}
		a.assign(path, n, o.slot())
		return
	}
	if v.Kind() == reflect.Pointer {
		if n.kind == 'n' {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		a.assign(path, n, v.Elem())
		return
	}
	if raw, ok := reflect.TypeAssert[*json.RawMessage](v.Addr()); ok {
		*raw = bytes.Clone(n.raw)
		return
	}
	if n.kind == 'n' {
		a.faults.Add(path, mustNotBeNull)
		return
	}
	if u, ok := reflect.TypeAssert[json.Unmarshaler](v.Addr()); ok {
		if err := u.UnmarshalJSON(n.raw); err != nil {
			a.faults.Add(path, complaint(v.Type(), err))
		}
		return
	}
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		if n.kind != '"' {
			a.faults.Add(path, "must be a string")
		} else if err := u.UnmarshalText([]byte(n.text)); err != nil {
			a.faults.Add(path, complaint(v.Type(), err))
		}
		return
	}
	a.plain(path, n, v)
}

// complaint goes on from the name of a field whose value did not decode. Our own
// types say it for the client, those of others for the programmer.
func complaint(t reflect.Type, err error) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "must be a date and time with its offset, like 2027-03-01T12:30:00Z"
	case reflect.TypeFor[uuid.UUID]():
		return "must be a UUID"
	}
	return err.Error()
}

// plain assigns to the kinds of Go, strictly: no number for a string, no
// fraction for an integer.
func (a *assigner) plain(path string, n *node, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if n.kind != '"' {
			a.faults.Add(path, "must be a string")
			return
		}
		v.SetString(n.text)
	case reflect.Bool:
		if n.kind != 't' {
			a.faults.Add(path, "must be true or false")
			return
		}
		v.SetBool(n.text == "true")
	case reflect.Struct:
		a.object(path, n, v)
	case reflect.Slice:
		a.array(path, n, v)
	case reflect.Map:
		a.dict(path, n, v)
	default:
		if n.kind != '0' || !setNumber(v, n.text) {
			a.faults.Add(path, numberWanted(v.Kind()))
		}
	}
}

func numberWanted(k reflect.Kind) string {
	if k == reflect.Float64 || k == reflect.Float32 {
		return "must be a number"
	}
	return "must be an integer"
}

// setNumber reads a number into an integer or floating-point field.
func setNumber(v reflect.Value, text string) bool {
	switch {
	case v.CanInt():
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err == nil {
			v.SetInt(i)
		}
		return err == nil
	case v.CanUint():
		u, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err == nil {
			v.SetUint(u)
		}
		return err == nil
	case v.CanFloat():
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		if err == nil {
			v.SetFloat(f)
		}
		return err == nil
	}
	return false
}

func (a *assigner) object(path string, n *node, v reflect.Value) {
	if n.kind != '{' {
		a.faults.Add(path, "must be an object")
		return
	}
	fields := jsonFields(v.Type())
	for i, name := range n.names {
		index, ok := fields[name]
		if ok {
			a.assign(join(path, name), n.members[i], v.FieldByIndex(index))
		} else if a.strict {
			a.faults.Add(join(path, name), "is not known")
		}
	}
}

func (a *assigner) array(path string, n *node, v reflect.Value) {
	if n.kind != '[' {
		a.faults.Add(path, "must be an array")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.members), len(n.members)))
	for i, m := range n.members {
		a.assign(join(path, strconv.Itoa(i)), m, v.Index(i))
	}
}

func (a *assigner) dict(path string, n *node, v reflect.Value) {
	if n.kind != '{' {
		a.faults.Add(path, "must be an object")
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.names)))
	for i, name := range n.names {
		e := reflect.New(v.Type().Elem()).Elem()
		a.assign(join(path, name), n.members[i], e)
		v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), e)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// jsonFields gives the fields of a struct by member name, those of embedded
// structs among them. Members match in exact case only.
func jsonFields(t reflect.Type) map[string][]int {
	out := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		out[name] = f.Index
	}
	return out
}
