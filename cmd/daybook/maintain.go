package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"daybook/api/admin"
	"daybook/configs"
	"daybook/store"
)

func (a *app) backupCommand() *cobra.Command {
	force := false
	c := &cobra.Command{
		Use: "backup FILE", Short: "Write a consistent copy of the store", Args: cobra.ExactArgs(1),
		Long: "Write a consistent copy of the store, also while the daemon runs. Bring it back with \"daybook restore FILE\".\nThe key of sealed secrets (" +
			store.KeyFile + " in the data folder) is not in it; keep a copy of that file apart.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, false, func(ctx context.Context, s *session) error {
				var res admin.BackedUp
				err := replaceFile(args[0], force, func(w io.Writer) (err error) {
					res, err = admin.Call[admin.BackedUp](ctx, s, "backup", admin.None{}, &admin.Stream{Out: w})
					return err
				})
				if err != nil {
					return fmt.Errorf("backup: %w", err)
				}
				return a.show(res, func(w io.Writer) { fmt.Fprintf(w, "Wrote %s (%s).\n", args[0], configs.Size(res.Bytes)) })
			})
		},
	}
	c.Flags().BoolVar(&force, "force", false, "replace FILE if it exists")
	return c
}

func (a *app) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Bring a copy of the store back", Args: cobra.ExactArgs(1),
		Long: "Put a copy that \"daybook backup\" wrote in the place of the store. The daemon must not run. The store that was there is\nkept beside it. Clients compare everything anew afterwards, so that none takes the past for the present.",
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := a.load(cmd)
			if err != nil {
				return err
			}
			kept, err := restore(cmd.Context(), &loaded.Config, newLogger(&loaded.Config, a.stderr, slog.LevelWarn), args[0], time.Now())
			if err != nil {
				return fmt.Errorf("restore: %w", err)
			}
			return a.show(map[string]string{"restored": args[0], "kept": kept}, func(w io.Writer) {
				fmt.Fprintf(w, "Restored %s.\n", args[0])
				if kept != "" {
					fmt.Fprintf(w, "The store that was there is kept as %s.\n", kept)
				}
			})
		},
	}
}

// restore puts a copy of from in the place of the store, and gives the name
// under which the store that was there is kept. The copy is opened and given a
// new epoch before anything is moved, so that a file that is no store changes
// nothing.
func restore(ctx context.Context, c *configs.Config, log *slog.Logger, from string, now time.Time) (kept string, err error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return "", err
	}
	staged := databasePath(c) + ".restoring"
	err = stageCopy(ctx, c, log, from, staged)
	if err == nil {
		kept, err = putInPlace(ctx, c, log, staged, now)
	}
	if err != nil {
		if rerr := os.Remove(staged); !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
		return "", err
	}
	return kept, syncFolder(c.Data)
}

func stageCopy(ctx context.Context, c *configs.Config, log *slog.Logger, from, staged string) error {
	if err := copyFile(from, staged); err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Options{Path: staged, Log: log, Horizon: c.Horizon})
	if err != nil {
		return fmt.Errorf("%s is no copy of a store: %w", from, err)
	}
	return errors.Join(st.NewEpoch(ctx), st.Close())
}

// putInPlace replaces the store. Whoever has it open would go on writing to
// the old file, so its lock is held until the new one is in its place.
func putInPlace(ctx context.Context, c *configs.Config, log *slog.Logger, staged string, now time.Time) (kept string, err error) {
	path := databasePath(c)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", os.Rename(staged, path)
	}
	free, err := lockable(ctx, c, log)
	if err != nil {
		return "", err
	}
	kept = path + ".before-restore-" + now.UTC().Format("20060102T150405Z")
	if err := os.Link(path, kept); err != nil {
		return "", errors.Join(fmt.Errorf("keep the store that is there: %w", err), free())
	}
	return kept, errors.Join(os.Rename(staged, path), free())
}

