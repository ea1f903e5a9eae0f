package api

import (
	"net/http"

	"daybook/api/rest"
)

// probe is the answer of /livez and /readyz.
type probe struct {
	Status string  `json:"status"` // ok or unavailable
	Checks []check `json:"checks,omitempty"`
}

// check is one thing that was looked at, with ?verbose.
type check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

// probes mounts /livez (the process answers) and /readyz (it should be asked).
// A store that cannot be written to is shown, but does not make the daemon
// unready: reads go on.
func probes(mux *patterns, o Options) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeProbe(w, http.StatusOK, probe{Status: "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		p, status := probe{Status: "ok"}, http.StatusOK
		var ready error
		if o.Ready != nil {
			ready = o.Ready()
		}
		if ready != nil {
			p.Status, status = "unavailable", http.StatusServiceUnavailable
		}
		if r.URL.Query().Has("verbose") {
			p.Checks = []check{checked("daemon", ready)}
			if o.Store != nil {
				p.Checks = append(p.Checks, checked("store-writable", o.Store.Writable()))
			}
		}
		writeProbe(w, status, p)
	})
}

func checked(name string, err error) check {
	if err != nil {
		return check{Name: name, Reason: err.Error()}
	}
	return check{Name: name, OK: true}
}

func writeProbe(w http.ResponseWriter, status int, p probe) {
	w.Header().Set("Cache-Control", "no-store")
	rest.WriteJSON(w, "application/json", status, p)
}
