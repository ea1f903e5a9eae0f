package trybe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"daybook/api/rest"
	"daybook/store/storetest"
)

// BenchmarkHouseWeek asks for all blocks of a week of a site with a thousand
// staff: 2,000 blocks among 20,000 events from the second size on.
func BenchmarkHouseWeek(b *testing.B) {
	for _, events := range storetest.Sizes() {
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			h := storetest.Load(b, events)
			api, err := New(rest.Options{Store: h.Store, Now: func() time.Time { return storetest.Start }}).Handler()
			if err != nil {
				b.Fatal(err)
			}
			token, size := h.Token(b), 0
			path := fmt.Sprintf("/shop/blocked-times?site_id=%s&date_from=2027-01-04&date_to=2027-01-10", storetest.OrgID)
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Header.Set("Authorization", "Bearer "+token)
				w := httptest.NewRecorder()
				api.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("%d: %s", w.Code, w.Body)
				}
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
