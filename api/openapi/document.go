// Package openapi writes the OpenAPI 3.1 document of the daemon from the same
// lists of routes that serve its APIs ([daybook/api/rest]), and the page that
// shows the document to a reader.
//
// What a route says of itself is enough: the types of In and Out give the
// parameters and schemas, In and its Validate say what is required and what may
// be null ([rest.Op.Needs]), and the API says how to sign in and what its
// errors look like. Tags of fields add what a type cannot say:
//
//	doc:"a sentence"  format:"date-time"  enum:"a,b"  pattern:"^x"  example:"x"
//	min:"1"  max:"9"  null:"true" (may be null)  required:"false" or "true"
//
// A blank field with open:"true" lets an object have members that are not named.
//
// A type that reads or writes its own JSON is a [rest.Schemer]. The document is
// the same for the same routes, byte for byte.
package openapi

import (
	"bytes"
	"encoding/json"
)

// Version is that of the specification.
const Version = "3.1.1"

// Document is an OpenAPI document (OpenAPI 3.1.1 §4.8.1), as far as it is used
// here.
type Document struct {
	OpenAPI    string           `json:"openapi"`
	Info       Info             `json:"info"`
	Servers    []Server         `json:"servers"`
	Tags       []Tag            `json:"tags"`
	Paths      map[string]*Path `json:"paths"`
	Webhooks   map[string]*Path `json:"webhooks,omitempty"` // what is asked of others
	Components Components       `json:"components"`
}

// Info says what the document is about.
type Info struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Version     string `json:"version"`
}

// Server is an address that paths are relative to.
type Server struct {
	URL string `json:"url"`
}

// Tag is a group of operations.
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// Path holds the operations of one path.
type Path struct {
	Get    *Operation `json:"get,omitempty"`
	Put    *Operation `json:"put,omitempty"`
	Post   *Operation `json:"post,omitempty"`
	Delete *Operation `json:"delete,omitempty"`
	Patch  *Operation `json:"patch,omitempty"`
}

// Operation is one method of one path.
type Operation struct {
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	Description string                `json:"description,omitempty"`
	ID          string                `json:"operationId"`
	Parameters  []Parameter           `json:"parameters,omitempty"`
	RequestBody *Body                 `json:"requestBody,omitempty"`
	Responses   map[string]*Response  `json:"responses"`
	Security    []map[string][]string `json:"security"` // none: anybody
}

// Parameter is in the path, the query or a header.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Style       string  `json:"style,omitempty"`
	Explode     *bool   `json:"explode,omitempty"`
	Schema      *Schema `json:"schema"`
}

// Body is the body of a request.
type Body struct {
	Required bool             `json:"required,omitempty"`
	Content  map[string]Media `json:"content"`
}

// Media is a body of one media type.
type Media struct {
	Schema *Schema `json:"schema,omitempty"`
}

// Response is an answer, or a reference to one.
type Response struct {
	Ref         string            `json:"$ref,omitempty"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]Header `json:"headers,omitempty"`
	Content     map[string]Media  `json:"content,omitempty"`
}

// Header is a header of an answer.
type Header struct {
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema"`
}

// Components are what is referred to by name.
type Components struct {
	Schemas         map[string]*Schema   `json:"schemas"`
	Responses       map[string]*Response `json:"responses,omitempty"`
	SecuritySchemes map[string]Scheme    `json:"securitySchemes,omitempty"`
}

// Scheme is a way to sign in.
type Scheme struct {
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
	Name        string `json:"name,omitempty"`
	In          string `json:"in,omitempty"`
	Scheme      string `json:"scheme,omitempty"`
}

// Schema is a JSON Schema (draft 2020-12), as far as it is used here.
type Schema struct {
	Ref         string     `json:"$ref,omitempty"`
	Type        Types      `json:"type,omitzero"`
	Description string     `json:"description,omitempty"`
	Format      string     `json:"format,omitempty"`
	Pattern     string     `json:"pattern,omitempty"`
	Enum        []any      `json:"enum,omitempty"`
	Minimum     *int       `json:"minimum,omitempty"`
	Maximum     *int       `json:"maximum,omitempty"`
	MinItems    *int       `json:"minItems,omitempty"`
	MaxItems    *int       `json:"maxItems,omitempty"`
	Items       *Schema    `json:"items,omitempty"`
	Properties  Properties `json:"properties,omitempty"`
	Required    []string   `json:"required,omitempty"`
	Additional  *Schema    `json:"additionalProperties,omitempty"`
	AnyOf       []*Schema  `json:"anyOf,omitempty"`
	Examples    []any      `json:"examples,omitempty"`
}

// Types are the types that a value may have; none: any.
type Types []string

// IsZero reports whether it may be anything.
func (t Types) IsZero() bool { return len(t) == 0 }

// MarshalJSON writes one type as a string, several as an array.
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// Property is a member of an object.
type Property struct {
	Name   string
	Schema *Schema
}

// Properties are the members of an object, in the order of their fields.
type Properties []Property

// MarshalJSON writes an object in this order.
func (p Properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(x.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(x.Schema)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Asked is an operation with its method.
type Asked struct {
	Method string
	*Operation
}

// Operations gives the operations of a path by method, in the order in which
// they are shown.
func (p *Path) Operations() []Asked {
	var out []Asked
	for _, x := range []Asked{{"GET", p.Get}, {"POST", p.Post}, {"PUT", p.Put}, {"PATCH", p.Patch}, {"DELETE", p.Delete}} {
		if x.Operation != nil {
			out = append(out, x)
		}
	}
	return out
}

// slot gives where the operation of a method goes; nil for a method that the
// document has no place for.
func (p *Path) slot(method string) **Operation {
	switch method {
	case "GET":
		return &p.Get
	case "PUT":
		return &p.Put
	case "POST":
		return &p.Post
	case "DELETE":
		return &p.Delete
	case "PATCH":
		return &p.Patch
	}
	return nil
}

// JSON writes the document.
func (d *Document) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(d); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
