// Package house is the daemon's own REST API, below /v1: what can be done with
// the store, in the store's own words.
//
// Each area (organisations, resources, services, openings, …) is a file with
// a method that gives its routes; [New] joins them in one list. A handler works
// on a [desk]: a snapshot or a transaction, and who asks. It finds what a
// request names by [desk.principal] and its like, which give store.ErrNotFound
// for what is not there and for what the asker may not see alike, checks the
// right by [desk.may], and answers a record as a [rest.Tagged] and a list as a
// [rest.List]. Records that a client can change are guarded by [rest.IfMatch],
// checked in the transaction.
//
// The organisation is that of the credential: no path names it, nothing
// crosses it.
package house

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/api/auth"
	"daybook/api/hours/kept"
	"daybook/api/remotes"
	"daybook/api/rest"
	"daybook/store"
)

// Name is the API's name in logs and metrics.
const Name = "house"

// base is where all paths begin.
const base = "/v1"

// Options are what the API is made of; a zero field is its default.
type Options struct {
	rest.Options
	Jobs        Jobs                  // nil: there are none
	Stopping    <-chan struct{}       // closed when the daemon goes down: streams end; nil: never
	Streams     int                   // of changes, at the same time; 0: 512
	StreamsEach int                   // of them of one credential; 0: 16
	Courier     Courier               // nil: webhooks can be made, and are not served
	Metrics     prometheus.Registerer // nil: none are kept
	Remotes     remotes.Puller        // nil: there are none
}

// service answers the requests.
type service struct {
	store    *store.Store
	hours    *kept.Keeper
	now      func() time.Time
	jobs     Jobs
	stopping <-chan struct{}
	streams  *streams
	courier  Courier
	remotes  remotes.Puller
}

// New gives the API; its Log, Panics and bounds are still to be set.
func New(o Options) *rest.API {
	s := &service{
		store: o.Store, hours: kept.New(o.Store), now: o.Clock(), jobs: o.Jobs,
		stopping: o.Stopping, courier: o.Courier, remotes: o.Remotes, streams: newStreams(o.Streams, o.StreamsEach),
	}
	if o.Metrics != nil {
		o.Metrics.MustRegister(s.streams.collectors()...)
	}
	return &rest.API{
		Name:         Name,
		Prefixes:     []string{base + "/"},
		Routes:       grouped(s.routes()),
		Calls:        webhookCalls(),
		Errors:       rest.House{},
		Invalid:      http.StatusUnprocessableEntity,
		SignIn:       auth.BearerOrBasic(o.Store),
		Security:     auth.BearerOrBasicWays(),
		TypeRequired: true,
		Replays:      replays{o.Store},
	}
}

// routes joins the areas: one row adds one.
func (s *service) routes() []rest.Route {
	return slices.Concat(
		s.meRoutes(),
		s.organisationRoutes(),
		s.principalRoutes(),
		s.userRoutes(),
		s.resourceRoutes(),
		s.groupRoutes(),
		s.calendarRoutes(),
		s.serviceRoutes(),
		s.openingRoutes(),
		s.holdRoutes(),
		s.grantRoutes(),
		s.credentialRoutes(),
		s.feedRoutes(),
		s.jobRoutes(),
		s.hoursRoutes(),
		s.openingHoursRoutes(),
		s.signRoutes(),
		s.holidayRoutes(),
		s.eventRoutes(),
		s.auditRoutes(),
		s.changeRoutes(),
		s.webhookRoutes(),
		s.remoteRoutes(),
	)
}

// grouped lists each route under the area that its path names.
func grouped(all []rest.Route) []rest.Route {
	for i, r := range all {
		_, path, _ := strings.Cut(r.Pattern, " "+base+"/")
		if area, _, _ := strings.Cut(path, "/"); r.Tag == "" {
			all[i].Tag = "House: " + area
		}
	}
	return all
}

// desk is what a handler works on: a snapshot, and who asks.
type desk struct {
	*store.View
	actor *store.Actor
	now   time.Time
}

// view runs fn in a snapshot.
func (s *service) view(ctx context.Context, fn func(*desk) error) error {
	return s.store.View(ctx, func(v *store.View) error {
		return fn(&desk{View: v, actor: auth.Actor(ctx), now: s.now()})
	})
}

// saying lets a client read why the store refuses a value that it sent.
func saying(err error) error {
	if !errors.Is(err, store.ErrInvalid) {
		return err
	}
	if _, ok := errors.AsType[*rest.Problem](err); ok {
		return err
	}
	if x, ok := errors.AsType[*store.FieldError](err); ok {
		return &rest.Problem{Detail: "the request is not valid", Faults: []rest.Fault{{Field: x.Field, Message: x.Reason}}, Err: err}
	}
	reason, direct := strings.CutPrefix(err.Error(), store.ErrInvalid.Error()+": ")
	if !direct {
		return err
	}
	return &rest.Problem{Detail: reason, Err: err}
}

// update runs fn in a transaction. Like that of store.Update, fn may be run
// again and must have no effect outside.
func (s *service) update(ctx context.Context, fn func(*desk, *store.Tx) error) error {
	return saying(s.store.Update(ctx, func(tx *store.Tx) error {
		return fn(&desk{View: &tx.View, actor: auth.Actor(ctx), now: tx.Now()}, tx)
	}))
}
