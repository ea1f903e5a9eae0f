package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// manyEvents is a calendar with n events.
func manyEvents(n int) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n")
	for i := range n {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:e%d\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270101T100000Z\r\nEND:VEVENT\r\n", i)
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

// TestImportThatIsEndedTellsWhatIsStored ends an import after its first chunk:
// the report accounts for every object, and a second run goes on.
func TestImportThatIsEndedTellsWhatIsStored(t *testing.T) {
	s := service(t)
	if _, err := Call[SetUp](t.Context(), s, "setup", Setup{Slug: "demo", Admin: "ada"}, nil); err != nil {
		t.Fatal(err)
	}
	const n = importChunk + 500
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	outcomes := map[string]int{}
	res, err := Call[Imported](ctx, s, "import", ImportFile{Calendar: "ada"}, &Stream{
		In: strings.NewReader(manyEvents(n)),
		OnProgress: func(p Progress) {
			if p.Done == importChunk {
				cancel()
			}
		},
		OnItem: func(raw json.RawMessage) error {
			var it ImportItem
			err := json.Unmarshal(raw, &it)
			outcomes[it.Outcome]++
			return err
		},
	})
	if err != nil || res.Stopped == "" || res.Created != importChunk || res.NotTried != 500 || res.Objects != n {
		t.Fatalf("%+v %v", res, err)
	}
	if outcomes[Created] != res.Created || outcomes[NotTried] != res.NotTried {
		t.Errorf("%v", outcomes)
	}
	if st, err := Call[Status](t.Context(), s, "status", None{}, nil); err != nil || st.Objects != importChunk {
		t.Errorf("%+v %v", st, err)
	}
	res, err = Call[Imported](t.Context(), s, "import", ImportFile{Calendar: "ada"}, &Stream{In: strings.NewReader(manyEvents(n))})
	if err != nil || res.Stopped != "" || res.Unchanged != importChunk || res.Created != 500 {
		t.Errorf("%+v %v", res, err)
	}
}
