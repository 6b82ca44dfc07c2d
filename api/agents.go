package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"waptwua"
	"waptwua/server"
	"waptwua/transport"
)

// reportsAtOnce bounds the reports that are in memory at a time.
const reportsAtOnce = 32

// AgentTLS is how the agents' listener speaks: own is the server's
// certificate, ca issues those of hosts.
func AgentTLS(own tls.Certificate, ca *x509.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{own},
		ClientCAs:    pool,
		ClientAuth:   tls.VerifyClientCertIfGiven, // enrolment has none yet; every other path asks for one
	}
}

// agents serves hosts.
type agents struct {
	srv     *server.Server
	log     *slog.Logger
	refused *failures
	reports *gate
}

// NewAgents returns the handler of the agents' listener.
func NewAgents(srv *server.Server, log *slog.Logger, now func() time.Time) http.Handler {
	a := &agents{srv: srv, log: log, refused: newFailures(20, 3*time.Second, now), reports: newGate(reportsAtOnce, 10*time.Second)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+transport.PathEnrol, a.enrol)
	mux.Handle("POST "+transport.PathReport, a.host(a.report))
	mux.Handle("GET "+transport.PathRules, a.host(a.rules))
	mux.Handle("GET "+transport.PathFiles+"{name}", a.host(a.file))
	mux.Handle("GET "+transport.PathRelease, a.host(a.release))
	mux.Handle("GET "+transport.PathReleaseFiles+"{name}", a.host(a.releaseFile))
	mux.Handle("/", a.host(func(w http.ResponseWriter, r *http.Request, _ string) {
		writeError(w, r, log, fmt.Errorf("%s: %w", r.URL.Path, waptwua.ErrNotFound))
	}))
	return plainHeaders(mux)
}

// plainHeaders keeps browsers and caches from interpreting what agents fetch.
func plainHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

// host lets only recognised hosts through; uuid is who asks.
func (a *agents) host(next func(w http.ResponseWriter, r *http.Request, uuid string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			writeError(w, r, a.log, fmt.Errorf("a host's certificate is needed here; register the host: %w", server.ErrSignIn))
			return
		}
		uuid, err := a.srv.Enrolment.Authenticate(r.Context(), r.TLS.VerifiedChains[0][0])
		if err != nil {
			writeError(w, r, a.log, err)
			return
		}
		next(w, r, uuid)
	})
}

func (a *agents) enrol(w http.ResponseWriter, r *http.Request) {
	from := remote(r)
	if err := a.refused.allow(from); err != nil {
		writeError(w, r, a.log, err)
		return
	}
	var req transport.EnrolRequest
	err := readJSON(w, r, transport.MaxEnrol, &req)
	var answer transport.EnrolResponse
	if err == nil {
		answer, err = a.srv.Enrolment.Enrol(r.Context(), req, from)
	}
	if err != nil {
		if errors.Is(err, server.ErrSignIn) {
			a.refused.count(from)
		}
		writeError(w, r, a.log, err)
		return
	}
	a.log.InfoContext(r.Context(), "host enrolled", "host", req.Host.UUID, "from", from)
	writeJSON(w, r, a.log, answer)
}

func (a *agents) report(w http.ResponseWriter, r *http.Request, uuid string) {
	if err := a.reports.enter(r.Context()); err != nil {
		writeError(w, r, a.log, err)
		return
	}
	defer a.reports.leave()
	ack, err := a.ingest(w, r, uuid)
	if err != nil {
		writeError(w, r, a.log, err)
		return
	}
	writeJSON(w, r, a.log, ack)
}

func (a *agents) ingest(w http.ResponseWriter, r *http.Request, uuid string) (transport.ReportAck, error) {
	var rep transport.Report
	if err := readJSON(w, r, transport.MaxReport, &rep); err != nil {
		return transport.ReportAck{}, err
	}
	// What is read is taken, also when the host hangs up now: it asks again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
	defer cancel()
	return a.srv.Reports.Ingest(ctx, uuid, &rep)
}

func (a *agents) rules(w http.ResponseWriter, r *http.Request, _ string) {
	set, digest, err := a.srv.Rules.Set(r.Context())
	if err != nil {
		writeError(w, r, a.log, err)
		return
	}
	tag := `"` + digest + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(w, r, a.log, set)
}

// file serves one file of the shelf.
func (a *agents) file(w http.ResponseWriter, r *http.Request, _ string) {
	f, info, err := a.srv.Shelf.Open(r.Context(), r.PathValue("name"))
	if err != nil {
		writeError(w, r, a.log, err)
		return
	}
	defer f.Close()
	serveFile(w, r, f, info)
}

// release serves the newest release of the agent.
func (a *agents) release(w http.ResponseWriter, r *http.Request, _ string) {
	envelope, digest, err := a.srv.Releases.Current(r.Context())
	if err != nil {
		writeError(w, r, a.log, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", `"`+digest+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(envelope))
}

// releaseFile serves a program that a release names.
func (a *agents) releaseFile(w http.ResponseWriter, r *http.Request, _ string) {
	f, info, err := a.srv.Releases.Open(r.Context(), r.PathValue("name"))
	if err != nil {
		writeError(w, r, a.log, err)
		return
	}
	defer f.Close()
	serveFile(w, r, f, info)
}

// serveFile serves a file. http.ServeContent does ranges and conditions by
// the entity tag and the date.
func serveFile(w http.ResponseWriter, r *http.Request, f io.ReadSeeker, info server.FileInfo) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if info.ETag != "" {
		h.Set("ETag", info.ETag)
	}
	http.ServeContent(w, r, "", info.Modified, f)
}
