package console_test

import (
	"bytes"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/console"
	"waptwua/server"
)

const oneUpdate = "aaaaaaaa-0000-4000-8000-000000000001_201"

// TestRoutesByRole tries every route with every role: nobody is sent to the
// sign-in page, too low a role is refused, and nothing is done for them.
func TestRoutesByRole(t *testing.T) {
	for _, rt := range []struct {
		method, path string
		need         server.Role
	}{
		{"GET", "/", server.Viewer}, {"GET", "/hosts", server.Viewer}, {"GET", "/hosts/x", server.Viewer},
		{"GET", "/updates", server.Viewer}, {"GET", "/updates/" + oneUpdate, server.Viewer},
		{"GET", "/downloads", server.Viewer}, {"GET", "/runs", server.Viewer}, {"GET", "/rules", server.Viewer}, {"GET", "/password", server.Viewer},
		{"POST", "/password", server.Viewer}, {"POST", "/fetch", server.Operator}, {"POST", "/hosts/x/standing", server.Operator},
		{"POST", "/rules", server.Administrator}, {"POST", "/rules/remove", server.Administrator},
	} {
		for _, role := range []server.Role{"", server.Viewer, server.Operator, server.Administrator} {
			t.Run(fmt.Sprintf("%s %s as %q", rt.method, rt.path, role), func(t *testing.T) {
				f := &fleet{updates: []server.UpdateView{{Update: waptwua.Update{Title: "x"}}}}
				h := pages(t, f, role)
				var got response
				if rt.method == "GET" {
					got = get(t, h, rt.path)
				} else {
					got = post(t, h, rt.path, url.Values{"standing": {"refused"}, "name": {"x"}})
				}
				toSignIn := got.status == 303 && strings.HasPrefix(got.to(), "/signin")
				if toSignIn != (role == "") {
					t.Errorf("%d to %q", got.status, got.to())
				}
				if refused := got.status == http.StatusForbidden; refused != (role != "" && !role.Allows(rt.need)) {
					t.Errorf("status %d", got.status)
				}
				if !role.Allows(rt.need) && (len(f.asked) > 0 || f.uploaded != "" || f.removed != "" || f.standing != "") {
					t.Errorf("it was done all the same: %+v", f)
				}
			})
		}
	}
}

func TestFirstPasswordBeforeAnythingElse(t *testing.T) {
	h := pages(t, &fleet{actor: server.Actor{MustChange: true}}, server.Administrator)
	for _, path := range []string{"/", "/hosts", "/rules"} {
		if got := get(t, h, path); got.to() != "/password" {
			t.Errorf("%s leads to %q", path, got.to())
		}
	}
	if got := get(t, h, "/password"); got.status != 200 || strings.Contains(got.body, `href="/hosts"`) {
		t.Errorf("the password page: %d", got.status)
	}
}

// TestOtherSites sends forms as a page of another site would.
func TestOtherSites(t *testing.T) {
	f := &fleet{}
	h := pages(t, f, server.Administrator)
	for _, header := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"} {
		if got := post(t, h, "/fetch", nil, header); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", header, got.status)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/fetch", nil)
	r.Header.Set("Origin", "https://evil.example")
	if got := send(t, h, r, nil); got.status != http.StatusForbidden || len(f.asked) > 0 {
		t.Errorf("a foreign origin: %d, asked for %v", got.status, f.asked)
	}
}

func TestHeaders(t *testing.T) {
	h := pages(t, &fleet{}, server.Viewer)
	for _, path := range []string{"/", "/no-such-page", "/password"} {
		got := get(t, h, path).header
		csp := got.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if got.Get("Cache-Control") != "no-store" || got.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, got)
		}
	}
}

// TestRedirectsStayHere gives the sign-in page and the language switch
// addresses that browsers take for another site.
func TestRedirectsStayHere(t *testing.T) {
	h := pages(t, &fleet{}, "")
	for next, want := range map[string]string{
		"/hosts?q=x":                    "/hosts?q=x",
		"":                              "/",
		"//evil.example":                "/",
		`/\evil.example`:                "/",
		"https://evil.example":          "/",
		"/\t/evil.example":              "/",
		"javascript:alert(1)":           "/",
		"/" + strings.Repeat("x", 3000): "/",
	} {
		got := post(t, h, "/signin", url.Values{"name": {"ada"}, "password": {"right"}, "next": {next}})
		if got.status != 303 || got.to() != want {
			t.Errorf("next %.30q leads to %.30q, want %q", next, got.to(), want)
		}
		if got := post(t, h, "/language", url.Values{"language": {"fr"}, "back": {next}}); got.to() != want {
			t.Errorf("back %.30q leads to %.30q, want %q", next, got.to(), want)
		}
	}
}

