package rest

import (
	"bytes"
	"slices"
)

// Written is a T that is JSON already, so that what does not change between two
// answers is encoded once. In a description it looks like T.
type Written[T any] struct{ json []byte }

// Write encodes v.
func Write[T any](v T) (Written[T], error) {
	b, err := encode(v)
	return Written[T]{bytes.TrimSuffix(b, []byte("\n"))}, err
}

// Appender is an Out that puts its JSON together from what was written before:
// encoding/json reads such parts again, byte by byte. It says the same as
// encoding/json would.
type Appender interface {
	AppendJSON(to []byte) []byte
}

// AppendArray appends a JSON array.
func AppendArray[T any](to []byte, all []Written[T]) []byte {
	n := len("[]")
	for i := range all {
		n += max(len(all[i].json), len("null")) + len(",")
	}
	to = append(slices.Grow(to, n), '[')
	for i := range all {
		if i > 0 {
			to = append(to, ',')
		}
		json, _ := all[i].MarshalJSON()
		to = append(to, json...)
	}
	return append(to, ']')
}

// Unwrapped gives a T, for descriptions.
func (Written[T]) Unwrapped() any {
	var v T
	return v
}

// MarshalJSON gives what was written.
func (w Written[T]) MarshalJSON() ([]byte, error) {
	if w.json == nil {
		return []byte("null"), nil
	}
	return w.json, nil
}
