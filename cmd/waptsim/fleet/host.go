package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/settings"
	"waptwua/applicability"
	"waptwua/wua/sim"
)

// host is one simulated computer.
type host struct {
	o       Options
	dir     string
	name    string
	file    *settings.File
	machine *sim.Host
	log     *slog.Logger
}

// ini is the text of the n-th host's wapt-get.ini.
func (o Options) ini(n int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "[global]\nwapt_server = %s\nuuid = %s\nverify_cert = server-ca.pem\npublic_certs_dir = ssl\ndbdir = agent\nwaptupdate_task_period = 5s\n\n[waptwua]\n", o.Server, UUID(o.Seed, n))
	s := Demonstration()
	maps.Copy(s, o.Settings)
	for _, k := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s = %s\n", k, s[k])
	}
	return b.Bytes()
}

// recordFacts writes the machine as it was at first, for "waptserver catalog
// evaluate".
func recordFacts(path string, facts *applicability.Facts) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	b, err := json.MarshalIndent(facts, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

func newHost(o Options, n int, graphs *sim.Graphs) (*host, error) {
	path, err := o.settingsFile(n)
	if err != nil {
		return nil, err
	}
	facts := o.Machine(n)
	m, err := sim.Open(sim.Options{
		Dir: MachineDir(o.Dir, n), Machine: facts, Graphs: graphs, Now: time.Now, Script: o.Script,
		Seed: o.Seed + uint64(n), ScanDuration: o.ScanDuration, InstallDuration: o.InstallDuration,
	})
	if err != nil {
		return nil, err
	}
	if err := recordFacts(filepath.Join(HostDir(o.Dir, n), "FACTS.json"), facts); err != nil {
		return nil, err
	}
	name := hostName(facts, n)
	return &host{o: o, dir: HostDir(o.Dir, n), name: name, file: settings.NewFile(path), machine: m, log: o.Log.With("host", name)}, nil
}

func hostName(f *applicability.Facts, n int) string {
	return fmt.Sprintf("pc%04d-%s.sim.test", n+1, f.Name)
}

// live runs the host, through its restarts, until ctx ends.
func (h *host) live(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := h.session(ctx); err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
	}
	return nil
}

// session is the time from one start of the host to the next.
func (h *host) session(ctx context.Context) error {
	booted, err := h.machine.Booted(ctx)
	if err != nil {
		return err
	}
	a, err := agent.New(agent.Options{
		Dir: filepath.Join(h.dir, "agent"), Settings: h.file.Settings, WUA: h.machine, Packages: h.machine, Log: h.log,
		HostName: h.name, Version: "simulated", Booted: booted, RetryMissing: 2 * time.Second, RetryInstall: 5 * time.Second,
		Reserve: 64 << 20,
	})
	if err != nil {
		return err
	}
	defer a.Close()
	if !h.register(ctx, a) {
		return nil
	}
	up, stop := context.WithCancel(ctx)
	defer stop()
	go h.person(up, stop)
	if err := a.Run(up); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	return h.restart(ctx)
}

// register enrols the host, as often as it takes. It returns false when ctx
// ended.
func (h *host) register(ctx context.Context, a *agent.Agent) bool {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		err := a.Register(ctx, agent.RegisterOptions{Token: h.o.Token})
		if err == nil || errors.Is(err, waptwua.ErrUnchanged) || errors.Is(err, agent.ErrNotReported) {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		h.log.Warn("host could not register", "error", err)
		if !pause(ctx, wait) {
			return false
		}
	}
}

// person restarts the host some time after it asked for it.
func (h *host) person(ctx context.Context, restart func()) {
	if h.o.RestartAfter <= 0 {
		return
	}
	for pause(ctx, h.o.RestartAfter) {
		if r, err := h.machine.RebootPending(ctx); err == nil && r.Required {
			restart()
			return
		}
	}
}

func (h *host) restart(ctx context.Context) error {
	if r, err := h.machine.RebootPending(ctx); err != nil || !r.Required {
		return err
	}
	h.log.Info("host restarts")
	return h.machine.Restart(ctx)
}

// pause waits; false: ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
