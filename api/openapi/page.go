package openapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template is part of the binary
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

//go:embed page.html.tmpl
var pageText string

//go:embed page.css
var pageStyle string

// Page writes the document for a reader: one page that needs no script and
// loads nothing. policy is the Content-Security-Policy that it can have.
func Page(d *Document) (page []byte, policy string, err error) {
	v := view{d}
	t, err := template.New("page").Funcs(template.FuncMap{
		"resolve": v.resolve, "kind": v.kind, "rows": v.rows, "curl": v.curl, "sorted": sortedResponses, "anchor": anchor, "first": first,
		"name": refName, "ways": v.ways,
	}).Parse(pageText)
	if err != nil {
		return nil, "", fmt.Errorf("page: %w", err)
	}
	var b bytes.Buffer
	data := struct {
		*Document
		Groups []group
		Style  template.CSS
	}{d, v.groups(), template.CSS(pageStyle)}
	if err := t.Execute(&b, data); err != nil {
		return nil, "", fmt.Errorf("page: %w", err)
	}
	sum := sha256.Sum256([]byte(pageStyle))
	policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
	return b.Bytes(), policy, nil
}

// group is a tag with its operations.
type group struct {
	Tag
	Operations []shown
}

type shown struct {
	Method, Path string
	*Operation
	Call bool // it is the daemon that asks
}

// view answers what the template asks of a document.
type view struct{ *Document }

func (v view) groups() []group {
	var out []group
	for _, t := range v.Tags {
		g := group{Tag: t}
		for _, path := range slices.Sorted(maps.Keys(v.Paths)) {
			for _, o := range v.Paths[path].Operations() {
				if slices.Contains(o.Tags, t.Name) {
					g.Operations = append(g.Operations, shown{o.Method, path, o.Operation, false})
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v.Webhooks)) {
			for _, o := range v.Webhooks[name].Operations() {
				if slices.Contains(o.Tags, t.Name) {
					g.Operations = append(g.Operations, shown{o.Method, "your address", o.Operation, true})
				}
			}
		}
		if g.Operations != nil {
			out = append(out, g)
		}
	}
	return out
}

// resolve follows references to schemas and responses.
func (v view) resolve(s *Schema) *Schema {
	if s != nil && s.Ref != "" {
		return v.Components.Schemas[refName(s.Ref)]
	}
	return s
}

func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// coded is an answer with its status.
type coded struct {
	Status string
	*Response
}

// sortedResponses gives the answers by status, those that stand elsewhere by
// their name alone.
func sortedResponses(all map[string]*Response) (out []coded) {
	for _, status := range slices.Sorted(maps.Keys(all)) {
		out = append(out, coded{status, all[status]})
	}
	return out
}

func anchor(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, s), "-")
}

// first gives the media type and schema of a body.
func first(content map[string]Media) (out struct {
	Type   string
	Schema *Schema
},
) {
	if types := slices.Sorted(maps.Keys(content)); len(types) > 0 {
		out.Type, out.Schema = types[0], content[types[0]].Schema
	}
	return out
}

// kind says in a few words what a value is.
func (v view) kind(s *Schema) string {
	if s == nil {
		return "anything"
	}
	if s.Ref != "" {
		return refName(s.Ref)
	}
	var parts []string
	for _, a := range s.AnyOf {
		parts = append(parts, v.kind(a))
	}
	for _, t := range s.Type {
		switch {
		case t == "array":
			t = "array of " + v.kind(s.Items)
		case t == "object" && s.Additional != nil:
			t = "object of " + v.kind(s.Additional)
		case t == "string" && s.Format != "":
			t = s.Format
		}
		parts = append(parts, t)
	}
	if len(parts) == 0 {
		return "anything"
	}
	out := strings.Join(parts, " or ")
	if len(s.Enum) > 0 {
		var words []string
		for _, e := range s.Enum {
			if e != nil {
				words = append(words, fmt.Sprint(e))
			}
		}
		out += ": " + strings.Join(words, ", ")
	}
	if s.Minimum != nil && *s.Minimum != 0 || s.Maximum != nil {
		out += bounds(s)
	}
	return out
}

func bounds(s *Schema) string {
	switch {
	case s.Minimum == nil:
		return fmt.Sprintf(", at most %d", *s.Maximum)
	case s.Maximum == nil:
		return fmt.Sprintf(", at least %d", *s.Minimum)
	}
	return fmt.Sprintf(", %d to %d", *s.Minimum, *s.Maximum)
}

