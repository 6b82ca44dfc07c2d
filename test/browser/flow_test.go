package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"waptwua"
	"waptwua/server"
)

func TestFirstSignIn(t *testing.T) {
	s := newSite(t)
	b := start(t, s.url, "en")
	b.see("/updates?severity=Critical")
	if got := b.path(); !strings.HasPrefix(got, "/signin?next=") {
		t.Fatalf("without a session the page leads to %s", got)
	}
	b.fill("#name", "admin")
	b.fill("#password", "a guess")
	if status := b.press("main button[type=submit]"); status != 401 {
		t.Errorf("a wrong password: %d", status)
	}
	b.faults = nil // the browser notes the 401
	if b.count("[role=alert]") != 1 || eval[string](b, `document.getElementById("name").value`) != "admin" {
		t.Errorf("no word about the wrong password, or the name is lost")
	}
	b.fill("#password", firstPassword)
	b.press("main button[type=submit]")
	if got := b.path(); got != "/password" {
		t.Fatalf("the first sign-in leads to %s", got)
	}
	b.audit("en")
	b.picture("password-first")
	b.see("/hosts")
	if got := b.path(); got != "/password" {
		t.Fatalf("hosts before the password is changed lead to %s", got)
	}
	b.changePassword(firstPassword, "short", "short", 400)
	b.changePassword(firstPassword, "a password of my own", "another one of my own", 400)
	b.faults = nil
	b.changePassword(firstPassword, "a password of my own", "a password of my own", 200)
	if got := b.path(); got != "/?done=password" {
		t.Fatalf("after the change: %s", got)
	}
	b.press(`form[action="/signout"] button`)
	b.see("/hosts")
	if got := b.path(); !strings.HasPrefix(got, "/signin") {
		t.Errorf("signed out, hosts are at %s", got)
	}
	b.expectNoFaults()
}

func (b *browser) changePassword(old, password, again string, want int) {
	b.t.Helper()
	b.fill("#old", old)
	b.fill("#new", password)
	b.fill("#again", again)
	if status := b.press("main button[type=submit]"); status != want {
		b.t.Errorf("changing the password to %q and %q: %d, want %d", password, again, status, want)
	}
}

// TestWalk goes through the fleet by its links, as somebody does who wants to
// know why a host lacks an update.
func TestWalk(t *testing.T) {
	s := newSite(t)
	s.furnish(t)
	b := start(t, s.url, "en")
	b.signIn(s)
	for _, step := range []struct{ press, path, says string }{
		{`a[href="/hosts?condition=wanting"]`, "/hosts?condition=wanting", "1 to 17 of 17"},
		{`th a[href*="sort=missing"]`, "/hosts?condition=wanting&sort=missing", "PENDING UPDATES"},
		{`tbody a[href*="status=MISSING"]`, "/hosts/" + hostUUID(0) + "?status=MISSING", "KB5068861"},
		{`tbody th a`, "/updates/" + updateID(0).String(), "16 of 16"},
		{`.pager a`, "/hosts?update=" + updateID(0).String(), "1 to 16 of 16"},
		{`nav a[href="/updates"]`, "/updates", "15 hosts"},
		{`th a[href*="sort=needed"]`, "/updates?sort=needed", "Needed by"},
		{`nav a[href="/downloads"]`, "/downloads", "2.1\u00a0GB of 4.8\u00a0GB"},
		{`a[href="/downloads?state=failed"]`, "/downloads?state=failed", "digest mismatch"},
		{`nav a[href="/runs"]`, "/runs", "Microsoft has nothing new"},
		{`nav a[href="/rules"]`, "/rules", "alice"},
	} {
		b.press(step.press)
		if got := b.path(); got != step.path {
			t.Fatalf("%s leads to %s, want %s", step.press, got, step.path)
		}
		if text := b.text("main"); !strings.Contains(text, step.says) {
			t.Errorf("%s does not say %q", step.path, step.says)
		}
	}
	b.expectNoFaults()
}

// TestFilterForm filters as one does without looking at the address.
func TestFilterForm(t *testing.T) {
	s := newSite(t)
	s.furnish(t)
	b := start(t, s.url, "en")
	b.signIn(s)
	b.see("/updates")
	check(t, chromedp.Do(b.ctx, chromedp.KeyEvent("/")))
	if got := eval[string](b, `document.activeElement.id`); got != "f-q" {
		t.Errorf("the key / leads to %q", got)
	}
	b.fill("#f-q", "cumulative")
	b.fill("#f-severity", "Critical")
	b.fill("#f-product", "Windows 11")
	b.press(".filters button")
	if n := b.count("tbody tr"); n != 1 {
		t.Errorf("%d updates, want 1", n)
	}
	if got := eval[string](b, `document.getElementById("f-product").value`); got != "Windows 11" {
		t.Errorf("the filter shows %q", got)
	}
	b.expectNoFaults()
}

