package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strconv"

	"waptwua"
	"waptwua/agent"
)

// Client talks to the service. It is safe for concurrent use. Errors wrap
// ErrUnreachable when no service answers, waptwua.ErrForbidden when the
// caller may not open this endpoint, and the sentinel that the service named.
type Client struct{ http *http.Client }

// NewClient makes a client whose connections dial makes: see Admins and Users.
func NewClient(dial func(context.Context) (net.Conn, error)) *Client {
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		MaxIdleConns:        1,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     idleLimit / 2, // before the service closes it
	}}}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// maxAnswer bounds what is read of an answer: a status with thousands of
// updates.
const maxAnswer = 64 << 20

// Overview asks what a user may know.
func (c *Client) Overview(ctx context.Context) (o Overview, err error) {
	return o, c.call(ctx, http.MethodGet, "overview", nil, &o)
}

// Status asks all that is known. For administrators, as all that follows.
func (c *Client) Status(ctx context.Context) (*agent.Status, error) {
	var s agent.Status
	return &s, c.call(ctx, http.MethodGet, "status", nil, &s)
}

// Tasks asks for the tasks under way and the last finished ones.
func (c *Client) Tasks(ctx context.Context) (list []Task, err error) {
	return list, c.call(ctx, http.MethodGet, "tasks", nil, &list)
}

// Order orders a task.
func (c *Client) Order(ctx context.Context, o Order) (t Task, err error) {
	return t, c.call(ctx, http.MethodPost, "tasks", o, &t)
}

// Cancel ends a task.
func (c *Client) Cancel(ctx context.Context, id uint64) (t Task, err error) {
	return t, c.call(ctx, http.MethodDelete, "tasks/"+strconv.FormatUint(id, 10), nil, &t)
}

// Events asks for the events after a number; none is an answer, too.
func (c *Client) Events(ctx context.Context, after uint64) (list []Event, err error) {
	return list, c.call(ctx, http.MethodGet, "events?after="+strconv.FormatUint(after, 10), nil, &list)
}

// Follow tells each state of the task, beginning with t, until it has ended,
// and returns the last one. The error is about the connection; what the task
// ended with is its Err.
func (c *Client) Follow(ctx context.Context, t Task, tell func(Task)) (Task, error) {
	tell(t)
	after := uint64(0)
	for !t.Ended() {
		list, err := c.Events(ctx, after)
		if err != nil {
			return t, err
		}
		for _, e := range list {
			after = e.N
			if e.Task.ID == t.ID && !t.Ended() {
				t = e.Task
				tell(t)
			}
		}
	}
	return t, nil
}

func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("asking the service: %w", err)
		}
		send = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://waptwua/v1/"+path, send)
	if err != nil {
		return fmt.Errorf("asking the service: %w", err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer res.Body.Close()
	d := json.NewDecoder(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode >= 300 {
		var p Problem
		if err := d.Decode(&p); err != nil || p.Error == "" {
			return fmt.Errorf("the service answered %s", res.Status)
		}
		return errorOf(p.Code, p.Error)
	}
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("reading the service's answer: %w", err)
	}
	return nil
}

// unreachable says why nobody answered.
func unreachable(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("only administrators may ask the service for this: %w", waptwua.ErrForbidden)
	}
	return fmt.Errorf("%w (%v); start it with: wapt-get service start", ErrUnreachable, err)
}
