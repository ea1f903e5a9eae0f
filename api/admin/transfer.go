package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"daybook/ical"
	"daybook/store"
)

// ImportFile asks for the import of the stream's input into a calendar,
// PRINCIPAL/CALENDAR.
type ImportFile struct {
	Calendar string `json:"calendar"`
}

// Outcomes of one object of an import.
const (
	Created   = "created"
	Updated   = "updated"
	Unchanged = "unchanged"
	Refused   = "refused"
	NotTried  = "not-tried" // the import was ended before
)

// ImportItem tells what became of one calendar object resource.
type ImportItem struct {
	Line    int    `json:"line"` // of its first component in the file, from 1
	UID     string `json:"uid,omitempty"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"` // why it was refused
}

// Imported sums an import up.
type Imported struct {
	Calendar  string `json:"calendar"`
	Objects   int    `json:"objects"`
	Created   int    `json:"created"`
	Updated   int    `json:"updated"`
	Unchanged int    `json:"unchanged"`
	Refused   int    `json:"refused"`
	NotTried  int    `json:"not_tried"`
	// Stopped is why the import ended early; "" when it did not. What was
	// reported as created or updated is stored, and running it again goes on.
	Stopped string `json:"stopped,omitempty"`
}

func (r *Imported) count(outcome string) {
	switch outcome {
	case Created:
		r.Created++
	case Updated:
		r.Updated++
	case Unchanged:
		r.Unchanged++
	case Refused:
		r.Refused++
	case NotTried:
		r.NotTried++
	}
}

// importChunk is how many objects are stored between two reports. The store
// commits what waits at the same time together, so a chunk is a few commits.
const importChunk = 2048

// importer stores the objects of one file in one collection.
type importer struct {
	s          *Service
	collection store.CollectionID
	items      []ical.SplitItem
	report     []ImportItem
}

// importFile stores each object by itself, so that a bad one takes nothing
// with it, and finds those of an earlier run by their UID.
func importFile(ctx context.Context, s *Service, req ImportFile, st *Stream) (Imported, error) {
	res := Imported{Calendar: req.Calendar}
	im := importer{s: s}
	err := s.Store.View(ctx, func(v *store.View) error {
		c, p, err := findCalendar(v, req.Calendar)
		if err == nil {
			im.collection, res.Calendar = c.ID, p.Name+"/"+c.Name
		}
		return err
	})
	if err != nil {
		return res, err
	}
	limit := s.Limits.ImportBytes
	if limit <= 0 {
		limit = int64(ical.StreamLimits.Bytes)
	}
	data, err := st.read(limit)
	if err != nil {
		return res, err
	}
	lim := ical.StreamLimits
	lim.Bytes = int(limit)
	if im.items, err = ical.Split(data, lim); err != nil {
		return res, fmt.Errorf("%w: the file is not a calendar: %w", store.ErrInvalid, err)
	}
	if n := s.Limits.ImportObjects; n > 0 && len(im.items) > n {
		return res, fmt.Errorf("%w: the file has %d objects, an import may have %d (max_import_events); nothing was imported", store.ErrQuota, len(im.items), n)
	}
	res.Objects = len(im.items)
	im.report = make([]ImportItem, len(im.items))
	return res, im.run(ctx, st, &res)
}

func (im *importer) run(ctx context.Context, st *Stream, res *Imported) error {
	st.progress(0, len(im.items))
	for from := 0; from < len(im.items); from += importChunk {
		to := min(from+importChunk, len(im.items))
		if res.Stopped == "" {
			if err := im.chunk(ctx, from, to); err != nil {
				res.Stopped = err.Error()
			}
		}
		for i := from; i < to; i++ {
			it := &im.report[i]
			it.Line, it.UID = im.items[i].Line, im.items[i].UID
			if it.Outcome == "" {
				it.Outcome = NotTried
			}
			res.count(it.Outcome)
			if err := st.item(it); err != nil {
				return err
			}
			im.items[i] = ical.SplitItem{} // its memory is free
		}
		st.progress(to, len(im.items))
	}
	return nil
}

// chunk stores the objects [from, to) and notes their outcomes. An error ends
// the import; the objects that it kept from being stored have no outcome.
func (im *importer) chunk(ctx context.Context, from, to int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(64 * runtime.GOMAXPROCS(0)) // most of them wait for the commit that they share
	for i := from; i < to; i++ {
		g.Go(func() error {
			outcome, err := im.one(ctx, &im.items[i])
			switch it := &im.report[i]; {
			case err == nil:
				it.Outcome = outcome
			case refusal(err):
				it.Outcome, it.Reason = Refused, err.Error()
			default:
				return err
			}
			return nil
		})
	}
	return g.Wait()
}

