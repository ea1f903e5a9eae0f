package openapi

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"daybook/api/rest"
)

// Other is an address that no API has: a probe, a feed.
type Other struct {
	Pattern   string // of net/http.ServeMux, with a method
	Tag       string
	Summary   string
	Doc       string
	Params    []Parameter
	Responses map[int]string // media type by status; "" for no body
	Body      reflect.Type   // of an answer in JSON; nil: any object
}

// Build writes the document of APIs and other addresses. An error is a mistake
// in the lists.
func Build(info Info, groups []Tag, apis []*rest.API, others []Other) (*Document, error) {
	b := &builder{
		doc: &Document{
			OpenAPI: Version, Info: info, Servers: []Server{{"/"}}, Tags: []Tag{}, Paths: map[string]*Path{},
			Components: Components{Responses: map[string]*Response{}, SecuritySchemes: map[string]Scheme{}},
		},
		schemas: &schemas{map[string]*Schema{}, map[component]string{}},
		ids:     map[string]string{},
	}
	for _, a := range apis {
		if err := b.api(a); err != nil {
			return nil, fmt.Errorf("openapi: %s: %w", a.Name, err)
		}
	}
	for _, t := range groups {
		b.tag(t.Name, t.Description)
	}
	for _, o := range others {
		if err := b.other(o); err != nil {
			return nil, fmt.Errorf("openapi: %w", err)
		}
	}
	b.doc.Components.Schemas = b.schemas.all
	return b.doc, nil
}

type builder struct {
	doc     *Document
	schemas *schemas
	ids     map[string]string // pattern by operationId
}

// tag lists a group, once.
func (b *builder) tag(name, doc string) {
	if !slices.ContainsFunc(b.doc.Tags, func(t Tag) bool { return t.Name == name }) {
		b.doc.Tags = append(b.doc.Tags, Tag{name, doc})
	}
}

func (b *builder) api(a *rest.API) error {
	for _, way := range a.Security {
		for _, s := range way {
			scheme := Scheme{Type: s.Type, Description: s.Doc, Scheme: s.Scheme}
			if s.Type == "apiKey" {
				scheme.Name, scheme.In = s.Header, "header"
			}
			b.doc.Components.SecuritySchemes[s.Name] = scheme
		}
	}
	for _, r := range a.Routes {
		if err := b.route(a, r); err != nil {
			return fmt.Errorf("%s: %w", r.Pattern, err)
		}
	}
	for _, c := range a.Calls {
		if err := b.call(a, c); err != nil {
			return fmt.Errorf("call %s: %w", c.Name, err)
		}
	}
	return nil
}

func titleOf(a *rest.API) string {
	if a.Title != "" {
		return a.Title
	}
	return title(a.Name)
}

func (b *builder) route(a *rest.API, r rest.Route) error {
	d, needs := r.Op.Describe(), r.Op.Needs()
	method, path, _ := strings.Cut(r.Pattern, " ")
	o := &Operation{
		Tags: []string{r.Tag}, Summary: r.Summary, Description: r.Doc, ID: r.ID,
		Responses: map[string]*Response{}, Security: []map[string][]string{},
	}
	if r.Tag == "" {
		o.Tags = []string{titleOf(a)}
	}
	b.tag(o.Tags[0], a.Doc)
	if o.ID == "" {
		o.ID = operationID(method, path)
	}
	o.ID = a.Name + title(o.ID)
	for _, p := range d.Params {
		o.Parameters = append(o.Parameters, b.parameter(a, d, p, needs))
	}
	if a.Replays != nil && method == http.MethodPost {
		o.Parameters = append(o.Parameters, Parameter{
			Name: "Idempotency-Key", In: "header", Schema: &Schema{Type: Types{"string"}},
			Description: "The same key with the same request gives the answer that it had, without the effect happening twice.",
		})
	}
	o.RequestBody = b.body(a, d, needs)
	if !r.Open {
		for _, way := range a.Security {
			all := map[string][]string{}
			for _, s := range way {
				all[s.Name] = []string{}
			}
			o.Security = append(o.Security, all)
		}
	}
	b.successes(a, r, d, o)
	for _, status := range errorsOf(a, r, d) {
		b.failure(a, o, status)
	}
	return b.put(path, method, o)
}

