package trybe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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
			token := h.Token(b)
			path := fmt.Sprintf("/shop/blocked-times?site_id=%s&date_from=2027-01-04&date_to=2027-01-10", storetest.OrgID)
			var took apitest.Timings
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Header.Set("Authorization", "Bearer "+token)
				took.Ask(b, api, r, http.StatusOK)
			}
			took.Report(b)
		})
	}
}
