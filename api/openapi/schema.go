package openapi

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"daybook/api/rest"
)

// place is where in a document a schema is made.
type place struct {
	api   string      // name of the API, the first part of a component's name
	needs *rest.Needs // of a request; nil in an answer
	path  string      // of the member in the request's body
}

func (p place) at(name string) place {
	if p.path != "" {
		name = p.path + "." + name
	}
	p.path = name
	return p
}

// variant tells apart what one type looks like in different places: in answers
// all is the same, in requests it follows from what is required there.
func (p place) variant() string {
	if p.needs == nil {
		return ""
	}
	var out []string
	for sign, set := range map[string]map[string]bool{"+": p.needs.Required, "!": p.needs.NotNull} {
		for name, yes := range set {
			if below, ok := strings.CutPrefix(name, p.prefix()); ok && yes {
				out = append(out, sign+below)
			}
		}
	}
	slices.Sort(out)
	return "in " + strings.Join(out, ",")
}

func (p place) prefix() string {
	if p.path == "" {
		return ""
	}
	return p.path + "."
}

// component is a struct type in one of its variants.
type component struct {
	t       reflect.Type
	variant string
}

// schemas makes schemas of types, and keeps those of named structs as
// components, so that they appear once and may contain themselves.
type schemas struct {
	all   map[string]*Schema
	names map[component]string
}

// known are types of other packages that do not say themselves what they look
// like.
func known(t reflect.Type) (rest.Schema, bool) {
	switch t {
	case reflect.TypeFor[uuid.UUID]():
		return rest.Schema{Type: "string", Format: "uuid"}, true
	case reflect.TypeFor[time.Time]():
		return rest.Schema{Type: "string", Format: "date-time"}, true
	case reflect.TypeFor[json.RawMessage]():
		return rest.Schema{}, true
	case reflect.TypeFor[[]byte]():
		return rest.Schema{Type: "string", Format: "byte"}, true
	}
	zero := reflect.New(t)
	if s, ok := reflect.TypeAssert[rest.Schemer](zero); ok {
		return s.Schema(), true
	}
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return rest.Schema{}, t.Kind() == reflect.Interface
	}
	switch p := reflect.PointerTo(t); {
	case p.Implements(reflect.TypeFor[json.Marshaler]()), p.Implements(reflect.TypeFor[json.Unmarshaler]()):
		return rest.Schema{}, true // anything: it does not tell
	case p.Implements(reflect.TypeFor[encoding.TextMarshaler]()), p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return rest.Schema{Type: "string"}, true
	}
	return rest.Schema{}, false
}

// unwrap gives the type that stands in an answer for a wrapper like
// rest.Tagged.
func unwrap(t reflect.Type) reflect.Type {
	if u, ok := reflect.TypeAssert[interface{ Unwrapped() any }](reflect.Zero(t)); ok {
		if v := u.Unwrapped(); v != nil {
			return reflect.TypeOf(v)
		}
	}
	return t
}

func (s *schemas) of(t reflect.Type, at place) *Schema {
	if e, opt := rest.Elem(t); opt {
		out := s.of(e, at)
		if at.needs == nil || !at.needs.NotNull[at.path] {
			return nullable(out)
		}
		return out
	}
	if u := unwrap(t); u != t {
		return s.of(u, at)
	}
	if k, ok := known(t); ok {
		return fromRest(k)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(s.of(t.Elem(), at))
	case reflect.Bool:
		return &Schema{Type: Types{"boolean"}}
	case reflect.String:
		return &Schema{Type: Types{"string"}}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: Types{"number"}}
	case reflect.Slice:
		return &Schema{Type: Types{"array"}, Items: s.of(t.Elem(), at.at("*"))}
	case reflect.Array:
		n := t.Len()
		return &Schema{Type: Types{"array"}, Items: s.of(t.Elem(), at.at("*")), MinItems: &n, MaxItems: &n}
	case reflect.Map:
		return &Schema{Type: Types{"object"}, Additional: s.of(t.Elem(), at.at("*"))}
	case reflect.Struct:
		return s.structure(t, at)
	default:
		return integer(t.Kind())
	}
}

func integer(k reflect.Kind) *Schema {
	out := &Schema{Type: Types{"integer"}, Format: "int64"}
	switch k {
	case reflect.Int8, reflect.Int16, reflect.Int32:
		out.Format = "int32"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		out.Minimum = new(int)
	default: // 64 bits, with a sign
	}
	return out
}

func fromRest(r rest.Schema) *Schema {
	out := &Schema{Description: r.Doc, Format: r.Format, Pattern: r.Pattern, Minimum: r.Min, Maximum: r.Max}
	for _, a := range r.Any {
		out.AnyOf = append(out.AnyOf, fromRest(a))
	}
	if r.Type != "" {
		out.Type = Types{r.Type}
	}
	for _, e := range r.Enum {
		out.Enum = append(out.Enum, e)
	}
	if r.Items != nil {
		out.Items = fromRest(*r.Items)
	}
	if r.Example != nil {
		out.Examples = []any{r.Example}
	}
	return out
}

