package assets

import (
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestServe(t *testing.T) {
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path   string
		status int
		kind   string
	}{
		{s.Style, 200, "text/css; charset=utf-8"},
		{s.Script, 200, "text/javascript; charset=utf-8"},
		{s.Icon, 200, "image/svg+xml"},
		{Prefix + "style.css", 404, ""},
		{Prefix + "style.000000000000.css", 404, ""},
		{Prefix + "../assets.go", 404, ""},
		{Prefix, 404, ""},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, nil))
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d", c.path, w.Code, c.status)
		}
		if c.kind == "" {
			continue
		}
		if got := w.Header().Get("Content-Type"); got != c.kind {
			t.Errorf("%s: type %s, want %s", c.path, got, c.kind)
		}
		if got := w.Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control %q", c.path, got)
		}
	}
}

func TestNameFollowsContent(t *testing.T) {
	a, b := hashedName("style.css", []byte("a")), hashedName("style.css", []byte("b"))
	if a == b || !regexp.MustCompile(`^style\.[0-9a-f]{12}\.css$`).MatchString(a) {
		t.Errorf("names %s and %s", a, b)
	}
}

// The pairs that style.css uses: what is read, on what it stands, and the
// contrast that WCAG 2.2 AA asks for: 4.5 for text, 3 for icons and borders.
var pairs = []struct {
	front, back string
	least       float64
}{
	{"text", "page", 4.5}, {"text", "card", 4.5}, {"text", "row-hover", 4.5},
	{"muted", "page", 4.5}, {"muted", "card", 4.5}, {"muted", "row-hover", 4.5},
	{"link", "page", 4.5}, {"link", "card", 4.5}, {"link", "row-hover", 4.5},
	{"link-hover", "card", 4.5}, {"link-hover", "row-hover", 4.5},
	{"bar-text", "bar", 4.5}, {"bar-muted", "bar", 4.5}, {"bar-text", "bar-active", 4.5},
	{"button-text", "button", 4.5}, {"button-text", "button-hover", 4.5},
	{"error-text", "card", 4.5}, {"error-text", "row-hover", 4.5},
	{"ok-text", "ok-back", 4.5}, {"pending-text", "pending-back", 4.5}, {"missing-text", "missing-back", 4.5},
	{"reboot-text", "reboot-back", 4.5}, {"error-text", "error-back", 4.5}, {"quiet-text", "quiet-back", 4.5},
	{"ok", "card", 3}, {"pending", "card", 3}, {"missing", "card", 3}, {"reboot", "card", 3}, {"error", "card", 3}, {"quiet", "card", 3},
	{"line-strong", "card", 3}, {"focus", "card", 3}, {"focus", "page", 3}, {"pending", "quiet-back", 3},
}

func TestContrast(t *testing.T) {
	b, err := files.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	roots := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(b), -1)
	if len(roots) != 2 {
		t.Fatalf("%d palettes in style.css, want light and dark", len(roots))
	}
	for i, scheme := range []string{"light", "dark"} {
		palette := colours(t, roots[i][1])
		for _, p := range pairs {
			if got := contrast(palette[p.front], palette[p.back]); got < p.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", scheme, p.front, p.back, got, p.least)
			}
		}
	}
}

// colours reads the custom properties that are colours, as luminances.
func colours(t *testing.T, css string) map[string]float64 {
	t.Helper()
	m := map[string]float64{}
	for _, c := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
		n, err := strconv.ParseUint(c[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		m[c[1]] = 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
	}
	for _, p := range pairs {
		for _, name := range []string{p.front, p.back} {
			if _, ok := m[name]; !ok {
				t.Fatalf("no colour --%s", name)
			}
		}
	}
	return m
}

// linear is one channel of sRGB, as WCAG 2.2 defines relative luminance.
func linear(channel uint64) float64 {
	v := float64(channel&0xff) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }
