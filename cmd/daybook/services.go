package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"daybook/api/admin"
	"daybook/api/rest"
	"daybook/api/slots"
)

func (a *app) groupCommand() *cobra.Command {
	list := organisationFlag(listCommand(a, "List groups", "group.list", ofOrganisation,
		[]string{"NAME", "ORGANISATION", "DISPLAY NAME", "ALIAS", "MEMBERS", "ID"},
		func(g admin.Group) []string {
			return []string{g.Name, g.Organisation, g.DisplayName, strconv.FormatUint(uint64(g.Alias), 10), strings.Join(g.Members, ","), g.ID.String()}
		}))
	return group("group", "Create, list and delete groups of users and resources",
		a.groupCreateCommand(), list, a.deleteOneCommand("group", "NAME", "Delete a group; its members stay"))
}

func (a *app) groupCreateCommand() *cobra.Command {
	req := admin.CreateGroup{}
	c := &cobra.Command{
		Use: "create NAME", Short: "Create a group", Args: cobra.ExactArgs(1),
		Example: "  daybook group create therapists --member ada --member grace",
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			return call(a, cmd, "group.create", req, func(w io.Writer, res admin.Group) {
				fmt.Fprintf(w, "Created the group %q (id %s, alias %d) with %d members.\n", res.Name, res.ID, res.Alias, len(res.Members))
			})
		},
	}
	f := c.Flags()
	idFlag(f, &req.ID)
	f.StringVar(&req.Organisation, "organisation", "", "slug (the only one)")
	f.StringVar(&req.DisplayName, "display-name", "", "name for people")
	f.StringVar(&req.Email, "email", "", "mail address")
	f.Uint32Var(&req.Alias, "alias", 0, "number for APIs that need one (the next free)")
	f.StringSliceVar(&req.Members, "member", nil, "name of a user or resource; as often as needed")
	return c
}

func (a *app) serviceCommand() *cobra.Command {
	list := organisationFlag(listCommand(a, "List services", "service.list", ofOrganisation,
		[]string{"NAME", "ORGANISATION", "LENGTH", "BUFFERS", "NOTICE", "AHEAD", "A DAY", "AT ONCE", "STEP", "RESOURCES", "ACTIVE", "ALIAS", "ID"},
		func(s admin.BookableService) []string {
			return []string{
				s.Name, s.Organisation, s.Length, s.BufferBefore + "/" + s.BufferAfter, s.MinNotice, s.MaxAhead, orAny(s.MaxPerDay),
				strconv.Itoa(max(s.Capacity, 1)), cmp.Or(s.Step, rest.Duration(slots.DefaultStep).String()), orAll(s.Resources), strconv.FormatBool(s.Active), strconv.FormatUint(uint64(s.Alias), 10), s.ID.String(),
			}
		}))
	return group("service", "Create, list and delete services: what can be booked, and its rules",
		a.serviceCreateCommand(), list, a.deleteOneCommand("service", "NAME|ID", "Delete a service"))
}

func orAny(n int) string {
	if n == 0 {
		return "any"
	}
	return strconv.Itoa(n)
}

func orAll(names []string) string {
	if len(names) == 0 {
		return "all"
	}
	return strings.Join(names, ",")
}

func (a *app) serviceCreateCommand() *cobra.Command {
	req := admin.CreateService{}
	c := &cobra.Command{
		Use: "create NAME", Short: "Create a service", Args: cobra.ExactArgs(1),
		Long:    "Create a service. Lengths are ISO 8601, such as PT50M and P60D, or 50m and 4h; a rule that is not given is not there.",
		Example: "  daybook service create Massage --length 50m --buffer-after 10m --min-notice 4h --max-ahead P60D --step 30m --resource ada",
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			return call(a, cmd, "service.create", req, func(w io.Writer, res admin.BookableService) {
				fmt.Fprintf(w, "Created the service %q (id %s, alias %d).\n", res.Name, res.ID, res.Alias)
			})
		},
	}
	f := c.Flags()
	idFlag(f, &req.ID)
	f.StringVar(&req.Organisation, "organisation", "", "slug (the only one)")
	f.Uint32Var(&req.Alias, "alias", 0, "number for APIs that need one (the next free)")
	ruleFlags(f, &req.BookingRules)
	return c
}

func ruleFlags(f *pflag.FlagSet, r *admin.BookingRules) {
	for _, x := range []struct {
		to          **string
		name, usage string
	}{
		{&r.Description, "description", "text for people"},
		{&r.Color, "color", "#RRGGBB"},
		{&r.Length, "length", "how long it takes"},
		{&r.BufferBefore, "buffer-before", "time kept free before it"},
		{&r.BufferAfter, "buffer-after", "time kept free after it"},
		{&r.MinNotice, "min-notice", "time from now to the earliest start"},
		{&r.MaxAhead, "max-ahead", "time from now to the latest start"},
		{&r.Step, "step", "time between the starts that are offered (15m)"},
	} {
		*x.to = f.String(x.name, "", x.usage)
	}
	r.MaxPerDay = f.Int("max-per-day", 0, "bookings in a day (any number)")
	r.MaxPerWeek = f.Int("max-per-week", 0, "bookings in a week (any number)")
	r.MaxPerMonth = f.Int("max-per-month", 0, "bookings in a month (any number)")
	r.Capacity = f.Int("capacity", 0, "bookings at once on one resource (1)")
	r.Confirm = f.Bool("confirm", false, "bookings begin as tentative")
	r.Active = f.Bool("active", true, "it can be booked")
	r.Resources = f.StringSlice("resource", nil, "name of a resource that offers it; as often as needed (all)")
}

// deleteOneCommand deletes what has no calendars.
func (a *app) deleteOneCommand(what, arg, short string) *cobra.Command {
	return &cobra.Command{
		Use: "delete " + arg, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, what+".delete", admin.ByID{ID: args[0]}, func(w io.Writer, res admin.ByID) { fmt.Fprintf(w, "Deleted the %s %q.\n", what, res.ID) })
		},
	}
}
