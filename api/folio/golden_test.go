package folio

import (
	"encoding/json"
	"testing"

	"daybook/api/apitest"
)

// TestGolden compares whole answers; see [apitest.Golden].
func TestGolden(t *testing.T) {
	apitest.Golden(t, func(t testing.TB) (*apitest.Place, apitest.Mask) {
		return &newPlace(t).Place, apitest.ByExchange(func(raw string) string {
			var made struct{ ID string }
			if json.Unmarshal([]byte(raw), &made) != nil {
				return ""
			}
			return made.ID
		})
	})
}