func TestSignIn(t *testing.T) {
	for _, c := range []struct {
		name   string
		f      *fleet
		pass   string
		status int
		says   string
	}{
		{"right", &fleet{}, "right", 303, ""},
		{"wrong", &fleet{}, "wrong", 401, "User name or password is wrong"},
		{"too often", &fleet{err: waptwua.ErrLimit}, "right", 429, "Wait a minute"},
		{"database gone", &fleet{err: errors.New("secret path")}, "right", 500, "Its log says why"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := post(t, pages(t, c.f, ""), "/signin", url.Values{"name": {`"><b>`}, "password": {c.pass}})
			if got.status != c.status || !strings.Contains(got.body, c.says) {
				t.Errorf("%d %s", got.status, got.body)
			}
			if strings.Contains(got.body, "<b>") || strings.Contains(got.body, "secret path") || strings.Contains(got.body, c.pass+`"`) {
				t.Errorf("the page tells too much, or the name broke out: %s", got.body)
			}
			if c.f.from != "192.0.2.1" {
				t.Errorf("the peer is %q", c.f.from)
			}
		})
	}
}

func TestLanguage(t *testing.T) {
	h := pages(t, &fleet{}, "")
	for _, c := range []struct{ name, accept, cookie, want string }{
		{"browser's", "fr", "", `lang="fr"`},
		{"chosen", "fr", "waptwua_language=en", `lang="en"`},
		{"odd cookie", "fr", "waptwua_language=xx", `lang="fr"`},
	} {
		got := get(t, h, "/signin", "Accept-Language: "+c.accept, "Cookie: "+c.cookie)
		if !strings.Contains(got.body, "<html "+c.want) {
			t.Errorf("%s: no %s", c.name, c.want)
		}
	}
	got := post(t, h, "/language", url.Values{"language": {"fr"}, "back": {"/hosts"}})
	if c := got.header.Get("Set-Cookie"); !strings.Contains(c, "waptwua_language=fr") || !strings.Contains(c, "HttpOnly") {
		t.Errorf("cookie %q", c)
	}
	if got := post(t, h, "/language", url.Values{"language": {"xx"}}); got.status != 400 {
		t.Errorf("a language that is not there: %d", got.status)
	}
}

func TestHostFilters(t *testing.T) {
	enrolled := server.Enrolled
	part := server.Part{Limit: 50}
	for address, want := range map[string]server.HostFilter{
		"":                                      {Part: part},
		"?q=pc&has=MISSING&status=OK":           {Part: part, Search: "pc", Has: waptwua.StatusMissing, Status: waptwua.HostOK},
		"?condition=silent":                     {Part: part, Standing: enrolled, Condition: "silent"},
		"?condition=awaiting":                   {Part: part, Standing: "awaiting"},
		"?sort=missing":                         {Part: part, Sort: "missing", Descending: true},
		"?sort=missing&turned=1":                {Part: part, Sort: "missing"},
		"?turned=1":                             {Part: part, Descending: true},
		"?page=3":                               {Part: server.Part{Limit: 50, Offset: 100}},
		"?update=" + oneUpdate + "&has=PENDING": {Part: part, Has: waptwua.StatusPending, Update: waptwua.UpdateID{GUID: oneUpdate[:36], Revision: 201}},
	} {
		f := &fleet{}
		if got := get(t, pages(t, f, server.Viewer), "/hosts"+address); got.status != 200 {
			t.Errorf("%s: %d", address, got.status)
		}
		if d := cmp.Diff(want, f.hostFilter); d != "" {
			t.Errorf("%s (-want +got):\n%s", address, d)
		}
	}
}

func TestUpdateFilters(t *testing.T) {
	part := server.Part{Limit: 50}
	for address, want := range map[string]server.UpdateFilter{
		"": {Part: part},
		"?q=kb1&severity=None&product=Windows+11&classification=Drivers&files=absent&status=ERROR": {Part: part, Search: "kb1", Severity: "None",
			Product: "Windows 11", Classification: "Drivers", Files: "absent", Status: waptwua.StatusError},
		"?turned=1":            {Part: part, Ascending: true},
		"?sort=title":          {Part: part, Sort: "title", Ascending: true},
		"?sort=title&turned=1": {Part: part, Sort: "title"},
		"?sort=needed":         {Part: part, Sort: "needed"},
	} {
		f := &fleet{}
		if got := get(t, pages(t, f, server.Viewer), "/updates"+address); got.status != 200 {
			t.Errorf("%s: %d", address, got.status)
		}
		if d := cmp.Diff(want, f.updateFilter); d != "" {
			t.Errorf("%s (-want +got):\n%s", address, d)
		}
	}
}

func TestSenselessAddresses(t *testing.T) {
	h := pages(t, &fleet{}, server.Viewer)
	for _, address := range []string{
		"/hosts?condition=happy", "/hosts?has=ok", "/hosts?status=x", "/hosts?sort=uuid", "/hosts?page=0", "/hosts?page=-1", "/hosts?page=x",
		"/hosts?update=1", "/hosts?q=" + strings.Repeat("x", 201), "/hosts/x?status=none", "/updates?files=maybe", "/updates?product=" + strings.Repeat("x", 201),
		"/updates/none", "/downloads?state=x", "/runs?job=x", "/runs?page=99999999999999999999",
	} {
		if got := get(t, h, address); got.status != http.StatusBadRequest {
			t.Errorf("%.60s: %d, want 400", address, got.status)
		}
	}
	for _, address := range []string{"/x", "/hosts/a/b", "/updates/" + oneUpdate, "/assets/x.css"} {
		if got := get(t, h, address); got.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", address, got.status)
		}
	}
}

