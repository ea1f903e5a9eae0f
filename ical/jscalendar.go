package ical

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// JSCalendar is events and tasks as JSON (RFC 8984). It has words for what
// calendars share most: times, recurrence, people, places, alarms, links. What
// it has none for (X- properties, journals, free-busy) is left out; so it is a
// way out, not a way to keep data.

// jsValue is a JSON object; encoding/json writes its members in order of name.
type jsValue = map[string]any

// JSCalendar gives the object as an Event or Task, or several where it has
// overrides without their master, as JSON values joined by commas; nil when it
// is neither. stamp is what counts as the last change of a component that
// tells none.
func (o *Object) JSCalendar(stamp time.Time) []byte {
	if o.kind != "VEVENT" && o.kind != "VTODO" {
		return nil
	}
	j := jsWriter{o: o, stamp: stamp}
	var all []jsValue
	if master := o.Master(); master != nil {
		all = append(all, j.series(master))
	} else {
		for _, c := range o.main {
			all = append(all, j.single(c))
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, v := range all {
		if v == nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		if err := e.Encode(v); err != nil { // only strings, numbers and maps come here
			return nil
		}
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

type jsWriter struct {
	o     *Object
	stamp time.Time
}

const (
	jsLocal = "2006-01-02T15:04:05"
	jsUTC   = jsLocal + "Z"
)

// series gives a master with its rules, and its overrides as patches.
func (j jsWriter) series(c *Component) jsValue {
	v, start, ok := j.entry(c)
	if !ok {
		return nil
	}
	overrides := jsValue{}
	for _, name := range []string{"RRULE", "EXRULE"} {
		var rules []jsValue
		for _, l := range c.All(name) {
			rules = append(rules, jsRule(l.Value, start))
		}
		if len(rules) > 0 {
			v[map[string]string{"RRULE": "recurrenceRules", "EXRULE": "excludedRecurrenceRules"}[name]] = rules
		}
	}
	for _, l := range c.All("RDATE") {
		for value := range strings.SplitSeq(l.Value, ",") {
			j.date(overrides, l, value, start, jsValue{})
		}
	}
	for _, l := range c.All("EXDATE") {
		for value := range strings.SplitSeq(l.Value, ",") {
			j.date(overrides, l, value, start, jsValue{"excluded": true})
		}
	}
	for _, other := range j.o.main {
		rid := other.Line("RECURRENCE-ID")
		if rid == nil {
			continue
		}
		if o, _, ok := j.entry(other); ok {
			j.date(overrides, rid, rid.Value, start, jsPatch(v, o))
		}
	}
	if len(overrides) > 0 {
		v["recurrenceOverrides"] = overrides
	}
	return v
}

// single gives an override whose master is not there (RFC 8984 §4.3.1).
func (j jsWriter) single(c *Component) jsValue {
	v, start, ok := j.entry(c)
	rid := c.Line("RECURRENCE-ID")
	if !ok || rid == nil {
		return v
	}
	if t, err := j.o.Time(rid); err == nil {
		v["recurrenceId"] = jsWall(t, start)
		if z := v["timeZone"]; z != nil {
			v["recurrenceIdTimeZone"] = z
		}
	}
	return v
}

// date puts a patch at the local time of a recurrence.
func (j jsWriter) date(overrides jsValue, l *Line, value string, start Time, patch jsValue) {
	value, _, _ = strings.Cut(value, "/")
	if t, err := j.o.timeValue(l, value); err == nil {
		overrides[jsWall(t, start)] = patch
	}
}

// jsWall gives a time by the clock of the series (RFC 8984 §4.3.5).
func jsWall(t, start Time) string {
	fixed := func(f Form) bool { return f == UTC || f == Zoned }
	if fixed(t.Form) && fixed(start.Form) {
		t.Wall = start.zone(nil).Wall(t.Instant(nil))
	}
	return t.Wall.Format(jsLocal)
}

// jsPatch gives what an override changes of its master (RFC 8984 §1.4.9): whole
// properties, null for one that it lacks.
func jsPatch(master, override jsValue) jsValue {
	patch := jsValue{}
	for k, v := range override {
		switch k {
		case "@type", "uid", "prodId", "relatedTo", "method", "sequence", "created", "updated", "timeZones":
		default:
			if !reflect.DeepEqual(master[k], v) {
				patch[k] = v
			}
		}
	}
	for k := range master {
		switch k {
		case "@type", "uid", "prodId", "relatedTo", "method", "sequence", "created", "updated", "timeZones",
			"recurrenceRules", "excludedRecurrenceRules", "recurrenceOverrides", "replyTo", "participants", "privacy":
		default:
			if _, ok := override[k]; !ok {
				patch[k] = nil
			}
		}
	}
	return patch
}

// entry gives a component without its recurrence; false for an event without
// a start, which is none.
func (j jsWriter) entry(c *Component) (v jsValue, start Time, ok bool) {
	v = jsValue{"@type": "Event", "uid": c.Text("UID"), "updated": j.stamp.UTC().Format(jsUTC)}
	if c.Name == "VTODO" {
		v["@type"] = "Task"
	}
	if l := c.Line("DTSTART"); l != nil {
		if t, err := j.o.Time(l); err == nil {
			start, ok = t, true
			v["start"] = t.Wall.Format(jsLocal)
			j.zone(v, l, t)
		}
	}
	switch {
	case c.Name == "VTODO":
		ok = true
		j.task(v, c, start)
	case ok:
		if d := j.duration(c, start); d != "" {
			v["duration"] = d
		}
		if c.BusyType() == BusyFree && !jsIs(c, "STATUS", "CANCELLED") {
			v["freeBusyStatus"] = "free"
		}
		j.status(v, c)
	}
	j.describe(v, c)
	j.people(v, c)
	j.links(v, c)
	j.alerts(v, c)
	return v, start, ok
}

func jsIs(c *Component, name, value string) bool {
	return strings.EqualFold(strings.TrimSpace(c.Text(name)), value)
}

func (j jsWriter) status(v jsValue, c *Component) {
	switch s := strings.ToLower(strings.TrimSpace(c.Text("STATUS"))); s {
	case "confirmed", "tentative", "cancelled":
		v["status"] = s
	}
}

// zone tells the zone of a time: of one that the IANA has not, with its rules
// (RFC 8984 §4.7.2).
func (j jsWriter) zone(v jsValue, l *Line, t Time) {
	switch t.Form {
	case UTC:
		v["timeZone"] = "Etc/UTC"
	case Date:
		v["showWithoutTime"] = true
	case Floating:
	case Zoned:
		tzid := l.Param("TZID")
		switch z := LookupZone(tzid); z {
		case nil:
		case UTCZone:
			v["timeZone"] = "Etc/UTC"
			return
		default:
			v["timeZone"] = z.Name()
			return
		}
		for _, c := range j.o.root.Children {
			if c.Name == "VTIMEZONE" && c.Text("TZID") == tzid {
				id := "/" + tzid
				v["timeZone"] = id
				v["timeZones"] = jsValue{id: jsZone(c)}
			}
		}
	}
}

func jsZone(c *Component) jsValue {
	z := jsValue{"@type": "TimeZone", "tzId": c.Text("TZID")}
	for _, part := range c.Children {
		t, err := parseTime(part.Text("DTSTART"), nil)
		if err != nil {
			continue
		}
		rule := jsValue{
			"@type": "TimeZoneRule", "start": t.Wall.Format(jsLocal),
			"offsetFrom": extended(part.Text("TZOFFSETFROM")), "offsetTo": extended(part.Text("TZOFFSETTO")),
		}
		if l := part.Line("RRULE"); l != nil {
			rule["recurrenceRules"] = []jsValue{jsRule(l.Value, t)}
		}
		dates := jsValue{}
		for _, l := range part.All("RDATE") {
			for s := range strings.SplitSeq(l.Value, ",") {
				if t, err := parseTime(s, nil); err == nil {
					dates[t.Wall.Format(jsLocal)] = jsValue{}
				}
			}
		}
		if len(dates) > 0 {
			rule["recurrenceOverrides"] = dates
		}
		if name := part.Text("TZNAME"); name != "" {
			rule["names"] = jsValue{name: true}
		}
		kind := strings.ToLower(part.Name) // standard, daylight
		rules, _ := z[kind].([]jsValue)
		z[kind] = append(rules, rule)
	}
	return z
}

// duration gives the length, "" for none. Days are nominal, so that of a timed
// event is told in hours when it comes from an end.
func (j jsWriter) duration(c *Component, start Time) string {
	if l := c.Line("DURATION"); l != nil {
		if days, exact, err := ParseDuration(l.Value); err == nil && days >= 0 && exact >= 0 {
			return strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(l.Value)), "+")
		}
		return ""
	}
	l := c.Line("DTEND")
	if l == nil {
		if start.Form == Date {
			return "P1D"
		}
		return ""
	}
	end, err := j.o.Time(l)
	if err != nil {
		return ""
	}
	if start.Form == Date {
		if days := end.day() - start.day(); days > 0 {
			return "P" + strconv.FormatInt(days, 10) + "D"
		}
		return ""
	}
	if d := end.Instant(nil).Sub(start.Instant(nil)); d >= time.Second {
		return feedDuration(d)
	}
	return ""
}

func (j jsWriter) task(v jsValue, c *Component, start Time) {
	if l := c.Line("DUE"); l != nil {
		if t, err := j.o.Time(l); err == nil {
			if v["start"] == nil {
				j.zone(v, l, t)
				start = t
			}
			v["due"] = jsWall(t, start)
		}
	}
	if d := j.duration(c, start); d != "" && c.Line("DURATION") != nil {
		v["estimatedDuration"] = d
	}
	if n, ok := number(strings.TrimSpace(c.Text("PERCENT-COMPLETE"))); ok && n <= 100 {
		v["percentComplete"] = n
	}
	switch s := strings.ToLower(strings.TrimSpace(c.Text("STATUS"))); s {
	case "needs-action", "in-process", "completed", "cancelled":
		v["progress"] = s
	}
	if s := jsStamp(c, "COMPLETED"); s != "" {
		v["progressUpdated"] = s
	}
}

// jsStamp gives a UTC time of a property, "" for none.
func jsStamp(c *Component, name string) string {
	if t, err := parseTime(strings.TrimSpace(c.Text(name)), nil); err == nil && t.Form == UTC {
		return t.Wall.Format(jsUTC)
	}
	return ""
}

func (j jsWriter) describe(v jsValue, c *Component) {
	for name, property := range map[string]string{"title": "SUMMARY", "description": "DESCRIPTION", "color": "COLOR"} {
		if s := c.Text(property); s != "" {
			v[name] = s
		}
	}
	for name, property := range map[string]string{"sequence": "SEQUENCE", "priority": "PRIORITY"} {
		if n, ok := number(strings.TrimSpace(c.Text(property))); ok {
			v[name] = n
		}
	}
	for _, property := range []string{"DTSTAMP", "LAST-MODIFIED"} { // the latter counts
		if s := jsStamp(c, property); s != "" {
			v["updated"] = s
		}
	}
	if s := jsStamp(c, "CREATED"); s != "" {
		v["created"] = s
	}
	switch s := strings.ToUpper(strings.TrimSpace(c.Text("CLASS"))); s {
	case "", "PUBLIC":
	case "CONFIDENTIAL":
		v["privacy"] = "secret"
	default:
		v["privacy"] = "private"
	}
	keywords := jsValue{}
	for _, l := range c.All("CATEGORIES") {
		for _, s := range l.List() {
			keywords[s] = true
		}
	}
	jsSet(v, "keywords", keywords)
	related := jsValue{}
	for _, l := range c.All("RELATED-TO") {
		kind := strings.ToLower(l.Param("RELTYPE"))
		if kind == "" {
			kind = "parent"
		}
		related[l.Text()] = jsValue{"@type": "Relation", "relation": jsValue{kind: true}}
	}
	jsSet(v, "relatedTo", related)
}

// jsSet sets a member that has something in it.
func jsSet(v jsValue, name string, value jsValue) {
	if len(value) > 0 {
		v[name] = value
	}
}

func (j jsWriter) people(v jsValue, c *Component) {
	people := jsValue{}
	add := func(l *Line, id string, roles ...string) {
		p := jsValue{"@type": "Participant", "sendTo": jsValue{jsMethod(l.Value): l.Value}}
		has := jsValue{}
		for _, r := range roles {
			has[r] = true
		}
		p["roles"] = has
		if name := l.Param("CN"); name != "" {
			p["name"] = name
		}
		if mail, ok := cutPrefixFold(l.Value, "mailto:"); ok {
			p["email"] = mail
		}
		if s := strings.ToLower(l.Param("PARTSTAT")); s != "" {
			p["participationStatus"] = s
		}
		if strings.EqualFold(l.Param("RSVP"), "TRUE") {
			p["expectReply"] = true
		}
		if kind := strings.ToLower(l.Param("CUTYPE")); kind == "individual" || kind == "group" || kind == "resource" || kind == "room" {
			p["kind"] = strings.Replace(kind, "room", "location", 1)
		}
		people[id] = p
	}
	if l := c.Line("ORGANIZER"); l != nil {
		v["replyTo"] = jsValue{jsMethod(l.Value): l.Value}
		add(l, "organizer", "owner")
	}
	for i, l := range c.All("ATTENDEE") {
		roles := []string{"attendee"}
		switch strings.ToUpper(l.Param("ROLE")) {
		case "CHAIR":
			roles = append(roles, "chair")
		case "OPT-PARTICIPANT":
			roles = append(roles, "optional")
		case "NON-PARTICIPANT":
			roles = []string{"informational"}
		}
		add(l, strconv.Itoa(i+1), roles...)
	}
	jsSet(v, "participants", people)
}

func jsMethod(uri string) string {
	if _, ok := cutPrefixFold(uri, "mailto:"); ok {
		return "imip"
	}
	return "other"
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func (j jsWriter) links(v jsValue, c *Component) {
	places := jsValue{}
	if s := c.Text("LOCATION"); s != "" {
		place := jsValue{"@type": "Location", "name": s}
		if l := c.Line("GEO"); l != nil {
			place["coordinates"] = "geo:" + strings.Replace(strings.TrimSpace(l.Value), ";", ",", 1)
		}
		places["1"] = place
	}
	jsSet(v, "locations", places)
	online := jsValue{}
	for i, l := range c.All("CONFERENCE") {
		online[strconv.Itoa(i+1)] = jsValue{"@type": "VirtualLocation", "uri": l.Value, "name": l.Param("LABEL")}
	}
	jsSet(v, "virtualLocations", online)
	links := jsValue{}
	if l := c.Line("URL"); l != nil {
		links["url"] = jsValue{"@type": "Link", "href": l.Value, "rel": "describedby"}
	}
	for i, l := range c.All("ATTACH") {
		if strings.EqualFold(l.Param("VALUE"), "BINARY") {
			continue
		}
		link := jsValue{"@type": "Link", "href": l.Value, "rel": "enclosure"}
		if s := l.Param("FMTTYPE"); s != "" {
			link["contentType"] = s
		}
		links[strconv.Itoa(i+1)] = link
	}
	jsSet(v, "links", links)
}

func (j jsWriter) alerts(v jsValue, c *Component) {
	alerts := jsValue{}
	for i, a := range c.Children {
		l := a.Line("TRIGGER")
		if a.Name != "VALARM" || l == nil {
			continue
		}
		alert := jsValue{"@type": "Alert", "action": "display"}
		if jsIs(a, "ACTION", "EMAIL") {
			alert["action"] = "email"
		}
		if t, err := parseTime(strings.TrimSpace(l.Value), nil); err == nil && t.Form == UTC {
			alert["trigger"] = jsValue{"@type": "AbsoluteTrigger", "when": t.Wall.Format(jsUTC)}
		} else if _, _, err := ParseDuration(l.Value); err == nil {
			trigger := jsValue{"@type": "OffsetTrigger", "offset": strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(l.Value)), "+")}
			if strings.EqualFold(l.Param("RELATED"), "END") {
				trigger["relativeTo"] = "end"
			}
			alert["trigger"] = trigger
		} else {
			continue
		}
		alerts[strconv.Itoa(i+1)] = alert
	}
	jsSet(v, "alerts", alerts)
}

// jsRuleLists are the parts of a rule that are lists of numbers.
var jsRuleLists = map[string]string{
	"BYMONTHDAY": "byMonthDay", "BYYEARDAY": "byYearDay", "BYWEEKNO": "byWeekNo", "BYHOUR": "byHour", "BYMINUTE": "byMinute",
	"BYSECOND": "bySecond", "BYSETPOS": "bySetPosition",
}

// jsRule gives a recurrence rule (RFC 8984 §4.3.3).
func jsRule(value string, start Time) jsValue {
	v := jsValue{"@type": "RecurrenceRule"}
	for part := range strings.SplitSeq(value, ";") {
		name, s, _ := strings.Cut(part, "=")
		name = strings.ToUpper(strings.TrimSpace(name))
		lower := strings.ToLower(s)
		switch name {
		case "FREQ":
			v["frequency"] = lower
		case "INTERVAL", "COUNT":
			if n, ok := number(s); ok && !(name == "INTERVAL" && n == 1) {
				v[strings.ToLower(name)] = n
			}
		case "RSCALE", "SKIP":
			v[strings.ToLower(name)] = lower
		case "WKST":
			v["firstDayOfWeek"] = lower
		case "UNTIL":
			if t, err := parseTime(strings.TrimSpace(s), nil); err == nil {
				v["until"] = jsWall(t, start)
			}
		case "BYMONTH":
			v["byMonth"] = strings.Split(s, ",")
		case "BYDAY":
			v["byDay"] = jsDays(lower)
		default:
			if to, ok := jsRuleLists[name]; ok {
				v[to] = jsNumbers(s)
			}
		}
	}
	return v
}

func jsNumbers(s string) []int {
	out := []int{}
	for one := range strings.SplitSeq(s, ",") {
		if n, err := strconv.Atoi(one); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func jsDays(s string) []jsValue {
	out := []jsValue{}
	for one := range strings.SplitSeq(s, ",") {
		if len(one) < 2 {
			continue
		}
		day := jsValue{"@type": "NDay", "day": one[len(one)-2:]}
		if n, err := strconv.Atoi(one[:len(one)-2]); err == nil {
			day["nthOfPeriod"] = n
		}
		out = append(out, day)
	}
	return out
}

// JSGroup joins entries, as JSCalendar gives them, to a group (RFC 8984 §2.3).
func JSGroup(uid, title string, updated time.Time, entries [][]byte) []byte {
	head, err := json.Marshal(jsValue{"@type": "Group", "prodId": prodID, "uid": uid, "title": title, "updated": updated.UTC().Format(jsUTC)})
	if err != nil {
		head = []byte("{}") // strings can always be written
	}
	out := append(head[:len(head)-1], `,"entries":[`...)
	for i, e := range entries {
		if i > 0 {
			out = append(out, ",\n"...)
		}
		out = append(out, e...)
	}
	return append(out, "]}\n"...)
}
