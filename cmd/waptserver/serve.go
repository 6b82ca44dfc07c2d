package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/api"
	"waptwua/internal/filelock"
	"waptwua/internal/pki"
	"waptwua/notify/inproc"
	"waptwua/server"
	"waptwua/server/jobs"
	"waptwua/signing"
	"waptwua/store/sqlite"
)

// version is set by the linker.
var version = "development"

// stopWithin bounds how long requests that run may delay a stop.
const stopWithin = 10 * time.Second

// serving is what `waptserver serve` prints when it is ready.
type serving struct {
	Agents  string `json:"agents"`
	Console string `json:"console"`
	Data    string `json:"data"`
}

// newServeCommand is `waptserver serve`.
func newServeCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "Run the server",
		Long: `Runs the server until it is interrupted (SIGINT or SIGTERM): hosts on one
listener, the administration on another, and the background jobs. The addresses
and the settings that differ from the defaults are printed when it is ready.

One server at a time uses a data directory. A server that was killed goes on
where it stopped.

Exit status: 0 after an interruption, 1 when it could not start or had to stop.`,
		Example: `  waptserver serve --data /var/lib/waptserver`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return serve(ctx, dir, asJSON, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	addData(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the addresses as one line of JSON")
	return cmd
}

// serve runs a server until ctx ends.
func serve(ctx context.Context, dir string, asJSON bool, stdout, stderr io.Writer) (err error) {
	s, err := openSite(dir)
	if err != nil {
		return err
	}
	lock, err := filelock.Try(s.path("lock"))
	if errors.Is(err, filelock.ErrLocked) {
		return fmt.Errorf("a server runs in %s already; stop it first: %w", s.dir, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: s.level}))
	p, err := s.start(ctx, log, stderr)
	if err != nil {
		return err
	}
	if err := p.announce(stdout, asJSON); err != nil {
		return errors.Join(err, p.stop())
	}
	select {
	case <-ctx.Done():
		log.Info("stopping")
		return p.stop()
	case err := <-p.failed:
		return errors.Join(err, p.stop())
	}
}

// process is a running server; stop undoes, in reverse order, what started.
type process struct {
	*site
	log     *slog.Logger
	cancel  context.CancelFunc // ends long answers
	undo    []func() error
	failed  chan error
	agents  net.Listener
	console net.Listener
	tlsUI   bool
}

func (p *process) stop() error {
	p.cancel()
	var err error
	for i := len(p.undo) - 1; i >= 0; i-- {
		err = errors.Join(err, p.undo[i]())
	}
	return err
}

// start brings everything up, or takes down again what was up.
func (s *site) start(ctx context.Context, log *slog.Logger, stderr io.Writer) (*process, error) {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &process{site: s, log: log, cancel: cancel, failed: make(chan error, 2)}
	if err := p.up(run, stderr); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *process) up(ctx context.Context, stderr io.Writer) error {
	now := time.Now
	db, err := p.openStore(ctx)
	if err != nil {
		return err
	}
	p.undo = append(p.undo, db.Close)
	o, err := p.openOrigin(ctx, p.log, now)
	if err != nil {
		return err
	}
	p.undo = append(p.undo, o.shelf.Close, o.loader.Close)
	ca, err := p.identity("ca")
	if err != nil {
		return err
	}
	authority, err := pki.NewAuthority(ca, now)
	if err != nil {
		return err
	}
	queueLog := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: max(p.level, slog.LevelWarn)}))
	queue, err := jobs.NewQueue(db.Queue(), queueLog)
	if err != nil {
		return err
	}
	srv, err := p.services(db, o, authority, queue, now)
	if err != nil {
		return err
	}
	if err := p.runJobs(ctx, db, srv, queue, queueLog, now); err != nil {
		return err
	}
	return p.listen(ctx, srv, authority, now)
}

func (p *process) services(db *sqlite.DB, o *origin, authority *pki.Authority, queue *jobs.Queue, now func() time.Time) (*server.Server, error) {
	id, err := p.identity("signing")
	if err != nil {
		return nil, err
	}
	signer, err := signing.NewSigner(id)
	if err != nil {
		return nil, err
	}
	trust, err := p.administrators()
	if err != nil {
		return nil, err
	}
	releases, err := p.openReleases()
	if err != nil {
		return nil, err
	}
	p.undo = append(p.undo, releases.Close)
	return server.New(server.Parts{
		Releases: releases,
		Store:    db, Shelf: o.shelf, Notify: new(inproc.Notifier), Queue: queue,
		Archiver: o.archive, Fetcher: o.payloads, Scrubber: o.payloads, Loader: o.loader,
		Authority: authority, Signer: signer, Administrators: trust,
		Settings: p.site.server, Log: p.log, Now: now,
	})
}

