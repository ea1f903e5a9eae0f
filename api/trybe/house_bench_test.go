package trybe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/api/rest"
	"daybook/store/storetest"
)

// BenchmarkHouseWeek asks for all blocks of a week of a site with a thousand
// staff: 2,000 blocks among 20,000 events from the second size on, and
// prints the median beside the mean.
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
			var took []time.Duration
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Header.Set("Authorization", "Bearer "+token)
				w := &apitest.Sink{}
				began := time.Now()
				api.ServeHTTP(w, r)
				took = append(took, time.Since(began))
				if w.Status != http.StatusOK {
					b.Fatalf("status %d", w.Status)
				}
				size = w.Bytes
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
