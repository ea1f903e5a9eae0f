// Package caldav is the CalDAV server (RFC 4791) over a store: an
// http.Handler for the paths below its prefix, for /.well-known/caldav, and,
// so that a client that was given the bare origin finds its way, for / and
// /principals/.
//
//	/dav/                                  root
//	/dav/principals/{name}/                a principal
//	/dav/calendars/{name}/                 its calendar home
//	/dav/calendars/{name}/{calendar}/      a calendar collection
//	/dav/calendars/{name}/{calendar}/{object}
//
// A user's home lists the user's own calendars and, so that a phone shows them
// without any set-up, those of others that the user may read. These have a
// second address below the home, because several clients (Apple's above all)
// ignore members that are not below the collection that they listed:
//
//	/dav/calendars/{user}/{resource}~shared/           the one calendar of a resource
//	/dav/calendars/{user}/{other}~{calendar}~shared/   a calendar of another user
//
// Both addresses are the same collection: tokens, ETags, rights and members
// are equal, and a name ending in ~shared cannot be given to a new calendar.
// Where a name has a tilde itself, the second address is ~{UUID}~shared.
// Every answer keeps to the form of address that the request used.
//
// What the actor may not see does not exist: below the home of somebody else
// every method gives the same 403, whether the home, the calendar or the
// object is there or not. Principals are seen by themselves, by those who have
// some right on their calendars, and, for the organisation, by its members.
//
// Access is given by grants, which are kept with a principal and reach all of
// its calendars, or with one calendar of a user. ACL (RFC 3744) sets them at the
// home or at the calendar; what a grant cannot say, such as a denial, is refused
// with the precondition that tells so. Who reaches one calendar of a home does
// not reach the home: the others are as if they were not there.
//
// Objects are stored as iCalendar and given as that or as jCal (RFC 7265), with
// or without the VTIMEZONEs that everybody knows (RFC 7809). Each form has an
// entity tag of its own; all of them stand for the same state in conditions.
//
// The server is tables: methods, properties, reports. One file holds the rows
// of one RFC, as a module; New joins the modules, and the Allow and DAV
// headers, supported-report-set, propname, the 404 propstat and the refusal of
// protected properties follow from the rows. Getters append to the answer, so
// that listing a calendar costs no allocation for each member and reads no
// object.
//
// An answer is built inside of a View and written after it; a long one in
// batches, each from a View of its own. The sync-token is always read first,
// so a member that changes between two batches is reported again by the next
// sync, never lost.
package caldav
