package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"daybook/api/admin"
)

func (a *app) initCommand() *cobra.Command {
	req := admin.Setup{}
	stdin := false
	cmd := &cobra.Command{
		Use: "init", Short: "Make a store with an organisation and its administrator", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if req.Password, err = a.password(stdin); err != nil {
				return err
			}
			if req.Zone == "" {
				req.Zone = systemZone(a.environ)
			}
			return a.with(cmd, true, func(ctx context.Context, s *session) error {
				if req.Password == "" {
					req.Password = s.config.AdminPassword
				}
				res, err := admin.Call[admin.SetUp](ctx, s, "setup", req, nil)
				if err != nil {
					return err
				}
				if !res.Done {
					return fmt.Errorf("the store in %s has an organisation already; \"daybook organisation create\" makes another", s.config.Data)
				}
				return a.show(res, func(w io.Writer) {
					fmt.Fprintf(w, "Created the organisation %q (%s) in %s, with the administrator %q.\n", res.Organisation, res.Zone, s.config.Data, res.User)
					if res.Password != "" {
						fmt.Fprintf(w, "Password, shown this once: %s\n", res.Password)
					}
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&req.Slug, "organisation", "daybook", "slug of the organisation")
	f.StringVar(&req.Name, "name", "", "its name")
	f.StringVar(&req.Zone, "zone", "", "its IANA time zone (the system's)")
	f.StringVar(&req.Admin, "admin", "admin", "name of the administrator")
	f.BoolVar(&stdin, "password-stdin", false, "read the password from standard input instead of making one")
	return cmd
}

// password reads one line of standard input, if that was asked for.
func (a *app) password(stdin bool) (string, error) {
	if !stdin {
		return "", nil
	}
	line, err := bufio.NewReader(io.LimitReader(a.stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usagef("no password on standard input")
	}
	return line, nil
}

func (a *app) organisationCommand() *cobra.Command {
	req := admin.CreateOrganisation{}
	create := &cobra.Command{
		Use: "create SLUG", Short: "Create an organisation", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Slug = args[0]
			return call(a, cmd, "organisation.create", req, func(w io.Writer, res admin.Organisation) {
				fmt.Fprintf(w, "Created the organisation %q (%s).\n", res.Slug, res.ID)
			})
		},
	}
	idFlag(create.Flags(), &req.ID)
	create.Flags().StringVar(&req.Name, "name", "", "name for people")
	create.Flags().StringVar(&req.Zone, "zone", "", "IANA time zone (UTC)")
	list := listCommand(a, "List organisations", "organisation.list", func(*cobra.Command) any { return admin.None{} },
		[]string{"SLUG", "NAME", "ZONE", "ID"},
		func(o admin.Organisation) []string { return []string{o.Slug, o.Name, o.Zone, o.ID.String()} })
	return group("organisation", "Create and list organisations", create, list)
}

// listCommand makes a command that shows a list as a table.
func listCommand[T any](a *app, short, operation string, request func(*cobra.Command) any, head []string, row func(T) []string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, operation, request(cmd), func(w io.Writer, res []T) {
				rows := [][]string{head}
				for _, x := range res {
					rows = append(rows, row(x))
				}
				table(w, rows)
			})
		},
	}
}

// organisationFlag adds --organisation to a list.
func organisationFlag(c *cobra.Command) *cobra.Command {
	c.Flags().String("organisation", "", "slug (every organisation)")
	return c
}

func ofOrganisation(cmd *cobra.Command) any {
	slug, _ := cmd.Flags().GetString("organisation") // it has the flag
	return admin.OfOrganisation{Organisation: slug}
}

func (a *app) userCommand() *cobra.Command {
	list := organisationFlag(listCommand(a, "List users", "user.list", ofOrganisation,
		[]string{"NAME", "ORGANISATION", "DISPLAY NAME", "EMAIL", "RIGHTS", "CALENDARS"},
		func(u admin.User) []string {
			return []string{u.Name, u.Organisation, u.DisplayName, u.Email, strings.Join(u.Rights, ","), strings.Join(u.Calendars, ",")}
		}))
	return group("user", "Create, list and delete users, and set passwords",
		a.userCreateCommand(), list, a.userPasswordCommand(), a.deleteCommand("user", "Delete a user with all calendars"))
}

func (a *app) userCreateCommand() *cobra.Command {
	req := admin.CreateUser{}
	stdin := false
	c := &cobra.Command{
		Use: "create NAME", Short: "Create a user with a password", Args: cobra.ExactArgs(1),
		Long: "Create a user. The name is the login and the place in every address. Without --password-stdin a random password is made and shown once.",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			req.Name = args[0]
			if req.Password, err = a.password(stdin); err != nil {
				return err
			}
			return call(a, cmd, "user.create", req, func(w io.Writer, res admin.Password) { describePassword(w, "Created the user", res) })
		},
	}
	f := c.Flags()
	idFlag(f, &req.ID)
	f.StringVar(&req.Organisation, "organisation", "", "slug (the only one)")
	f.StringVar(&req.DisplayName, "display-name", "", "name for people")
	f.StringVar(&req.Email, "email", "", "mail address")
	f.StringSliceVar(&req.Rights, "grant", nil, "rights on the organisation: read-free-busy, read, delete, write, admin")
	f.BoolVar(&stdin, "password-stdin", false, "read the password from standard input")
	return c
}

