package rest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Schema is what a description of an API says of a value where its type in Go
// does not tell: a text that is a date, a list of words, an array that reads
// itself. The words are those of JSON Schema (draft 2020-12).
type Schema struct {
	Type    string // string, integer, number, boolean, array, object; "" anything
	Format  string // e.g. date-time
	Pattern string // a regular expression (ECMA 262)
	Enum    []string
	Items   *Schema  // of an array
	Any     []Schema // one of these; no other field counts then
	Min     *int
	Max     *int
	Doc     string // one sentence
	Example any
}

// Schemer is a type that says what its JSON, and its text in a parameter, looks
// like. It is asked on a zero value.
type Schemer interface{ Schema() Schema }

// Shaper is an ErrorWriter that says what it writes.
type Shaper interface {
	// Shape gives the media type and the type of the body that an error of the
	// status has.
	Shape(status int) (mediaType string, body reflect.Type)
}

// Shape is that of Shaper.
func (House) Shape(int) (string, reflect.Type) {
	return "application/problem+json", reflect.TypeFor[houseProblem]()
}

// Security is one thing that a request carries to sign in, in OpenAPI's words.
type Security struct {
	Name   string // in the description, e.g. bearer
	Type   string // http or apiKey
	Scheme string // of http: bearer or basic
	Header string // of apiKey
	Doc    string
}

// Elem gives the type in an Opt and true, or the type itself.
func Elem(t reflect.Type) (elem reflect.Type, opt bool) {
	e := inner(t)
	return e, e != t
}

// Field gives the field of In that the parameter is read into, with its tags.
func (p Param) Field(in reflect.Type) reflect.StructField { return in.FieldByIndex(p.index) }

// Schema is that of [Schemer].
func (Duration) Schema() Schema {
	return Schema{Type: "string", Format: "duration", Example: "PT30M"}
}

// Needs are the fields of a request that are judged: parameters by their names,
// members of the body by dotted paths in which "*" is each element of an
// array.
type Needs struct {
	Required map[string]bool // must be given
	NotNull  map[string]bool // must not be null
}

// Needs finds out by asking the decoder and Validate themselves: they are given
// a request in which everything is absent, and then ones with a single null.
func (o *Op[In, Out]) Needs() Needs {
	n := Needs{o.faultsOf("{}"), map[string]bool{}}
	if o.body == nil {
		return n
	}
	t := reflect.TypeFor[In]().FieldByIndex(o.body).Type
	// A member deeper down is judged once what it is in is there.
	for _, path := range members(t, "", nil) {
		if parent, _, ok := cutLast(path); ok && o.faultsOf(with(parent, "{}"))[path] {
			n.Required[path] = true
		}
		n.NotNull[path] = o.faultsOf(with(path, "null"))[path]
	}
	return n
}

// faultsOf gives the paths of the faults that a body without parameters has.
func (o *Op[In, Out]) faultsOf(body string) map[string]bool {
	out := map[string]bool{}
	var in In
	var faults Faults
	if o.body != nil {
		n, err := parseJSON([]byte(body))
		if err != nil {
			return out
		}
		(&assigner{&faults, false}).assign("", n, reflect.ValueOf(&in).Elem().FieldByIndex(o.body))
	}
	if v, ok := any(&in).(Validator); ok {
		v.Validate(&faults)
	}
	for _, f := range faults.list {
		// The elements that are asked with are the first of their arrays.
		out[strings.Trim(strings.ReplaceAll("."+f.Field+".", ".0.", ".*."), ".")] = true
	}
	return out
}

// with writes a body in which the value stands at a path and nothing else
// does.
func with(path, value string) string {
	parts := strings.Split(path, ".")
	for _, part := range slices.Backward(parts) {
		if part == "*" {
			value = "[" + value + "]"
			continue
		}
		name, err := json.Marshal(part)
		if err != nil {
			panic(fmt.Sprintf("name %q: %v", part, err)) // no text fails
		}
		value = "{" + string(name) + ":" + value + "}"
	}
	return value
}

func cutLast(path string) (parent, name string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// members lists the paths of all members of a body. A type within itself is
// not followed.
func members(t reflect.Type, path string, within []reflect.Type) []string {
	t, _ = Elem(t)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) || len(within) > maxDepth {
		return nil
	}
	if slices.Contains(within, t) {
		return nil
	}
	within = append(slices.Clip(within), t)
	switch t.Kind() {
	case reflect.Slice:
		return members(t.Elem(), join(path, "*"), within)
	case reflect.Struct:
		var out []string
		for name, index := range jsonFields(t) {
			p := join(path, name)
			out = append(append(out, p), members(t.FieldByIndex(index).Type, p, within)...)
		}
		return out
	default:
		return nil
	}
}
