package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Client reaches a daemon over its socket.
type Client struct {
	path string
	http *http.Client
}

// Dial connects to the daemon's socket, and gives an error when nobody
// answers there.
func Dial(ctx context.Context, path string) (*Client, error) {
	d := net.Dialer{Timeout: 2 * time.Second}
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	_ = c.Close()
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
	}}}, nil
}

// Close lets the connections go.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// ErrCutOff tells that the daemon went away before the operation was done.
var ErrCutOff = errors.New("the daemon ended before the answer was complete; what was reported is done, the rest is not known")

// Call runs the operation in the daemon.
func (c *Client) Call(ctx context.Context, name string, request any, st *Stream) (json.RawMessage, error) {
	line, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	body := io.Reader(bytes.NewReader(append(line, '\n')))
	if st.In != nil {
		body = io.MultiReader(body, st.In)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://daemon"+pathPrefix+name, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon at %s: %w", c.path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask the daemon at %s: %s", c.path, resp.Status)
	}
	return events(resp.Body, st)
}

// events reads the answer to its end.
func events(body io.Reader, st *Stream) (json.RawMessage, error) {
	d := json.NewDecoder(body)
	for {
		var ev event
		if err := d.Decode(&ev); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, ErrCutOff
			}
			return nil, fmt.Errorf("%w (%w)", ErrCutOff, err)
		}
		switch {
		case ev.Error != nil:
			return nil, ev.Error
		case ev.Result != nil:
			return ev.Result, nil
		case ev.Progress != nil:
			st.progress(ev.Progress.Done, ev.Progress.Total)
		case ev.Item != nil && st.OnItem != nil:
			if err := st.OnItem(ev.Item); err != nil {
				return nil, err
			}
		case ev.Data != nil && st.Out != nil:
			if _, err := st.Out.Write(ev.Data); err != nil {
				return nil, err
			}
		}
	}
}
