package house

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"daybook/api/rest"
	"daybook/store"
)

// auditScan is how many entries one request looks at. A filter that chooses few
// gets a short page and a cursor that goes on.
const auditScan = 20_000

func (s *service) auditRoutes() []rest.Route {
	return []rest.Route{
		{
			Pattern: "GET /v1/audit", Summary: "Who changed what, when, through which API", Doc: wordsDoc(),
			Op: rest.Endpoint(http.StatusOK, s.audit).Guard(guard[auditIn](s, store.RightAdmin)).Strict(),
		},
	}
}

type auditIn struct {
	rest.Page
	From      rest.Opt[time.Time] `query:"from" doc:"RFC 3339; included."`
	To        rest.Opt[time.Time] `query:"to" doc:"Not included."`
	Principal rest.Opt[string]    `query:"principal"`
	Resource  rest.Opt[string]    `query:"resource"`
	API       rest.Opt[string]    `query:"api"`
	What      []string            `query:"what" doc:"Subjects, or subjects with what happened, as in what of a webhook; none: all."`
	Order     rest.Opt[string]    `query:"order" enum:"newest,oldest" doc:"Newest is the default."`
}

// Validate checks what the tags cannot say.
func (in *auditIn) Validate(f *rest.Faults) {
	in.Check(f)
	checkWhat(f, in.What)
	if o := in.Order.Or("newest"); o != "newest" && o != "oldest" {
		f.Add("order", "must be newest or oldest")
	}
	if _, err := in.seq(); err != nil {
		f.Add("cursor", "is not one that was given out")
	}
}

// seq gives the number of the last entry that the client has, 0 at the start.
func (in *auditIn) seq() (uint64, error) {
	after := in.After()
	if after == "" {
		return 0, nil
	}
	return strconv.ParseUint(after, 10, 64)
}

func checkWhat(f *rest.Faults, words []string) {
	for _, w := range words {
		if _, _, err := store.ParseWhat(w); err != nil {
			f.Add("what", "has a word that is not known: "+strconv.Quote(w))
		}
	}
}

// audit gives the entries of the journal that the asker may read.
func (s *service) audit(ctx context.Context, in auditIn) (out rest.List[store.Event], err error) {
	out.Items = []store.Event{}
	at, err := in.seq()
	if err != nil {
		return out, err
	}
	err = s.view(ctx, func(d *desk) error {
		f := store.JournalFilter{What: in.What, API: in.API.Or(""), From: in.From.Or(time.Time{}), To: in.To.Or(time.Time{})}
		if who := in.Principal.Or(""); who != "" {
			if f.Principal, err = d.PrincipalOfJournal(d.actor.Org, who); err != nil {
				return inBody("principal", err)
			}
		}
		if whose := in.Resource.Or(""); whose != "" {
			id, err := d.PrincipalOfJournal(d.actor.Org, whose)
			if err != nil {
				return inBody("resource", err)
			}
			f.Owners = []store.PrincipalID{id}
		}
		seen, last := 0, uint64(0)
		each := func(e *store.Entry) bool {
			if len(out.Items) == in.Size() || seen == auditScan {
				out.Next = rest.Cursor(strconv.FormatUint(last, 10))
				return false
			}
			seen, last = seen+1, e.Seq
			if f.Match(e) && d.MayRead(d.actor, e) {
				out.Items = append(out.Items, d.Event(d.actor, e))
			}
			return true
		}
		if in.Order.Or("") == "oldest" {
			d.EachEntry(d.actor.Org, at, each)
		} else {
			d.EachEntryBack(d.actor.Org, at, each)
		}
		return nil
	})
	return out, err
}
