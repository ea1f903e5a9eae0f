package pull

import (
	"net/url"
	"strings"
	"testing"
)

func parsed(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestMultistatus(t *testing.T) {
	base := parsed(t, "https://x.example/cal/")
	const body = `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:o="urn:other">
<d:response><d:href>/cal/a%40b.ics</d:href><d:propstat><d:prop><d:getetag>"1"</d:getetag><c:calendar-data>BEGIN:VCALENDAR&#13;
END:VCALENDAR</c:calendar-data></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
<d:propstat><d:prop><d:sync-token>no</d:sync-token></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>
<d:response><d:href>b.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>
<d:response><d:href>https://x.example/cal/c%2Fd.ics</d:href><d:propstat><d:prop><d:getetag/></d:prop><d:status>HTTP/1.1 403 Forbidden</d:status></d:propstat></d:response>
<o:extra><d:response/></o:extra><d:sync-token> t1 </d:sync-token></d:multistatus>`
	ms, err := readMultistatus(strings.NewReader(body), base)
	if err != nil {
		t.Fatal(err)
	}
	r := ms.responses
	if len(r) != 3 || strings.TrimSpace(ms.token) != "t1" {
		t.Fatalf("%+v", ms)
	}
	if r[0].href != "/cal/a@b.ics" || r[0].found.ETag != `"1"` || r[0].found.Token != "" || r[0].status != 0 {
		t.Errorf("%+v", r[0])
	}
	if got := string(calendarText(r[0].found.Data)); got != "BEGIN:VCALENDAR\r\nEND:VCALENDAR" {
		t.Errorf("%q", got)
	}
	if r[1].href != "/cal/b.ics" || r[1].status != 404 || r[2].href != "/cal/c%2Fd.ics" || r[2].status != 403 {
		t.Errorf("%+v %+v", r[1], r[2])
	}
	for name, bad := range map[string]string{
		"cut": body[:len(body)-20], "cut in a member": body[:300], "nothing": "", "HTML": "<html></html>", "text": "hello", "another root": `<a xmlns="DAV:"/>`,
	} {
		if ms, err := readMultistatus(strings.NewReader(bad), base); err == nil {
			t.Errorf("%s: %+v", name, ms)
		}
	}
}

func FuzzMultistatus(f *testing.F) {
	f.Add(`<multistatus xmlns="DAV:"><response><href>/a</href><propstat><prop><getetag>1</getetag></prop></propstat></response></multistatus>`)
	f.Add(`<multistatus xmlns="DAV:"><sync-token>x`)
	base := &url.URL{Scheme: "https", Host: "x.example", Path: "/cal/"}
	f.Fuzz(func(t *testing.T, s string) {
		ms, err := readMultistatus(strings.NewReader(s), base)
		if err != nil {
			return
		}
		for _, r := range ms.responses {
			if r == nil || strings.ContainsAny(r.href, " \n") {
				t.Fatalf("%+v", r)
			}
		}
	})
}
