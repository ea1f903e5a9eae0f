package main

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestRandomCasesBeginOnTheirRule(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		c := randomCase(rnd)
		ours, err := c.ours()
		if err != nil || len(ours) == 0 || ours[0] != strings.TrimSuffix(c.startText(), "Z") {
			t.Fatalf("%s from %s: %v, %v", c.rule, c.startText(), ours, err)
		}
	}
}

func TestRRuleGoAnswersLineByLine(t *testing.T) {
	var out strings.Builder
	serveRRuleGo(strings.NewReader("FREQ=DAILY 20260105T090000Z 20260107T090000Z 40\nFREQ=DAILY 20260105 20260107 40\nFREQ=NEVER 20260105 20260107 40\nx\n"), &out)
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 5 || lines[0] != "20260105T090000 20260106T090000" || lines[1] != "20260105 20260106" || lines[2][0] != '!' || lines[3] != "!bad case" {
		t.Errorf("%q", lines)
	}
}

func TestEveryKnownDifferenceNamesItsEngines(t *testing.T) {
	for _, d := range differences {
		if len(d.engines) == 0 || d.why == "" || d.applies == nil {
			t.Errorf("%+v", d)
		}
	}
	c := testCase{rule: "FREQ=MONTHLY;BYDAY=-1FR,MO"}
	if known("rrule-go", c) == "" || known("libical", c) != "" {
		t.Error("BYDAY with and without numbers")
	}
}
