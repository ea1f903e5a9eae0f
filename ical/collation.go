package ical

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The collations of text-match (RFC 4790 §9.2, §9.3; RFC 5051).
const (
	CollationASCII   = "i;ascii-casemap" // the default
	CollationOctet   = "i;octet"
	CollationUnicode = "i;unicode-casemap"
)

// Collations gives the collations that a text-match may name
// (CALDAV:supported-collation-set, RFC 4791 §7.5.1).
func Collations() []string { return []string{CollationASCII, CollationOctet, CollationUnicode} }

func knownCollation(name string) bool {
	switch name {
	case "", CollationASCII, CollationOctet, CollationUnicode:
		return true
	}
	return false
}

// contains reports whether sub is in s by the collation. An unknown collation
// compares octets.
func contains(collation, s, sub string) bool {
	switch collation {
	case "", CollationASCII:
		return containsASCIIFold(s, sub)
	case CollationUnicode:
		return strings.Contains(unicodeFold(s), unicodeFold(sub))
	}
	return strings.Contains(s, sub)
}

// containsASCIIFold is i;ascii-casemap: only a-z and A-Z are alike, all other
// octets stand for themselves.
func containsASCIIFold(s, sub string) bool {
	if isASCIILower(sub) && isASCIILower(s) {
		return strings.Contains(s, sub)
	}
	return strings.Contains(asciiLower(s), asciiLower(sub))
}

func isASCIILower(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return true
}

// asciiLower lowers A-Z alone; strings.ToLower would lower other letters too.
func asciiLower(s string) string {
	if isASCIILower(s) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// unicodeFold maps case away and decomposes, as RFC 5051 §2 does by titlecase
// and NFKD. Full folding goes further in one thing: ß is ss.
func unicodeFold(s string) string {
	return norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s)))
}