// TestLinksKeepFilters follows the links of a list: another order or page
// keeps the filter, another filter begins at the first page.
func TestLinksKeepFilters(t *testing.T) {
	f := &fleet{hosts: make([]server.HostView, 50), total: 210}
	for i := range f.hosts {
		f.hosts[i].UUID = fmt.Sprint(i)
	}
	body := get(t, pages(t, f, server.Viewer), "/hosts?has=MISSING&q=a%26b&sort=missing&page=2&done=approved").body
	for _, want := range []string{
		`href="/hosts?has=MISSING&amp;q=a%26b&amp;sort=missing"`,                      // previous page
		`href="/hosts?has=MISSING&amp;page=3&amp;q=a%26b&amp;sort=missing"`,           // next page
		`href="/hosts?has=MISSING&amp;q=a%26b&amp;sort=missing&amp;turned=1"`,         // the order turned round
		`href="/hosts?condition=silent&amp;has=MISSING&amp;q=a%26b&amp;sort=missing"`, // another filter
		`href="/hosts?has=MISSING&amp;q=a%26b"`,                                       // the default order
		`51 to 100 of 210`,
		`The host is approved.`,
		`aria-sort="descending"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(body, "done=") {
		t.Error("a notice is carried on by links")
	}
}

func TestErrorsTellNoSecrets(t *testing.T) {
	h := pages(t, &fleet{err: errors.New("open /secret/path: no such table")}, server.Administrator)
	for _, path := range []string{"/", "/hosts", "/hosts/x", "/updates", "/downloads", "/runs"} {
		got := get(t, h, path)
		if got.status != 500 || strings.Contains(got.body, "secret") || !strings.Contains(got.body, "Its log says why") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

func TestFetchNow(t *testing.T) {
	f := &fleet{}
	if got := post(t, pages(t, f, server.Operator), "/fetch", nil); got.to() != "/runs?done=fetch" {
		t.Errorf("it leads to %q", got.to())
	}
	if d := cmp.Diff([]server.Job{server.JobArchive, server.JobFiles}, f.asked); d != "" {
		t.Errorf("jobs (-want +got):\n%s", d)
	}
	if got := post(t, pages(t, &fleet{conflict: true}, server.Operator), "/fetch", nil); got.to() != "/runs?done=busy" {
		t.Errorf("while it runs already: %q", got.to())
	}
}

func TestUploadRules(t *testing.T) {
	for _, c := range []struct {
		name, content string
		err           error
		status        int
		says          string
	}{
		{"taken", "{signed}", nil, 303, ""},
		{"nothing chosen", "", nil, 422, "Choose a file first"},
		{"foreign signer", "{}", fmt.Errorf("signer eve: %w", waptwua.ErrNotTrusted), 422, "signer eve"},
		{"old version", "{}", fmt.Errorf("version 1: %w", waptwua.ErrStale), 422, "higher version"},
		{"no envelope", "{}", fmt.Errorf("unexpected end: %w", server.ErrInvalid), 422, "no signed rule package"},
		{"too large", strings.Repeat("x", 9<<20), nil, 422, "too large"},
		{"database gone", "{}", errors.New("disk full"), 500, "Its log says why"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			part, err := w.CreateFormFile("envelope", "rules.json")
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(part, c.content)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			f := &fleet{err: c.err}
			r := httptest.NewRequest(http.MethodPost, "/rules", &b)
			r.Header.Set("Content-Type", w.FormDataContentType())
			got := send(t, pages(t, f, server.Administrator), r, nil)
			if got.status != c.status || !strings.Contains(got.body, c.says) {
				t.Errorf("%d %.2000s", got.status, got.body)
			}
			if c.status == 303 && f.uploaded != c.content {
				t.Errorf("uploaded %q", f.uploaded)
			}
		})
	}
}

func TestStanding(t *testing.T) {
	f := &fleet{}
	h := pages(t, f, server.Operator)
	if got := post(t, h, "/hosts/ABC/standing", url.Values{"standing": {"enrolled"}}); got.to() != "/hosts/abc?done=approved" || f.standing != server.Enrolled {
		t.Errorf("approved: to %q, standing %q", got.to(), f.standing)
	}
	if got := post(t, h, "/hosts/abc/standing", url.Values{"standing": {"awaiting"}}); got.status != 400 {
		t.Errorf("a standing that nobody can give: %d", got.status)
	}
}

func TestLargeForms(t *testing.T) {
	got := post(t, pages(t, &fleet{}, ""), "/signin", url.Values{"name": {strings.Repeat("x", 100_000)}, "password": {"right"}})
	if got.status == 303 {
		t.Error("a form of 100 kB was taken")
	}
}

func TestNewNeedsEverything(t *testing.T) {
	if _, err := console.New(console.Deps{}); err == nil {
		t.Error("a console of nothing")
	}
}
