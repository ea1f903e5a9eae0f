package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	bolt "go.etcd.io/bbolt"
)

func open(t *testing.T, o Options) *DB {
	t.Helper()
	o.Create = true
	if o.Tables == nil {
		o.Tables = []byte("ab")
	}
	db, err := Open(filepath.Join(t.TempDir(), "test.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func mustUpdate(t *testing.T, db *DB, fn func(Writer) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func dump(t *testing.T, db *DB, from, to string) (out []string) {
	t.Helper()
	end := []byte(to)
	if to == "" {
		end = nil
	}
	err := db.View(func(r Reader) error {
		r.Scan([]byte(from), end, func(k, v []byte) bool {
			out = append(out, string(k)+"="+string(v))
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestScanStaysInItsTableAndRange(t *testing.T) {
	db := open(t, Options{})
	mustUpdate(t, db, func(w Writer) error {
		for _, k := range []string{"a0", "a1", "a2", "a3", "b1"} {
			w.Put([]byte(k), []byte("x"))
		}
		return nil
	})
	for _, c := range []struct {
		from, to string
		want     string
	}{
		{"a", "", "[a0=x a1=x a2=x a3=x]"}, {"a1", "a3", "[a1=x a2=x]"}, {"a2", "b", "[a2=x a3=x]"}, {"b", "", "[b1=x]"}, {"a4", "", "[]"},
	} {
		if got := fmt.Sprint(dump(t, db, c.from, c.to)); got != c.want {
			t.Errorf("scan %q to %q: %s, want %s", c.from, c.to, got, c.want)
		}
	}
	var back []string
	_ = db.View(func(r Reader) error {
		r.ScanBack([]byte("a1"), []byte("a3"), func(k, _ []byte) bool { back = append(back, string(k)); return true })
		r.ScanBack([]byte("a2"), nil, func(k, _ []byte) bool { back = append(back, string(k)); return true })
		return nil
	})
	if got := fmt.Sprint(back); got != "[a2 a1 a3 a2]" {
		t.Errorf("scan back: %s", got)
	}
}

// A failing update must not take its companions of the same commit with it,
// nor leave anything of itself.
func TestOneBadUpdateDoesNotFailTheOthers(t *testing.T) {
	db := open(t, Options{})
	mustUpdate(t, db, func(w Writer) error {
		w.Put([]byte("akept"), []byte("old"))
		w.Put([]byte("agone"), []byte("old"))
		return nil
	})
	bad := errors.New("bad")
	// Called directly, so that the three are surely one group.
	group := []*update{
		{fn: func(w Writer) error { w.Put([]byte("afirst"), []byte("1")); return nil }},
		{fn: func(w Writer) error {
			w.Put([]byte("akept"), []byte("new"))
			w.Put([]byte("akept"), []byte("newer"))
			w.Delete([]byte("agone"))
			w.Put([]byte("afirst"), []byte("2"))
			w.Put([]byte("anew"), []byte("x"))
			return bad
		}},
		{fn: func(w Writer) error { w.Delete([]byte("akept")); panic("oops") }},
		{fn: func(w Writer) error { w.Put([]byte("alast"), w.Get([]byte("afirst"))); return nil }},
	}
	commitAll(db, group)
	if group[0].err != nil || !errors.Is(group[1].err, bad) || group[2].err == nil || group[3].err != nil {
		t.Fatalf("errors: %v, %v, %v, %v", group[0].err, group[1].err, group[2].err, group[3].err)
	}
	want := "[afirst=1 agone=old akept=old alast=1]"
	if got := fmt.Sprint(dump(t, db, "a", "")); got != want {
		t.Errorf("after the group: %s, want %s", got, want)
	}
}

func commitAll(db *DB, group []*update) {
	for _, u := range group {
		u.ctx = context.Background()
	}
	db.commit(group)
}

func TestManyWritersShareCommits(t *testing.T) {
	var mu sync.Mutex
	commits, updates := 0, 0
	db := open(t, Options{OnCommit: func(n int, _ time.Duration) { mu.Lock(); commits++; updates += n; mu.Unlock() }})
	var wg sync.WaitGroup
	const writers, each = 16, 20
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := db.Update(t.Context(), func(x Writer) error {
					x.Put(fmt.Appendf(nil, "a%d/%d", w, i), []byte("v"))
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(dump(t, db, "a", "")); n != writers*each {
		t.Errorf("%d keys, want %d", n, writers*each)
	}
	if updates != writers*each || commits >= updates {
		t.Errorf("%d updates in %d commits: they were not shared", updates, commits)
	}
}

func TestCancelledUpdateIsNotRun(t *testing.T) {
	db := open(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Update(ctx, func(Writer) error { t.Error("was run"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestForeignFilesAreRefusedAndLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"empty": "", "text": "this is my only copy of the novel, please do not touch it at all", "short": "x",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(path, Options{Create: true, Tables: []byte("a")})
		if !errors.Is(err, ErrForeign) {
			t.Errorf("%s: got %v, want ErrForeign", name, err)
		}
		if db != nil {
			_ = db.Close()
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, []byte(content)) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

// Both meta pages damaged: what a torn copy or a bad disk leaves.
func TestDamagedMetaIsRefusedAndLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := Open(path, Options{Create: true, Tables: []byte("a")})
	if err != nil {
		t.Fatal(err)
	}
	size := db.Stats().PageSize
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for page := range int64(2) {
		copy(b[page*size+40:], "damaged!")
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{Create: true, Tables: []byte("a")}); !errors.Is(err, ErrForeign) {
		t.Errorf("got %v, want ErrForeign", err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, b) {
		t.Error("the file was changed")
	}
}

func TestSecondOpenerIsToldAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := Open(path, Options{Create: true, Tables: []byte("a")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := Open(path, Options{Tables: []byte("a")}); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

func TestClosedDatabaseSaysSo(t *testing.T) {
	db := open(t, Options{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(Writer) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("update: %v", err)
	}
	if err := db.View(func(Reader) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("view: %v", err)
	}
}

// Damage once sent the check round in a circle, or out of the mapped memory,
// which ended the process.
func TestVerifySurvivesAnyDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d")
	db, err := Open(path, Options{Tables: []byte("ab"), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		mustUpdate(t, db, func(w Writer) error {
			for j := range 60 {
				w.Put(fmt.Appendf(nil, "a%04d", 60*i+j), bytes.Repeat([]byte("v"), 200))
				w.Put(fmt.Appendf(nil, "b%04d", 60*i+j), []byte("w"))
			}
			w.Put(fmt.Appendf(nil, "alarge%d", i), bytes.Repeat([]byte("v"), 20_000))
			return nil
		})
	}
	if err := db.Verify(func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	rapid.Check(t, func(r *rapid.T) {
		data := bytes.Clone(whole)
		for range rapid.IntRange(1, 20).Draw(r, "places") {
			at := rapid.IntRange(2, len(data)/4096-1).Draw(r, "page")*4096 + rapid.SampledFrom([]int{0, 8, 10, 12, 16, 20, 24, 28, 32, 40, 48}).Draw(r, "offset")
			binary.NativeEndian.PutUint32(data[at:], rapid.Uint32().Draw(r, "value"))
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			r.Fatal(err)
		}
		db, err := Open(path, Options{Tables: []byte("ab")})
		if err != nil {
			return // noticed at once
		}
		defer func() { _ = db.Close() }()
		if err := db.Verify(func(error) { found++ }); err != nil {
			r.Fatal(err)
		}
	})
	if found == 0 {
		t.Error("no damage was found")
	}
}

// bbolt makes a large file grow in steps of 16 MiB; one that was compacted ended
// in a step that nothing needed, and was larger than before.
func TestCompactLeavesNothingOver(t *testing.T) {
	db := open(t, Options{})
	for i := range 20 {
		mustUpdate(t, db, func(w Writer) error {
			for j := range 20 {
				w.Put(fmt.Appendf(nil, "a%04d", 20*i+j), bytes.Repeat([]byte("v"), 60_000))
			}
			return nil
		})
	}
	path := filepath.Join(t.TempDir(), "c")
	if err := db.Compact(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if before := db.Stats().FileBytes; info.Size() > before {
		t.Errorf("%d bytes became %d", before, info.Size())
	}
}

func TestCompactAndBackupKeepEverything(t *testing.T) {
	db := open(t, Options{})
	mustUpdate(t, db, func(w Writer) error {
		for i := range 1000 {
			w.Put(fmt.Appendf(nil, "a%04d", i), bytes.Repeat([]byte("v"), 100))
		}
		return nil
	})
	want := dump(t, db, "a", "")
	compact, backup := filepath.Join(t.TempDir(), "c"), filepath.Join(t.TempDir(), "b")
	if err := db.Compact(compact); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(backup)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{compact, backup} {
		other, err := Open(path, Options{Tables: []byte("ab")})
		if err != nil {
			t.Fatal(err)
		}
		if got := dump(t, other, "a", ""); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %d keys of %d", path, len(got), len(want))
		}
		if err := other.Verify(func(err error) { t.Error(err) }); err != nil {
			t.Error(err)
		}
		_ = other.Close()
	}
}

func BenchmarkUpdate(b *testing.B) {
	db, err := Open(filepath.Join(b.TempDir(), "bench.db"), Options{Create: true, Tables: []byte("ab")})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for i := 0; b.Loop(); i++ {
		if err := db.Update(b.Context(), func(w Writer) error {
			w.Put(fmt.Appendf(nil, "a%09d", i), make([]byte, 1200))
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCutOffFileIsRefused: a copy that was cut off opened, and the first read of
// a missing page ended the process.
func TestCutOffFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cut.db")
	db, err := Open(path, Options{Create: true, Tables: []byte("a")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		mustUpdate(t, db, func(w Writer) error {
			for n := range 500 {
				w.Put(fmt.Appendf(nil, "a%d-%d", i, n), make([]byte, 300))
			}
			return nil
		})
	}
	size := db.Stats().PageSize
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, keep := range []int64{size, 2 * size, 5 * size, 20 * size} {
		if err := os.WriteFile(path, whole[:keep], 0o600); err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{false, true} {
			if db, err := Open(path, Options{Create: true, Tables: []byte("a"), ReadOnly: readOnly}); !errors.Is(err, ErrForeign) {
				t.Errorf("%d bytes of %d: got %v, want ErrForeign", keep, len(whole), err)
				_ = db.Close()
			}
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, whole[:keep]) {
			t.Error("the file was changed")
		}
	}
}

// TestCreatedFileAppearsWhole: nothing is left beside the file, and who comes
// second finds the first one's.
func TestCreatedFileAppearsWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new.db")
	if err := create(path); err != nil {
		t.Fatal(err)
	}
	db, err := Open(path, Options{Create: true, Tables: []byte("a")})
	if err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, db, func(w Writer) error { w.Put([]byte("ax"), []byte("kept")); return nil })
	if err := create(path); err != nil {
		t.Errorf("when it is there already: %v", err)
	}
	if got := dump(t, db, "a", ""); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("in the folder: %v, %v", names, err)
	}
	if _, err := Open(filepath.Join(dir, "no", "such", "folder.db"), Options{Create: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the folder: %v", err)
	}
}

// TestFiguresAfterCloseDoNotPanic: a scrape during shutdown did.
func TestFiguresAfterCloseDoNotPanic(t *testing.T) {
	db := open(t, Options{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := db.Stats(); got.FileBytes != 0 {
		t.Errorf("a closed file has %d bytes", got.FileBytes)
	}
}

// TestPanicsStayWithWhoCausedThem: neither an update that panics nor a commit
// that does takes the writer along.
func TestPanicsStayWithWhoCausedThem(t *testing.T) {
	db := open(t, Options{Tables: []byte("a")})
	if err := db.Update(t.Context(), func(w Writer) error {
		w.Put([]byte("a1"), nil)
		panic("update")
	}); err == nil || errors.Is(err, ErrClosed) {
		t.Errorf("update: %v", err)
	}
	if err := db.update(func(*bolt.Tx) error { panic("commit") }); err == nil {
		t.Error("commit: no error")
	}
	mustUpdate(t, db, func(w Writer) error { w.Put([]byte("a2"), nil); return nil })
	if got := dump(t, db, "a", ""); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestReadOnlyFileRefusesWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ro.db")
	db, err := Open(path, Options{Create: true, Tables: []byte("a")})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(path, Options{ReadOnly: true, Tables: []byte("ab")}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(t.Context(), func(w Writer) error { w.Put([]byte("ax"), nil); return nil }); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v, want ErrReadOnly", err)
	}
	if err := db.View(func(r Reader) error { r.Get([]byte("bx")); return nil }); err != nil {
		t.Error(err)
	}
}
