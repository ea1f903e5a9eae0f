package openapi

import (
	"fmt"
	"net/http"

	"daybook/api/rest"
)

// call describes a request that an API makes (OpenAPI 3.1.1 §4.8.1, webhooks).
func (b *builder) call(a *rest.API, c rest.Call) error {
	o := &Operation{
		Tags: []string{c.Tag}, Summary: c.Summary, Description: c.Doc, ID: a.Name + title(c.Name),
		RequestBody: &Body{Required: true, Content: map[string]Media{"application/json": {b.schemas.of(c.Body, place{api: a.Name})}}},
		Responses:   map[string]*Response{}, Security: []map[string][]string{},
	}
	for _, h := range c.Headers {
		o.Parameters = append(o.Parameters, Parameter{
			Name: h.Name, In: "header", Required: true, Description: h.Doc, Schema: &Schema{Type: Types{"string"}},
		})
	}
	for status, doc := range c.Answers {
		o.Responses[status] = &Response{Description: doc}
	}
	if other, taken := b.ids[o.ID]; taken {
		return fmt.Errorf("operationId %s is that of %s too", o.ID, other)
	}
	b.ids[o.ID] = "webhook " + c.Name
	b.tag(c.Tag, a.Doc)
	if b.doc.Webhooks == nil {
		b.doc.Webhooks = map[string]*Path{}
	}
	p := &Path{}
	*p.slot(http.MethodPost) = o
	b.doc.Webhooks[c.Name] = p
	return nil
}
