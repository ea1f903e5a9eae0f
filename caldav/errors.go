package caldav

import (
	"context"
	"errors"
	"net/http"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/store"
)

// errGone tells that the client went away while it was answered.
var errGone = errors.New("client is gone")

// errAbsent is what a getter gives for a property that the resource does not
// have; it goes into the 404 propstat.
var errAbsent = errors.New("property is absent")

// The statuses without a precondition.
var (
	errBadRequest   = &dav.Error{Status: http.StatusBadRequest}
	errForbidden    = &dav.Error{Status: http.StatusForbidden}
	errNotFound     = &dav.Error{Status: http.StatusNotFound}
	errConflict     = &dav.Error{Status: http.StatusConflict}
	errMediaType    = &dav.Error{Status: http.StatusUnsupportedMediaType}
	errPrecondition = &dav.Error{Status: http.StatusPreconditionFailed}
)

// The preconditions.
var (
	// RFC 4918 §16.
	errProtected   = dav.Precondition(dav.D("cannot-modify-protected-property"))
	errFiniteDepth = dav.Precondition(dav.D("propfind-finite-depth"))
	// RFC 3253 §3.6, §3.1.5.
	errNoReport = dav.Precondition(dav.D("supported-report"))
	errNotNull  = dav.Precondition(dav.D("resource-must-be-null"))
	// RFC 3744 §7.1.1.
	errNeedPrivileges = dav.Precondition(dav.D("need-privileges"))
	// RFC 3744 §8.1.1.
	errGrantOnly    = dav.Precondition(dav.D("grant-only"))
	errInvert       = dav.Precondition(dav.D("no-invert"))
	errAbstract     = dav.Precondition(dav.D("no-abstract"))
	errNoPrivilege  = dav.Precondition(dav.D("not-supported-privilege"))
	errNotRecognize = dav.Precondition(dav.D("recognized-principal"))
	errNotAllowed   = dav.Precondition(dav.D("allowed-principal"))
	errManyACEs     = dav.Precondition(dav.D("limited-number-of-aces"))
	// RFC 5689 §3.3.
	errResourcetype = dav.Precondition(dav.D("valid-resourcetype"))
	// RFC 6578 §3.2, RFC 3744 §9.
	errSyncToken = dav.Precondition(dav.D("valid-sync-token"))
	errMatches   = dav.Precondition(dav.D("number-of-matches-within-limits"))
	// RFC 4331 §6.
	errQuota = &dav.Error{Status: http.StatusInsufficientStorage, Name: dav.D("quota-not-exceeded")}
	errFull  = &dav.Error{Status: http.StatusInsufficientStorage, Name: dav.D("sufficient-disk-space")}
	// RFC 4791 §5.3.1.1, §5.3.2.1, §7.
	errLocation      = dav.Precondition(dav.C("calendar-collection-location-ok"))
	errCalendarData  = dav.Precondition(dav.C("valid-calendar-data"))
	errSupportedData = dav.Precondition(dav.C("supported-calendar-data"))
	errComponent     = dav.Precondition(dav.C("supported-calendar-component"))
	errUIDConflict   = dav.Precondition(dav.C("no-uid-conflict"))
	errResourceSize  = dav.Precondition(dav.C("max-resource-size"))
	errFilter        = dav.Precondition(dav.C("valid-filter"))
	// RFC 7809 §5.
	errTimezone = dav.Precondition(dav.C("valid-timezone"))
)

// errorTable maps the errors of the layers below. The first row that matches
// counts.
var errorTable = []struct {
	is     error
	answer *dav.Error
}{
	{store.ErrCredentials, &dav.Error{Status: http.StatusUnauthorized}},
	{store.ErrThrottled, &dav.Error{Status: http.StatusTooManyRequests}},
	{store.ErrNotFound, errNotFound},
	{store.ErrPrecondition, errPrecondition},
	{store.ErrToken, errSyncToken},
	{store.ErrComponent, errComponent},
	{store.ErrExists, errNotNull},
	{store.ErrHomeFixed, errForbidden},
	{store.ErrFull, errFull},
	{store.ErrQuota, errQuota},
	{store.ErrInvalid, errForbidden},
	{store.ErrClosed, &dav.Error{Status: http.StatusServiceUnavailable}},
	{context.Canceled, &dav.Error{Status: http.StatusServiceUnavailable}},
	{context.DeadlineExceeded, &dav.Error{Status: http.StatusServiceUnavailable}},
	{dav.ErrTooLarge, &dav.Error{Status: http.StatusRequestEntityTooLarge}},
	{dav.ErrSyntax, errBadRequest},
	{dav.ErrEmpty, errBadRequest},
	{dav.ErrHeader, errBadRequest},
	{dav.ErrPath, errBadRequest},
}

// davError gives the status and precondition of any error.
func (x *exchange) davError(err error) *dav.Error {
	if e, ok := errors.AsType[*dav.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*ical.InvalidError](err); ok {
		return dav.Precondition(dav.C(string(e.Rule)))
	}
	if e, ok := errors.AsType[*ical.FilterError](err); ok {
		return dav.Precondition(dav.C(e.Rule))
	}
	if _, ok := errors.AsType[*ical.LimitError](err); ok {
		return errMatches
	}
	if e, ok := errors.AsType[*store.UIDConflictError](err); ok {
		return x.uidConflict(e)
	}
	if errors.Is(err, store.ErrForbidden) {
		return x.needs(x.target.href, "write")
	}
	for _, row := range errorTable {
		if errors.Is(err, row.is) {
			return row.answer
		}
	}
	return &dav.Error{Status: http.StatusInternalServerError}
}

// uidConflict names the member that holds the UID (RFC 4791 §5.3.2.1).
func (x *exchange) uidConflict(e *store.UIDConflictError) *dav.Error {
	href := x.target.href
	if e.Name != "" {
		href = x.conflictBase + dav.Segment(e.Name)
	}
	return errUIDConflict.With(string(dav.AppendHref(nil, href)))
}

// needs tells which privilege is missing on what (RFC 3744 §7.1.1).
func (x *exchange) needs(href, privilege string) *dav.Error {
	b := dav.AppendHref([]byte("<D:resource>"), href)
	b = append(b, "<D:privilege>"...)
	if privilege == "read-free-busy" {
		b = append(b, "<C:read-free-busy/>"...)
	} else {
		b = append(append(append(b, "<D:"...), privilege...), "/>"...)
	}
	return errNeedPrivileges.With(string(append(b, "</D:privilege></D:resource>"...)))
}