// lockable takes the store's lock, or says who has it. A damaged store, which
// a restore is there for, is not held by anybody.
func lockable(ctx context.Context, c *configs.Config, log *slog.Logger) (free func() error, err error) {
	st, err := openStore(ctx, c, store.Options{Log: log})
	switch {
	case err == nil:
		return st.Close, nil
	case errors.Is(err, store.ErrLocked):
		return nil, err
	}
	return func() error { return nil }, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	return replaceFile(to, true, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (a *app) checkCommand() *cobra.Command {
	req := admin.CheckStore{}
	c := &cobra.Command{
		Use: "check", Short: "Verify derived data against the facts", Args: cobra.NoArgs,
		Long: "Verify every index of the store against the facts, and tell each problem. With --rebuild the indexes are made anew.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, false, func(ctx context.Context, s *session) error {
				found := []admin.Problem{}
				res, err := admin.Call[admin.Checked](ctx, s, "check", req, &admin.Stream{OnItem: func(raw json.RawMessage) error {
					var p admin.Problem
					err := json.Unmarshal(raw, &p)
					found = append(found, p)
					return err
				}})
				if err != nil {
					return err
				}
				err = a.show(struct {
					admin.Checked
					Found []admin.Problem `json:"found"`
				}{res, found}, func(w io.Writer) { describeCheck(w, res, found) })
				if res.Problems > 0 && !res.Rebuilt {
					return errors.Join(err, errReported)
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&req.Rebuild, "rebuild", false, "make every index anew from the facts")
	return c
}

func describeCheck(w io.Writer, res admin.Checked, found []admin.Problem) {
	for _, p := range found {
		fmt.Fprintln(w, strings.ReplaceAll(p.Kind+": "+p.Where+": "+p.Message, ": : ", ": "))
	}
	fmt.Fprintf(w, "%d principals, %d collections, %d objects, %d members, %d changes, %d instances: ",
		res.Principals, res.Collections, res.Objects, res.Members, res.Changes, res.Instances)
	switch {
	case res.Problems == 0:
		fmt.Fprintln(w, "no problems")
	case res.Rebuilt:
		fmt.Fprintf(w, "%d problems; the indexes were made anew, check once more\n", res.Problems)
	case slices.ContainsFunc(found, func(p admin.Problem) bool { return p.Kind == "pages" }):
		fmt.Fprintf(w, "%d problems, and pages of the file are damaged: restore a backup, or export what can be read\n", res.Problems)
	default:
		fmt.Fprintf(w, "%d problems; \"daybook check --rebuild\" makes the indexes anew\n", res.Problems)
	}
}

func (a *app) compactCommand() *cobra.Command {
	return &cobra.Command{
		Use: "compact", Short: "Give free pages of the store back to the file system", Args: cobra.NoArgs,
		Long: "Write the store anew without its free pages. The daemon must not run.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := a.load(cmd)
			if err != nil {
				return err
			}
			before, after, err := compact(cmd.Context(), &loaded.Config, newLogger(&loaded.Config, a.stderr, slog.LevelWarn))
			if err != nil {
				return fmt.Errorf("compact: %w", err)
			}
			return a.show(map[string]int64{"before": before, "after": after}, func(w io.Writer) {
				fmt.Fprintf(w, "The store had %d bytes and has %d.\n", before, after)
			})
		},
	}
}

func compact(ctx context.Context, c *configs.Config, log *slog.Logger) (before, after int64, err error) {
	path := databasePath(c)
	st, err := openStore(ctx, c, store.Options{Lock: lockWait, Log: log})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	release, err := hold(c, "compact", "")
	if err != nil {
		return 0, 0, err
	}
	defer release()
	before = st.Stats().FileBytes
	staged := path + ".compacting"
	if err := os.Remove(staged); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, 0, err
	}
	if err := st.Compact(staged); err != nil {
		return 0, 0, errors.Join(err, os.Remove(staged))
	}
	info, err := os.Stat(staged)
	if err != nil {
		return 0, 0, err
	}
	// Renamed while the old file is still locked: nobody can have written to
	// it in between.
	if err := os.Rename(staged, path); err != nil {
		return 0, 0, err
	}
	return before, info.Size(), syncFolder(filepath.Dir(path))
}

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show figures of the store", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, "status", admin.None{}, func(w io.Writer, res admin.Status) {
				fmt.Fprintf(w, "File: %d bytes, %d of them free\nOrganisations: %d, users: %d, resources: %d\nObjects: %d, instances indexed: %d, %s\n",
					res.FileBytes, res.FreeBytes, res.Organisations, res.Users, res.Resources, res.Objects, res.Instances, horizonText(res.Horizon))
			})
		},
	}
}

// horizonText tells how far the index reaches.
func horizonText(t time.Time) string {
	if t.Unix() <= 0 {
		return "none ahead until the job horizon has run"
	}
	return "up to " + t.Format(time.DateOnly)
}

func (a *app) jobCommand() *cobra.Command {
	run := &cobra.Command{
		Use: "run NAME", Short: "Run a job now", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, "job.run", admin.RunJob{Name: args[0]}, func(w io.Writer, res admin.JobRan) { fmt.Fprintf(w, "Ran the job %s in %s.\n", res.Name, res.Took) })
		},
	}
	list := listCommand(a, "List jobs", "job.list", func(*cobra.Command) any { return admin.None{} },
		[]string{"NAME", "SCHEDULE", "NEXT", "LAST RUN", "TOOK", "LAST SUCCESS", "ERROR"},
		func(j admin.JobStatus) []string {
			return []string{j.Name, j.Schedule, hour(j.Next), hour(j.Started), j.Took, hour(j.Success), j.Error}
		})
	return group("job", "Run and list jobs", run, list)
}
