package vastal

import (
	"testing"

	"daybook/api/apitest"
)

// TestGolden compares whole answers; see [apitest.Golden].
func TestGolden(t *testing.T) {
	apitest.Golden(t, func(t testing.TB) (*apitest.Place, apitest.Mask) {
		return &newPlace(t).Place, apitest.ByPattern(`(?:avail|type|apt)_([0-9a-f]{32})`)
	})
}
