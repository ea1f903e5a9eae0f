package main

import (
	"slices"
	"strings"
)

// row is a row of the tables "Block → VEVENT → block" and "Event → TimeTap":
// a member of the house API, the content lines that are its home, its name in
// the contract APIs that can write it, and some values.
type row struct {
	member string
	lines  []string // names
	trybe  string
	onlive string
	drops  []string // what a client takes away that says something else; nil: all of lines
	values []rowValue
}

// rowValue is a value as REST says it and as a client writes it.
type rowValue struct {
	json  string
	lines []string       // none: the client takes the lines away
	drops []string       // nil: as the row says
	also  map[string]any // what the client's lines say beside it
}

func (r *row) dropped(v rowValue) []string {
	switch {
	case v.drops != nil:
		return v.drops
	case r.drops != nil:
		return r.drops
	}
	return r.lines
}

// one makes a value of one line.
func one(json, line string) rowValue { return rowValue{json: json, lines: []string{line}} }

func none(json string) rowValue { return rowValue{json: json} }

const longText = "Größere Wartung der Anlage im Keller, danach Übergabe an die Nachtschicht; bitte nicht stören, auch nicht kurz 😀"

// commonRows are those that blocks and events share.
func commonRows() []row {
	return []row{
		{
			"title",
			[]string{"SUMMARY", "X-DAYBOOK-UNTITLED"},
			"label", "title",
			[]string{"SUMMARY"},
			[]rowValue{
				one(`"Lunch"`, "SUMMARY:Lunch"), one(`"Break"`, "SUMMARY:Break"), one(`"a, b; c\\d\ne"`, `SUMMARY:a\, b\; c\\d\ne`),
				one(`"`+longText+`"`, "SUMMARY:"+strings.NewReplacer(",", `\,`, ";", `\;`).Replace(longText)), none("null"),
			},
		},
		{
			"notes",
			[]string{"DESCRIPTION"},
			"notes", "description", nil,
			[]rowValue{one(`"one\n\ntwo"`, `DESCRIPTION:one\n\ntwo`), one(`"ÄÖ, ß"`, `DESCRIPTION;ALTREP="cid:1":ÄÖ\, ß`), none("null")},
		},
		{"location", []string{"LOCATION"}, "", "", nil, []rowValue{one(`"Here, there"`, `LOCATION:Here\, there`), none("null")}},
		{"url", []string{"URL"}, "", "", nil, []rowValue{one(`"https://example.com/a,b?c;d"`, "URL;VALUE=URI:https://example.com/a,b?c;d"), none("null")}},
		{"status", []string{"STATUS"}, "", "", nil, []rowValue{one(`"tentative"`, "STATUS:TENTATIVE"), one(`"cancelled"`, "STATUS:CANCELLED"), one(`"confirmed"`, "STATUS:CONFIRMED")}},
		{"substatus", []string{"X-DAYBOOK-SUBSTATUS"}, "", "", nil, []rowValue{
			one(`"NOSHOW"`, "X-DAYBOOK-SUBSTATUS:NOSHOW"), one(`"COMPLETED"`, "X-DAYBOOK-SUBSTATUS:COMPLETED"), one(`"CHECKEDIN"`, "X-DAYBOOK-SUBSTATUS:CHECKEDIN"), none("null"),
		}},
		{"visibility", []string{"CLASS"}, "", "", nil, []rowValue{one(`"private"`, "CLASS:PRIVATE"), one(`"confidential"`, "CLASS:CONFIDENTIAL"), one(`"public"`, "CLASS:PUBLIC"), none(`"public"`)}},
		{"busy", []string{"TRANSP"}, "", "", nil, []rowValue{one(`false`, "TRANSP:TRANSPARENT"), one(`true`, "TRANSP:OPAQUE"), none(`true`)}},
		{
			"color",
			[]string{"COLOR", "X-DAYBOOK-COLOR"},
			"color", "",
			[]string{"COLOR"}, // a client knows nothing of the other
			[]rowValue{
				one(`"#ff6347"`, "COLOR:Tomato"), one(`"#663399"`, "COLOR:rebeccapurple"), none("null"),
				{`"#10b981"`, []string{"COLOR:LightSeaGreen", "X-DAYBOOK-COLOR:#10b981"}, []string{"COLOR", "X-DAYBOOK-COLOR"}, nil},
			},
		},
		{"buffer_before", []string{"X-DAYBOOK-BUFFER-BEFORE"}, "", "", nil, []rowValue{one(`"PT15M"`, "X-DAYBOOK-BUFFER-BEFORE:PT15M"), one(`"PT1H"`, "X-DAYBOOK-BUFFER-BEFORE:PT60M"), none("null")}},
		{"buffer_after", []string{"X-DAYBOOK-BUFFER-AFTER"}, "", "", nil, []rowValue{one(`"PT5M"`, "X-DAYBOOK-BUFFER-AFTER:PT300S"), none("null")}},
		{"service_id", []string{"X-DAYBOOK-SERVICE-ID"}, "", "serviceId", nil, []rowValue{one(`"`+facesMassage+`"`, "X-DAYBOOK-SERVICE-ID:"+facesMassage), none("null")}},
		{"origin", []string{"X-DAYBOOK-ORIGIN"}, "", "origin", nil, []rowValue{one(`"web, app"`, `X-DAYBOOK-ORIGIN:web\, app`), none("null")}},
		{"external_id", []string{"X-DAYBOOK-EXTERNAL-ID"}, "", "externalId", nil, []rowValue{one(`"EXT-1"`, "X-DAYBOOK-EXTERNAL-ID:EXT-1"), one(`"a;b"`, `X-DAYBOOK-EXTERNAL-ID:a\;b`), none("null")}},
		{"invoice", []string{"X-DAYBOOK-INVOICE"}, "", "", nil, []rowValue{one(`"CLOSED"`, "X-DAYBOOK-INVOICE:CLOSED"), one(`"NONE"`, "X-DAYBOOK-INVOICE:NONE"), one(`"OPEN"`, "X-DAYBOOK-INVOICE:OPEN"), none("null")}},
		{"extra", []string{"X-DAYBOOK-EXTRA"}, "", "extraFields", nil, []rowValue{one(`{"a":[1,"x,y;z\\n"]}`, `X-DAYBOOK-EXTRA:{"a":[1\,"x\,y\;z\\\\n"]}`), none("null")}},
	}
}

