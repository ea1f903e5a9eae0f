package rest

import (
	"encoding"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// Param is one parameter outside of the body.
type Param struct {
	In    string       // path, query or header
	Name  string       // as in the request
	Type  reflect.Type // of the field; an Opt for one that may be absent
	List  bool         // comma-separated
	lines bool         // a header whose lines are one list (RFC 9110 §5.3); an empty one is given too
	index []int
}

// Description is what a document of an API can say of an endpoint.
type Description struct {
	Status  int // of success
	In, Out reflect.Type
	Params  []Param
	Body    reflect.Type // nil: none is read

	OtherBody string // media type of a body that can be sent instead; "": JSON alone
}

// describe reads the tags of In. A wrong tag is a mistake in the program.
func describe(in reflect.Type) (params []Param, body []int, other otherBody, err error) {
	if in.Kind() != reflect.Struct {
		return nil, nil, other, fmt.Errorf("%v is not a struct", in)
	}
	for _, f := range reflect.VisibleFields(in) {
		if f.Anonymous {
			continue
		}
		if kind := f.Tag.Get("body"); kind == "json" {
			body = f.Index
			continue
		} else if kind != "" {
			if f.Type != reflect.TypeFor[[]byte]() {
				return nil, nil, other, fmt.Errorf("%v: field %s takes no bytes", in, f.Name)
			}
			other = otherBody{kind, f.Index}
			continue
		}
		for _, from := range []string{"path", "query", "header"} {
			name, ok := f.Tag.Lookup(from)
			if !ok {
				continue
			}
			if !f.IsExported() || name == "" || !settable(f.Type) {
				return nil, nil, other, fmt.Errorf("%v: field %s cannot be a parameter", in, f.Name)
			}
			params = append(params, Param{In: from, Name: name, Type: f.Type, List: isList(f.Type), lines: f.Tag.Get("lines") == "many", index: f.Index})
		}
	}
	return params, body, other, nil
}

func inner(t reflect.Type) reflect.Type {
	if o, ok := reflect.TypeAssert[optional](reflect.New(t)); ok {
		return o.elem()
	}
	return t
}

func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func isList(t reflect.Type) bool {
	t = inner(t)
	return !isText(t) && t.Kind() == reflect.Slice
}

func settable(t reflect.Type) bool {
	t = inner(t)
	if isText(t) {
		return true
	}
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	k := t.Kind()
	return k == reflect.String || k >= reflect.Bool && k <= reflect.Float64 && k != reflect.Uintptr || isText(t)
}

// readParams fills the fields of in from path, query and headers. An empty
// query value is an absent one.
func readParams(r *http.Request, params []Param, strict bool, in reflect.Value, faults *Faults) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &Problem{Status: http.StatusBadRequest, Detail: "the query is not well-formed", Err: err}
	}
	for _, p := range params {
		var values []string
		switch p.In {
		case "path":
			values = []string{r.PathValue(p.Name)}
		case "query":
			values = query[p.Name]
			delete(query, p.Name)
		case "header":
			values = r.Header.Values(p.Name)
		}
		if len(values) > 1 && !p.List && !p.lines {
			faults.Add(p.Name, "is given more than once")
			continue
		}
		text := strings.Join(values, ",")
		if text == "" && !(p.lines && len(values) > 0) {
			continue
		}
		field := in.FieldByIndex(p.index)
		if message := setParam(field, text); message != "" {
			field.SetZero() // what did not decode is absent for the guard
			faults.Add(p.Name, message)
		}
	}
	if strict {
		for name := range query {
			faults.Add(name, "is not known")
		}
	}
	return nil
}

// setParam reads a text into a field and gives what is wrong with it, or "".
func setParam(v reflect.Value, text string) string {
	if o, ok := reflect.TypeAssert[optional](v.Addr()); ok {
		v = o.slot()
	}
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return complaint(v.Type(), err)
		}
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		switch strings.ToLower(text) {
		case "true", "1":
			v.SetBool(true)
		case "false", "0":
			v.SetBool(false)
		default:
			return "must be true or false"
		}
	case reflect.Slice:
		for part := range strings.SplitSeq(text, ",") {
			e := reflect.New(v.Type().Elem()).Elem()
			if message := setParam(e, strings.TrimSpace(part)); message != "" {
				return message
			}
			v.Set(reflect.Append(v, e))
		}
	default:
		if !setNumber(v, text) {
			return numberWanted(v.Kind())
		}
	}
	return ""
}
