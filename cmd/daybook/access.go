package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"daybook/api/admin"
	"daybook/configs"
)

func (a *app) grantCommand() *cobra.Command {
	set := &cobra.Command{
		Use: "set WHO TARGET RIGHT...", Short: "Give exactly these rights on a target", Args: cobra.MinimumNArgs(3),
		Long:    "Give WHO (a user) exactly these rights on TARGET (an organisation, a resource, a user whose home is shared, or one calendar\nof a user, as USER/CALENDAR): read-free-busy, read, delete, write, admin.",
		Example: "  daybook grant set grace demo write\n  daybook grant set grace room-1 read\n  daybook grant set grace henry/work read",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.setGrant(cmd, args[0], args[1], args[2:]) },
	}
	remove := &cobra.Command{
		Use: "remove WHO TARGET", Short: "Take every right on a target away", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return a.setGrant(cmd, args[0], args[1], nil) },
	}
	var target string
	list := listCommand(a, "List grants", "grant.list", func(*cobra.Command) any { return admin.ListGrants{Target: target} },
		[]string{"WHO", "TARGET", "RIGHTS"},
		func(g admin.Grant) []string { return []string{g.Subject, g.Target, strings.Join(g.Rights, ",")} })
	list.Flags().StringVar(&target, "target", "", "only those on it")
	return group("grant", "Set, remove and list who may do what", set, remove, list)
}

func (a *app) setGrant(cmd *cobra.Command, who, target string, rights []string) error {
	var words []string
	for _, r := range rights {
		words = append(words, strings.Split(r, ",")...)
	}
	return call(a, cmd, "grant.set", admin.Grant{Subject: who, Target: target, Rights: words}, func(w io.Writer, res admin.Grant) {
		if len(res.Rights) == 0 {
			fmt.Fprintf(w, "%s has no rights on %s any more.\n", res.Subject, res.Target)
			return
		}
		fmt.Fprintf(w, "%s may now %s on %s.\n", res.Subject, strings.Join(res.Rights, ", "), res.Target)
	})
}

func (a *app) tokenCommand() *cobra.Command {
	list := organisationFlag(listCommand(a, "List tokens", "token.list", ofOrganisation,
		[]string{"ID", "KIND", "ORGANISATION", "USER", "GRANTS", "LABEL", "EXPIRES", "LAST USED"},
		func(t admin.Token) []string {
			return []string{t.ID, t.Kind, t.Organisation, t.User, strings.Join(t.Grants, ","), t.Label, day(t.Expires), hour(t.LastUsed)}
		}))
	return group("token", "Create, list and revoke tokens, app passwords and keys",
		a.tokenCreateCommand(), list, a.revokeCommand("token", "Revoke a token"))
}

func (a *app) tokenCreateCommand() *cobra.Command {
	req := admin.CreateToken{}
	var expires string
	c := &cobra.Command{
		Use: "create [ID]", Short: "Create a token", Args: cobra.MaximumNArgs(1),
		Long: `Create a token and show it, this once. Its kind says how it is presented:
  bearer  Authorization: Bearer ID.SECRET
  app     an app password of a user: Basic authentication with ID.SECRET as the password
  onlive  a key that signs requests
  timetap a key and a private key, for a session token`,
		Example: "  daybook token create --grant write\n  daybook token create phone --kind app --user grace --expires 365d",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) > 0 {
				req.ID = args[0]
			}
			if req.Expires, err = expiry(expires, time.Now()); err != nil {
				return err
			}
			return call(a, cmd, "token.create", req, func(w io.Writer, res admin.Secret) { describeToken(w, res) })
		},
	}
	f := c.Flags()
	f.StringVar(&req.Kind, "kind", "bearer", "bearer, app, onlive, timetap")
	f.StringVar(&req.Organisation, "organisation", "", "slug (the only one)")
	f.StringVar(&req.User, "user", "", "user whose rights it carries")
	f.StringSliceVar(&req.Grants, "grant", nil, "RIGHT on the organisation, or RIGHT@TARGET (a target as in grant set); with --user they limit the user's rights")
	f.StringVar(&req.Label, "label", "", "what it is for")
	f.StringVar(&expires, "expires", "", "a day (2027-01-31) or a time from now (90d)")
	return c
}

func describeToken(w io.Writer, s admin.Secret) {
	switch s.Kind {
	case "app":
		fmt.Fprintf(w, "User name: %s\nApp password, shown this once: %s\n", s.User, s.Token)
	case "onlive", "timetap":
		fmt.Fprintf(w, "Credential: %s\nSecret, shown this once: %s\n", s.ID, s.Secret)
	default:
		fmt.Fprintf(w, "Token, shown this once: %s\nSend it as \"Authorization: Bearer %s\".\n", s.Token, s.Token)
	}
}

func (a *app) revokeCommand(what, short string) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, what+".revoke", admin.ByID{ID: args[0]}, func(w io.Writer, res admin.ByID) { fmt.Fprintf(w, "Revoked the %s %s.\n", what, res.ID) })
		},
	}
}

// expiry reads a day or a duration from now.
func expiry(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		d, derr := configs.ParseDuration(s)
		if derr != nil {
			return t, usagef("--expires %q is neither a day such as 2027-01-31 nor a time from now such as 90d", s)
		}
		t = now.Add(d)
	}
	if !t.After(now) {
		return t, usagef("--expires %q is in the past", s)
	}
	return t.UTC(), nil
}

func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.DateOnly)
}

func hour(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// listenAddress is where the daemon listens, or will.
func listenAddress(c *configs.Config) string {
	if h, err := readHolder(c); err == nil && h.Listen != "" {
		return h.Listen
	}
	return c.Listen
}

// baseURL is the address of the daemon as clients see it, without a slash at
// the end.
func baseURL(c *configs.Config, listen string) string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/")
	}
	u := url.URL{Scheme: "http", Host: reachable(listen)}
	if c.TLSCert != "" {
		u.Scheme = "https"
	}
	return u.String()
}
