// Package admin is what an operator can ask of a store: one table of typed
// operations, run on an open store by the command itself, or by the daemon on
// behalf of a command that reaches it over a unix socket. It knows nothing of
// flags or of how results are shown, and it checks no rights: whoever may open
// the file or the socket is the operator.
package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"daybook/api/remotes"
	"daybook/ical"
	"daybook/store"
)

// Jobs is the daemon's cron table, as far as an operator needs it.
type Jobs interface {
	// RunJob runs one job now, whatever its schedule says.
	RunJob(ctx context.Context, name string) error
	// ListJobs gives the state of each job.
	ListJobs(ctx context.Context) ([]JobStatus, error)
}

// JobStatus is what is known of one job. Times are in UTC, the zero time when
// there is none.
type JobStatus struct {
	Name     string    `json:"name"`
	Schedule string    `json:"schedule"`
	Running  bool      `json:"running"`
	Next     time.Time `json:"next,omitzero"`
	Started  time.Time `json:"started,omitzero"` // of the last run
	Took     string    `json:"took,omitempty"`
	Error    string    `json:"error,omitempty"`
	Success  time.Time `json:"success,omitzero"` // of the last run without error
}

// Limits bounds what operations read.
type Limits struct {
	ImportBytes   int64       // of one imported file
	ImportObjects int         // calendar object resources of one import
	Object        ical.Limits // of one calendar object resource
}

// Service is what operations work on.
type Service struct {
	Store  *store.Store
	Jobs   Jobs // nil: there are none
	Limits Limits
	// Remotes pulls remotes; nil: there are none.
	Remotes remotes.Puller
	Now     func() time.Time // nil: time.Now
}

func (s *Service) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Progress tells how far a long operation is. Total is 0 when unknown.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Stream is what a long operation reads and gives beside its request and
// result. Nil parts are not used.
type Stream struct {
	In         io.Reader                   // the file that is imported or applied
	Out        io.Writer                   // the file that is exported or backed up
	OnProgress func(Progress)              // now and then
	OnItem     func(json.RawMessage) error // one finding, object or change after the other
}

func (st *Stream) progress(done, total int) {
	if st.OnProgress != nil {
		st.OnProgress(Progress{done, total})
	}
}

func (st *Stream) item(v any) error {
	if st.OnItem == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return st.OnItem(b)
}

