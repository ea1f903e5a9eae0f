package vastal

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/store"
)

// The prefixes of ids: what follows is a uuid in 32 lower-case hexadecimal
// digits.
const (
	orgPrefix         = "org_"
	slotPrefix        = "avail_"
	typePrefix        = "type_"
	appointmentPrefix = "apt_"
)

func formatID(prefix string, id uuid.UUID) string { return prefix + hex.EncodeToString(id[:]) }

// parseID reads what formatID wrote, and nothing else; store.ErrNotFound for
// what cannot exist.
func parseID(prefix, s string) (uuid.UUID, error) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || len(digits) != 32 || digits != strings.ToLower(digits) {
		return uuid.Nil, store.ErrNotFound
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return uuid.Nil, store.ErrNotFound
	}
	return uuid.UUID(b), nil
}

// formatInstant writes an instant as the API does.
func formatInstant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
