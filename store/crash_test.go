package store

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The tests of this file run the test binary again as a child that writes, and
// kill it.
const (
	childEnv  = "DAYBOOK_TEST_CHILD" // what the child does
	childPath = "DAYBOOK_TEST_PATH"
	childSeed = "DAYBOOK_TEST_SEED"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "writers":
		crashWriters()
	case "ops":
		crashOps()
	case "full":
		fullDisk()
	default:
		os.Exit(m.Run())
	}
}

// child starts the child and gives what it prints.
func child(t *testing.T, what, path string, seed int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what, childPath+"="+path, childSeed+"="+strconv.Itoa(seed))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// killAfter reads n lines, kills the child with SIGKILL and reads what it had
// still said.
func killAfter(t *testing.T, cmd *exec.Cmd, said *bufio.Scanner, n int) (lines []string) {
	t.Helper()
	for said.Scan() {
		if lines = append(lines, said.Text()); len(lines) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if len(lines) < n {
		t.Fatalf("the child ended by itself after %d lines: %q", len(lines), lines)
	}
	return lines
}

func crashFatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// childHouse opens the store that the parent made.
func childHouse() (*Store, map[string]CollectionID) {
	s, err := Open(context.Background(), Options{Path: os.Getenv(childPath)})
	crashFatal(err)
	cols, err := houseCollections(s)
	crashFatal(err)
	return s, cols
}

func houseCollections(s *Store) (map[string]CollectionID, error) {
	cols := map[string]CollectionID{}
	err := s.View(context.Background(), func(v *View) error {
		for _, at := range []string{"ada/calendar", "room-1/calendar", "user01/calendar", "user01/other"} {
			owner, name, _ := strings.Cut(at, "/")
			p, err := v.PrincipalByName(owner)
			if err != nil {
				return err
			}
			c, err := v.CollectionByName(p.ID, name)
			if err != nil {
				return err
			}
			cols[at] = c.ID
		}
		return nil
	})
	return cols, err
}

const crashWriterCount = 16

// writerBody is version n of what a writer puts; every fifth is a block with
// more rows, so that commits differ in size.
func writerBody(w, n int) string {
	return testEvent(fmt.Sprintf("writer-%d", w), fmt.Sprintf(":20270301T%02d%02d00Z", n/60%24, n%60),
		"RRULE:FREQ=DAILY;COUNT="+strconv.Itoa(1+n%7), "X-VERSION:"+strconv.Itoa(n))
}

// crashWriters is a child with 16 writers that say what was acknowledged.
func crashWriters() {
	s, cols := childHouse()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range crashWriterCount {
		wg.Go(func() {
			for n := 1; ; n++ {
				p := mustPrepare(s, writerBody(w, n))
				crashFatal(s.Update(context.Background(), func(tx *Tx) error {
					_, err := tx.PutObject(Put{Actor: System(), Collection: cols["ada/calendar"], Name: fmt.Sprintf("w%d.ics", w), Object: p})
					return err
				}))
				mu.Lock()
				fmt.Printf("%d %d\n", w, n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestKilledWritersLoseNothingAcknowledged kills 16 parallel writers, twenty
// times on the same file: every acknowledged write is there, no half one is,
// and the check is clean.
func TestKilledWritersLoseNothingAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crash.db")
	s := openTest(t, path)
	newTestHouse(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		cmd, said := child(t, "writers", path, round)
		acked := map[int]int{}
		for _, line := range killAfter(t, cmd, said, 20+rand.IntN(300)) {
			var w, n int
			if _, err := fmt.Sscan(line, &w, &n); err == nil {
				acked[w] = n
			}
		}
		s := openTest(t, path)
		cols, err := houseCollections(s)
		if err != nil {
			t.Fatal(err)
		}
		for w, n := range acked {
			view(t, s, func(v *View) error {
				o, err := v.ObjectAt(cols["ada/calendar"], fmt.Sprintf("w%d.ics", w))
				if err != nil {
					return err
				}
				// One more may have been committed and not yet acknowledged.
				if got := string(o.Data); got != writerBody(w, n) && got != writerBody(w, n+1) {
					t.Errorf("round %d: writer %d was told of version %d, the store has %q", round, w, n, got)
				}
				return nil
			})
		}
		mustCheck(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// crashOps is a child that does the random steps of its seed one by one.
func crashOps() {
	s, cols := childHouse()
	seed, err := strconv.Atoi(os.Getenv(childSeed))
	crashFatal(err)
	gen := genOp([]CollectionID{cols["ada/calendar"], cols["room-1/calendar"], cols["user01/calendar"], cols["user01/other"]})
	for i := 0; ; i++ {
		o := gen.Example(seed*100_000 + i)
		var p *Prepared
		if o.kind < 2 || o.kind == 5 {
			p = mustPrepare(s, o.body())
		}
		_ = s.Update(context.Background(), func(tx *Tx) error { return o.onStore(tx, p) }) // refusals are part of it
		fmt.Println(i)
	}
}

// TestKilledBetweenCommitsIsAStateOfTheModel kills a child that does random
// puts, deletes, moves, copies and block writes, at any of them: the store is
// then in the state of the model after a step that was acknowledged last, or
// the one under way.
func TestKilledBetweenCommitsIsAStateOfTheModel(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		path := filepath.Join(t.TempDir(), "crash.db")
		s := openTest(t, path)
		h := newTestHouse(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		cols := []CollectionID{h.adaCal, h.roomCal, h.userCal, h.otherCal}
		seed := rand.IntN(1000)
		cmd, said := child(t, "ops", path, seed)
		acked := len(killAfter(t, cmd, said, 1+rand.IntN(120)))

		s = openTest(t, path)
		m, gen := newModel(cols...), genOp(cols)
		step := func(i int) {
			o := gen.Example(seed*100_000 + i)
			if next := m.clone(); o.onModel(next) == nil {
				m = next
			}
		}
		for i := range acked {
			step(i)
		}
		if !sameState(t, s, m, cols) {
			if step(acked); !sameState(t, s, m, cols) {
				t.Errorf("round %d, seed %d: after %d acknowledged steps the store is in no state of the model", round, seed, acked)
			}
		}
		known := mirror{}
		for _, e := range told(t, s, h.org.ID, 0) {
			if err := known.apply(&e); err != nil {
				t.Error(err)
			}
		}
		if err := known.same(t, s, cols); err != nil {
			t.Errorf("round %d, seed %d: the journal: %v", round, seed, err)
		}
		mustCheck(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func sameState(t *testing.T, s *Store, m *model, cols []CollectionID) bool {
	t.Helper()
	for _, c := range cols {
		if !maps.Equal(listing(t, s, c), m.listing(c)) {
			return false
		}
	}
	return true
}
