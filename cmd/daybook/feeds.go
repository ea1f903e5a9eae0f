package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"daybook/api/admin"
	"daybook/configs"
)

func (a *app) feedCommand() *cobra.Command {
	list := organisationFlag(listCommand(a, "List feeds", "feed.list", ofOrganisation,
		[]string{"ID", "ORGANISATION", "SHOWS", "NAME", "SHOW", "DAYS", "EXPIRES", "LAST USED"},
		func(f admin.Feed) []string {
			return []string{f.ID, f.Organisation, f.Shows(), f.Name, f.Show, feedDays(f), day(f.Expires), hour(f.LastUsed)}
		}))
	return group("feed", "Create, list, show, rotate and revoke feeds",
		a.feedCreateCommand(), list, a.feedShowCommand(), a.feedRotateCommand(), a.revokeCommand("feed", "Revoke a feed"))
}

// feedDays tells the window of a feed.
func feedDays(f admin.Feed) string {
	if f.Past == nil || f.Future == nil {
		return "all"
	}
	return fmt.Sprintf("-%d to +%d", *f.Past, *f.Future)
}

func (a *app) feedCreateCommand() *cobra.Command {
	req := admin.CreateFeed{}
	var expires string
	var past, future int
	c := &cobra.Command{
		Use: "create [CALENDAR...]", Short: "Create a feed and show its link",
		Long: `Create a feed of one or several calendars, PRINCIPAL/CALENDAR or a principal's own, or of what --group, --free-busy
or --hours name. Whoever has the link can read it: the link is shown this once. With another extension in place of
.ics it gives other forms: .jcal, .jscal (JSCalendar), .json (a list of instances) and .ifb (free-busy).`,
		Example: "  daybook feed create ada --show busy\n  daybook feed create room-1 room-2 --name rooms --past 7 --future 60\n  daybook feed create --hours front-desk",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			req.Calendars = args
			if req.Expires, err = expiry(expires, time.Now()); err != nil {
				return err
			}
			if cmd.Flags().Changed("past") || cmd.Flags().Changed("future") {
				req.Past, req.Future = &past, &future
			}
			return a.with(cmd, false, func(ctx context.Context, s *session) error {
				res, err := admin.Call[admin.Feed](ctx, s, "feed.create", req, nil)
				if err != nil {
					return err
				}
				return a.showLink(s, res, fmt.Sprintf("Feed %s of %s (%s), shown this once:", res.ID, res.Shows(), res.Show))
			})
		},
	}
	f := c.Flags()
	f.StringVar(&req.Show, "show", "full", "full, titles, busy")
	f.StringVar(&req.Private, "private", "busy", "what becomes of events that are not public: busy, shown, hidden")
	f.StringVar(&req.Group, "group", "", "show the calendars of a group's resources")
	f.StringVar(&req.FreeBusy, "free-busy", "", "show the time that a principal is busy")
	f.StringVar(&req.Hours, "hours", "", "show the opening hours of a resource or organisation")
	f.IntVar(&past, "past", 0, "show so many days before today; without --past and --future all time")
	f.IntVar(&future, "future", 0, "show so many days after today")
	f.StringSliceVar(&req.Components, "component", nil, "show only these: VEVENT, VTODO, VJOURNAL, VAVAILABILITY")
	f.StringVar(&req.Name, "name", "", "name of the file in the link (the principal's)")
	f.StringVar(&req.Title, "title", "", "title of the calendar for subscribers")
	f.StringVar(&req.Description, "description", "", "description of the calendar for subscribers")
	f.StringVar(&req.Zone, "zone", "", "time zone for subscribers, and of the days (the calendar's)")
	f.StringVar(&req.Color, "color", "", "#RRGGBB (the principal's)")
	f.StringVar(&req.URL, "page", "", "address of a page for people")
	f.DurationVar(&req.Refresh, "refresh", 0, "how often subscribers are asked to look again")
	f.StringVar(&expires, "expires", "", "a day (2027-01-31) or a time from now (90d)")
	return c
}

// showLink shows a feed that has a new link.
func (a *app) showLink(s *session, f admin.Feed, intro string) error {
	link := baseURL(s.config, listenAddress(s.config)) + f.Path
	return a.show(struct {
		admin.Feed
		Link string `json:"link"`
	}{f, link}, func(w io.Writer) { fmt.Fprintf(w, "%s\n%s\n", intro, link) })
}

func (a *app) feedShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a feed, and who fetched it when and got what", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, "feed.show", admin.ByID{ID: args[0]}, func(w io.Writer, res admin.Feed) { describeFeed(w, res) })
		},
	}
}

func describeFeed(w io.Writer, f admin.Feed) {
	kinds := "all"
	if len(f.Components) > 0 {
		kinds = strings.Join(f.Components, ", ")
	}
	rows := [][]string{
		{"ID", f.ID},
		{"Organisation", f.Organisation},
		{"Shows", f.Shows()},
		{"How", f.Show + "; not public: " + f.Private},
		{"Days", feedDays(f)},
		{"Components", kinds},
		{"Name", f.Name},
		{"Title", f.Title},
		{"Created", hour(f.Created)},
		{"Expires", day(f.Expires)},
		{"Last used", hour(f.LastUsed)},
		{"Rotated", hour(f.Rotated)},
	}
	for _, until := range f.Former {
		rows = append(rows, []string{"Former link", "until " + hour(until)})
	}
	table(w, rows)
	if len(f.Fetches) == 0 {
		return
	}
	fmt.Fprintln(w)
	rows = [][]string{{"LAST", "CLIENT", "STATUS", "FORM", "BYTES", "COUNT", "SINCE", "AGENT"}}
	for _, x := range f.Fetches {
		rows = append(rows, []string{
			hour(x.Last), x.Client, strconv.Itoa(x.Status), x.Form, strconv.FormatInt(x.Bytes, 10),
			strconv.FormatUint(x.Count, 10), hour(x.First), x.Agent,
		})
	}
	table(w, rows)
}

func (a *app) feedRotateCommand() *cobra.Command {
	var grace string
	c := &cobra.Command{
		Use: "rotate ID", Short: "Give a feed another link", Args: cobra.ExactArgs(1),
		Long: "Give a feed another link and show it, this once. The present one goes on working for the time of --grace.",
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := configs.ParseDuration(grace)
			if err != nil {
				return usagef("--grace %q is not a duration such as 12h or 7d", grace)
			}
			return a.with(cmd, false, func(ctx context.Context, s *session) error {
				res, err := admin.Call[admin.Feed](ctx, s, "feed.rotate", admin.RotateFeed{ID: args[0], Grace: d}, nil)
				if err != nil {
					return err
				}
				return a.showLink(s, res, fmt.Sprintf("New link of feed %s, shown this once; the old one is good for %s:", res.ID, grace))
			})
		},
	}
	c.Flags().StringVar(&grace, "grace", "7d", "how long the present link is good for; 0s ends it now")
	return c
}
