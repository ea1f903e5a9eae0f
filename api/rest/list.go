package rest

import (
	"encoding/base64"
	"slices"
	"strings"
)

// Bounds of a list that is given in parts.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// Page is embedded in the In of a list: how many items, and where to go on.
type Page struct {
	Limit  Opt[int]    `query:"limit"`
	Cursor Opt[string] `query:"cursor"`
}

// Check adds what is wrong with the page to the faults.
func (p *Page) Check(f *Faults) {
	if n, ok := p.Limit.Get(); ok && (n < 1 || n > MaxPage) {
		f.Add("limit", "must be between 1 and 1000")
	}
	if _, ok := p.after(); !ok {
		f.Add("cursor", "is not one that was given out")
	}
}

// Size gives how many items to answer.
func (p *Page) Size() int { return p.Limit.Or(DefaultPage) }

// After gives the key of the last item that the client has; "" at the start.
func (p *Page) After() string {
	after, _ := p.after()
	return after
}

func (p *Page) after() (key string, ok bool) {
	text := p.Cursor.Or("")
	if text == "" {
		return "", true
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	return string(b), err == nil && len(b) > 0 && len(b) <= 1024
}

// Cursor gives the text that goes on behind the item with the key.
func Cursor(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// List is an Out that is a list given in parts.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // the cursor that goes on; absent at the end
}

// Paged cuts the page out of all items. key gives each its own text, by which
// they are sorted: an item that comes or goes meanwhile moves no other to
// another page.
func Paged[T any](p Page, all []T, key func(T) string) List[T] {
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if after := p.After(); after != "" {
		i, found := slices.BinarySearchFunc(all, after, func(t T, k string) int { return strings.Compare(key(t), k) })
		if found {
			i++
		}
		all = all[i:]
	}
	out := List[T]{Items: all}
	if n := p.Size(); len(all) > n {
		out.Items, out.Next = all[:n], Cursor(key(all[n-1]))
	}
	if out.Items == nil {
		out.Items = []T{}
	}
	return out
}
