package rest

import (
	"time"

	"daybook/store"
)

// Options are what an API is made of.
type Options struct {
	Store *store.Store
	Now   func() time.Time // nil: time.Now
}

// Clock gives Now, or time.Now where that is nil.
func (o Options) Clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}
