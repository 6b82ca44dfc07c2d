package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"waptwua/agent"
	"waptwua/agent/settings"
	"waptwua/authenticode"
	"waptwua/internal/pki"
	"waptwua/wua"
	"waptwua/wua/calm"
	"waptwua/wua/native"
)

// windowsHost is the host that this program runs on, or simulates.
type windowsHost struct {
	wua       wua.Host
	native    native.System
	folder    string // the Windows folder
	packages  wua.Packager
	roots     []*x509.Certificate // of the scan archive's signature; none: Microsoft's
	allowSHA1 bool
	booted    time.Time
	power     agent.Conditions // nil: not known
	searches  calm.Process     // the process that searches; nil: not to be slowed
}

// open makes the agent of the settings file, for one command.
func (a *app) open() (*agent.Agent, *settings.Settings, error) {
	l := slog.LevelError
	if a.verbose {
		l = slog.LevelDebug
	}
	return a.openWith(slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: l})))
}

// openWith makes the agent with a log, and with changes to its options.
func (a *app) openWith(log *slog.Logger, changes ...func(*agent.Options)) (*agent.Agent, *settings.Settings, error) {
	file := settings.NewFile(a.config)
	s, err := file.Settings()
	if err != nil {
		return nil, nil, err
	}
	host, err := openHost(a.config, s)
	if err != nil {
		return nil, nil, err
	}
	searcher := host.wua
	if s.ScanCalmly {
		searcher = calm.Searches(host.wua, host.searches, log)
	}
	a.updating = newUpdating(host, searcher, newControl(host.native, s.Dir, a.now), s.Dir)
	a.opened = append(a.opened, a.updating)
	if err := host.trust(s.ArchiveRoots); err != nil {
		return nil, nil, err
	}
	name, err := os.Hostname()
	if err != nil {
		return nil, nil, fmt.Errorf("name of this host: %w", err)
	}
	o := agent.Options{
		Dir: s.Dir, Settings: file.Settings, WUA: a.updating.host, Packages: host.packages, Native: a.updating, Log: log, HostName: name, Version: version,
		Desktop: host.desktop(), Restarter: host.restarter(),
		Booted: host.booted, Conditions: host.power, CheckArchive: host.checkArchive, Progress: a.progress(),
		Notices: func() []string { return upgradeNotices(s.Dir) },
	}
	for _, change := range changes {
		change(&o)
	}
	ag, err := agent.New(o)
	return ag, s, err
}

// trust takes the roots of the scan archive's signature from a PEM file, if
// one is set.
func (h *windowsHost) trust(file string) error {
	if file == "" {
		return nil
	}
	b, err := os.ReadFile(file)
	if err == nil {
		h.roots, err = pki.DecodeCertificates(b)
	}
	if err == nil && len(h.roots) == 0 {
		err = errors.New("it holds no certificate")
	}
	if err != nil {
		return fmt.Errorf("[waptwua] archive_roots: %w", err)
	}
	return nil
}

// checkArchive checks Microsoft's signature of a scan archive, or that of
// the simulator's authority.
func (h *windowsHost) checkArchive(_ context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	_, err = authenticode.Verify(f, fi.Size(), authenticode.Options{Roots: h.roots, AllowSHA1: h.allowSHA1, At: time.Now()})
	if err != nil {
		return fmt.Errorf("signature of the scan archive: %w", err)
	}
	return nil
}

// progress shows on a terminal how far an operation has come; elsewhere it
// stays silent.
func (a *app) progress() func(agent.Progress) {
	f, ok := a.stderr.(*os.File)
	if !ok || a.json {
		return nil
	}
	if fi, err := f.Stat(); err != nil || fi.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return newMeter(f, a.now).show
}

// meter rewrites one line of a terminal, at most five times a second.
type meter struct {
	w    io.Writer
	now  func() time.Time
	lock chan struct{}
	last time.Time
}

func newMeter(w io.Writer, now func() time.Time) *meter {
	return &meter{w: w, now: now, lock: make(chan struct{}, 1)}
}

const meterEvery = 200 * time.Millisecond

func (m *meter) show(p agent.Progress) {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	done := p.Total > 0 && p.Done >= p.Total
	if m.now().Sub(m.last) < meterEvery && !done {
		return
	}
	m.last = m.now()
	percent := int64(0)
	if p.Total > 0 {
		percent = p.Done * 100 / p.Total
	}
	fmt.Fprintf(m.w, "\r\033[K%s %3d%% %.60s", p.Operation, percent, p.Name)
	if done && p.Name == "" {
		fmt.Fprint(m.w, "\r\033[K")
	}
}
