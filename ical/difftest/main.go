// Difftest expands random recurrence rules by package ical and by other
// engines, and prints where they differ as cases for testdata/differences.json:
//
//	go run ./ical/difftest -time 5m
//	go run ./ical/difftest -rule 'FREQ=YEARLY;BYWEEKNO=-1' -start 20261228T090000Z
//
// Each engine runs in a process of its own and is ended when it takes too long
// for a rule, as some of them never come back from some rules. An engine that
// is not installed is left out: rrule-go is always there, ical.js and rrule
// want node and npm, libical wants a C compiler and its headers
// (libical-dev). Differences that are understood are in the table of known
// ones, by engine, and only counted.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	peer := flag.Bool("rrule-go", false, "answer cases by rrule-go (used by the program itself)")
	long := flag.Duration("time", time.Minute, "how long to look for differences")
	patience := flag.Duration("patience", 2*time.Second, "how long an engine may take for one rule")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random rules")
	rule := flag.String("rule", "", "compare this rule alone, known or not")
	start := flag.String("start", "20260105T090000Z", "of that rule")
	all := flag.Bool("known", false, "print known differences too")
	flag.Parse()
	if *peer {
		serveRRuleGo(os.Stdin, os.Stdout)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *long)
	defer cancel()
	next := randomCases(*seed)
	if *rule != "" {
		c, err := oneCase(*rule, *start)
		if err != nil {
			log.Fatal(err)
		}
		next, *all = single(c), true
	}
	if err := run(ctx, os.Stdout, next, *patience, *all); err != nil {
		log.Fatal(err)
	}
}

// randomCases gives cases for ever.
func randomCases(seed uint64) func() (testCase, bool) {
	log.Printf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	return func() (testCase, bool) { return randomCase(rnd), true }
}

// single gives one case.
func single(c testCase) func() (testCase, bool) {
	left := true
	return func() (testCase, bool) {
		was := left
		left = false
		return c, was
	}
}

// tally counts the answers of one engine.
type tally struct{ same, none, refused, known, differ int }

func run(ctx context.Context, out io.Writer, next func() (testCase, bool), patience time.Duration, printKnown bool) error {
	dir, err := os.MkdirTemp("", "difftest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	engines, err := install(ctx, dir, patience)
	if err != nil {
		return err
	}
	defer func() {
		for _, e := range engines {
			e.stop()
		}
	}()
	tallies := make([]tally, len(engines))
	n := 0
	for ; ctx.Err() == nil; n++ {
		c, ok := next()
		if !ok {
			break
		}
		if err := compare(ctx, out, c, engines, tallies, printKnown); err != nil {
			return err
		}
	}
	log.Printf("%d rules", n)
	for i, e := range engines {
		t := tallies[i]
		log.Printf("%-8s %7d same, %d refused, %d without answer, %d known differences, %d others", e.name, t.same, t.refused, t.none, t.known, t.differ)
	}
	return nil
}

// compare asks all engines about one case.
func compare(ctx context.Context, out io.Writer, c testCase, engines []*engine, tallies []tally, printKnown bool) error {
	ours, err := c.ours()
	if err != nil {
		return fmt.Errorf("%s from %s: %w", c.rule, c.start, err)
	}
	others := make(map[string]string)
	report := false
	for i, e := range engines {
		if !e.can(c) {
			continue
		}
		t := &tallies[i]
		answer, err := e.ask(ctx, c)
		if ctx.Err() != nil {
			break // the time is over
		}
		switch {
		case err != nil:
			t.none++
		case strings.HasPrefix(answer, "!"):
			t.refused++
		case slices.Equal(strings.Fields(answer), ours):
			t.same++
		case known(e.name, c) != "":
			t.known++
			others[e.name+" ("+known(e.name, c)+")"] = answer
			report = report || printKnown
		default:
			t.differ++
			others[e.name] = answer
			report = true
		}
	}
	if !report {
		return nil
	}
	b, err := json.MarshalIndent(c.report(ours, others), "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s,\n", b)
	return err
}