// read reads the input, up to the limit.
func (st *Stream) read(limit int64) ([]byte, error) {
	if st.In == nil {
		return nil, fmt.Errorf("%w: no file was sent", store.ErrInvalid)
	}
	data, err := io.ReadAll(io.LimitReader(st.In, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: the file is larger than %d bytes", store.ErrQuota, limit)
	}
	return data, nil
}

// Operation is one row of the table.
type Operation struct {
	Name string // kind.verb
	Doc  string
	run  func(ctx context.Context, s *Service, request []byte, st *Stream) (any, error)
}

// operation makes a row of a typed function.
func operation[Req, Res any](name, doc string, fn func(context.Context, *Service, Req, *Stream) (Res, error)) Operation {
	return Operation{Name: name, Doc: doc, run: func(ctx context.Context, s *Service, request []byte, st *Stream) (any, error) {
		var req Req
		d := json.NewDecoder(bytes.NewReader(request))
		d.DisallowUnknownFields()
		if err := d.Decode(&req); err != nil {
			return nil, fmt.Errorf("%w: request: %w", store.ErrInvalid, err)
		}
		return fn(ctx, s, req, st)
	}}
}

// Operations gives the table.
func Operations() []Operation {
	return []Operation{
		operation("setup", "Make an empty store usable", setup),
		operation("status", "Figures of the store", status),
		operation("organisation.create", "Create an organisation", createOrganisation),
		operation("organisation.list", "List organisations", listOrganisations),
		operation("user.create", "Create a user with a password", createUser),
		operation("user.list", "List users", listUsers),
		operation("user.password", "Set a user's password", setPassword),
		operation("user.delete", "Delete a user with all calendars", deleteUser),
		operation("resource.create", "Create a resource with its calendar", createResource),
		operation("resource.list", "List resources", listResources),
		operation("resource.delete", "Delete a resource with its calendar", deleteResource),
		operation("group.create", "Create a group", createGroup),
		operation("group.list", "List groups", listGroups),
		operation("group.delete", "Delete a group", deleteGroup),
		operation("service.create", "Create a service", createService),
		operation("service.list", "List services", listServices),
		operation("service.delete", "Delete a service", deleteService),
		operation("grant.set", "Set what somebody may do with something", setGrant),
		operation("grant.list", "List grants", listGrants),
		operation("token.create", "Create a token or app password", createToken),
		operation("token.list", "List tokens", listTokens),
		operation("token.revoke", "Revoke a token", revokeToken),
		operation("feed.create", "Create a feed", createFeed),
		operation("feed.list", "List feeds", listFeeds),
		operation("feed.show", "Show a feed and who fetched it", showFeed),
		operation("feed.rotate", "Give a feed another secret", rotateFeed),
		operation("feed.revoke", "Revoke a feed", revokeFeed),
		operation("remote.create", "Create a remote", createRemote),
		operation("remote.list", "List remotes", listRemotes),
		operation("remote.show", "Show a remote and how its pulls went", showRemote),
		operation("remote.pull", "Pull a remote now", pullRemote),
		operation("remote.pause", "Pause a remote", pauseRemote),
		operation("remote.resume", "Resume a remote", resumeRemote),
		operation("remote.delete", "Delete a remote with the objects that it keeps", deleteRemote),
		operation("apply", "Make the store look like a file", apply),
		operation("import", "Import a calendar file", importFile),
		operation("export", "Write a calendar as one file", exportCalendar),
		operation("backup", "Write a consistent copy of the store", backup),
		operation("check", "Verify derived data against the facts", check),
		operation("job.run", "Run a job now", runJob),
		operation("job.list", "List jobs", listJobs),
	}
}

// Caller runs operations: here, or in the daemon.
type Caller interface {
	// Call runs the named operation. The request is encoded as JSON, so is
	// the result. Errors are those of package store, or *Error.
	Call(ctx context.Context, name string, request any, st *Stream) (json.RawMessage, error)
}

// Call runs an operation of c and decodes its result. st may be nil.
func Call[Res any](ctx context.Context, c Caller, name string, request any, st *Stream) (Res, error) {
	var res Res
	if st == nil {
		st = &Stream{}
	}
	raw, err := c.Call(ctx, name, request, st)
	if err != nil {
		return res, err
	}
	if err := json.Unmarshal(raw, &res); err != nil {
		return res, fmt.Errorf("%s: result: %w", name, err)
	}
	return res, nil
}

// Call runs the operation on the service's own store.
func (s *Service) Call(ctx context.Context, name string, request any, st *Stream) (json.RawMessage, error) {
	b, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	return s.call(ctx, name, b, st)
}

func (s *Service) call(ctx context.Context, name string, request []byte, st *Stream) (json.RawMessage, error) {
	for _, op := range Operations() {
		if op.Name != name {
			continue
		}
		res, err := op.run(store.By(ctx, store.System(), "admin"), s, request, st)
		if err != nil {
			return nil, err
		}
		return json.Marshal(res)
	}
	return nil, fmt.Errorf("operation %q: %w; the daemon may be of another version than the command", name, store.ErrNotFound)
}

// Error is an error that came over the socket. It unwraps to the store's
// error that its code names.
type Error struct {
	Code    string `json:"code"` // one of the table below, or "failed"
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the store's error.
func (e *Error) Unwrap() error {
	for _, c := range codes {
		if c.code == e.Code {
			return c.err
		}
	}
	return nil
}

// codes are the errors that a command tells apart.
var codes = []struct {
	code string
	err  error
}{
	{"not-found", store.ErrNotFound},
	{"exists", store.ErrExists},
	{"invalid", store.ErrInvalid},
	{"forbidden", store.ErrForbidden},
	{"limit", store.ErrQuota},
	{"full", store.ErrFull},
	{"closed", store.ErrClosed},
	{"not-now", store.ErrNotNow},
}

// wireError makes an Error of any error.
func wireError(err error) *Error {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return &Error{c.code, err.Error()}
		}
	}
	return &Error{"failed", err.Error()}
}
