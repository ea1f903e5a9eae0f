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
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"daybook/api/admin"
	"daybook/configs"
	"daybook/ical"
	"daybook/store"
	"daybook/sync/pull"
)

// Names in the data folder.
const (
	databaseFile = "daybook.db"
	lockFile     = "daybook.lock"
	socketFile   = "admin.sock"
)

func databasePath(c *configs.Config) string { return filepath.Join(c.Data, databaseFile) }

func socketPath(c *configs.Config) string {
	if c.AdminSocket != "" {
		return c.AdminSocket
	}
	return filepath.Join(c.Data, socketFile)
}

// holder is who has the data open. It is written beside the database for
// people and commands to read; the lock itself is the database's.
type holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Listen  string    `json:"listen,omitempty"`
	Since   time.Time `json:"since"`
}

func (h holder) String() string {
	s := fmt.Sprintf("daybook %s, pid %d", h.Command, h.PID)
	if h.Listen != "" {
		s += ", listening on " + h.Listen
	}
	return s + ", since " + h.Since.Local().Format(time.DateTime)
}

// hold writes who has the data. release removes it again.
func hold(c *configs.Config, command, listen string) (release func(), err error) {
	path := filepath.Join(c.Data, lockFile)
	b, err := json.Marshal(holder{PID: os.Getpid(), Command: command, Listen: listen, Since: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return nil, err
	}
	if err := writeFile(path, append(b, '\n')); err != nil {
		return nil, fmt.Errorf("note who has the data: %w", err)
	}
	return func() { _ = os.Remove(path) }, nil
}

func readHolder(c *configs.Config) (holder, error) {
	var h holder
	b, err := os.ReadFile(filepath.Join(c.Data, lockFile))
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(b, &h)
}

// openStore opens the database of the data folder, and says in words what to
// do when it cannot.
func openStore(ctx context.Context, c *configs.Config, o store.Options) (*store.Store, error) {
	if o.Create {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make the data folder: %w; name another with --data", err)
		}
	}
	o.Path = databasePath(c)
	o.Horizon = c.Horizon
	o.LoginBurst = c.LoginAttempts
	o.StreamCache = int64(c.FeedCache)
	if o.KeepRemoved = c.FeedCancelled; o.KeepRemoved == 0 {
		o.KeepRemoved = -1 // the store's 0 is its default
	}
	s, err := store.Open(ctx, o)
	return s, explain(c, err)
}

// explain adds to an error of opening what to do.
func explain(c *configs.Config, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrLocked):
		who := "another process"
		if h, herr := readHolder(c); herr == nil {
			who = h.String()
		}
		return fmt.Errorf("the data in %s is in use by %s; stop that one first, or name another folder with --data: %w", c.Data, who, err)
	case errors.Is(err, store.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no store in %s yet; make one with \"daybook init\" or \"daybook serve\", or name its folder with --data: %w", c.Data, err)
	case errors.Is(err, store.ErrForeign):
		return fmt.Errorf("%s cannot be read as a database of Daybook, and was left as it is; move it away, or bring a copy back with \"daybook restore FILE\": %w", databasePath(c), err)
	case errors.Is(err, store.ErrNewer):
		return fmt.Errorf("%s needs a newer version of this program, and was left as it is: %w", databasePath(c), err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the data in %s may not be opened by this user; run the command as the user of the daemon: %w", c.Data, err)
	}
	return err
}

// lockWait is how long a command waits for another that has the data for a
// moment.
const lockWait = 3 * time.Second

// session is a way to run operations, and what it holds open.
type session struct {
	admin.Caller
	config *configs.Config
	direct *admin.Service // nil when the daemon does the work
	closed []func() error
}

// Close lets the store or the daemon go.
func (s *session) Close() error {
	var errs []error
	for _, end := range slices.Backward(s.closed) {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// open finds the daemon that has the data, or opens the data itself. With
// create it makes a store where there is none.
func (a *app) open(ctx context.Context, cmd *cobra.Command, create bool) (*session, error) {
	loaded, err := a.load(cmd)
	if err != nil {
		return nil, err
	}
	c := &loaded.Config
	if client, err := admin.Dial(ctx, socketPath(c)); err == nil {
		return &session{Caller: client, config: c, closed: []func() error{client.Close}}, nil
	}
	log := newLogger(c, a.stderr, slog.LevelWarn)
	st, err := openStore(ctx, c, store.Options{Create: create, Lock: lockWait, Log: log})
	if errors.Is(err, store.ErrLocked) {
		// A daemon that was starting a moment ago may listen by now.
		client, dialErr := admin.Dial(ctx, socketPath(c))
		if dialErr != nil {
			return nil, fmt.Errorf("%w; its admin socket does not answer either (%w)", err, dialErr)
		}
		return &session{Caller: client, config: c, closed: []func() error{client.Close}}, nil
	}
	if err != nil {
		return nil, err
	}
	s := &session{config: c, closed: []func() error{st.Close}}
	release, err := hold(c, cmd.CommandPath()[len("daybook "):], "")
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.closed = append(s.closed, func() error { release(); return nil })
	fetch, err := newFetcher(c, st)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.closed = append(s.closed, func() error { fetch.Close(); return nil })
	puller := newPuller(c, st, fetch, log, nil)
	runner, err := newRunner(c, st, log, nil, puller)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.direct = newService(c, st, runner, puller)
	s.Caller = s.direct
	return s, nil
}

// newService makes the operations of an open store.
func newService(c *configs.Config, st *store.Store, jobs admin.Jobs, p *pull.Puller) *admin.Service {
	return &admin.Service{
		Store: st, Jobs: jobs, Remotes: remotePuller{p},
		Limits: admin.Limits{ImportBytes: int64(c.MaxImport), ImportObjects: c.MaxImportEvents, Object: objectLimits(c)},
	}
}

func objectLimits(c *configs.Config) ical.Limits {
	lim := ical.DefaultLimits
	lim.Bytes, lim.Line, lim.Lines, lim.Components = int(c.MaxObject), int(c.MaxLine), c.MaxLines, c.MaxComponents
	return lim
}

// with opens a session for fn.
func (a *app) with(cmd *cobra.Command, create bool, fn func(context.Context, *session) error) error {
	ctx := cmd.Context()
	s, err := a.open(ctx, cmd, create)
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, s), s.Close())
}

// call asks for an operation and shows what it answers.
func call[Res any](a *app, cmd *cobra.Command, operation string, req any, human func(io.Writer, Res)) error {
	return a.with(cmd, false, func(ctx context.Context, s *session) error {
		res, err := admin.Call[Res](ctx, s, operation, req, nil)
		if err != nil {
			return err
		}
		return a.show(res, func(w io.Writer) { human(w, res) })
	})
}

// idFlag adds --id.
func idFlag(f *pflag.FlagSet, to *uuid.UUID) {
	f.Func("id", "`UUID` (a new one)", func(s string) (err error) {
		if s == "" {
			return nil
		}
		if *to, err = uuid.Parse(s); err != nil {
			return errors.New("it is not a UUID")
		}
		return nil
	})
}

// writeFile replaces a file as a whole, readable for its owner alone.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}
