package rest

import "github.com/google/uuid"

// ParseUUID reads a UUID of the form 8-4-4-4-12, in any case. The other forms
// that the library reads (in braces, as a URN, without hyphens) are in no
// contract.
func ParseUUID(s string) (uuid.UUID, bool) {
	if len(s) != 36 {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(s)
	if err != nil {
		return uuid.Nil, false
	}
	return id, true
}
