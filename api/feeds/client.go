package feeds

import "strings"

// families are the clients that the metric tells apart, by a part of their
// User-Agent, in lower case; the first that fits counts. When a subscriber
// sees old events, it shows whether their client has come at all.
var families = []struct{ part, name string }{
	{"google-calendar", "google"},
	{"googlebot", "google"},
	{"dataaccessd", "apple"},
	{"calendaragent", "apple"},
	{"remindd", "apple"},
	{"outlook", "microsoft"},
	{"exchange", "microsoft"},
	{"microsoft", "microsoft"},
	{"thunderbird", "thunderbird"},
	{"icsx5", "icsx5"},
	{"evolution", "evolution"},
	{"daybook", "daybook"},
	{"nextcloud", "nextcloud"},
	{"curl/", "tool"},
	{"wget/", "tool"},
	{"mozilla/", "browser"},
}

// family gives the family of a User-Agent; "other" for one that is not known.
func family(agent string) string {
	agent = strings.ToLower(agent)
	for _, f := range families {
		if strings.Contains(agent, f.part) {
			return f.name
		}
	}
	return "other"
}