func (im *importer) one(ctx context.Context, it *ical.SplitItem) (string, error) {
	if it.Err != nil {
		return "", it.Err
	}
	if err := im.s.fits(it.Object); err != nil {
		return "", err
	}
	p, err := im.s.Store.Prepare(it.Object)
	if err != nil {
		return "", err
	}
	if im.has(ctx, it.UID, p.ETag()) {
		return Unchanged, nil
	}
	outcome := ""
	err = im.s.Store.Update(ctx, func(tx *store.Tx) error {
		name := objectName(it.UID)
		m, err := tx.MemberByUID(im.collection, it.UID)
		switch {
		case err == nil && m.ETag == p.ETag():
			outcome = Unchanged
			return nil
		case err == nil:
			outcome, name = Updated, m.Name
		case errors.Is(err, store.ErrNotFound):
			outcome = Created
			if _, err := tx.Member(im.collection, name); err == nil {
				name = hashName(it.UID) // taken by another UID
			}
		default:
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: im.collection, Name: name, Object: p})
		return err
	})
	return outcome, err
}

// has looks without waiting for the writer, so that a second run is fast.
func (im *importer) has(ctx context.Context, uid string, tag store.ETag) bool {
	same := false
	err := im.s.Store.View(ctx, func(v *store.View) error {
		m, err := v.MemberByUID(im.collection, uid)
		same = err == nil && m.ETag == tag
		return err
	})
	return err == nil && same
}

// fits checks the limits of one object, which Split does not know.
func (s *Service) fits(o *ical.Object) error {
	if most := s.Limits.Object.Bytes; most > 0 && len(o.Data()) > most {
		return fmt.Errorf("%w: the object has %d bytes, %d are accepted (max_object)", store.ErrQuota, len(o.Data()), most)
	}
	return nil
}

// refusal tells an error that is about one object from one that ends the
// import.
func refusal(err error) bool {
	var invalid *ical.InvalidError
	var uid *store.UIDConflictError
	var work *ical.LimitError
	if errors.As(err, &invalid) || errors.As(err, &uid) || errors.As(err, &work) {
		return true
	}
	for _, e := range []error{store.ErrInvalid, store.ErrComponent, store.ErrQuota, store.ErrPrecondition, store.ErrExists, store.ErrForbidden} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// objectName makes the last segment of an object's address of its UID.
func objectName(uid string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_@."
	if len(uid) == 0 || len(uid) > 128 || uid[0] == '.' || strings.Trim(uid, plain) != "" {
		return hashName(uid)
	}
	return uid + ".ics"
}

func hashName(uid string) string {
	sum := sha256.Sum256([]byte(uid))
	return hex.EncodeToString(sum[:16]) + ".ics"
}

// ExportCalendar asks for a calendar, PRINCIPAL/CALENDAR, as one iCalendar
// stream.
type ExportCalendar struct {
	Calendar string `json:"calendar"`
}

// Exported sums an export up.
type Exported struct {
	Calendar string `json:"calendar"`
	Objects  int    `json:"objects"`
	Skipped  int    `json:"skipped"` // stored data that does not parse; check names it
}

// exportCalendar takes one snapshot of the calendar's bytes and writes them
// after it, so that a slow reader does not hold the store's pages.
func exportCalendar(ctx context.Context, s *Service, req ExportCalendar, st *Stream) (Exported, error) {
	res := Exported{Calendar: req.Calendar}
	var objects [][]byte
	opt := ical.FeedOptions{Show: ical.ShowFull, Private: ical.PrivateShown, Now: s.now()}
	err := s.Store.View(ctx, func(v *store.View) error {
		objects = objects[:0]
		c, p, err := findCalendar(v, req.Calendar)
		if err != nil {
			return err
		}
		res.Calendar = p.Name + "/" + c.Name
		opt.Name, opt.Description, opt.Zone = c.DisplayName, c.Description, v.CollectionZone(c).Name()
		if opt.Name == "" {
			opt.Name = p.DisplayName
		}
		var ids []store.ObjectID
		if err := v.EachMember(c.ID, "", func(m store.Member) bool {
			ids = append(ids, m.Object)
			return true
		}); err != nil {
			return err
		}
		for _, id := range ids {
			data, err := v.Data(id)
			if err != nil {
				return err
			}
			objects = append(objects, bytes.Clone(data))
		}
		return nil
	})
	if err != nil {
		return res, err
	}
	res.Objects = len(objects)
	res.Skipped, err = ical.Merge(st.Out, func(yield func([]byte) bool) {
		for _, data := range objects {
			if ctx.Err() != nil || !yield(data) {
				return
			}
		}
	}, opt)
	return res, errors.Join(err, ctx.Err())
}
