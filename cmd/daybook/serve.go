package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"daybook/api/admin"
	"daybook/configs"
	"daybook/store"
	"daybook/sync/guard"
	"daybook/sync/pull"
	"daybook/sync/webhooks"
)

func (a *app) serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "serve", Short: "Run the daemon", Args: cobra.NoArgs,
		Long: `Run the daemon. Without any configuration it makes its data folder, an organisation and an administrator whose password
is shown once, and listens on loopback. The first signal (SIGINT, SIGTERM) lets requests finish, the second ends at once.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.load(cmd)
			if err != nil {
				return err
			}
			return a.serve(cmd.Context(), &l.Config)
		},
	}
	configs.Flags(c.Flags())
	return c
}

// daybook is the running daemon: what it has open, in the order of opening.
type daybook struct {
	config  *configs.Config
	log     *slog.Logger
	metrics *prometheus.Registry
	store   *store.Store
	fetch   *guard.Client // for all that is fetched from elsewhere
	hooks   *webhooks.Worker
	puller  *pull.Puller
	runner  runner
	down    atomic.Bool   // going down; /readyz says so
	ending  chan struct{} // closed then: streams end

	main, extra, socket net.Listener // extra may be nil
	tls                 *tls.Config  // nil: no TLS
	servers             []*http.Server
	failed              chan error
	release             func()
}

var errGoingDown = errors.New("going down")

func (d *daybook) ready() error {
	if d.down.Load() {
		return errGoingDown
	}
	return nil
}

// serve runs the daemon until ctx ends.
func (a *app) serve(ctx context.Context, c *configs.Config) error {
	d := &daybook{config: c, log: newLogger(c, a.stderr, slog.LevelDebug), failed: make(chan error, 3), ending: make(chan struct{})}
	first, err := d.start(ctx, a.environ)
	if err != nil {
		return errors.Join(err, d.stop())
	}
	if err := a.show(d.welcome(first), d.describe(first)); err != nil {
		return errors.Join(err, d.stop())
	}
	d.notify(daemon.SdNotifyReady)
	if d.tls == nil && c.TrustProxy == "" && !loopback(d.main.Addr().String()) {
		d.log.Warn("passwords cross the network readable: set tls_cert and tls_key, or listen on loopback behind a proxy that ends TLS")
	}
	d.log.Info("serving", "listen", d.main.Addr().String(), "data", c.Data)
	select {
	case err = <-d.failed:
		d.log.Error("a listener failed", "err", err)
	case <-ctx.Done():
	}
	return errors.Join(err, d.stop())
}

// start opens everything. What it opened before an error is closed by stop.
func (d *daybook) start(ctx context.Context, environ []string) (first admin.SetUp, err error) {
	c := d.config
	d.metrics = newRegistry()
	d.store, err = openStore(ctx, c, store.Options{Create: true, Log: d.log, Metrics: d.metrics, MaxMembers: uint64(c.MaxMembers)})
	if err != nil {
		return first, err
	}
	if err := d.listen(ctx); err != nil {
		return first, err
	}
	if d.release, err = hold(c, "serve", d.main.Addr().String()); err != nil {
		return first, err
	}
	if d.fetch, err = newFetcher(c, d.store, d.main, d.extra); err != nil {
		return first, err
	}
	if d.hooks, err = newWebhooks(c, d); err != nil {
		return first, err
	}
	d.puller = newPuller(c, d.store, d.fetch, d.log, d.metrics)
	if d.runner, err = newRunner(c, d.store, d.log, d.metrics, d.puller); err != nil {
		return first, err
	}
	service := newService(c, d.store, d.runner, d.puller)
	first, err = admin.Call[admin.SetUp](ctx, service, "setup", admin.Setup{
		Slug: "daybook", Name: "Daybook", Zone: firstZone(c, environ), Admin: "admin", Password: c.AdminPassword,
	}, nil)
	if err != nil {
		return first, fmt.Errorf("set up the empty store: %w", err)
	}
	if err := d.handle(service); err != nil {
		return first, err
	}
	d.hooks.Start()
	return first, d.runner.Start(ctx)
}

// listen opens every listener before anything is served, so that a bad
// address is told at once.
func (d *daybook) listen(ctx context.Context) (err error) {
	c := d.config
	if c.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return fmt.Errorf("tls_cert, tls_key: %w", err)
		}
		d.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	if d.socket, err = admin.Listen(socketPath(c)); err != nil {
		return err
	}
	var lc net.ListenConfig
	if d.main, err = lc.Listen(ctx, "tcp", c.Listen); err != nil {
		return fmt.Errorf("listen: %w; choose another address with --listen", err)
	}
	if c.MetricsListen == "" {
		return nil
	}
	if d.extra, err = lc.Listen(ctx, "tcp", c.MetricsListen); err != nil {
		return fmt.Errorf("listen for metrics: %w; choose another address with --metrics-listen", err)
	}
	return nil
}

// handle makes the handlers and serves them.
func (d *daybook) handle(service *admin.Service) error {
	c := d.config
	h, err := d.handler()
	if err != nil {
		return err
	}
	srv := newServer(c, d.log, h)
	d.goServe(srv, func() error {
		if d.tls != nil {
			srv.TLSConfig = d.tls
			return srv.ServeTLS(d.main, "", "")
		}
		return srv.Serve(d.main)
	})
	if d.extra != nil {
		srv := newServer(c, d.log, d.probeHandler())
		d.goServe(srv, func() error { return srv.Serve(d.extra) })
	}
	// Imports and backups take as long as they take.
	operator := &http.Server{
		Handler: admin.Handler(service, d.log), ReadHeaderTimeout: c.ReadHeaderTimeout, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelWarn),
	}
	d.goServe(operator, func() error { return operator.Serve(d.socket) })
	return nil
}

func (d *daybook) goServe(srv *http.Server, serve func() error) {
	d.servers = append(d.servers, srv)
	go func() {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- err
		}
	}()
}

// stop lets requests and jobs finish, as long as the configuration allows, and
// closes the file after them. It stops what was started, also when that is not
// all.
func (d *daybook) stop() error {
	d.down.Store(true)
	close(d.ending)
	d.notify(daemon.SdNotifyStopping)
	ctx, cancel := context.WithTimeout(context.Background(), d.config.ShutdownTimeout)
	defer cancel()
	var errs []error
	for _, srv := range d.servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("requests were cut off after %s: %w", d.config.ShutdownTimeout, err), srv.Close())
		}
	}
	if d.runner.Runner != nil {
		errs = append(errs, d.runner.Stop(ctx))
	}
	if d.hooks != nil {
		d.hooks.Stop(ctx)
	}
	if d.fetch != nil {
		d.fetch.Close()
	}
	for _, l := range []net.Listener{d.socket, d.main, d.extra} {
		if l != nil {
			_ = l.Close() // closed by its server, if it had one
		}
	}
	if d.release != nil {
		d.release()
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	if d.runner.Runner != nil {
		d.log.Info("stopped")
	}
	return nil
}

func (d *daybook) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		d.log.Warn("the service manager was not told", "err", err)
	}
}

// welcome is what a person needs to connect.
type welcome struct {
	URL      string `json:"url"` // to paste into a calendar app
	CalDAV   string `json:"caldav"`
	Health   string `json:"health"`
	Metrics  string `json:"metrics,omitempty"`
	Data     string `json:"data"`
	User     string `json:"user,omitempty"`     // only at the first start
	Password string `json:"password,omitempty"` // only at the first start, when it was made here
}

func (d *daybook) welcome(first admin.SetUp) welcome {
	base := baseURL(d.config, d.main.Addr().String())
	w := welcome{URL: base, CalDAV: base + "/dav/", Health: base + "/readyz", Data: d.config.Data, User: first.User, Password: first.Password}
	switch {
	case d.extra != nil:
		w.Metrics = "http://" + reachable(d.extra.Addr().String()) + "/metrics"
	case d.metricsOnMain():
		w.Metrics = base + "/metrics"
	}
	return w
}

func (d *daybook) describe(first admin.SetUp) func(io.Writer) {
	x := d.welcome(first)
	return func(w io.Writer) {
		fmt.Fprintf(w, "Daybook keeps its data in %s and listens on %s.\n\n", x.Data, d.main.Addr())
		rows := [][]string{{"  Calendar app (CalDAV)", x.CalDAV}}
		if first.Done {
			rows = append(rows, []string{"  User name", x.User})
			password := x.Password
			if password == "" {
				password = "(as configured)"
			} else {
				password += "   (shown this once)"
			}
			rows = append(rows, []string{"  Password", password})
		} else {
			rows = append(rows, []string{"  User and password", "daybook user list; daybook user password NAME"})
		}
		rows = append(rows, []string{"  Feed for subscribers", "daybook feed create NAME"}, []string{"  Health", x.Health})
		if x.Metrics != "" {
			rows = append(rows, []string{"  Metrics", x.Metrics})
		}
		table(w, rows)
		fmt.Fprintln(w)
	}
}

// firstZone is the zone of the organisation of an empty store.
func firstZone(c *configs.Config, environ []string) string {
	if c.Zone != "" {
		return c.Zone
	}
	return systemZone(environ)
}

// systemZone gives the IANA name of the machine's zone, or UTC. Go knows the
// machine's rules, but not what they are called.
func systemZone(environ []string) string {
	candidates := []string{}
	for _, v := range environ {
		if tz, ok := strings.CutPrefix(v, "TZ="); ok {
			candidates = append(candidates, strings.TrimPrefix(tz, ":"))
		}
	}
	if link, err := os.Readlink("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(link, "zoneinfo/"); ok {
			candidates = append(candidates, name)
		}
	}
	if b, err := os.ReadFile("/etc/timezone"); err == nil && len(b) < 100 {
		candidates = append(candidates, strings.TrimSpace(string(b)))
	}
	for _, name := range candidates {
		if name != "" && name != "Local" {
			if _, err := time.LoadLocation(name); err == nil {
				return name
			}
		}
	}
	return "UTC"
}
