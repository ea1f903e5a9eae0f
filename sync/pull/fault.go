package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"daybook/ical"
	"daybook/store"
	"daybook/sync/guard"
)

// fault is why a remote could not be pulled, in words that may be shown.
type fault struct {
	kind   string // a word, see resultOf
	text   string
	status int           // of the answer, if it was that
	after  time.Duration // when the server wants to be asked again
}

func (f *fault) Error() string { return f.text }

// stopError tells that a remote must wait for an operator.
type stopError struct{ text string }

func (e *stopError) Error() string { return e.text }

// resultOf gives the word for an error; ok for none. The words are those of
// guard.Kind and stopped, login, missing, status, answer, no_calendar, refused,
// redirect, credentials and, for what is our own mistake, store.
func resultOf(err error) string {
	var f *fault
	var stop *stopError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &stop):
		return "stopped"
	case errors.As(err, &f):
		return f.kind
	}
	if k := guard.Kind(err); k != "" && k != "cancelled" {
		return k
	}
	return "store"
}

// status makes a fault of an answer that is not the one that was hoped for.
func (j *job) status(resp *http.Response, what string) error {
	f := &fault{kind: "status", status: resp.StatusCode, text: fmt.Sprintf("%s was answered with %d %s", what, resp.StatusCode, http.StatusText(resp.StatusCode))}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		f.kind = "login"
	case http.StatusNotFound, http.StatusGone:
		f.kind = "missing"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		f.after = retryAfter(resp.Header.Get("Retry-After"), j.now)
	}
	return f
}

// retryAfter reads RFC 9110 §10.2.3, up to a day.
func retryAfter(s string, now time.Time) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), 24*time.Hour)
}

// refusal tells an error that is about one object from one that ends the pull.
func refusal(err error) bool {
	var invalid *ical.InvalidError
	var uid *store.UIDConflictError
	var work *ical.LimitError
	if errors.As(err, &invalid) || errors.As(err, &uid) || errors.As(err, &work) {
		return true
	}
	for _, e := range []error{store.ErrInvalid, store.ErrComponent, store.ErrQuota, store.ErrExists, store.ErrForbidden} {
		if errors.Is(err, e) {
			return !errors.Is(err, context.Canceled)
		}
	}
	return false
}

// tooMany refuses deletions that look like an accident: an answer without
// anything, where there was something, or more than the remote's share of what
// was there. One or two of several are always believed.
func (j *job) tooMany(known, gone int, where string) error {
	limit := j.remote.DeleteLimit
	if limit == 0 {
		limit = store.DefaultDeleteLimit
	}
	switch {
	case j.state.Allowed || gone == 0:
		return nil
	case gone < known && (gone <= 2 || gone*100 <= limit*known):
		return nil
	}
	return &stopError{fmt.Sprintf("%d of %d objects are gone %s, which is more than %d %%: nothing was removed; resume the remote if that is right", gone, known, where, limit)}
}
