package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/cache"
	"waptwua/agent/eventlog"
	"waptwua/agent/local"
	"waptwua/agent/selftest"
	"waptwua/agent/settings"
	"waptwua/internal/diskfree"
	"waptwua/internal/winsvc"
)

// errSelfTest says that a check has failed.
var errSelfTest = errors.New("a check has failed")

func (a *app) selfTestCommand() *cobra.Command {
	t := &selfTest{app: a}
	c := &cobra.Command{
		Use:   "self-test [CHECK…]",
		Short: "Check on this machine what no test of the program can prove",
		Long: `Checks on this machine what the program assumes about Windows, and whether
the agent can do its work here: of each check it prints what was expected and
what was found. Names, or their beginnings (wua, inventory), choose checks.

It only looks, and searches for updates; --changes also does what changes
something: it reports to the server and writes an event. Needs an
administrator. On other systems than Windows it checks the simulated one.

Exit code 0 when no check has failed, 1 otherwise; those that this machine
lacks something for are left out.`,
		Example: "  wapt-get self-test\n  wapt-get self-test wua --json > report.json",
		RunE:    func(c *cobra.Command, args []string) error { return t.run(c.Context(), args) },
	}
	c.Flags().BoolVar(&t.changes, "changes", false, "also checks that change something")
	return c
}

// selfTest is one run of the checks.
type selfTest struct {
	*app
	changes bool

	settings *settings.Settings
	agent    *agent.Agent
}

// selfTestReport is the result as JSON.
type selfTestReport struct {
	Program programInfo              `json:"program"`
	Results []selftest.Result        `json:"results"`
	Count   map[selftest.Verdict]int `json:"count"`
}

func (t *selfTest) run(ctx context.Context, names []string) error {
	ag, s, err := t.open()
	if err != nil {
		return err
	}
	defer ag.Close()
	t.agent, t.settings = ag, s
	checks, done, err := t.checks()
	if err != nil {
		return err
	}
	defer done()
	if checks = chosen(checks, names); len(checks) == 0 {
		return usageError(fmt.Errorf("no check is called %s", strings.Join(names, ", ")))
	}
	r := selfTestReport{Program: describeProgram(t.now())}
	o := selftest.Options{Changes: t.changes, Now: t.now}
	if !t.json {
		o.Tell = func(r selftest.Result) { printCheck(t.stdout, r) }
	}
	r.Results = selftest.Run(ctx, checks, o)
	r.Count = selftest.Count(r.Results)
	err = t.print(r, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%d ok, %d failed, %d left out; %s %s on %s\n", r.Count[selftest.OK], r.Count[selftest.Failed], r.Count[selftest.LeftOut], serviceName, r.Program.Version, r.Program.System)
		return err
	})
	if err == nil && r.Count[selftest.Failed] > 0 {
		err = errSelfTest
	}
	return err
}

func printCheck(w io.Writer, r selftest.Result) {
	fmt.Fprintf(w, "%-8s  %s\n", r.Verdict, r.Name)
	fmt.Fprintf(w, "          expected: %s\n", r.Expect)
	if r.Found != "" {
		fmt.Fprintf(w, "          found:    %s\n", strings.ReplaceAll(r.Found, "\n", "\n                    "))
	}
	if r.Reason != "" {
		fmt.Fprintf(w, "          reason:   %s\n", strings.ReplaceAll(r.Reason, "\n", "\n                    "))
	}
}

// chosen are the checks that a name or the beginning of one chooses.
func chosen(checks []selftest.Check, names []string) []selftest.Check {
	if len(names) == 0 {
		return checks
	}
	var list []selftest.Check
	for _, c := range checks {
		for _, n := range names {
			if c.Name == n || strings.HasPrefix(c.Name, strings.TrimSuffix(n, "/")+"/") {
				list = append(list, c)
				break
			}
		}
	}
	return list
}

// checks lists all checks; done ends what they use.
func (t *selfTest) checks() (list []selftest.Check, done func(), err error) {
	host, _, done, err := openInventory(t.config, "")
	if err != nil {
		return nil, nil, err
	}
	list = append(t.agentChecks(), t.wuaChecks()...)
	ofHost := inventoryChecks(host, systemTools{t.updating.windows})
	if runtime.GOOS != "windows" {
		ofHost = ofRecording(ofHost)
	}
	return append(list, ofHost...), done, nil
}

// agentChecks look at the agent itself.
func (t *selfTest) agentChecks() []selftest.Check {
	return []selftest.Check{
		{Name: "agent/settings", Expect: "every option of wapt-get.ini can be read", Run: t.checkSettings},
		{Name: "agent/registered", Expect: "the host has a certificate that is valid for a month at least", Run: t.checkRegistered},
		{Name: "agent/room", Expect: "more than 1 GiB is free where the agent keeps its files", Run: t.checkRoom},
		{Name: "agent/service", Expect: "the service is installed, starts with Windows as LocalSystem, and runs", Run: checkService},
		{Name: "agent/memory", Expect: "the service's working set is below 25 MB while it is idle", Run: t.checkMemory},
		{Name: "agent/endpoint", Expect: "the service answers administrators and users", Run: t.checkEndpoint},
		{Name: "agent/native", Expect: "with enabled = true, Windows' own updating is under control", Run: t.checkNative},
		{Name: "agent/report", Expect: "the server answers and takes a report", Changes: true, Limit: 5 * time.Minute, Run: t.checkReport},
		{Name: "agent/eventlog", Expect: "an event can be written; look for number 100 in the log Application", Changes: true, Run: checkEvent},
	}
}

