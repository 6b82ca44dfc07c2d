package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua/internal/fixture"
)

func TestDefaultsAreGood(t *testing.T) {
	o, err := newOptions("/data", "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.folder != filepath.FromSlash("/data/waptwua") || o.port != 8443 || o.plan.FilesEvery != 30*time.Minute || o.upstream != nil || !o.server.CleanUp {
		t.Errorf("defaults: %+v", o)
	}
}

func TestEveryOptionIsDocumented(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join(fixture.Root(t), "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range optionTable() {
		row := "\n| `" + o.name + "` |"
		i := strings.Index(string(guide), row)
		if i < 0 {
			t.Errorf("docs/operations.md has no row for %s", o.name)
			continue
		}
		line, _, _ := strings.Cut(string(guide)[i+1:], "\n")
		if o.def != "" && !strings.HasPrefix(o.def, "http") && !strings.Contains(line, "`"+o.def+"`") {
			t.Errorf("docs/operations.md: the row of %s lacks its default %q", o.name, o.def)
		}
	}
}

func TestOptionsFromFile(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       string // in the error; empty: none
	}{
		{"nothing", "", ""},
		{"WAPT's spelling", "[options]\nwaptserver_port = 9443\ncleanup_kbs = False\nhttp_proxy = http://proxy:3128\n", ""},
		{"durations", "[options]\nmissing_files_period = 15\ncleanup_grace=2w\n", ""},
		{"comments", "; one\n# two\n[options]\n;waptserver_port = x\n", ""},
		{"unknown option", "[options]\ncolour = blue\n", "colour"},
		{"unknown section", "[global]\nrepo_url = x\n", "[global]"},
		{"port", "[options]\nwaptserver_port = 70000\n", "waptserver_port"},
		{"port as words", "[options]\nwaptserver_port = many\n", "waptserver_port"},
		{"boolean", "[options]\ncleanup_kbs = perhaps\n", "True or False"},
		{"duration", "[options]\ncleanup_grace = -1d\n", "cleanup_grace"},
		{"proxy", "[options]\nhttp_proxy = proxy:3128\n", "http://host:port"},
		{"schedule", "[options]\narchive_schedule = noon\n", "HH:MM"},
		{"console", "[options]\nconsole_listen = 8080\n", "ADDRESS:PORT"},
		{"names", "[options]\nserver_name = ,\n", "server_name"},
		{"level", "[options]\nloglevel = loud\n", "loglevel"},
		{"archive elsewhere", "[options]\narchive_url = http://example.org/x.cab\n", "upstream_url = http://host:port"},
		{"archive at a port", "[options]\narchive_url = http://127.0.0.1:18999/x\n", "port 18999"},
		{"archive by upstream", "[options]\narchive_url = http://example.org/x.cab\nupstream_url = http://127.0.0.1:1\n", ""},
		{"not an ini file", "{}", "data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "waptserver.ini")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := loadOptions("/data", file)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || c.name != "not an ini file" && !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v does not name %q", err, c.want)
			}
		})
	}
}

func TestOptionValues(t *testing.T) {
	o, err := newOptions("/d", "test", map[string]string{
		"server_name": " wapt.example.org ,10.0.0.5", "missing_files_period": "15", "cleanup_grace": "2w", "waptwua_folder": "%D%/kbs",
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(o.serverNames, "|") != "wapt.example.org|10.0.0.5" || o.plan.FilesEvery != 15*time.Minute ||
		o.server.CleanUpGrace != 14*24*time.Hour || o.folder != filepath.FromSlash("/d/kbs") {
		t.Errorf("values: %+v", o)
	}
}

// TestIniOfInit checks that the file that init writes reads as it was meant.
func TestIniOfInit(t *testing.T) {
	given := map[string]string{"waptserver_port": "9443", "upstream_url": "http://127.0.0.1:1/x"}
	got, err := parseIni([]byte(iniText(given)))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["waptserver_port"] != "9443" || got["upstream_url"] != "http://127.0.0.1:1/x" {
		t.Errorf("read back: %v", got)
	}
}
