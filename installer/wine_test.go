package installer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua/internal/fixture"
	"waptwua/internal/winetest"
)

// wine is a Wine prefix in which packages are installed.
type wine struct {
	t      *testing.T
	prefix string
}

// newWine uses the prefix of make test-windows, one test at a time.
func newWine(t *testing.T) *wine {
	t.Helper()
	prefix := winetest.Prefix(t)
	needs(t, "wixl", "msibuild", "wine")
	return &wine{t: t, prefix: prefix}
}

// run runs a Windows program and returns its output and the low eight bits
// of its exit code.
func (w *wine) run(args ...string) (out string, code int) {
	w.t.Helper()
	return winetest.Run(w.t, w.prefix, nil, args...)
}

func (w *wine) file(elem ...string) string {
	return filepath.Join(append([]string{w.prefix, "drive_c", "Program Files", "waptwua"}, elem...)...)
}

// msiexec runs it silently and checks the exit code, modulo 256.
func (w *wine) msiexec(want int, args ...string) {
	w.t.Helper()
	if out, code := w.run(append([]string{"msiexec", "/qn"}, args...)...); code != want {
		w.t.Fatalf("msiexec %v: exit code %d, want %d\n%s", args, code, want, out)
	}
}

func (w *wine) read(elem ...string) string {
	w.t.Helper()
	b, err := os.ReadFile(w.file(elem...))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

func (w *wine) wantService(state string) {
	w.t.Helper()
	out, _ := w.run("sc", "query", Service)
	if strings.Contains(out, "FAILED") || strings.TrimSpace(out) == "" {
		out = "absent"
	}
	if !strings.Contains(out, state) {
		w.t.Errorf("the service is not %s:\n%s", state, out)
	}
}

// products are the versions of the agent that Windows lists as installed.
func (w *wine) products() []string {
	w.t.Helper()
	out, _ := w.run("reg", "query", `HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall`, "/s")
	var versions []string
	name := ""
	for _, line := range strings.Split(strings.ReplaceAll(out, "\r", ""), "\n") {
		if _, v, ok := strings.Cut(line, "DisplayName    REG_SZ    "); ok {
			name = v
		}
		if _, v, ok := strings.Cut(line, "DisplayVersion    REG_SZ    "); ok && name == productName {
			versions = append(versions, v)
		}
	}
	return versions
}

// agents builds the real agent for Windows in two versions.
func (w *wine) agents(settings string, versions ...string) map[string]*Built {
	w.t.Helper()
	made := map[string]*Built{}
	dir := w.t.TempDir()
	for _, v := range versions {
		exe := filepath.Join(dir, "wapt-get-"+v+".exe")
		c := exec.CommandContext(w.t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+v, "-o", exe, "./cmd/wapt-get")
		c.Dir, c.Env = fixture.Root(w.t), append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			w.t.Fatalf("building the agent: %v\n%s", err, out)
		}
		program, err := os.ReadFile(exe)
		if err != nil {
			w.t.Fatal(err)
		}
		plan := Plan{Platform: AMD64, Program: program, Version: v, Settings: settings, Administrators: []*x509.Certificate{administrator(w.t, "alice")}, Token: "waptenrol_built-in"}
		if made[v], err = Build(w.t.Context(), plan, Signing{}, dir, nil); err != nil {
			w.t.Fatal(err)
		}
	}
	return made
}

