package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"daybook/api/admin"
)

// input opens the named file, or standard input for "-".
func (a *app) input(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.stdin), nil
	}
	return os.Open(name)
}

func (a *app) applyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "apply FILE", Short: "Make the store look like a file", Args: cobra.ExactArgs(1),
		Long: `Make the store look like a YAML file: organisations with users, resources, tokens and feeds. What the file does not
mention is left alone; a second run changes nothing. FILE is - for standard input.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.input(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			return a.with(cmd, true, func(ctx context.Context, s *session) error {
				changes := []admin.AppliedItem{}
				res, err := admin.Call[admin.Applied](ctx, s, "apply", admin.None{}, &admin.Stream{In: f, OnItem: func(raw json.RawMessage) error {
					var it admin.AppliedItem
					err := json.Unmarshal(raw, &it)
					changes = append(changes, it)
					return err
				}})
				if errors.As(err, new(admin.Faults)) || errors.As(err, new(*admin.Error)) {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				if err != nil {
					return err
				}
				return a.show(struct {
					admin.Applied
					Changes []admin.AppliedItem `json:"changes"`
				}{res, changes}, func(w io.Writer) {
					for _, c := range changes {
						fmt.Fprintf(w, "%s %s %s\n", c.Outcome, c.Kind, c.Name)
					}
					fmt.Fprintf(w, "%d created, %d changed, %d unchanged\n", res.Created, res.Changed, res.Unchanged)
				})
			})
		},
	}
}

var errNoCalendar = usagef("name the calendar with --calendar PRINCIPAL/CALENDAR")

func (a *app) importCommand() *cobra.Command {
	req := admin.ImportFile{}
	quiet := false
	c := &cobra.Command{
		Use: "import FILE.ics --calendar PRINCIPAL/CALENDAR", Short: "Import a calendar file", Args: cobra.ExactArgs(1),
		Long: `Import every calendar object of a file, and tell of each whether it was created, updated, unchanged or refused, and why.
One that is refused does not keep the others out. Objects are known by their UID, so that a second run changes nothing.
The command fails when anything was refused or left out. FILE is - for standard input. With --json it writes a line of
JSON for each object and one for the sum.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.Calendar == "" {
				return errNoCalendar
			}
			f, err := a.input(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			return a.with(cmd, false, func(ctx context.Context, s *session) error {
				return a.importFile(ctx, s, req, f, quiet)
			})
		},
	}
	c.Flags().StringVar(&req.Calendar, "calendar", "", "PRINCIPAL/CALENDAR, or PRINCIPAL for its own calendar")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "only tell of objects that were refused or left out")
	return c
}

func (a *app) importFile(ctx context.Context, s *session, req admin.ImportFile, f io.Reader, quiet bool) error {
	out := bufio.NewWriter(a.stdout)
	st := &admin.Stream{In: f, OnProgress: a.progress("imported"), OnItem: func(raw json.RawMessage) error {
		var it admin.ImportItem
		if err := json.Unmarshal(raw, &it); err != nil {
			return err
		}
		switch good := it.Outcome != admin.Refused && it.Outcome != admin.NotTried; {
		case quiet && good:
			return nil
		case a.json:
			_, err := fmt.Fprintf(out, "%s\n", raw)
			return err
		case it.Reason != "":
			_, err := fmt.Fprintf(out, "line %d: %s: %s: %s\n", it.Line, it.Outcome, it.UID, it.Reason)
			return err
		}
		_, err := fmt.Fprintf(out, "line %d: %s: %s\n", it.Line, it.Outcome, it.UID)
		return err
	}}
	res, err := admin.Call[admin.Imported](ctx, s, "import", req, st)
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	if err != nil {
		return err
	}
	if a.json {
		if err := json.NewEncoder(a.stdout).Encode(res); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stdout, "%s: %d objects: %d created, %d updated, %d unchanged, %d refused\n",
			res.Calendar, res.Objects, res.Created, res.Updated, res.Unchanged, res.Refused)
	}
	switch {
	case res.Stopped != "":
		return fmt.Errorf("the import stopped before %d objects were known to be stored (%s); run it again to go on", res.NotTried, res.Stopped)
	case res.Refused > 0:
		return fmt.Errorf("%d of %d objects were refused, the others are stored", res.Refused, res.Objects)
	}
	return nil
}

// progress tells on standard error how far a long operation is.
func (a *app) progress(done string) func(admin.Progress) {
	return func(p admin.Progress) {
		if a.json {
			return
		}
		if p.Total > 0 {
			fmt.Fprintf(a.stderr, "%s %d of %d\n", done, p.Done, p.Total)
		}
	}
}

func (a *app) exportCommand() *cobra.Command {
	req := admin.ExportCalendar{}
	c := &cobra.Command{
		Use: "export [FILE.ics] --calendar PRINCIPAL/CALENDAR", Short: "Write a calendar as one file", Args: cobra.MaximumNArgs(1),
		Long: "Write every object of a calendar as one iCalendar file, to standard output without FILE.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.Calendar == "" {
				return errNoCalendar
			}
			return a.with(cmd, false, func(ctx context.Context, s *session) error {
				var res admin.Exported
				write := func(w io.Writer) (err error) {
					res, err = admin.Call[admin.Exported](ctx, s, "export", req, &admin.Stream{Out: w})
					return err
				}
				if len(args) == 0 || args[0] == "-" {
					out := bufio.NewWriter(a.stdout)
					if err := errors.Join(write(out), out.Flush()); err != nil {
						return err
					}
					return skipped(res)
				}
				if err := replaceFile(args[0], true, write); err != nil {
					return err
				}
				err := a.show(res, func(w io.Writer) {
					fmt.Fprintf(w, "Wrote %d objects of %s to %s.\n", res.Objects-res.Skipped, res.Calendar, args[0])
				})
				return errors.Join(err, skipped(res))
			})
		},
	}
	c.Flags().StringVar(&req.Calendar, "calendar", "", "PRINCIPAL/CALENDAR, or PRINCIPAL for its own calendar")
	return c
}

func skipped(res admin.Exported) error {
	if res.Skipped == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d objects cannot be read and were left out; \"daybook check\" names them", res.Skipped, res.Objects)
}

// replaceFile writes a file beside its final name and puts it there when it is
// complete and on the disk. It is readable for its owner alone.
func replaceFile(path string, overwrite bool, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(path); err == nil && !overwrite {
		return fmt.Errorf("%s exists already; name another file, or say --force", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	buf := bufio.NewWriterSize(f, 256<<10)
	err = write(buf)
	if err == nil {
		err = errors.Join(buf.Flush(), f.Sync())
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
