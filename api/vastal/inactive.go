package vastal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/store"
)

// Inactive slots are kept as a record: another program would take an AVAILABLE
// for time that is free.

// The place of the record: one note with all of them.
const (
	noteSpace = "vastal"
	noteName  = "inactive-slots"
)

// slotRecord is an inactive slot as it is kept. Durations are in seconds.
type slotRecord struct {
	ID      uuid.UUID    `json:"id"`
	Day     time.Weekday `json:"day"`
	Start   int          `json:"start"`
	End     int          `json:"end"`
	Only    string       `json:"only,omitempty"`
	Created int64        `json:"created"` // seconds since 1970
}

func readInactive(v *store.View, org organisation) ([]slot, error) {
	b, err := v.Note(org.ID, noteSpace, noteName)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var records []slotRecord
	if err := json.Unmarshal(b, &records); err != nil {
		return nil, fmt.Errorf("read inactive slots: %w", err)
	}
	out := make([]slot, len(records))
	for i, r := range records {
		out[i] = slot{
			id: r.ID, day: r.Day, start: time.Duration(r.Start) * time.Second, end: time.Duration(r.End) * time.Second,
			only: r.Only, created: time.Unix(r.Created, 0).UTC(),
		}
	}
	return out, nil
}

func writeInactive(tx *store.Tx, org organisation, slots []slot) error {
	if len(slots) == 0 {
		return tx.PutNote(org.ID, noteSpace, noteName, nil)
	}
	records := make([]slotRecord, len(slots))
	for i, s := range slots {
		records[i] = slotRecord{s.id, s.day, int(s.start / time.Second), int(s.end / time.Second), s.only, s.created.Unix()}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // 500 slots with ids of full length have to fit in a note
	if err := e.Encode(records); err != nil {
		return fmt.Errorf("write inactive slots: %w", err)
	}
	return tx.PutNote(org.ID, noteSpace, noteName, []byte(b.String()))
}