// runJobs tidies up after a killed process, then starts the jobs.
func (p *process) runJobs(ctx context.Context, db *sqlite.DB, srv *server.Server, queue *jobs.Queue, log *slog.Logger, now func() time.Time) error {
	if err := errors.Join(srv.Upkeep.Begin(ctx), db.RescueJobs(ctx)); err != nil {
		return err
	}
	plan := p.plan
	var err error
	if plan.ArchiveAt, err = p.archiveTime(ctx, db); err != nil {
		return err
	}
	runner, err := jobs.NewRunner(db.Queue(), queue, srv.Upkeep, plan, log, now)
	if err != nil {
		return err
	}
	if err := runner.Start(ctx); err != nil {
		return err
	}
	p.undo = append(p.undo, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		return runner.Stop(ctx)
	})
	return nil
}

// archiveTime is the time of day of the daily refresh. A random one is
// chosen once and kept, so that it stays the same after a restart.
func (p *process) archiveTime(ctx context.Context, db *sqlite.DB) (jobs.Clock, error) {
	const setting = "archive_minute"
	if p.archiveAt != "random" {
		return parseClock(p.archiveAt)
	}
	kept, err := db.Setting(ctx, setting)
	if errors.Is(err, waptwua.ErrNotFound) {
		kept = strconv.Itoa(randomMinute())
		err = db.PutSetting(ctx, setting, kept)
	}
	if err != nil {
		return jobs.Clock{}, err
	}
	n, err := strconv.Atoi(kept)
	if err != nil {
		return jobs.Clock{}, fmt.Errorf("kept minute of the archive's refresh: %w", err)
	}
	return jobs.Clock{Hour: n / 60 % 24, Minute: n % 60}, nil
}

// listen opens both listeners and serves them.
func (p *process) listen(ctx context.Context, srv *server.Server, authority *pki.Authority, now func() time.Time) error {
	own, err := p.serverCertificate(authority, now())
	if err != nil {
		return err
	}
	p.agents, err = listenTCP(net.JoinHostPort(p.bind, strconv.Itoa(p.port)))
	if err != nil {
		return fmt.Errorf("listening for hosts: %w", err)
	}
	p.undo = append(p.undo, closeListener(p.agents))
	p.console, err = listenTCP(p.options.console)
	if err != nil {
		return fmt.Errorf("listening for the administration: %w", err)
	}
	p.undo = append(p.undo, closeListener(p.console))
	p.tlsUI = !loopback(p.console.Addr())
	sessions := api.NewSessions(srv.Accounts, p.tlsUI, p.log, now)
	pages, err := newConsole(srv, sessions, p.log)
	if err != nil {
		return err
	}
	p.serveOn(ctx, tls.NewListener(p.agents, api.AgentTLS(own.TLS(), authority.Certificate())), api.NewAgents(srv, p.log, now))
	ui := p.console
	if p.tlsUI {
		ui = tls.NewListener(ui, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own.TLS()}})
	}
	p.serveOn(ctx, ui, api.NewAdministration(srv, sessions, pages, version, p.log))
	return nil
}

// serveOn serves until the process stops.
func (p *process) serveOn(ctx context.Context, l net.Listener, h http.Handler) {
	hs := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := hs.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- fmt.Errorf("serving on %s: %w", l.Addr(), err)
		}
	}()
	p.undo = append(p.undo, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		err := hs.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = hs.Close()
		}
		<-done
		return err
	})
}

func listenTCP(address string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(context.Background(), "tcp", address)
}

// closeListener closes a listener that no http.Server has closed yet.
func closeListener(l net.Listener) func() error {
	return func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// announce prints the addresses and, for people, the settings that are not the defaults.
func (p *process) announce(w io.Writer, asJSON bool) error {
	scheme := "http"
	if p.tlsUI {
		scheme = "https"
	}
	_, port, err := net.SplitHostPort(p.agents.Addr().String())
	if err != nil {
		return err
	}
	at := serving{Agents: "https://" + net.JoinHostPort(p.serverNames[0], port), Console: scheme + "://" + p.console.Addr().String(), Data: p.dir}
	if asJSON {
		return json.NewEncoder(w).Encode(at)
	}
	fmt.Fprintf(w, "hosts           %s\nadministration  %s\ndata            %s\n", at.Agents, at.Console, at.Data)
	for _, o := range optionTable() {
		if v, ok := p.given[o.name]; ok && v != o.def {
			fmt.Fprintf(w, "%s = %s\n", o.name, v)
		}
	}
	_, err = fmt.Fprintln(w, "Ready; stop with Ctrl-C.")
	return err
}
