package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"waptwua/cmd/waptsim/fleet"
	"waptwua/internal/cmdline"
	"waptwua/internal/origin"
)

// demo is `waptsim run`: everything on one machine.
type demo struct {
	dir       string
	server    string // path of waptserver
	archive   string // a scan archive to use instead of a generated one
	hosts     int
	seed      uint64
	updates   int
	once      bool
	within    time.Duration
	console   string // address of the console
	noFaults  bool
	out       io.Writer
	log       *slog.Logger
	child     *child
	scenario  *scenario
	origin    *origin.Origin
	originURL string
}

func newRunCommand() *cobra.Command {
	d := &demo{}
	cmd := &cobra.Command{
		Use:   "run --server PATH",
		Short: "Run a server, an origin in Microsoft's place, and a simulated fleet",
		Long: `Makes a data directory, starts a local origin in Microsoft's place, a server
with its defaults, and a fleet of simulated Windows hosts, and shows how the
fleet goes from MISSING to PENDING to OK until it is compliant. Then it keeps
running until it is interrupted.

Everything lies in the directory --dir, which is made anew: the origin's
archive, the server's data, an administrator's key (outside the server's
directory), and a folder for each host. A directory that another waptsim
works in, or that was not made by one, is left alone.

With --archive the fleet is searched with that archive instead of a generated
one. Payload files of a real archive cannot be had here, so what hosts need
stays MISSING.

Exit status: 0 after an interruption, or with --once when the fleet is
compliant (with --archive: when every host has reported); 1 otherwise.`,
		Example: `  waptsim run --server bin/waptserver
  waptsim run --server bin/waptserver --hosts 200 --once
  waptsim run --server bin/waptserver --archive WSUSSCAN.cab --once`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.out = cmd.OutOrStdout()
			return d.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.server, "server", "waptserver", "the server `program`")
	f.StringVar(&d.dir, "dir", "run", "`directory` for everything; its content is removed first")
	f.StringVar(&d.archive, "archive", "", "a scan archive `FILE` to use instead of a generated one")
	f.IntVar(&d.hosts, "hosts", 25, "number of hosts, 1 to 5000")
	f.Uint64Var(&d.seed, "seed", 1, "the same seed makes the same world")
	f.IntVar(&d.updates, "updates", 400, "size of the generated archive")
	f.BoolVar(&d.once, "once", false, "end when the fleet is compliant")
	f.DurationVar(&d.within, "within", 10*time.Minute, "with --once: fail when it takes longer")
	f.StringVar(&d.console, "console", "127.0.0.1:8080", "address of the console; another port is taken when it is in use")
	f.BoolVar(&d.noFaults, "no-faults", false, "an origin without bad nodes, hosts on which nothing fails")
	return cmd
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.hosts < 1 || d.hosts > 5000 {
		return cmdline.Usagef("--hosts %d: want 1 to 5000", d.hosts)
	}
	if err := d.checkArchive(ctx); err != nil {
		return err
	}
	unlock, err := d.prepare()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if d.scenario, err = d.newScenario(ctx); err != nil {
		return err
	}
	stopOrigin, err := d.startOrigin()
	if err != nil {
		return err
	}
	defer stopOrigin()
	d.child = &child{program: d.server, data: filepath.Join(d.dir, "server")}
	defer func() { err = errors.Join(err, d.child.stop()) }()
	token, err := d.startServer(ctx)
	if err != nil {
		return err
	}
	if err := d.permit(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "console: %s  user: admin  one-time password: %s\n", d.child.Console, d.child.password)
	return d.runFleet(ctx, token)
}

// startOrigin serves the archive and the payloads on a free port.
func (d *demo) startOrigin() (stop func(), err error) {
	faults := origin.Usual()
	if d.noFaults || d.archive != "" {
		faults = origin.Faults{}
	}
	if d.origin, err = origin.New(origin.Options{Payloads: d.scenario.payloads, Faults: faults, Seed: d.seed}); err != nil {
		return nil, err
	}
	d.origin.SetArchive(d.scenario.archive)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d.originURL = "http://" + l.Addr().String()
	srv := &http.Server{Handler: d.origin, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug)}
	go func() { _ = srv.Serve(l) }() // ends with Close
	return func() { srv.Close() }, nil
}

// startServer makes and starts the server, and returns an enrolment token
// for the fleet.
func (d *demo) startServer(ctx context.Context) (token string, err error) {
	options := map[string]string{
		"console_listen":      freeAddress(d.console),
		"waptserver_port":     "0",
		"wapt_bind_interface": "127.0.0.1",
		"server_name":         "127.0.0.1, localhost",
		"archive_url":         "http://download.windowsupdate.com" + origin.ArchivePath,
		"upstream_url":        d.originURL,
	}
	for name, value := range d.scenario.serverOptions {
		options[name] = value
	}
	if err := d.child.init(ctx, options); err != nil {
		return "", err
	}
	if token, err = d.child.newToken(ctx, "--uses", strconv.Itoa(d.hosts)); err != nil {
		return "", err
	}
	return token, d.child.start(ctx)
}

// freeAddress returns address, or the same host with any port when that one
// is in use.
func freeAddress(address string) string {
	l, err := net.Listen("tcp", address)
	if err == nil {
		l.Close()
		return address
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return net.JoinHostPort(host, "0")
}

func (d *demo) runFleet(ctx context.Context, token string) error {
	ca, err := os.ReadFile(filepath.Join(d.child.data, "pki", "ca.crt"))
	if err != nil {
		return err
	}
	admins, err := os.ReadFile(d.adminFile("demo.crt"))
	if err != nil {
		return err
	}
	o := fleet.Options{
		Dir: filepath.Join(d.dir, "hosts"), Server: d.child.Agents, CA: ca, Token: token, Admins: admins, Hosts: d.hosts, Seed: d.seed,
		Machine: d.scenario.machine, Roots: d.scenario.roots, AllowSHA1: d.scenario.allowSHA1,
		RestartAfter: 2 * time.Second, ScanDuration: 500 * time.Millisecond, InstallDuration: 300 * time.Millisecond, Log: d.log,
	}
	if !d.noFaults {
		if o.Script, err = mishaps(); err != nil {
			return err
		}
	}
	fleetCtx, stop := context.WithCancel(ctx)
	defer stop()
	g, fleetCtx := errgroup.WithContext(fleetCtx)
	g.Go(func() error { return fleet.Run(fleetCtx, o) })
	g.Go(func() error {
		err := d.watch(fleetCtx)
		if err != nil || d.once {
			stop()
		}
		return err
	})
	err = g.Wait()
	fmt.Fprintln(d.out, "stopping")
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // interrupted, as agreed
	}
	return err
}
