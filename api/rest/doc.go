// Package rest is what all REST APIs of the daemon share: a route is one
// value, a handler is a typed function, and everything between the bytes of a
// request and that function is done here, once.
//
// An [API] is a list of routes with one way to sign in and one shape of error.
// [Endpoint] makes a handler of a function from In to Out. In is a struct
// whose fields say where they come from:
//
//	type updateIn struct {
//		ID     string             `path:"id"`
//		Site   rest.Opt[string]   `query:"site_id"`
//		Tag    string             `header:"If-Match"`
//		Body   updateBody         `body:"json"`
//	}
//
// A field of bytes with the tag body:"text/calendar" takes a body of that type
// as it is, when the request says to send one. In a body the json tags name the members, and [Opt] tells an absent member
// from null and from a value. A request is handled in this order: method and
// path (404, 405), sign-in (401), path, query and headers, the guard (403,
// 404), the body (415, 413, 400), faults of its fields together with those
// that Validate of In finds (400 or 422, as the API says), then the function.
//
// Errors of all these steps, panics and timeouts go through the API's
// [ErrorWriter], so that a client never sees a foreign shape. The types that a
// route reads and writes are kept ([Description]), so that a description of
// the API can be written from the same list.
//
// The package knows no calendar and no single API.
package rest
