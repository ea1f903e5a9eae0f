package house

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"daybook/api/rest"
	"daybook/store"
)

const maxBatch = 500

// batch is many writes in one request.
type batch struct {
	// Atomic makes all of it one transaction: everything or nothing. Else each
	// item stands for itself.
	Atomic rest.Opt[bool] `json:"atomic"`
	Items  []batchItem    `json:"items"`
}

type batchItem struct {
	Op    rest.Opt[string]    `json:"op" enum:"create,update,delete"`
	ID    rest.Opt[string]    `json:"id"`
	Scope rest.Opt[string]    `json:"scope"`
	Match rest.Opt[string]    `json:"if_match" doc:"The ETag that it must have."`
	Event rest.Opt[eventBody] `json:"event"`
}

func (b *batch) check(f *rest.Faults, block bool) {
	if len(b.Items) == 0 || len(b.Items) > maxBatch {
		f.Add("items", "must have 1 to "+strconv.Itoa(maxBatch)+" members")
		return
	}
	for i := range b.Items {
		b.Items[i].check(f, "items."+strconv.Itoa(i), block)
	}
}

func (x *batchItem) check(f *rest.Faults, at string, block bool) {
	op := operation(x.Op.Or(""))
	body, has := x.Event.Get()
	(&scoped{Scope: x.Scope}).checkAt(f, at+".scope")
	switch op {
	case opCreate:
		if has {
			required(f, at+".event.start", body.Start)
		}
	case opUpdate, opDelete:
		required(f, at+".id", x.ID)
	default:
		f.Add(at+".op", "must be create, update or delete")
		return
	}
	if op != opDelete {
		required(f, at+".event", x.Event)
	}
	if has {
		body.check(f, at+".event", block)
	}
}

// write gives the write of an item. It was checked.
func (x *batchItem) write(calendar string, block bool) *eventOp {
	op := &eventOp{
		op: operation(x.Op.Or("")), calendar: calendar, block: block, id: x.ID.Or(""),
		scope: (&scoped{Scope: x.Scope}).scope(), match: rest.IfMatch{Condition: x.Match},
	}
	if block && op.op != opCreate {
		op.calendar = ""
	}
	if body, ok := x.Event.Get(); ok {
		op.body = &body
	}
	return op
}

// BatchResult tells what became of one item.
type BatchResult struct {
	Status int            `json:"status" doc:"As if it had been a request of its own."`
	ETag   string         `json:"etag,omitempty"`
	Event  *CalendarEvent `json:"event,omitempty"`
	Error  *BatchError    `json:"error,omitempty"`
}

// BatchError is why an item was refused.
type BatchError struct {
	Detail    string       `json:"detail"`
	Errors    []BatchFault `json:"errors,omitempty"`
	Conflicts any          `json:"conflicts,omitempty"`
}

// BatchFault is what is wrong with a field of an item.
type BatchFault struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// batchOut is the answer to a batch. It is 200 when all of it was done, else
// 207.
type batchOut struct {
	Applied int           `json:"applied"`
	DryRun  bool          `json:"dry_run"`
	Items   []BatchResult `json:"items"`
}

// StatusCode is 207 (RFC 4918 §11.1) when some items were refused.
func (b batchOut) StatusCode() int {
	if b.Applied < len(b.Items) {
		return http.StatusMultiStatus
	}
	return http.StatusOK
}

func resultOf(w written, op *eventOp) BatchResult {
	if op.op == opDelete {
		return BatchResult{Status: http.StatusNoContent}
	}
	return BatchResult{Status: w.status, ETag: rest.ETag(w.Value), Event: &w.Value}
}

// refusal gives the result of an item that was refused; false for an error that
// is no item's fault.
func refusal(err error) (BatchResult, bool) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return BatchResult{}, false
	}
	p := rest.AsProblem(err)
	if p.Status >= 500 && p.Status != http.StatusInsufficientStorage {
		return BatchResult{}, false
	}
	out := BatchResult{Status: p.Status, Error: &BatchError{Detail: p.Detail, Conflicts: p.Members["conflicts"]}}
	if out.Status == 0 {
		out.Status = http.StatusUnprocessableEntity
	}
	if out.Error.Detail == "" {
		out.Error.Detail = http.StatusText(out.Status)
	}
	for _, f := range p.Faults {
		out.Error.Errors = append(out.Error.Errors, BatchFault{f.Field, f.Message})
	}
	return out, true
}

type eventBatchIn[S eventKind] struct {
	inCalendar
	DryRun rest.Opt[bool] `query:"dry_run"`
	Body   batch          `body:"json"`
}

// Validate checks all items.
func (in *eventBatchIn[S]) Validate(f *rest.Faults) { in.Body.check(f, areBlocks[S]()) }

func batchEvents[S eventKind](s *service) func(context.Context, eventBatchIn[S]) (batchOut, error) {
	return func(ctx context.Context, in eventBatchIn[S]) (batchOut, error) {
		return s.batch(ctx, &in.Body, in.Calendar, areBlocks[S](), in.DryRun.Or(false))
	}
}

func (s *service) batch(ctx context.Context, b *batch, calendar string, block, dry bool) (batchOut, error) {
	ops := make([]*eventOp, len(b.Items))
	for i := range b.Items {
		ops[i] = b.Items[i].write(calendar, block)
	}
	if b.Atomic.Or(false) || dry {
		return s.together(ctx, ops, b.Atomic.Or(false), dry)
	}
	out := batchOut{Items: make([]BatchResult, 0, len(ops))}
	for _, op := range ops {
		w, err := s.one(ctx, op, false)
		if err != nil {
			r, ok := refusal(err)
			if !ok {
				return out, err
			}
			out.Items = append(out.Items, r)
			continue
		}
		out.Items = append(out.Items, resultOf(w, op))
		out.Applied++
	}
	return out, nil
}

// together does all writes in one transaction, so that each sees those before
// it. Of an atomic batch the first that is refused ends it; of a dry run the
// others are looked at all the same.
func (s *service) together(ctx context.Context, ops []*eventOp, atomic, dry bool) (out batchOut, err error) {
	refused := -1
	err = s.update(ctx, func(d *desk, tx *store.Tx) error {
		out, refused = batchOut{DryRun: dry, Items: make([]BatchResult, 0, len(ops))}, -1
		for i, op := range ops {
			var w written
			p, err := s.plan(d, op)
			if err == nil {
				w, err = p.commit(d, tx)
			}
			if err == nil {
				out.Items = append(out.Items, resultOf(w, op))
				out.Applied++
				continue
			}
			r, ok := refusal(err)
			if !ok {
				return err
			}
			out.Items = append(out.Items, r)
			if atomic {
				refused = i
				return errDryRun
			}
		}
		if dry {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	if err != nil || refused < 0 {
		return out, err
	}
	why := out.Items[refused]
	return batchOut{}, &rest.Problem{
		Status: why.Status, Detail: "item " + strconv.Itoa(refused) + " was refused, so nothing was changed: " + why.Error.Detail,
		Members: map[string]any{"item": refused, "result": why},
	}
}