func TestHostileText(t *testing.T) {
	s := newSite(t)
	s.furnish(t)
	b := start(t, s.url, "en")
	b.signIn(s)
	b.see("/hosts/" + hostUUID(0))
	if got := b.text("h1"); got != hostile {
		t.Errorf("the host is called %q, want %q", got, hostile)
	}
	b.see("/updates/" + updateID(4).String())
	if got := b.text("h1"); got != updates(time.Now())[4].Title {
		t.Errorf("the update is called %q", got)
	}
	if n := b.count(`main script, main h1 b, main td b, main th b, a[href^="javascript"]`); n != 0 {
		t.Errorf("%d elements came out of texts", n)
	}
	b.see("/hosts?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
	if got := eval[string](b, `document.getElementById("f-q").value`); got != `"><script>alert(1)</script>` {
		t.Errorf("searched for %q", got)
	}
	b.expectNoFaults()
}

func TestRulesInBrowser(t *testing.T) {
	s := newSite(t)
	b := start(t, s.url, "en")
	b.signIn(s)
	b.upload(s.envelope(t, "servers", 2, time.Now()), 200)
	if got := b.text("main"); !strings.Contains(got, "servers") || !strings.Contains(got, "in force") {
		t.Errorf("after the upload the page says %q", got)
	}
	b.upload(s.envelope(t, "servers", 1, time.Now()), 422)
	b.upload([]byte("{}"), 422)
	b.faults = nil // the browser notes both refusals
	b.audit("en")
	b.see("/rules")
	b.press(`form[action="/rules/remove"] button`)
	if list := must(s.Rules.List(s.ctx))(t); len(list) != 0 || b.path() != "/rules?done=removed" {
		t.Errorf("after removal at %s: %v", b.path(), list)
	}
	b.expectNoFaults()
}

func (b *browser) upload(envelope []byte, want int) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "rules.json")
	check(b.t, os.WriteFile(path, envelope, 0o600))
	b.see("/rules")
	check(b.t, chromedp.Do(b.ctx, chromedp.SetUploadFiles(chromedp.CSS("#envelope"), []string{path})))
	if status := b.press(`form[action="/rules"] button`); status != want {
		b.t.Errorf("upload: %d, want %d; %s", status, want, b.text("main"))
	}
}

func TestActions(t *testing.T) {
	s := newSite(t)
	s.furnish(t)
	b := start(t, s.url, "en")
	b.signIn(s)
	b.press(`form[action="/fetch"] button`)
	if got := b.path(); got != "/runs?done=fetch" || len(s.queue.asked) != 2 || s.queue.asked[0] != server.JobArchive || s.queue.asked[1] != server.JobFiles {
		t.Errorf("at %s, asked for %v", got, s.queue.asked)
	}
	b.see("/hosts/" + hostUUID(5))
	b.press(`button[value=enrolled]`)
	if h := must(s.db.Host(s.ctx, hostUUID(5)))(t); h.Standing != server.Enrolled {
		t.Errorf("the host approved is %s", h.Standing)
	}
	b.expectNoFaults()
}

// TestLive changes the fleet behind the page and waits until it shows.
func TestLive(t *testing.T) {
	s := newSite(t)
	s.furnish(t)
	b := start(t, s.url, "en")
	b.signIn(s)
	b.see("/hosts?q=pc-007")
	if got := b.text("tbody .badge"); got != "PENDING UPDATES" {
		t.Fatalf("at first the host is %q", got)
	}
	h := must(s.db.Host(s.ctx, hostUUID(7)))(t)
	h.Status = waptwua.HostInstalling
	check(t, s.db.PutHost(s.ctx, h))
	shown := chromedp.Poll[bool](`document.querySelector("tbody .badge").innerText === "INSTALLING"`, chromedp.WithPollingTimeout(30*time.Second))
	must(chromedp.Run(b.ctx, shown))(t)
	check(t, chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS("#live"))))
	if got := eval[string](b, `document.getElementById("live").getAttribute("aria-pressed")`); got != "true" {
		t.Errorf("paused: aria-pressed is %q", got)
	}
	b.expectNoFaults()
}

// TestViewer sees everything and is offered nothing to change.
func TestViewer(t *testing.T) {
	s := newSite(t)
	s.furnish(t)
	check(t, s.Accounts.AddUser(s.ctx, "vera", "a good password", server.Viewer, false))
	b := start(t, s.url, "en")
	b.see("/signin")
	b.fill("#name", "vera")
	b.fill("#password", "a good password")
	b.press("main button[type=submit]")
	for _, p := range pages {
		b.see(p.path)
		if n := b.count(`main form[method=post]:not([action="/password"], [action="/language"])`); n != 0 {
			t.Errorf("%s offers a viewer %d actions", p.path, n)
		}
	}
	if status := b.open("/no-such-page"); status != 404 {
		t.Errorf("a page that does not exist: %d", status)
	}
	b.audit("en")
	b.picture("error")
}
