package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/netutil"

	"waptwua"
	"waptwua/agent"
)

// Service is what a Server offers. Desk and Status are needed.
type Service struct {
	Desk    *Desk
	Status  func() (*agent.Status, error)
	Version string
	Log     *slog.Logger // nil: nothing is logged
}

// The time limits of a connection. writeLimit is above PollLimit; an idle
// connection is closed, so that a service without callers has no timers.
const (
	headLimit  = 5 * time.Second
	readLimit  = 10 * time.Second
	writeLimit = PollLimit + 10*time.Second
	idleLimit  = 30 * time.Second
	maxHead    = 8 << 10
)

// Serve answers on both listeners until ctx ends, and closes them. A nil
// listener is left out. It returns when every request has ended.
func (s *Service) Serve(ctx context.Context, admins, users net.Listener) error {
	var all []net.Listener
	var servers []*http.Server
	for _, e := range []struct {
		l net.Listener
		h http.Handler
	}{{admins, s.adminRoutes()}, {users, s.userRoutes()}} {
		if e.l != nil {
			all = append(all, netutil.LimitListener(e.l, maxConns))
			servers = append(servers, s.server(ctx, e.h))
		}
	}
	ended := make(chan error, len(all))
	for i, l := range all {
		go func() { ended <- servers[i].Serve(l) }()
	}
	var err error
	left := len(all)
	select {
	case <-ctx.Done():
	case err = <-ended:
		left--
	}
	for _, srv := range servers {
		_ = srv.Shutdown(context.WithoutCancel(ctx)) // handlers see ctx end, so this is short
	}
	for range left {
		if end := <-ended; err == nil {
			err = end
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *Service) server(ctx context.Context, h http.Handler) *http.Server {
	srv := &http.Server{
		Handler:           limited(h),
		ReadHeaderTimeout: headLimit, ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: idleLimit,
		MaxHeaderBytes: maxHead,
		BaseContext:    func(net.Listener) context.Context { return ctx },
	}
	if s.Log != nil {
		srv.ErrorLog = slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)
	}
	return srv
}

// limited bounds the body of every request.
func limited(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		h.ServeHTTP(w, r)
	})
}

func (s *Service) userRoutes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /v1/overview", answer(func(*http.Request) (any, error) { return s.overview() }))
	m.HandleFunc("/", answer(func(r *http.Request) (any, error) {
		return nil, fmt.Errorf("%s %s is not offered here: %w", r.Method, r.URL.Path, waptwua.ErrNotFound)
	}))
	return m
}

func (s *Service) adminRoutes() *http.ServeMux {
	m := s.userRoutes()
	m.HandleFunc("GET /v1/status", answer(func(*http.Request) (any, error) { return s.Status() }))
	m.HandleFunc("GET /v1/tasks", answer(func(*http.Request) (any, error) { return s.Desk.Tasks(), nil }))
	m.HandleFunc("POST /v1/tasks", answer(s.order))
	m.HandleFunc("DELETE /v1/tasks/{id}", answer(s.cancel))
	m.HandleFunc("GET /v1/events", answer(s.events))
	return m
}

// accepted is an answer with status 202.
type accepted struct{ Task }

// answer makes a handler of a function that returns what is to be sent.
func answer(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r)
		status := http.StatusOK
		if a, ok := v.(accepted); ok {
			v, status = a.Task, http.StatusAccepted
		}
		if err != nil {
			v, status = problemOf(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // the caller has gone: nothing to be done
	}
}

func problemOf(err error) (Problem, int) {
	code, status := codeOf(err)
	var bad badOrder
	if errors.As(err, &bad) {
		status = http.StatusBadRequest
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		code, status = "limit", http.StatusRequestEntityTooLarge
	}
	return Problem{Code: code, Error: err.Error()}, status
}

// decode reads a body. Members that do not exist are refused, as is a
// second value.
func decode(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badOrder{fmt.Errorf("reading the request: %w", err)}
	}
	if d.More() {
		return badOrder{errors.New("reading the request: more than one value")}
	}
	return nil
}

func (s *Service) order(r *http.Request) (any, error) {
	var o Order
	if err := decode(r, &o); err != nil {
		return nil, err
	}
	t, err := s.Desk.Submit(o)
	return accepted{t}, err
}

func (s *Service) cancel(r *http.Request) (any, error) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, badOrder{fmt.Errorf("number of a task: %w", err)}
	}
	return s.Desk.Cancel(id)
}

func (s *Service) events(r *http.Request) (any, error) {
	after := uint64(0)
	if v := r.URL.Query().Get("after"); v != "" {
		var err error
		if after, err = strconv.ParseUint(v, 10, 64); err != nil {
			return nil, badOrder{fmt.Errorf("number of an event: %w", err)}
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), PollLimit)
	defer cancel()
	list := s.Desk.Events(ctx, after)
	if list == nil {
		list = []Event{}
	}
	return list, nil
}