// nullable gives the schema that takes null too.
func nullable(s *Schema) *Schema {
	switch {
	case s.Ref != "":
		return &Schema{AnyOf: []*Schema{s, {Type: Types{"null"}}}}
	case len(s.AnyOf) > 0:
		s.AnyOf = append(s.AnyOf, &Schema{Type: Types{"null"}})
	case len(s.Type) > 0 && !slices.Contains(s.Type, "null"):
		s.Type = append(s.Type, "null")
		if s.Enum != nil {
			s.Enum = append(s.Enum, nil)
		}
	}
	return s
}

// structure gives a reference to the component of a named struct, or the
// schema of one without a name.
func (s *schemas) structure(t reflect.Type, at place) *Schema {
	if t.Name() == "" {
		out := &Schema{}
		s.fill(out, t, at)
		return out
	}
	key := component{t, at.variant()}
	name, ok := s.names[key]
	if !ok {
		name = s.free(componentName(at.api, t), at.needs != nil)
		s.names[key] = name
		out := &Schema{}
		s.all[name] = out // before its members: they may refer to it
		s.fill(out, t, at)
	}
	return &Schema{Ref: "#/components/schemas/" + name}
}

// free gives the name, or one beside it that is not taken.
func (s *schemas) free(name string, request bool) string {
	if s.all[name] == nil {
		return name
	}
	if request {
		name += "Input"
	}
	out := name
	for n := 2; s.all[out] != nil; n++ {
		out = name + strconv.Itoa(n)
	}
	return out
}

// componentName makes FolioCalendar of folio.Calendar, and HouseResourceList of
// rest.List[house.Resource].
func componentName(api string, t reflect.Type) string {
	name, args, generic := strings.Cut(t.Name(), "[")
	if generic {
		args, _, _ = strings.Cut(strings.TrimSuffix(args, "]"), "·")
		name = title(args[strings.LastIndexByte(args, '.')+1:]) + name
	}
	return title(api) + title(strings.TrimSuffix(name, "Body"))
}

func title(s string) string {
	r := []rune(s)
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}

// fill describes the members of a struct, those of embedded ones among them.
func (s *schemas) fill(out *Schema, t reflect.Type, at place) {
	out.Type = Types{"object"}
	for _, f := range reflect.VisibleFields(t) {
		if f.Name == "_" && f.Tag.Get("open") == "true" {
			out.Additional = &Schema{}
		}
		tag, named := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" || !f.IsExported() || tag == "-" || at.needs != nil && !named {
			continue
		}
		if name == "" {
			name = f.Name
		}
		here := at.at(name)
		member := tagged(s.of(f.Type, here), f.Tag)
		out.Properties = append(out.Properties, Property{name, member})
		if required(f.Tag, options, here) {
			out.Required = append(out.Required, name)
		}
	}
}

func required(tag reflect.StructTag, options string, at place) bool {
	if r, ok := tag.Lookup("required"); ok {
		return r == "true"
	}
	if at.needs != nil {
		return at.needs.Required[at.path]
	}
	return !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero")
}

// tagged adds what the tags of a field say. A wrong tag is a mistake in the
// program.
func tagged(s *Schema, tag reflect.StructTag) *Schema {
	if s.Ref != "" && (tag.Get("doc") != "" || tag.Get("null") != "") {
		s = &Schema{AnyOf: []*Schema{s}}
	}
	if doc := tag.Get("doc"); doc != "" {
		s.Description = doc
	}
	value := s
	if len(s.Type) > 0 && s.Type[0] == "array" && s.Items != nil {
		value = s.Items // what is said of a list is said of its elements
	}
	if x := tag.Get("format"); x != "" {
		value.Format = x
	}
	if x := tag.Get("pattern"); x != "" {
		value.Pattern = x
	}
	if x := tag.Get("enum"); x != "" {
		value.Enum = nil
		for word := range strings.SplitSeq(x, ",") {
			value.Enum = append(value.Enum, word)
		}
		if slices.Contains(value.Type, "null") {
			value.Enum = append(value.Enum, nil)
		}
	}
	value.Minimum = bound(tag, "min", value.Minimum)
	value.Maximum = bound(tag, "max", value.Maximum)
	if x := tag.Get("example"); x != "" {
		s.Examples = []any{example(s, x)}
	}
	if tag.Get("null") == "true" {
		s = nullable(s)
	}
	return s
}

func bound(tag reflect.StructTag, name string, or *int) *int {
	text, ok := tag.Lookup(name)
	if !ok {
		return or
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("tag %s: %v", tag, err))
	}
	return &n
}

// example reads the text of an example as the schema has it: JSON for what is
// no text.
func example(s *Schema, text string) any {
	if len(s.Type) > 0 && s.Type[0] == "string" {
		return text
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}