// body describes the body of a request; nil for none.
func (b *builder) body(a *rest.API, d rest.Description, needs rest.Needs) *Body {
	out := &Body{Required: true, Content: map[string]Media{}}
	if d.Body != nil {
		out.Content["application/json"] = Media{b.schemas.of(d.Body, place{api: a.Name, needs: &needs})}
	}
	if d.OtherBody != "" {
		out.Content[d.OtherBody] = Media{&Schema{Type: Types{"string"}}}
	}
	if len(out.Content) == 0 {
		return nil
	}
	return out
}

// put puts an operation at its path.
func (b *builder) put(path, method string, o *Operation) error {
	if other, taken := b.ids[o.ID]; taken {
		return fmt.Errorf("operationId %s is that of %s too", o.ID, other)
	}
	b.ids[o.ID] = method + " " + path
	path = PathOf(path)
	p := b.doc.Paths[path]
	if p == nil {
		p = &Path{}
		b.doc.Paths[path] = p
	}
	slot := p.slot(method)
	if slot == nil || *slot != nil {
		return fmt.Errorf("the method has no place, or is there twice")
	}
	*slot = o
	return nil
}

// PathOf gives the document's name of a path of net/http.ServeMux.
func PathOf(path string) string {
	return strings.ReplaceAll(strings.TrimSuffix(path, "{$}"), "...}", "}")
}

// operationID makes getShopBlockedTimesByBlockedTimeId of a pattern.
func operationID(method, path string) string {
	var out strings.Builder
	out.WriteString(strings.ToLower(method))
	for part := range strings.SplitSeq(path, "/") {
		name := strings.Trim(part, "{}.$")
		if name != part {
			out.WriteString("By")
		}
		for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' || r == ':' }) {
			out.WriteString(title(word))
		}
	}
	return out.String()
}

func (b *builder) parameter(a *rest.API, d rest.Description, p rest.Param, needs rest.Needs) Parameter {
	t, _ := rest.Elem(p.Type) // a parameter cannot be null
	field := p.Field(d.In)
	s := tagged(b.schemas.of(t, place{api: a.Name, needs: &needs, path: p.Name}), field.Tag)
	out := Parameter{Name: p.Name, In: p.In, Description: s.Description, Schema: s}
	s.Description = ""
	out.Required = p.In == "path" || needs.Required[p.Name]
	if x, ok := field.Tag.Lookup("required"); ok {
		out.Required = x == "true"
	}
	if p.List {
		no := false
		out.Explode = &no // comma-separated
		switch p.In {
		case "query":
			out.Style = "form"
		default:
			out.Style = "simple"
		}
	}
	return out
}

// anyMedia is the type of documents whose route names none.
const anyMedia = "*/*"

// successes describes the answers to a request that is done.
func (b *builder) successes(a *rest.API, r rest.Route, d rest.Description, o *Operation) {
	none := d.Out == reflect.TypeFor[rest.NoContent]()
	for _, status := range append([]int{d.Status}, r.Also...) {
		out := &Response{Description: http.StatusText(status)}
		if !none && status != http.StatusNotModified && status != http.StatusNoContent {
			media := mediaOf(r, d.Out)
			m := Media{}
			if media == "" {
				media = a.ContentType
				if media == "" {
					media = "application/json"
				}
				m.Schema = b.schemas.of(d.Out, place{api: a.Name})
			} else if m.Schema = (&Schema{}); !strings.HasSuffix(media, "json") {
				m.Schema.Type = Types{"string"}
			}
			out.Content = map[string]Media{media: m}
		}
		if d.Out.Implements(reflect.TypeFor[rest.Headerer]()) {
			out.Headers = map[string]Header{"ETag": {"The state of what is answered.", &Schema{Type: Types{"string"}}}}
			if status == http.StatusCreated {
				out.Headers["Location"] = Header{"Where the record is.", &Schema{Type: Types{"string"}, Format: "uri-reference"}}
			}
			if d.Status == http.StatusOK && strings.HasPrefix(r.Pattern, "GET ") {
				o.Responses["304"] = &Response{Description: "Nothing has changed since the tag of If-None-Match."}
			}
		}
		o.Responses[strconv.Itoa(status)] = out
	}
}

