package api

import (
	"crypto/sha256"
	_ "embed" // the page is part of the binary
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

//go:embed page.html
var pageHTML string

// robots lets everybody fetch what they were given the address of; feeds say
// themselves that they are not to be indexed.
const robots = "User-agent: *\nDisallow:\n"

// pages mounts the web page and robots.txt.
func pages(mux *patterns) {
	policy := contentPolicy(pageHTML)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, pageHTML) // the client may be gone
	})
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, robots) // the client may be gone
	})
}

// contentPolicy allows the page's own style and script, by their hashes, and
// nothing from elsewhere.
func contentPolicy(page string) string {
	hash := func(tag string) string {
		_, rest, _ := strings.Cut(page, "<"+tag+">")
		text, _, _ := strings.Cut(rest, "</"+tag+">")
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src " + hash("style") + "; script-src " + hash("script")
}
