package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fullDisk is a child whose files cannot grow beyond some size: to bbolt that
// is a full disk. It says what writes and reads give.
func fullDisk() {
	s, cols := childHouse()
	size := uint64(s.Stats().FileBytes)
	crashFatal(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size + 64<<10, Max: 1 << 40}))
	put := func(n int, size int) error {
		p := mustPrepare(s, testEvent(fmt.Sprintf("big-%d", n), ":20270301T100000Z", "DESCRIPTION:"+strings.Repeat("x", size)))
		return s.Update(context.Background(), func(tx *Tx) error {
			_, err := tx.PutObject(Put{Actor: System(), Collection: cols["ada/calendar"], Name: fmt.Sprintf("%d.ics", n), Object: p})
			return err
		})
	}
	n := 0
	var err error
	for ; err == nil && n < 100; n++ {
		err = put(n, 100<<10)
	}
	fmt.Println("write:", errors.Is(err, ErrFull), errors.Is(s.Writable(), ErrFull))
	read := s.View(context.Background(), func(v *View) error {
		members := 0
		err := v.EachMember(cols["ada/calendar"], "", func(Member) bool { members++; return true })
		if members != n-1 {
			return fmt.Errorf("%d members, %d writes were acknowledged", members, n-1)
		}
		return err
	})
	fmt.Println("read:", read)
	crashFatal(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 40, Max: 1 << 40}))
	fmt.Println("again:", put(n, 10), s.Writable())
	problems := 0
	_, err = s.Check(context.Background(), false, func(Problem) { problems++ })
	fmt.Println("check:", err, problems, s.Close())
}

// TestFullDiskRefusesWritesAndReadsGoOn: writes fail with ErrFull and leave
// nothing, reads go on, and with space again writes do too.
func TestFullDiskRefusesWritesAndReadsGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "full.db")
	s := openTest(t, path)
	newTestHouse(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cmd, said := child(t, "full", path, 0)
	var lines []string
	for said.Scan() {
		lines = append(lines, said.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	want := "write: true true\nread: <nil>\nagain: <nil> <nil>\ncheck: <nil> 0 <nil>"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