// mediaOf gives the media type of an answer that is not the API's; "" for one
// that is.
func mediaOf(r rest.Route, out reflect.Type) string {
	switch {
	case r.Media != "":
		return r.Media
	case out == reflect.TypeFor[rest.Document]():
		return anyMedia
	case out.Implements(reflect.TypeFor[rest.Streamer]()) && out.Kind() == reflect.Pointer:
		if s, ok := reflect.TypeAssert[rest.Streamer](reflect.New(out.Elem())); ok {
			return s.MediaType()
		}
	case out.Implements(reflect.TypeFor[rest.Streamer]()):
		if s, ok := reflect.TypeAssert[rest.Streamer](reflect.Zero(out)); ok {
			return s.MediaType()
		}
	}
	return ""
}

// errorsOf gives the statuses of errors that an endpoint can have.
func errorsOf(a *rest.API, r rest.Route, d rest.Description) []int {
	method, _, _ := strings.Cut(r.Pattern, " ")
	out := append([]int{http.StatusInternalServerError, http.StatusServiceUnavailable}, r.Errors...)
	invalid := a.Invalid
	if invalid == 0 {
		invalid = http.StatusBadRequest
	}
	if !r.Open && a.SignIn != nil {
		out = append(out, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests)
	}
	out = append(out, http.StatusNotFound)
	if len(d.Params) > 0 {
		out = append(out, http.StatusBadRequest, invalid)
	}
	if d.Body != nil {
		out = append(out, http.StatusBadRequest, invalid, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if method != http.MethodGet {
		out = append(out, http.StatusConflict, http.StatusInsufficientStorage)
	}
	if slices.ContainsFunc(d.Params, func(p rest.Param) bool { return p.Name == "If-Match" }) {
		out = append(out, http.StatusPreconditionFailed)
	}
	if a.Replays != nil && method == http.MethodPost {
		out = append(out, http.StatusBadRequest, http.StatusUnprocessableEntity)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// failure refers to the API's error of a status.
func (b *builder) failure(a *rest.API, o *Operation, status int) {
	name := title(a.Name) + strconv.Itoa(status)
	if b.doc.Components.Responses[name] == nil {
		out := &Response{Description: http.StatusText(status)}
		if s, ok := a.Errors.(rest.Shaper); ok {
			media, body := s.Shape(status)
			out.Content = map[string]Media{media: {b.schemas.of(body, place{api: a.Name})}}
		}
		b.doc.Components.Responses[name] = out
	}
	o.Responses[strconv.Itoa(status)] = &Response{Ref: "#/components/responses/" + name}
}

func (b *builder) other(x Other) error {
	method, path, _ := strings.Cut(x.Pattern, " ")
	o := &Operation{
		Tags: []string{x.Tag}, Summary: x.Summary, Description: x.Doc, ID: operationID(method, path), Parameters: x.Params,
		Responses: map[string]*Response{}, Security: []map[string][]string{},
	}
	b.tag(x.Tag, "")
	for status, media := range x.Responses {
		out := &Response{Description: http.StatusText(status)}
		if media != "" {
			m := Media{&Schema{Type: Types{"string"}}}
			switch {
			case media == "application/json" && x.Body != nil:
				m.Schema = b.schemas.of(x.Body, place{api: x.Tag})
			case media == "application/json":
				m.Schema = &Schema{Type: Types{"object"}}
			}
			out.Content = map[string]Media{media: m}
		}
		o.Responses[strconv.Itoa(status)] = out
	}
	if err := b.put(path, method, o); err != nil {
		return fmt.Errorf("%s: %w", x.Pattern, err)
	}
	return nil
}
