package ical

import "testing"

func TestCollationsCompareAsTheirRFCsSay(t *testing.T) {
	tests := []struct {
		collation, s, sub string
		want              bool
	}{
		{"", "Team MEETING", "meeting", true},
		{CollationASCII, "Team MEETING", "Meet", true},
		{CollationASCII, "ÄRZTE", "ärzte", false}, // only ASCII letters are folded
		{CollationASCII, "Ärzte", "ÄRZTE", true},
		{CollationASCII, "Kelvin K", "k", true}, // the K of Kelvin itself
		{CollationASCII, "273 \u212a", "k", false},
		{CollationASCII, "anything", "", true},
		{CollationOctet, "Team MEETING", "meeting", false},
		{CollationOctet, "Team MEETING", "MEET", true},
		{CollationUnicode, "ÄRZTE", "ärzte", true},
		{CollationUnicode, "A\u0308rzte", "ärzte", true}, // decomposed
		{CollationUnicode, "Straße", "STRASSE", true},
		{CollationUnicode, "ﬁnish", "FIN", true}, // a ligature
		{CollationUnicode, "ΣΊΣΥΦΟΣ", "σίσυφος", true},
		{CollationUnicode, "arzte", "ärzte", false},
		{CollationUnicode, "会議室", "議", true},
	}
	for _, tt := range tests {
		if got := contains(tt.collation, tt.s, tt.sub); got != tt.want {
			t.Errorf("%q in %q by %q: %v, want %v", tt.sub, tt.s, tt.collation, got, tt.want)
		}
	}
}

func TestEachListedCollationIsKnown(t *testing.T) {
	for _, c := range Collations() {
		if !knownCollation(c) {
			t.Errorf("%s is listed and not known", c)
		}
	}
	for _, c := range []string{"*", "i;ascii-numeric", "I;OCTET", "default"} {
		if knownCollation(c) {
			t.Errorf("%s is known and not listed", c)
		}
	}
}
