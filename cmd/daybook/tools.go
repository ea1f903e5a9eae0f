package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (a *app) healthcheckCommand() *cobra.Command {
	var target string
	timeout := 5 * time.Second
	c := &cobra.Command{
		Use: "healthcheck", Short: "Ask the running daemon whether it is ready; the exit code says it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if target == "" {
				l, err := a.load(cmd)
				if err != nil {
					return err
				}
				c := l.Config
				listen := c.Listen
				if strings.HasSuffix(listen, ":0") {
					listen = listenAddress(&c)
				}
				c.PublicURL = "" // the daemon itself is asked, not its proxy
				target = baseURL(&c, listen) + "/readyz"
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			status, err := probe(ctx, target)
			if err != nil {
				return fmt.Errorf("the daemon does not answer: %w", err)
			}
			if err := a.show(map[string]any{"url": target, "status": status, "ready": status == http.StatusOK}, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d %s\n", target, status, http.StatusText(status))
			}); err != nil {
				return err
			}
			if status != http.StatusOK {
				return errReported
			}
			return nil
		},
	}
	c.Flags().StringVar(&target, "url", "", "address to ask (/readyz of the configured daemon)")
	c.Flags().DurationVar(&timeout, "timeout", timeout, "how long to wait")
	return c
}

func probe(ctx context.Context, target string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return 0, err
	}
	// The certificate is for the name that clients use, not for the address
	// asked here, and nothing secret is sent.
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if cerr := resp.Body.Close(); err == nil {
		err = cerr
	}
	return resp.StatusCode, err
}

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write manual pages into a folder", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // the pages of one version are the same whenever they are made
			err := doc.GenManTree(root, &doc.GenManHeader{Title: "DAYBOOK", Section: "1", Source: "Daybook " + version(), Manual: "Daybook"}, args[0])
			if err != nil {
				return fmt.Errorf("write manual pages: %w", err)
			}
			return nil
		},
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := map[string]string{"version": version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH}
			return a.show(v, func(w io.Writer) {
				fmt.Fprintf(w, "daybook %s (%s, %s/%s)\n", v["version"], v["go"], v["os"], v["arch"])
			})
		},
	}
}