func (a *app) userPasswordCommand() *cobra.Command {
	req := admin.SetPassword{}
	stdin := false
	c := &cobra.Command{
		Use: "password NAME", Short: "Set a user's password", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			req.User = args[0]
			if req.Password, err = a.password(stdin); err != nil {
				return err
			}
			return call(a, cmd, "user.password", req, func(w io.Writer, res admin.Password) { describePassword(w, "Set the password of", res) })
		},
	}
	c.Flags().BoolVar(&stdin, "password-stdin", false, "read it from standard input instead of making one")
	return c
}

func describePassword(w io.Writer, done string, p admin.Password) {
	fmt.Fprintf(w, "%s %q.\n", done, p.User)
	if p.Password != "" {
		fmt.Fprintf(w, "Password, shown this once: %s\n", p.Password)
	}
}

func (a *app) deleteCommand(what, short string) *cobra.Command {
	req := admin.Delete{}
	c := &cobra.Command{
		Use: "delete NAME", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			return call(a, cmd, what+".delete", req, func(w io.Writer, res admin.Deleted) {
				fmt.Fprintf(w, "Deleted the %s %q with %d calendars and %d objects.\n", what, res.Name, res.Calendars, res.Objects)
			})
		},
	}
	c.Flags().BoolVar(&req.Sure, "yes", false, "also when there are objects in its calendars")
	return c
}

func (a *app) resourceCommand() *cobra.Command {
	list := organisationFlag(listCommand(a, "List resources", "resource.list", ofOrganisation,
		[]string{"NAME", "KIND", "ORGANISATION", "DISPLAY NAME", "ALIAS", "ID"},
		func(r admin.Resource) []string {
			return []string{r.Name, r.Kind, r.Organisation, r.DisplayName, strconv.FormatUint(uint64(r.Alias), 10), r.ID.String()}
		}))
	return group("resource", "Create, list and delete resources",
		a.resourceCreateCommand(), list, a.deleteCommand("resource", "Delete a resource with its calendar"))
}

func (a *app) resourceCreateCommand() *cobra.Command {
	req := admin.CreateResource{}
	c := &cobra.Command{
		Use: "create KIND NAME", Short: "Create a resource with its calendar", Args: cobra.ExactArgs(2),
		Long: "Create a resource. KIND is staff, room, area, service-point or calendar.",
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Kind, req.Name = args[0], args[1]
			return call(a, cmd, "resource.create", req, func(w io.Writer, res admin.Resource) {
				fmt.Fprintf(w, "Created the %s %q (id %s, alias %d).\n", res.Kind, res.Name, res.ID, res.Alias)
			})
		},
	}
	f := c.Flags()
	idFlag(f, &req.ID)
	f.StringVar(&req.Organisation, "organisation", "", "slug (the only one)")
	f.StringVar(&req.DisplayName, "display-name", "", "name for people")
	f.StringVar(&req.Email, "email", "", "mail address")
	f.Uint32Var(&req.Alias, "alias", 0, "number for APIs that need one (the next free)")
	f.StringVar(&req.Color, "color", "", "#RRGGBB")
	f.StringVar(&req.Zone, "zone", "", "IANA time zone (the organisation's)")
	return c
}
