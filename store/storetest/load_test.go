package storetest

import (
	"testing"
	"time"

	"daybook/ical/span"
	"daybook/store"
)

func TestHouseHasWhatItPromises(t *testing.T) {
	t.Setenv(keepVar, t.TempDir())
	for range 2 { // filled, then as it was kept
		h := Load(t, 2500)
		if len(h.Resources) != Resources || h.Store.Stats().Objects != 2500+Resources {
			t.Fatalf("%d resources, %d objects", len(h.Resources), h.Store.Stats().Objects)
		}
		err := h.Store.View(t.Context(), func(v *store.View) error {
			rows, err := v.Instances(h.Calendars[0], span.Span{}, nil)
			if err == nil && (len(rows) != 3 || rows[2].Start != At(2).Unix() || rows[2].End != At(2).Add(Length).Unix()) {
				t.Errorf("instances %+v", rows)
			}
			o, err := v.Openings(h.Resources[0].ID, span.Span{Start: Start, End: Start.Add(12 * time.Hour)})
			if err == nil && len(o.Free) != 3 {
				t.Errorf("openings %v", o.Free)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
