package feeds

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"daybook/api/apitest"
)

// TestGolden compares whole answers, as they are sent, for each of the shows.
func TestGolden(t *testing.T) {
	for name, secret := range map[string]string{"full": fullSecret, "titles": titleSecret, "busy": busySecret} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.put("c", "DTSTART;VALUE=DATE:20270305", "SUMMARY:Away", "CLASS:PRIVATE", "STATUS:CONFIRMED", "LOCATION:Home")
			w := p.get("GET", "/feeds/"+secret+"/ada.ics")
			var b strings.Builder
			fmt.Fprintln(&b, w.Code)
			var names []string
			for name := range w.Header() {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				value := w.Header().Get(name)
				if name == "Etag" || name == "Content-Length" {
					value = "(masked)" // the store's epoch is random
				}
				fmt.Fprintf(&b, "%s: %s\n", name, value)
			}
			var lines []string
			for line := range strings.SplitSeq(w.Body.String(), "\r\n") {
				if secret != fullSecret && strings.HasPrefix(line, "UID:") {
					line = "UID:(masked)" // the feed's key is random
				}
				lines = append(lines, line)
			}
			got := b.String() + "\n" + strings.Join(lines, "\n")
			apitest.Compare(t, "testdata/"+name+".txt", got)
		})
	}
}
