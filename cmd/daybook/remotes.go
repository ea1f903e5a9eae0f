package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"daybook/api/admin"
	"daybook/api/remotes"
	"daybook/configs"
	"daybook/store"
	"daybook/sync/guard"
	"daybook/sync/pull"
)

func newPuller(c *configs.Config, st *store.Store, fetch *guard.Client, log *slog.Logger, metrics prometheus.Registerer) *pull.Puller {
	return pull.New(pull.Options{
		Store: st, Fetch: fetch, Log: log, Metrics: metrics, Floor: c.PullFloor, AtOnce: c.PullsAtOnce, MaxObject: int(c.MaxObject),
	})
}

// remotePuller is the puller as operators and the house API see it.
type remotePuller struct{ *pull.Puller }

// Pull pulls a remote now.
func (p remotePuller) Pull(ctx context.Context, id store.RemoteID) error {
	_, err := p.Puller.Pull(ctx, id)
	return err
}

func (a *app) remoteCommand() *cobra.Command {
	list := organisationFlag(listCommand(a, "List remotes", "remote.list", ofOrganisation,
		[]string{"NAME", "CALENDAR", "KIND", "SERVER", "DIRECTION", "CONDITION", "LAST SUCCESS", "NEXT", "OBJECTS", "ERROR"},
		func(r admin.RemoteRow) []string {
			return []string{
				r.Name, r.Calendar, r.Kind, r.Server, r.Direction, r.State.Condition, moment(r.State.Success), moment(r.State.Next),
				strconv.Itoa(r.State.Items), cut(r.State.Error, 60),
			}
		}))
	return group("remote", "Calendars elsewhere that are pulled in", a.remoteCreateCommand(), list,
		a.remoteVerb("show", "Show a remote and how its pulls went"),
		a.remoteVerb("pull", "Pull a remote now"),
		a.remoteVerb("pause", "Pause a remote"),
		a.remoteVerb("resume", "Let a remote go on that is paused or was stopped; the deletions that it waits with then count"),
		a.remoteVerb("delete", "Delete a remote with the objects that it keeps"))
}

func (a *app) remoteCreateCommand() *cobra.Command {
	req := admin.CreateRemote{}
	var passwordFile string
	c := &cobra.Command{
		Use: "create NAME URL", Short: "Create a remote: a calendar elsewhere that is pulled in", Args: cobra.ExactArgs(2),
		Long: `Create a remote. URL is that of an iCalendar file (http, https, webcal) or, with --kind caldav, of a CalDAV collection or
server. Address and password are kept sealed and not shown again. The password is read from --password-file, "-" for standard input.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name, req.URL = args[0], args[1]
			if passwordFile != "" {
				password, err := a.readSecret(passwordFile)
				if err != nil {
					return err
				}
				req.Password = password
			}
			return call(a, cmd, "remote.create", req, func(w io.Writer, res admin.RemoteRow) {
				fmt.Fprintf(w, "Remote %s of %s is pulled into %s.\n", res.Name, res.Server, res.Calendar)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&req.Calendar, "calendar", "", "PRINCIPAL or PRINCIPAL/CALENDAR that it is pulled into")
	f.StringVar(&req.Kind, "kind", "ics", "ics, caldav")
	f.StringVar(&req.User, "user", "", "user name there")
	f.StringVar(&passwordFile, "password-file", "", "file with the password there; - reads standard input")
	f.StringVar(&req.Direction, "direction", remotes.In, "in; both: our changes go there too (caldav)")
	f.StringVar(&req.Interval, "interval", "", "time between two pulls, such as 1h (as the source hints)")
	f.StringVar(&req.Counts, "counts", "source", "what its time is taken for: source, busy, tentative, free, ignored")
	f.StringSliceVar(&req.Components, "components", nil, "VEVENT, VTODO, VJOURNAL (VEVENT)")
	f.StringSliceVar(&req.Categories, "categories", nil, "only what has one of these categories")
	f.IntVar(&req.PastDays, "past-days", 0, "only what ends later than so many days ago (all)")
	f.IntVar(&req.FutureDays, "future-days", 0, "only what begins within so many days (all)")
	f.StringVar(&req.Conflict, "conflict", "remote", "who is right when both sides changed the same: remote, ours, both")
	f.IntVar(&req.DeleteLimit, "delete-limit", 0, "percent of deletions in one pull above which it stops (30)")
	return c
}

// readSecret reads the first line of a file, or of standard input.
func (a *app) readSecret(path string) (string, error) {
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, 64<<10))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// remoteVerb makes a command that takes a remote's name or id.
func (a *app) remoteVerb(verb, short string) *cobra.Command {
	req := admin.RemoteRef{}
	c := &cobra.Command{
		Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Remote = args[0]
			return call(a, cmd, "remote."+verb, req, func(w io.Writer, res admin.RemoteRow) { describeRemote(w, verb, res) })
		},
	}
	c.Flags().StringVar(&req.Organisation, "organisation", "", "slug of the organisation, where there are several")
	return c
}

func describeRemote(w io.Writer, verb string, r admin.RemoteRow) {
	if verb == "delete" {
		fmt.Fprintf(w, "Deleted the remote %s.\n", r.Name)
		return
	}
	s := r.State
	rows := [][]string{
		{"Name", r.Name},
		{"Calendar", r.Calendar},
		{"Server", r.Server},
		{"Direction", r.Direction},
		{"Condition", s.Condition},
		{"Last success", moment(s.Success)},
		{"Last pull", strings.TrimSpace(moment(s.Tried) + " " + s.Result)},
		{"Next pull", moment(s.Next)},
		{"Objects", strconv.Itoa(s.Items)},
		{"Last change", fmt.Sprintf("%s: %d added, %d updated, %d removed, %d sent", moment(s.Changed), s.Added, s.Updated, s.Removed, s.Sent)},
	}
	if s.Error != "" {
		rows = append(rows, []string{"Error", s.Error})
	}
	if s.Stopped != "" {
		rows = append(rows, []string{"Stopped", "daybook remote resume " + r.Name + " lets it go on"})
	}
	for _, n := range s.Refusals {
		rows = append(rows, []string{"Refused", n.UID + ": " + n.Reason})
	}
	for _, c := range s.Conflicts {
		rows = append(rows, []string{"Conflict", moment(&c.At) + " " + c.UID + ": " + c.Outcome})
	}
	table(w, rows)
}

func moment(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return hour(*t)
}
