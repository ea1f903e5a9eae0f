package house

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"daybook/api/apitest"
)

// TestGolden compares whole answers; see [apitest.Play]. $1 stands for the
// first text that was masked, wherever it appears.
func TestGolden(t *testing.T) {
	apitest.Play(t, func(t testing.TB) (*apitest.Place, apitest.Mask) {
		return newPlace(t).Place, &mask{}
	})
}

// masked are the texts that are not the same in each run: ids, tags, secrets.
var masked = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|"[A-Za-z0-9_-]{16}"(?:\n)|(?:"(?:secret|token)": "|"id": "|credentials/|feeds/)([A-Za-z0-9_.-]{12,})|[0-9a-f]{32}`)

var (
	// everywhere are the headers that all answers have.
	everywhere = regexp.MustCompile(`(?m)^(?:Cache-Control: .*|X-Content-Type-Options: .*)\n`)
	// lastUsed is noted behind the answers.
	lastUsed = regexp.MustCompile(`("last_used_at": )"[^"]*"`)
)

// mask writes $n for the n-th different text that changes from run to run.
type mask struct{ texts []string }

// Hide is that of [apitest.Mask].
func (m *mask) Hide(_, s string) string {
	s = lastUsed.ReplaceAllString(everywhere.ReplaceAllString(s, ""), "${1}null")
	for _, found := range masked.FindAllStringSubmatch(s, -1) {
		text := found[0]
		if found[1] != "" {
			text = found[1]
		}
		if text = strings.Trim(text, "\"\n"); !slices.Contains(m.texts, text) {
			m.texts = append(m.texts, text)
		}
	}
	for i, text := range m.texts {
		s = strings.ReplaceAll(s, text, fmt.Sprintf("$%d", i+1))
	}
	return s
}

// Show is that of [apitest.Mask].
func (m *mask) Show(s string) string {
	for i, text := range slices.Backward(m.texts) {
		s = strings.ReplaceAll(s, fmt.Sprintf("$%d", i+1), text)
	}
	return s
}