// row is a member of an object, as it is listed.
type row struct {
	Name, Kind, Doc string
	Required        bool
}

// rows lists the members of a body: those of the object, or of the object in
// an array.
func (v view) rows(s *Schema) []row {
	s = v.resolve(s)
	if s != nil && len(s.Properties) == 0 && s.Items != nil {
		s = v.resolve(s.Items)
	}
	if s == nil {
		return nil
	}
	var out []row
	for _, p := range s.Properties {
		out = append(out, row{p.Name, v.kind(p.Schema), p.Schema.Description, slices.Contains(s.Required, p.Name)})
	}
	return out
}

// ways names how an operation is signed in to.
func (v view) ways(o *Operation) string {
	if len(o.Security) == 0 {
		return "nobody has to sign in"
	}
	var all []string
	for _, way := range o.Security {
		all = append(all, strings.Join(slices.Sorted(maps.Keys(way)), " with "))
	}
	return strings.Join(all, ", or ")
}

// curl writes an example of a request for a shell.
func (v view) curl(o shown) string {
	var b strings.Builder
	b.WriteString("curl")
	if o.Method != "GET" {
		b.WriteString(" -X " + o.Method)
	}
	path, query := o.Path, []string{}
	for _, p := range o.Parameters {
		if !p.Required {
			continue
		}
		value := fmt.Sprint(v.sample(p.Schema, 0))
		switch p.In {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", value)
		case "query":
			query = append(query, p.Name+"="+value)
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	fmt.Fprintf(&b, " '$BASE%s'", path)
	for _, h := range v.headers(o.Operation) {
		fmt.Fprintf(&b, " \\\n  -H '%s'", h)
	}
	if o.RequestBody != nil {
		body := first(o.RequestBody.Content)
		text, err := json.Marshal(v.sample(body.Schema, 0))
		if err == nil {
			fmt.Fprintf(&b, " \\\n  -H 'Content-Type: %s' \\\n  -d '%s'", body.Type, strings.ReplaceAll(string(text), "'", `'\''`))
		}
	}
	return strings.ReplaceAll(b.String(), "'$BASE", `"$BASE"'`)
}

// headers are those of the first way to sign in.
func (v view) headers(o *Operation) (out []string) {
	if len(o.Security) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(o.Security[0])) {
		s := v.Components.SecuritySchemes[name]
		switch s.Scheme {
		case "bearer":
			out = append(out, "Authorization: Bearer ID.SECRET")
		case "basic":
			out = append(out, "Authorization: Basic …")
		default:
			out = append(out, s.Name+": …")
		}
	}
	return out
}

// maxSample bounds how deep an example goes.
const maxSample = 4

// sample makes up a value of a schema, with the members that are required.
func (v view) sample(s *Schema, depth int) any {
	s = v.resolve(s)
	switch {
	case s == nil || depth > maxSample:
		return nil
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.AnyOf) > 0:
		return v.sample(s.AnyOf[0], depth+1)
	case len(s.Type) == 0:
		return map[string]any{}
	}
	switch s.Type[0] {
	case "integer", "number":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case "boolean":
		return true
	case "array":
		return []any{v.sample(s.Items, depth+1)}
	case "object":
		return v.object(s, depth)
	}
	if text, ok := samples[s.Format]; ok {
		return text
	}
	return "text"
}

// samples are texts of a format.
var samples = map[string]string{
	"date": "2027-03-01", "date-time": "2027-03-01T12:30:00Z", "uuid": "0197f3c2-0000-7000-8000-0000000000a1", "duration": "PT30M",
}

func (v view) object(s *Schema, depth int) any {
	var out []Property
	for _, p := range s.Properties {
		if slices.Contains(s.Required, p.Name) {
			out = append(out, p)
		}
	}
	values := orderedValues{}
	for _, p := range out {
		values = append(values, named{p.Name, v.sample(p.Schema, depth+1)})
	}
	return values
}

// orderedValues is an object whose members keep their order.
type orderedValues []named

type named struct {
	name  string
	value any
}

// MarshalJSON writes an object.
func (o orderedValues) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range o {
		if i > 0 {
			b.WriteString(", ")
		}
		name, err := json.Marshal(x.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(x.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteString(": ")
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