// TestWineInstallation goes through what happens to a host: it is
// installed, the administrator changes the settings there, it is repaired,
// upgraded, refuses to go back, gets a property, and is removed.
func TestWineInstallation(t *testing.T) {
	w := newWine(t)
	// Nobody listens there: what matters is that the service waits for it.
	made := w.agents("[global]\nwapt_server = https://127.0.0.1:1\n\n[waptwua]\nenabled = true\ninstall_delay = 7d\n", "1.0.0", "1.1.0")
	one, two := "Z:"+made["1.0.0"].Package, "Z:"+made["1.1.0"].Package
	t.Cleanup(func() {
		w.run("msiexec", "/qn", "/x", two)
		w.run("msiexec", "/qn", "/x", one)
		_ = os.RemoveAll(w.file())
	})
	if _, err := os.Stat(w.file()); err == nil {
		t.Fatalf("%s exists: the prefix is in use, or a run was cut off; remove it", w.file())
	}

	w.msiexec(0, "/i", one, "SERVER=https://127.0.0.1:2", "SETTINGS=waptwua.install_delay=9d")
	w.wantService("RUNNING")
	ini := w.read("wapt-get.ini")
	if d := cmp.Diff("[waptwua]\nenabled = true\ninstall_delay = 9d\n\n[global]\nwapt_server = https://127.0.0.1:2\n", ini); d != "" {
		t.Errorf("settings after the installation: %s", d)
	}
	if !strings.Contains(w.read("db", "private", "enrol.json"), "waptenrol_built-in") {
		t.Error("the token did not reach the service")
	}
	command, _ := w.run(w.file("wapt-get.exe"), "service", "status")
	if want := `"C:\Program Files\waptwua\wapt-get.exe" service run --scm --config "C:\Program Files\waptwua\wapt-get.ini"`; !strings.Contains(command, want) {
		t.Errorf("the service is started with\n%s\nwant %s", command, want)
	}

	// The administrator's own changes, and an identity.
	own := strings.Replace(ini, "enabled = true", "; not yet\nenabled = false", 1)
	for name, text := range map[string]string{"wapt-get.ini": own, "db/private/host.crt": "a certificate"} {
		if err := os.WriteFile(w.file(filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept := func(after string) {
		t.Helper()
		if d := cmp.Diff(own, w.read("wapt-get.ini")); d != "" {
			t.Errorf("settings after the %s: %s", after, d)
		}
		if w.read("db", "private", "host.crt") != "a certificate" {
			t.Errorf("the identity did not survive the %s", after)
		}
	}
	if err := os.Remove(w.file("install.ini")); err != nil {
		t.Fatal(err)
	}
	w.msiexec(0, "/i", one, "REINSTALL=ALL", "REINSTALLMODE=amus")
	w.read("install.ini") // is back
	kept("repair")

	w.msiexec(0, "/i", two)
	kept("upgrade")
	w.wantService("RUNNING")
	if out, _ := w.run(w.file("wapt-get.exe"), "version"); strings.TrimSpace(out) != "1.1.0" {
		t.Errorf("after the upgrade it is version %s", out)
	}
	if d := cmp.Diff([]string{"1.1.0"}, w.products()); d != "" {
		t.Errorf("products after the upgrade: %s", d)
	}

	w.msiexec(1603&0xff, "/i", one) // an older one
	if d := cmp.Diff([]string{"1.1.0"}, w.products()); d != "" {
		t.Errorf("products after the refused downgrade: %s", d)
	}

	w.msiexec(0, "/i", two, "REINSTALL=ALL", "WAPTWUA=leave")
	if strings.Contains(w.read("wapt-get.ini"), "enabled") {
		t.Error("WAPTWUA=leave left an option behind")
	}

	// It has replaced itself by a newer version since it was installed.
	newer, err := os.ReadFile(made["1.1.0"].Program)
	if err != nil {
		t.Fatal(err)
	}
	if newer, err = Stamp(newer, "1.2.0"); err != nil {
		t.Fatal(err)
	}
	w.run(w.file("wapt-get.exe"), "service", "stop")
	for _, name := range []string{"wapt-get.exe", "wapt-get.old.exe"} {
		if err := os.WriteFile(w.file(name), newer, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.msiexec(0, "/x", two)
	w.wantService("absent")
	for name, want := range map[string]bool{"wapt-get.exe": false, "wapt-get.old.exe": false, "install.ini": false, "ssl": false, "wapt-get.ini": true, "db/private/host.crt": true} {
		if _, err := os.Stat(w.file(filepath.FromSlash(name))); (err == nil) != want {
			t.Errorf("after the removal: %s exists is %v, want %v", name, err == nil, want)
		}
	}
	if p := w.products(); len(p) != 0 {
		t.Errorf("products after the removal: %v", p)
	}
}

// TestWinePurge: nothing of the agent is left, neither files nor what Windows
// was told about it.
func TestWinePurge(t *testing.T) {
	w := newWine(t)
	made := w.agents("[global]\nwapt_server = https://127.0.0.1:1\n", "1.0.0")
	msi := "Z:" + made["1.0.0"].Package
	t.Cleanup(func() {
		w.run("msiexec", "/qn", "/x", msi)
		_ = os.RemoveAll(w.file())
	})
	traces := func() (script string, source, wait bool) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(w.prefix, "drive_c", "windows", "system32", "GroupPolicy", "Machine", "Scripts", "scripts.ini"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		_, noSource := w.run("reg", "query", `HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\`+Service)
		_, noWait := w.run("reg", "query", `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System`, "/v", "MaxGPOScriptWait")
		return strings.ReplaceAll(string(b), "\x00", ""), noSource == 0, noWait == 0
	}
	w.msiexec(0, "/i", msi)
	w.read("db", "private", "enrol.json")
	if out, code := w.run(w.file("wapt-get.exe"), "add-upgrade-shutdown", "--wait", "1m"); code != 0 {
		t.Fatalf("add-upgrade-shutdown: exit code %d\n%s", code, out)
	}
	if script, source, wait := traces(); !strings.Contains(script, "wapt-get.exe") || !source || !wait {
		t.Errorf("before the removal: shutdown script %q, source of events %v, wait %v", script, source, wait)
	}
	w.msiexec(0, "/x", msi, "PURGE=1")
	if script, source, wait := traces(); strings.Contains(script, "wapt-get.exe") || source || wait {
		t.Errorf("after the removal: shutdown script %q, source of events %v, wait %v", script, source, wait)
	}
	if left, err := filepath.Glob(w.file("*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestWineFailedInstallation: settings that the agent could not
// read stop the installation, which Windows Installer then undoes.
func TestWineFailedInstallation(t *testing.T) {
	w := newWine(t)
	made := w.agents("[global]\nwapt_server = https://127.0.0.1:1\n", "1.0.0")
	t.Cleanup(func() { _ = os.RemoveAll(w.file()) })
	for _, property := range []string{"SERVER=http://insecure.example.org", "WAPTWUA=perhaps", "SETTINGS=waptwua.nonsense=1"} {
		if out, code := w.run("msiexec", "/qn", "/i", "Z:"+made["1.0.0"].Package, property); code == 0 {
			t.Errorf("%s: installed\n%s", property, out)
		}
		w.wantService("absent")
		if _, err := os.Stat(w.file("wapt-get.exe")); err == nil {
			t.Errorf("%s: the program is still there", property)
		}
	}
	if fmt.Sprint(w.products()) != "[]" {
		t.Errorf("products: %v", w.products())
	}
}

// TestWineTooOldWindows: Windows 8.1 calls itself 603, as Windows 10 does to
// Windows Installer; its build number is another.
func TestWineTooOldWindows(t *testing.T) {
	w := newWine(t)
	made := w.agents("[global]\nwapt_server = https://127.0.0.1:1\n", "1.0.0")
	const key = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	out, _ := w.run("reg", "query", key, "/v", "CurrentBuildNumber")
	fields := strings.Fields(out)
	build := fields[len(fields)-1]
	set := func(build string) { w.run("reg", "add", key, "/v", "CurrentBuildNumber", "/d", build, "/f") }
	t.Cleanup(func() { set(build); _ = os.RemoveAll(w.file()) })
	set("9600")
	if out, code := w.run("msiexec", "/qn", "/i", "Z:"+made["1.0.0"].Package); code == 0 {
		t.Errorf("installed on build 9600\n%s", out)
	}
}