func (t *selfTest) checkSettings(context.Context) (string, error) {
	var all []string
	for _, p := range t.settings.Problems {
		all = append(all, p.String())
	}
	if len(all) > 0 {
		return strings.Join(all, "\n"), errors.New("options could not be read")
	}
	return fmt.Sprintf("%d options", len(t.settings.Options())), nil
}

// certificateLeft is how long a certificate should still be valid.
const certificateLeft = 30 * 24 * time.Hour

func (t *selfTest) checkRegistered(context.Context) (string, error) {
	s, err := t.agent.Status()
	if err != nil {
		return "", err
	}
	if !s.Registered {
		return "no certificate", agent.ErrNotRegistered
	}
	found := "valid until " + s.Expires.Format(time.DateOnly)
	if s.Expires.Sub(t.now()) < certificateLeft {
		return found, errors.New("it ends soon; get a new one with: wapt-get register --force")
	}
	return found, nil
}

func (t *selfTest) checkRoom(context.Context) (string, error) {
	free, err := diskfree.At(t.settings.Dir)
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%d MiB", free>>20)
	if free < 1<<30 {
		return found, errors.New("downloads leave 1 GiB free, so there is no room for any")
	}
	return found, nil
}

func checkService(context.Context) (string, error) {
	i, err := winsvc.Query(serviceName)
	if errors.Is(err, errors.ErrUnsupported) {
		return "", fmt.Errorf("%w: %w", err, selftest.ErrLeftOut)
	}
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%s, %s, as %s: %s", i.State, i.Start, i.Account, i.Command)
	switch {
	case i.State != winsvc.Running:
		return found, errors.New("it does not run: wapt-get service install --start")
	case i.Start != "automatic" || i.Account != "LocalSystem":
		return found, errors.New("bring it up to date: wapt-get service install")
	case !strings.HasPrefix(i.Command, `"`):
		return found, errors.New("the path of the program is not quoted: wapt-get service install")
	}
	return found, nil
}

// maxWorkingSet is what an idle service may hold, in bytes.
const maxWorkingSet = 25_000_000

func (t *selfTest) checkMemory(ctx context.Context) (string, error) {
	i, err := winsvc.Query(serviceName)
	if errors.Is(err, errors.ErrUnsupported) {
		return "", fmt.Errorf("%w: %w", err, selftest.ErrLeftOut)
	}
	if err != nil || i.PID == 0 {
		return "", errors.Join(err, fmt.Errorf("the service does not run: %w", selftest.ErrLeftOut))
	}
	c := adminClient(t.settings.Dir)
	defer c.Close()
	if o, err := c.Overview(ctx); err == nil && o.Running != nil {
		return "", fmt.Errorf("the service is busy with %s: %w", o.Running.Kind, selftest.ErrLeftOut)
	}
	set, committed, err := memoryOf(i.PID)
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%.1f MB, %.1f MB committed", float64(set)/1e6, float64(committed)/1e6)
	if set > maxWorkingSet {
		return found, errors.New("it holds too much")
	}
	return found, nil
}

func (t *selfTest) checkEndpoint(ctx context.Context) (string, error) {
	var found []string
	for name, c := range map[string]*local.Client{"administrators": adminClient(t.settings.Dir), "users": userClient(t.settings.Dir)} {
		defer c.Close()
		o, err := c.Overview(ctx)
		if errors.Is(err, local.ErrUnreachable) && runtime.GOOS != "windows" {
			return "", fmt.Errorf("%w: %w", err, selftest.ErrLeftOut)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		found = append(found, name+": version "+o.Version)
	}
	return strings.Join(found, "\n"), nil
}

func (t *selfTest) checkNative(ctx context.Context) (string, error) {
	if t.settings.Enabled != settings.True {
		return "", fmt.Errorf("[waptwua] enabled is not true: %w", selftest.ErrLeftOut)
	}
	p, err := t.updating.control.Prove(ctx)
	if err != nil {
		return "", err
	}
	var wrong []string
	for _, c := range p.Checks {
		if !c.OK {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", c.Name, c.Found, c.Wanted))
		}
	}
	if !p.Control {
		return strings.Join(wrong, "\n"), errors.New("it is not under control; see: wapt-get waptwua-status --native")
	}
	return fmt.Sprintf("%d checks, taken over on %s", len(p.Checks), p.Taken.Format(time.DateOnly)), nil
}

func (t *selfTest) checkReport(ctx context.Context) (string, error) {
	err := t.patiently(ctx, t.agent.UpdateRules)
	if err != nil && !errors.Is(err, waptwua.ErrUnchanged) {
		return "", err
	}
	return "reported", nil
}

func checkEvent(context.Context) (string, error) {
	w, err := eventlog.Open(serviceName)
	if err != nil {
		return "", err
	}
	err = w.Write(eventlog.Event{ID: eventlog.Started, Text: "Self-test: this event can be passed over."})
	return "written", errors.Join(err, w.Close())
}

// archive is the scan archive that the agent has.
func (t *selfTest) archive() (string, error) {
	c, err := cache.Open(filepath.Join(t.settings.Dir, "cache"), cache.Options{})
	if err != nil {
		return "", err
	}
	a, err := c.Archive()
	if err != nil {
		return "", fmt.Errorf("there is no scan archive yet; run wapt-get waptwua-scan first (%w): %w", err, selftest.ErrLeftOut)
	}
	return filepath.Abs(c.ArchivePath(a))
}
