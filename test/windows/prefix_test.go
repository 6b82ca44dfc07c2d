package windows

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// prefix is a Wine prefix of one test: a Windows computer without an update
// agent of its own.
type prefix struct {
	t   testing.TB
	dir string
}

// callLimit is how long one Windows program may run.
const callLimit = 3 * time.Minute

// newPrefix copies the prefix that WAPTWUA_WINE names.
func newPrefix(t testing.TB) *prefix {
	t.Helper()
	p := &prefix{t: t, dir: filepath.Join(t.TempDir(), "prefix")}
	if out, err := exec.Command("cp", "-a", "--reflink=auto", template(), p.dir).CombinedOutput(); err != nil {
		t.Fatalf("copy the prefix: %v\n%s", err, out)
	}
	t.Cleanup(p.kill)
	p.boot()
	return p
}

// boot starts the prefix' server and services, which then stay. On a busy
// machine Wine's own processes sometimes crash or miss each other when they
// start; then all of it is done again.
func (p *prefix) boot() {
	p.t.Helper()
	for range 3 {
		p.tool("wineserver", "-p")
		code, text := p.execute("cmd", "/c", "exit 0")
		if code == 0 && !strings.Contains(text, crashed) {
			return
		}
		p.t.Logf("Wine has not started: exit %d\n%s", code, text)
		p.kill()
	}
	p.t.Fatal("Wine does not start")
}

// kill ends everything that runs in the prefix, as a power cut would.
func (p *prefix) kill() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, how := range []string{"-k", "-w"} {
		_ = p.command(ctx, "wineserver", how).Run() // it may be down already
	}
}

// path is where C:\… lies on Linux.
func (p *prefix) path(windows string) string {
	rest, ok := strings.CutPrefix(windows, `C:\`)
	if !ok {
		p.t.Fatalf("%s is not on drive C", windows)
	}
	return filepath.Join(p.dir, "drive_c", filepath.FromSlash(strings.ReplaceAll(rest, `\`, "/")))
}

func (p *prefix) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "WINEPREFIX="+p.dir, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// start starts a Windows program whose output goes to the file out. A pipe
// would stay open as long as the prefix, whose services inherit it.
func (p *prefix) start(ctx context.Context, out *os.File, args ...string) *exec.Cmd {
	p.t.Helper()
	cmd := p.command(ctx, "wine", args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	return cmd
}

// crashed is what Wine writes when a program has crashed.
const crashed = "Unhandled "

// run runs a Windows program, which must not crash, and returns the low eight
// bits of its exit code and what it wrote.
func (p *prefix) run(args ...string) (code int, text string) {
	p.t.Helper()
	if code, text = p.execute(args...); strings.Contains(text, crashed) {
		p.t.Errorf("%v crashed:\n%s", args, text)
	}
	return code, text
}

func (p *prefix) execute(args ...string) (code int, text string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	out, err := os.Create(filepath.Join(p.t.TempDir(), "output"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	err = p.start(ctx, out, args...).Wait()
	b, readErr := os.ReadFile(out.Name())
	var exit *exec.ExitError
	if readErr != nil || ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		p.t.Fatalf("%v: %v, %v, %v\n%s", args, err, ctx.Err(), readErr, b)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return code, ownWords(string(b))
}

// ownWords leaves out what Wine itself writes beside a program's output: a
// thread that ends while its process does finds its connection to the server
// closed.
func ownWords(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "wine client error:") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// wine runs what must succeed.
func (p *prefix) wine(args ...string) string {
	p.t.Helper()
	code, text := p.run(args...)
	if code != 0 {
		p.t.Fatalf("%v: exit %d\n%s", args, code, text)
	}
	return text
}

// tool runs one of Wine's programs on Linux.
func (p *prefix) tool(program string, args ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.command(ctx, program, args...).Run(); err != nil {
		p.t.Fatalf("%s %v: %v", program, args, err)
	}
}

// registry imports a registry file.
func (p *prefix) registry(text string) {
	p.t.Helper()
	file := p.path(`C:\import.reg`)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.wine("regedit", "/S", `C:\import.reg`)
}
