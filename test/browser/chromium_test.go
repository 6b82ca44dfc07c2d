package browser

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a Chromium with one tab, which notes everything that went wrong
// on the pages: exceptions, errors of the console, violations of the policy.
type browser struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu     sync.Mutex
	faults []string
}

// chromium finds the browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("WAPTWUA_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium here; install Debian's package chromium, or set WAPTWUA_CHROMIUM")
	return ""
}

// process is the one Chromium of the tests; it costs a second or two to
// start. Each test has a profile of its own in it: cookies, storage, cache.
var process struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if process.stop != nil {
		process.stop()
	}
	os.Exit(code)
}

// launch starts the process for the first test that needs it.
func launch(path string) {
	dir, err := os.MkdirTemp("", "waptwua-chromium-")
	if err != nil {
		process.err = err
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 900))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(alloc)
	process.ctx = ctx
	process.stop = func() {
		stop()
		chromedp.FromContext(ctx).Allocator.Wait()
		cancel()
		os.RemoveAll(dir)
	}
	process.err = chromedp.Do(ctx)
}

// start opens a tab for the site at base, asking for a language.
func start(t *testing.T, base, language string) *browser {
	t.Helper()
	path := chromium(t)
	process.once.Do(func() { launch(path) })
	check(t, process.err)
	ctx, stop := chromedp.NewContext(process.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	b := &browser{t: t, base: base, ctx: ctx}
	check(t, chromedp.Listen(ctx, b.note))
	b.call(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, log.Enable, cdp.Empty{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}})
		return err
	})
	return b
}

// note collects what must not happen.
func (b *browser) note(ev any) {
	fault := ""
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		fault = "exception: " + e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			fault = "console " + string(e.Type)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			fault = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if fault == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fault)
}

// expectNoFaults fails when a page did something wrong.
func (b *browser) expectNoFaults() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		b.t.Errorf("the browser says: %s", f)
	}
	b.faults = nil
}

func (b *browser) call(f func(context.Context, *chromedp.Target) error) {
	b.t.Helper()
	check(b.t, chromedp.Do(b.ctx, chromedp.Func(f)))
}

// open goes to a page and returns its status.
func (b *browser) open(path string) int {
	b.t.Helper()
	resp, err := chromedp.Run(b.ctx, chromedp.NavigateResponse(b.base+path))
	check(b.t, err)
	return int(resp.Status)
}

// see goes to a page that must be there.
func (b *browser) see(path string) {
	b.t.Helper()
	if status := b.open(path); status != http.StatusOK {
		b.t.Fatalf("GET %s: %d", path, status)
	}
}

// press clicks what sel selects and waits for the page it leads to.
func (b *browser) press(sel string) int {
	b.t.Helper()
	resp, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(sel)))
	check(b.t, err)
	return int(resp.Status)
}

// fill types into the field that sel selects.
func (b *browser) fill(sel, text string) {
	b.t.Helper()
	check(b.t, chromedp.Do(b.ctx, chromedp.SetValue(chromedp.CSS(sel), text)))
}

// eval runs a script in the page.
func eval[T any](b *browser, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	check(b.t, err)
	return v
}

// text is what people read in the element.
func (b *browser) text(sel string) string {
	b.t.Helper()
	return eval[string](b, `document.querySelector(`+quote(sel)+`).innerText`)
}

// count counts elements.
func (b *browser) count(sel string) int {
	b.t.Helper()
	return eval[int](b, `document.querySelectorAll(`+quote(sel)+`).length`)
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }

// path is where the browser is.
func (b *browser) path() string {
	b.t.Helper()
	return eval[string](b, `location.pathname + location.search`)
}

// scheme asks for light or dark, without transitions, in the middle of
// which colours are neither.
func (b *browser) scheme(name string) {
	b.t.Helper()
	b.call(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	})
}

func (b *browser) size(width, height int64) {
	b.t.Helper()
	check(b.t, chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)))
}

// picture keeps a picture of the whole page, when somebody asked for it.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("WAPTWUA_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	check(b.t, err)
	check(b.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

// signIn signs in as admin, who has a password of their own by then.
func (b *browser) signIn(s *site) {
	b.t.Helper()
	const password = "a password of my own"
	if err := s.Accounts.SetPassword(s.ctx, "admin", password, false); err != nil {
		b.t.Fatal(err)
	}
	b.see("/signin")
	b.fill("#name", "admin")
	b.fill("#password", password)
	b.press("main button[type=submit]")
}
