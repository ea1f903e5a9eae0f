package rest

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Opt is a value that may be absent or null. The zero Opt is absent.
type Opt[T any] struct {
	value T
	state optState
}

type optState uint8

const (
	optAbsent optState = iota
	optNull
	optValue
)

// Some makes an Opt with a value.
func Some[T any](v T) Opt[T] { return Opt[T]{v, optValue} }

// Null makes an Opt that is null.
func Null[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Get gives the value; ok is false when it is absent or null.
func (o Opt[T]) Get() (v T, ok bool) { return o.value, o.state == optValue }

// Or gives the value, or d when it is absent or null.
func (o Opt[T]) Or(d T) T {
	if o.state == optValue {
		return o.value
	}
	return d
}

// Present reports whether the member was sent, be it as null.
func (o Opt[T]) Present() bool { return o.state != optAbsent }

// IsNull reports whether null was sent.
func (o Opt[T]) IsNull() bool { return o.state == optNull }

// IsZero reports whether the value is absent; with the option omitzero of
// encoding/json an absent member is left out of an answer.
func (o Opt[T]) IsZero() bool { return o.state == optAbsent }

// MarshalJSON writes null or the value.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != optValue {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads null or a value, for programs that read our answers.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*o = Null[T]()
		return nil
	}
	o.state = optValue
	return json.Unmarshal(b, &o.value)
}

// optional is how the decoder reaches into an Opt of any type.
type optional interface {
	setNull()
	slot() reflect.Value // the value, now present
	elem() reflect.Type
}

func (o *Opt[T]) setNull()            { *o = Opt[T]{state: optNull} }
func (o *Opt[T]) slot() reflect.Value { o.state = optValue; return reflect.ValueOf(&o.value).Elem() }
func (o *Opt[T]) elem() reflect.Type  { return reflect.TypeFor[T]() }
