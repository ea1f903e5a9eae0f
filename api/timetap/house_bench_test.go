package timetap

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/api/rest"
	"daybook/store/storetest"
)

// BenchmarkHouseWeek asks for a week of twenty of a thousand staff, 400 events
// from the second size on, and prints the median beside the mean.
func BenchmarkHouseWeek(b *testing.B) {
	for _, events := range storetest.Sizes() {
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			h := storetest.Load(b, events)
			api, err := New(rest.Options{Store: h.Store, Now: func() time.Time { return storetest.Start }}).Handler()
			if err != nil {
				b.Fatal(err)
			}
			ids := make([]string, 20)
			for i := range ids {
				ids[i] = fmt.Sprint(h.Resources[i].Alias)
			}
			token := h.Token(b)
			var took apitest.Timings
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "/calendar/range/"+strings.Join(ids, ",")+"?startDate=2027-01-04&endDate=2027-01-10", nil)
				r.Header.Set("Authorization", "Bearer "+token)
				took.Ask(b, api, r, http.StatusOK)
			}
			took.Report(b)
		})
	}
}
