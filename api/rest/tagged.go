package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"daybook/store"
)

// Tagged is an Out that is one record: its answer carries a strong ETag (RFC
// 9110 §8.8.3) over what the client sees, so that it can be sent back in
// If-Match, and, for one that was just made, its Location.
type Tagged[T any] struct {
	Value    T
	Location string // "" for none
}

// Tag gives an answer of a record.
func Tag[T any](v T) Tagged[T] { return Tagged[T]{Value: v} }

// MarshalJSON writes the record alone.
func (t Tagged[T]) MarshalJSON() ([]byte, error) { return json.Marshal(t.Value) }

// UnmarshalJSON reads the record alone, for programs that read our answers.
func (t *Tagged[T]) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &t.Value) }

// SetHeader sets ETag and Location.
func (t Tagged[T]) SetHeader(h http.Header) {
	h.Set("ETag", ETag(t.Value))
	if t.Location != "" {
		h.Set("Location", t.Location)
	}
}

// Kept gives the record without what is told only once.
func (t Tagged[T]) Kept() any {
	if k, ok := any(t.Value).(Keeper); ok {
		return k.Kept()
	}
	return t.Value
}

// Unwrapped gives the record: it, not the wrapper, is what the answer looks
// like.
func (t Tagged[T]) Unwrapped() any { return t.Value }

// ETag gives the entity tag, quoted, of what a client sees of a record.
func ETag(v any) string {
	if k, ok := v.(Keeper); ok {
		v = k.Kept()
	}
	b, err := encode(v)
	if err != nil {
		return `""` // never matches what was given out
	}
	sum := sha256.Sum256(b)
	return tagText(sum[:])
}

func tagText(sum []byte) string { return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"` }

// IfMatch is embedded in the In of a request that changes a record: what the
// client says that it knows of it. An empty list names no state, so it is not
// the same as none.
type IfMatch struct {
	Condition Opt[string] `header:"If-Match" lines:"many"`
	Unless    Opt[string] `header:"If-None-Match" lines:"many" doc:"Refused with 412 when the record has one of these tags, or with * when it is there."`
}

// Check compares the conditions with the record as it is now (RFC 9110
// §13.1.1, §13.1.2): store.ErrPrecondition when the client knows another one.
// Call it in the transaction that changes the record.
func (m IfMatch) Check(current any) error {
	if list, ok := m.Condition.Get(); ok && !isStar(list) && !inTags(list, ETag(current), true) {
		return store.ErrPrecondition
	}
	if list, ok := m.Unless.Get(); ok && (isStar(list) || inTags(list, ETag(current), false)) {
		return store.ErrPrecondition
	}
	return nil
}

// CheckNone is Check for a record that is not there yet: no tag is its.
func (m IfMatch) CheckNone() error {
	if m.Condition.Present() {
		return store.ErrPrecondition
	}
	return nil
}

func isStar(list string) bool { return strings.TrimSpace(list) == "*" }

// inTags reports whether a list of entity tags has the tag; strong does not
// accept weak ones.
func inTags(list, tag string, strong bool) bool {
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		if !strong {
			part = strings.TrimPrefix(part, "W/")
		}
		if part == tag {
			return true
		}
	}
	return false
}

// unchanged reports whether a GET names the tag of the answer in If-None-Match
// (RFC 9110 §13.1.2).
func unchanged(r *http.Request, h http.Header) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	list, tag := strings.Join(r.Header.Values("If-None-Match"), ","), h.Get("ETag")
	return list != "" && tag != "" && (isStar(list) || inTags(list, strings.TrimPrefix(tag, "W/"), false))
}
