// Package store keeps the facts: organisations, principals, calendar
// collections, calendar object resources, credentials and feeds, and what is
// derived from them: change logs, sync-tokens and the instance index. It knows
// iCalendar through package ical, and nothing of HTTP.
//
// All calendar data enters by PutObject or PutBlock and leaves by DeleteObject
// and its like, in one transaction with everything that follows from it. What
// a View returns is the caller's own. Facts and derived tables are listed in
// keys.go; Check compares the ones with the others.
package store
