// Package dav is the grammar of WebDAV (RFC 4918) and its relatives: request
// bodies read into small trees, request headers, percent-encoded paths, and
// the text of answers, appended to byte slices without reflection.
//
// It knows nothing of calendars, stores or resources. All input is bounded:
// see Limits. Entity declarations are refused, so that nothing expands.
package dav

import "encoding/xml"

// The namespaces with a fixed prefix in every answer.
const (
	NS               = "DAV:"                          // D
	NSCalDAV         = "urn:ietf:params:xml:ns:caldav" // C
	NSCalendarServer = "http://calendarserver.org/ns/" // CS
	NSApple          = "http://apple.com/ns/ical/"     // I
	nsXML            = "http://www.w3.org/XML/1998/namespace"
)

// D gives a name in the DAV: namespace.
func D(local string) xml.Name { return xml.Name{Space: NS, Local: local} }

// C gives a name in the CalDAV namespace.
func C(local string) xml.Name { return xml.Name{Space: NSCalDAV, Local: local} }

// CS gives a name in the calendarserver.org namespace.
func CS(local string) xml.Name { return xml.Name{Space: NSCalendarServer, Local: local} }

// Apple gives a name in Apple's calendar namespace.
func Apple(local string) xml.Name { return xml.Name{Space: NSApple, Local: local} }
