package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"

	"daybook/configs"
	"daybook/store"
	"daybook/sync/guard"
	"daybook/sync/webhooks"
)

// fetcherName begins what the daemon calls itself when it fetches.
const fetcherName = "Daybook/"

// newFetcher makes the client for everything that is fetched from elsewhere.
// The listeners are the daemon's own; one that is nil is left out.
func newFetcher(c *configs.Config, st *store.Store, listeners ...net.Listener) (*guard.Client, error) {
	allow, err := configs.Networks(c.FetchAllow)
	if err != nil {
		return nil, fmt.Errorf("fetch_allow %w", err)
	}
	ranges, err := configs.Ports(c.FetchPorts)
	if err != nil {
		return nil, fmt.Errorf("fetch_ports %w", err)
	}
	o := guard.Options{
		Allow: allow, MaxBody: int64(c.MaxFetch), Timeout: c.FetchTimeout, UserAgent: fetcherName + version(),
		Own: guard.Own{Mark: st.Epoch()},
	}
	for _, r := range ranges {
		o.Ports = append(o.Ports, guard.Ports{From: r[0], To: r[1]})
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil {
			return nil, fmt.Errorf("public_url: %w", err)
		}
		o.Own.URLs = append(o.Own.URLs, u)
	}
	for _, l := range listeners {
		if l == nil {
			continue
		}
		if ap, err := netip.ParseAddrPort(l.Addr().String()); err == nil {
			o.Own.Listen = append(o.Own.Listen, ap)
		}
	}
	return guard.New(o), nil
}

// newWebhooks makes the worker that delivers to webhooks.
func newWebhooks(c *configs.Config, d *daybook) (*webhooks.Worker, error) {
	return webhooks.New(webhooks.Options{
		Store: d.store, Client: d.fetch.Unredirected(c.WebhookTimeout), Log: d.log, Metrics: d.metrics,
		Attempts: c.WebhookAttempts, GiveUp: c.WebhookGiveUp, Timeout: c.WebhookTimeout,
	})
}
