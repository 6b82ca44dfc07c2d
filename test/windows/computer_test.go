package windows

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/cmd/waptsim/fleet"
	"waptwua/internal/origin"
	"waptwua/test/rig"
	"waptwua/test/windows/machine"
	"waptwua/wua/com/comtest"
	"waptwua/wua/sim"
)

// place is where a computer's wapt-get runs.
type place interface {
	name() string
	of(t testing.TB) // failures end t from now on
	// path is what wapt-get calls the file with this path (slashes) in its
	// computer's folder.
	path(file string) string
	// local is where the test finds it.
	local(file string) string
	// run runs wapt-get and returns its exit code and what it wrote.
	run(args ...string) (code int, text string)
	// restart restarts the computer; change is done while it is off.
	restart(change func())
}

// linux is a folder, with the simulator.
type linux struct {
	t       testing.TB
	dir     string
	bin     string
	owner   testing.TB   // at whose end the service ends
	service *rig.Process // nil: none runs
}

func (l *linux) of(t testing.TB)          { l.t = t }
func (l *linux) name() string             { return "Linux" }
func (l *linux) path(file string) string  { return l.local(file) }
func (l *linux) local(file string) string { return filepath.Join(l.dir, filepath.FromSlash(file)) }

func (l *linux) restart(change func()) {
	if l.service == nil {
		change()
		return
	}
	l.service.Kill()
	change()
	l.serve()
}

// serve starts what the init system would.
func (l *linux) serve() {
	l.t.Helper()
	l.service = rig.Start(l.owner, l.local("service.log"), filepath.Join(l.bin, "wapt-get"), "--config", l.local("wapt-get.ini"), "service", "run")
}

