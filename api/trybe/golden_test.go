package trybe

import (
	"encoding/json"
	"strings"
	"testing"

	"daybook/api/apitest"
)

// TestGolden compares whole answers; see [apitest.Golden].
func TestGolden(t *testing.T) {
	apitest.Golden(t, func(t testing.TB) (*apitest.Place, apitest.Mask) {
		return &newPlace(t).Place, apitest.ByExchange(seriesOf)
	})
}

// seriesOf gives the id of an answer without the stamp of an instance.
func seriesOf(raw string) string {
	var out struct{ Data struct{ ID string } }
	if json.Unmarshal([]byte(raw), &out) != nil {
		return ""
	}
	series, _, _ := strings.Cut(out.Data.ID, "_")
	return series
}