func blockRows() []row {
	mark := func(more ...string) []string {
		return []string{"CATEGORIES:" + strings.Join(append(more, "BLOCK"), ",")}
	}
	typeLine := "X-DAYBOOK-BLOCK-TYPE"
	return append(
		commonRows(),
		row{
			"type",
			[]string{typeLine, "CATEGORIES", "SUMMARY", "X-DAYBOOK-UNTITLED"},
			"type", "",
			[]string{typeLine},
			[]rowValue{
				one(`"cleaning"`, typeLine+":cleaning"), one(`"break"`, typeLine+":BREAK"), one(`"meeting"`, typeLine+":meeting"), one(`"other"`, typeLine+":other"),
				{`"meeting"`, mark("MEETING"), []string{typeLine, "CATEGORIES"}, map[string]any{"categories": []any{}}},
				{`"other"`, mark(), []string{typeLine, "CATEGORIES"}, map[string]any{"categories": []any{}}},
				{`"cleaning"`, []string{"CATEGORIES:Spa,Cleaning"}, []string{typeLine, "CATEGORIES"}, map[string]any{"categories": []any{"Spa"}}},
			},
		},
		row{"categories", []string{"CATEGORIES"}, "", "", nil, []rowValue{
			{`["A","B, C"]`, mark("A", `B\, C`), nil, nil}, {`[]`, mark(), nil, nil}, {`["X","Y"]`, []string{"CATEGORIES:X", "CATEGORIES;LANGUAGE=en:BLOCK,Y"}, nil, nil},
		}},
	)
}

func eventRows() []row {
	person := func(address, name, status string) string {
		return `{"email":"` + address + `","name":` + name + `,"status":"` + status + `"}`
	}
	return append(
		commonRows(),
		row{"type", []string{"X-DAYBOOK-EVENT-TYPE"}, "", "", nil, []rowValue{
			one(`"CLASS"`, "X-DAYBOOK-EVENT-TYPE:CLASS"), one(`"APPOINTMENT"`, "X-DAYBOOK-EVENT-TYPE:APPOINTMENT"), one(`"VACATION"`, "X-DAYBOOK-EVENT-TYPE:VACATION"),
			one(`"TIME_OFF"`, "X-DAYBOOK-EVENT-TYPE:TIME_OFF"), none("null"),
		}},
		row{"categories", []string{"CATEGORIES"}, "", "", nil, []rowValue{
			one(`["A","B, C"]`, `CATEGORIES:A,B\, C`), one(`["Class"]`, "CATEGORIES:Class"), one(`["MEETING"]`, "CATEGORIES:MEETING"), none(`[]`),
			{`["X","Y"]`, []string{"CATEGORIES:X", "CATEGORIES:Y"}, nil, nil},
		}},
		row{"attendees", []string{"ATTENDEE"}, "", "", nil, []rowValue{
			one("["+person("x@example.com", `"X, Y"`, "accepted")+"]", `ATTENDEE;CN="X, Y";PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:x@example.com`),
			{
				"[" + person("x@example.com", "null", "needs-action") + "," + person("room@example.com", "null", "accepted") + "," + person("no@example.com", "null", "declined") + "]",
				[]string{"ATTENDEE:mailto:x@example.com", "ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED:mailto:room@example.com", "ATTENDEE;PARTSTAT=DECLINED:mailto:no@example.com"},
				nil, nil,
			},
			none("[]"),
		}},
	)
}

// rowOf gives a row by its member.
func rowOf(rows []row, member string) row {
	return rows[slices.IndexFunc(rows, func(r row) bool { return r.member == member })]
}