func (l *linux) run(args ...string) (int, string) {
	l.t.Helper()
	out, err := exec.Command(filepath.Join(l.bin, "wapt-get"), append([]string{"--config", l.local("wapt-get.ini")}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode(), string(out)
	}
	return 0, string(out)
}

// underWine is C:\wapt of a prefix in which the double is registered.
type underWine struct {
	*prefix
	program string // folder of wapt-get.exe; empty: C:\wapt
}

const waptDir = `C:\wapt`

func (w *underWine) of(t testing.TB) { w.t = t }
func (w *underWine) name() string    { return "Wine" }
func (w *underWine) path(file string) string {
	return waptDir + `\` + strings.ReplaceAll(file, "/", `\`)
}
func (w *underWine) local(file string) string { return w.prefix.path(w.path(file)) }

// agent is the path of wapt-get.exe.
func (w *underWine) agent() string { return cmp.Or(w.program, waptDir) + `\wapt-get.exe` }

func (w *underWine) run(args ...string) (int, string) {
	w.t.Helper()
	const file = "exit-code"
	_ = os.Remove(w.local(file)) // there may be none
	_, text := w.prefix.run(append([]string{w.path(machine.ExitCodeProgram), w.path(file), w.agent()}, args...)...)
	b, err := os.ReadFile(w.local(file))
	code, parseErr := strconv.Atoi(string(b))
	if err != nil || parseErr != nil {
		w.t.Fatalf("wapt-get %v: %v, %v\n%s", args, err, parseErr, text)
	}
	return code, text
}

func (w *underWine) restart(change func()) {
	w.t.Helper()
	w.kill()
	if err := os.RemoveAll(w.local("machine/" + machine.HeldDir)); err != nil { // by what was killed
		w.t.Fatal(err)
	}
	change()
	w.boot()
}

// computer is one host of a scenario.
type computer struct {
	place
	t    testing.TB
	s    *rig.System
	UUID string
	set  map[string]map[string]string // section → option → value

	// served tells that the agent runs as a service, to which orders go, and
	// that its settings are changed by command.
	served bool

	script  []byte    // of what goes wrong; none: nothing
	exits   []int     // exit codes of what was run
	started time.Time // when the last start was over
	off     time.Time // when it was off before: what is newer is from after the restart
}

// seed is the one from which scenarios and their machines are made.
const seed = 7

// newComputer puts the n-th machine of w at p, with these options of
// [waptwua].
func newComputer(t testing.TB, s *rig.System, w *rig.World, p place, n int, options map[string]string, script []byte) *computer {
	t.Helper()
	c := &computer{place: p, t: t, s: s, UUID: fleet.UUID(seed, n), script: script}
	c.set = map[string]map[string]string{
		"global": {
			"wapt_server": s.Agents, "uuid": c.UUID, "verify_cert": p.path("ca.pem"), "dbdir": p.path("db"), "public_certs_dir": p.path("ssl"),
		},
		"waptwua":   {"postboot_delay": "0s", "archive_roots": p.path("roots.pem")},
		"simulator": {"machine": p.path("facts.json"), "roots": p.path("roots.pem"), "dir": p.path("machine")},
	}
	if len(script) > 0 {
		c.set["simulator"]["script"] = p.path("script.json")
		put(t, p.local("script.json"), script)
	}
	maps.Copy(c.set["waptwua"], options)
	facts, err := json.Marshal(w.Machine(n))
	if err != nil {
		t.Fatal(err)
	}
	put(t, p.local("facts.json"), facts)
	copyFile(t, w.Roots, p.local("roots.pem"))
	copyFile(t, s.CA(), p.local("ca.pem"))
	copyFile(t, s.Admin.Certificate, p.local("ssl/admin.crt"))
	if err := os.MkdirAll(p.local("machine"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.save()
	return c
}

// newWindows is newComputer in a prefix of its own, with the double.
func newWindows(t testing.TB, s *rig.System, w *rig.World, n int, options map[string]string, script []byte) *computer {
	t.Helper()
	p := &underWine{prefix: newPrefix(t)}
	c := newComputer(t, s, w, p, n, options, script)
	copyFile(t, filepath.Join(programs(t), "wapt-get.exe"), p.local("wapt-get.exe"))
	copyFile(t, filepath.Join(programs(t), "double.dll"), p.local("double.dll"))
	copyFile(t, filepath.Join(programs(t), "tool.exe"), p.local(machine.ExitCodeProgram))
	config := machine.Config{Dir: p.path("machine"), Facts: p.path("facts.json"), Roots: p.path("roots.pem"), Script: script}
	if err := config.Write(p.prefix.path(machine.ConfigPath)); err != nil {
		t.Fatal(err)
	}
	p.registry(comtest.Registration(p.path("double.dll")))
	p.replace("dism.exe", "wusa.exe", "shutdown.exe")
	c.sayWhatItIs()
	t.Cleanup(func() { c.expectNothingHeld() })
	return c
}

// replace puts the tool in place of programs of Windows. Wine would go on to
// run its own, were they not declared to be native.
func (w *underWine) replace(names ...string) {
	w.t.Helper()
	var b strings.Builder
	b.WriteString("REGEDIT4\n\n[HKEY_CURRENT_USER\\Software\\Wine\\DllOverrides]\n")
	for _, name := range names {
		copyFile(w.t, filepath.Join(programs(w.t), "tool.exe"), w.prefix.path(`C:\windows\system32\`+name))
		fmt.Fprintf(&b, "%q=\"native\"\n", name)
	}
	w.registry(b.String())
}

// tools are the calls of the programs in place of Windows' own.
func (c *computer) tools() []machine.ToolCall {
	c.t.Helper()
	calls, err := (&machine.Config{Dir: c.local("machine")}).ToolCalls()
	if err != nil {
		c.t.Fatal(err)
	}
	return calls
}

// expectTool fails unless the program in place of Windows' own was called
// with this argument among others: a builtin of Wine leaves no trace.
func (c *computer) expectTool(program, arg string) {
	c.t.Helper()
	calls := c.tools()
	if !slices.ContainsFunc(calls, func(call machine.ToolCall) bool { return call.Program == program && slices.Contains(call.Args, arg) }) {
		c.t.Errorf("%s %s was not called: %+v", program, arg, calls)
	}
}

// machine opens the simulated Windows from the test's side.
func (c *computer) machine() *sim.Host {
	c.t.Helper()
	h, err := (&machine.Config{Dir: c.local("machine"), Facts: c.local("facts.json"), Roots: c.local("roots.pem"), Script: c.script}).Open()
	if err != nil {
		c.t.Fatal(err)
	}
	return h
}

// apart is how far two starts of a computer must lie apart for an agent to
// see two.
const apart = 3 * time.Second

// Restart restarts the computer: what waited for it takes effect.
func (c *computer) Restart() {
	c.t.Helper()
	rig.Until(c.t, 2*apart, func() (bool, string) { return time.Since(c.started) > apart, "it has just been started" })
	defer func() { c.started = time.Now() }()
	c.restart(func() {
		if err := c.machine().Restart(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
		c.off = time.Now()
	})
	c.sayWhatItIs()
	if c.served {
		c.waitService()
	}
}

// sayWhatItIs makes the prefix call itself what the machine is, as com reads
// it from the registry.
func (c *computer) sayWhatItIs() {
	c.t.Helper()
	w, ok := c.place.(*underWine)
	if !ok {
		return
	}
	info, err := c.machine().Info(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	var major, minor, build, revision int
	if _, err := fmt.Sscanf(info.Version, "%d.%d.%d.%d", &major, &minor, &build, &revision); err != nil {
		c.t.Fatalf("%s: %v", info.Version, err)
	}
	name, release := info.OS, ""
	if i := strings.LastIndexByte(name, ' '); i >= 0 && !strings.HasPrefix(name, "Windows Server") {
		name, release = name[:i], name[i+1:]
	}
	const key = `HKEY_LOCAL_MACHINE\`
	w.registry(fmt.Sprintf("REGEDIT4\n\n[%sSoftware\\Microsoft\\Windows NT\\CurrentVersion]\n\"ProductName\"=\"%s\"\n\"DisplayVersion\"=\"%s\"\n"+
		"\"ReleaseId\"=\"%s\"\n\"CurrentMajorVersionNumber\"=dword:%x\n\"CurrentMinorVersionNumber\"=dword:%x\n\"CurrentBuild\"=\"%d\"\n"+
		"\"CurrentBuildNumber\"=\"%d\"\n\"UBR\"=dword:%x\n\n"+
		"[%sSystem\\CurrentControlSet\\Control\\Session Manager\\Environment]\n\"PROCESSOR_ARCHITECTURE\"=\"%s\"\n",
		key, name, release, release, major, minor, build, build, revision, key, strings.ToUpper(info.Architecture)))
}

// expectNothingHeld fails for a process that has ended with references to the
// double's objects.
func (c *computer) expectNothingHeld() {
	held, err := os.ReadDir(c.local("machine/" + machine.HeldDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		c.t.Fatal(err)
	}
	if len(held) > 0 {
		c.t.Errorf("%d processes have not released what they held", len(held))
	}
	if b, err := os.ReadFile(c.local("machine/" + machine.LogFile)); err == nil {
		c.t.Errorf("the double says:\n%s", b)
	}
}

// site makes a host of a scenario.
type site func(t testing.TB, s *rig.System, w *rig.World, sc *scenario) *computer

func onLinux(t testing.TB, s *rig.System, w *rig.World, sc *scenario) *computer {
	return newComputer(t, s, w, &linux{t: t, owner: t, dir: t.TempDir(), bin: s.Bin}, sc.machine, sc.options, []byte(sc.script))
}

func inWine(t testing.TB, s *rig.System, w *rig.World, sc *scenario) *computer {
	return newWindows(t, s, w, sc.machine, sc.options, []byte(sc.script))
}

// host makes the scenario's host beside a server of its own.
func (sc *scenario) host(t testing.TB, w *rig.World, at site) *computer {
	t.Helper()
	s := rig.New(t, w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.WaitCatalogue()
	return at(t, s, w, sc)
}

// of makes failures end t from now on.
func (c *computer) of(t testing.TB) {
	c.t = t
	c.s.Of(t)
	c.place.of(t)
}

// orders are the commands that a service can be told to do.
var orders = []string{"update", "waptwua-scan", "waptwua-download", "waptwua-install", "waptwua-uninstall"}

// run runs wapt-get and notes its exit code.
func (c *computer) run(args ...string) (code int, text string) {
	c.t.Helper()
	if c.served && slices.Contains(orders, args[0]) {
		args = slices.Concat(args, []string{"--service"})
	}
	code, text = c.place.run(args...)
	c.exits = append(c.exits, code)
	return code, text
}

// Set changes an option of wapt-get.ini.
func (c *computer) Set(section, option, value string) {
	c.t.Helper()
	if c.served {
		c.Do("configure", "--set", section+"."+option+"="+value)
		return
	}
	c.set[section][option] = value
	c.save()
}

func (c *computer) save() {
	c.t.Helper()
	var b strings.Builder
	for _, section := range slices.Sorted(maps.Keys(c.set)) {
		fmt.Fprintf(&b, "[%s]\n", section)
		for _, option := range slices.Sorted(maps.Keys(c.set[section])) {
			fmt.Fprintf(&b, "%s = %s\n", option, c.set[section][option])
		}
	}
	put(c.t, c.local("wapt-get.ini"), []byte(b.String()))
}

// Register enrols the computer with a token of its own.
func (c *computer) Register() {
	c.t.Helper()
	put(c.t, c.local("token.txt"), []byte(c.s.NewToken("--uses", "1")))
	c.Do("register", "--token-file", c.path("token.txt"))
}

// Do runs what must succeed.
func (c *computer) Do(args ...string) {
	c.t.Helper()
	c.Expect(0, args...)
}

// Expect runs wapt-get, which must end with this exit code.
func (c *computer) Expect(want int, args ...string) string {
	c.t.Helper()
	code, text := c.run(args...)
	if code != want {
		c.t.Fatalf("%s: wapt-get %v: exit %d, want %d\n%s", c.name(), args, code, want, text)
	}
	return text
}

// Status is what `wapt-get waptwua-status` says.
func (c *computer) Status() (st agent.Status) {
	c.t.Helper()
	text := c.Expect(0, "waptwua-status", "--json")
	if err := json.Unmarshal([]byte(text), &st); err != nil {
		c.t.Fatalf("%v\n%s", err, text)
	}
	return st
}

// With are the updates of a status, in order.
func (c *computer) With(status waptwua.Status) (ids []waptwua.UpdateID) {
	c.t.Helper()
	for id, u := range c.Status().State.Updates {
		if u.Status == status {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareID)
	return ids
}

func compareID(a, b waptwua.UpdateID) int { return strings.Compare(a.String(), b.String()) }
