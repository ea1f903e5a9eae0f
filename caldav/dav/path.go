package dav

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// MaxSegment is the largest size of a decoded name in a path, in bytes.
const MaxSegment = 255

// ErrPath tells that a path cannot name a resource.
var ErrPath = errors.New("not a usable path")

const upperHex = "0123456789ABCDEF"

// unescaped marks what AppendSegment leaves alone: the unreserved characters
// of RFC 3986 and @, which is common in names of principals. The other
// delimiters mean different things to different clients.
var unescaped = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@") {
		t[c] = true
	}
	return t
}()

// AppendSegment appends a decoded name as one segment of a path. The result
// needs no escaping in XML.
func AppendSegment(b []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		if unescaped[c] {
			b = append(b, c)
			continue
		}
		b = append(b, '%', upperHex[c>>4], upperHex[c&15])
	}
	return b
}

// Segment gives a name as one segment of a path.
func Segment(name string) string { return string(AppendSegment(nil, name)) }

// SplitPath decodes an absolute, percent-encoded path into its segments, each
// once, so that a%20b and a%2520b are two names. dir tells whether it ends in
// a slash. Empty segments, dots, slashes and control characters in a segment,
// bytes that are not UTF-8, and names longer than MaxSegment give ErrPath.
func SplitPath(escaped string) (segments []string, dir bool, err error) {
	if !strings.HasPrefix(escaped, "/") {
		return nil, false, ErrPath
	}
	rest := escaped[1:]
	if rest == "" {
		return nil, true, nil
	}
	if dir = strings.HasSuffix(rest, "/"); dir {
		rest = rest[:len(rest)-1]
	}
	for part := range strings.SplitSeq(rest, "/") {
		name, err := url.PathUnescape(part)
		if err != nil || !goodName(name) || len(segments) == 16 {
			return nil, false, ErrPath
		}
		segments = append(segments, name)
	}
	return segments, dir, nil
}

func goodName(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > MaxSegment || !utf8.ValidString(name) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r < 0x20 || r == 0x7f })
}

// PathOf gives the percent-encoded path of an address in a Destination header
// or a D:href: an absolute URL or an absolute path. Query and fragment are cut
// off; spaces that were not encoded are taken as such. The host is not looked
// at: behind a proxy it is not the one that the request came with.
func PathOf(ref string) (string, error) {
	ref = strings.Trim(ref, " \t\r\n")
	if !strings.HasPrefix(ref, "/") {
		scheme, rest, ok := strings.Cut(ref, "://")
		if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
			return "", ErrPath
		}
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			return "/", nil
		}
		ref = rest[i:]
	}
	if i := strings.IndexAny(ref, "?#"); i >= 0 {
		ref = ref[:i]
	}
	return strings.ReplaceAll(ref, " ", "%20"), nil
}
