package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/schedule"
)

func parse(t *testing.T, text string) *Settings {
	t.Helper()
	s, err := Parse("/wapt/wapt-get.ini", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDefaults(t *testing.T) {
	want := map[string]string{
		"enabled": "None", "offline": "true", "allow_direct_download": "false", "archive_roots": "", "default_allow": "None",
		"filter": "Type='Software' or Type='Driver'", "download_scheduling": "None", "install_scheduling": "None",
		"install_at_shutdown": "false", "install_delay": "None", "postboot_delay": "10m",
		"scan_priority": "low", "install_on_battery": "false", "download_on_metered": "false",
		"install_windows": "", "restart_windows": "", "freeze_dates": "", "missed_window": "next", "install_spread": "",
		"restart_policy": "never", "restart_deadline": "None", "restart_countdown": "15m", "restart_snooze": "1h, 4h", "restart_snoozes": "3",
		"restart_unattended": "false", "restart_quiet_hours": "",
		"include_potentially_superseded_updates": "None", "wuauserv_idle": "disabled",
		"user_locale":     "1033",
		"allowed_updates": "", "allowed_kbs": "", "allowed_products": "", "allowed_classifications": "", "allowed_severities": "",
		"forbidden_updates": "", "forbidden_kbs": "", "forbidden_products": "", "forbidden_classifications": "", "forbidden_severities": "",
	}
	for _, text := range []string{"", "[waptwua]\n", "[waptwua]\nenabled=\ninstall_delay = None\nallowed_severities=None\nenabled = none\nforbidden_kbs=\n"} {
		s := parse(t, text)
		if d := cmp.Diff(want, s.Effective()); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
		if len(s.Problems) != 0 {
			t.Errorf("%q: problems %v", text, s.Problems)
		}
	}
}

// The example of WAPT's documentation, with its spelling.
func TestWAPTsExample(t *testing.T) {
	s := parse(t, `
[global]
repo_url=https://srvwapt.mydomain.lan/wapt
wapt_server=https://srvwapt.mydomain.lan

[waptwua]
enabled =true
offline =True
allow_direct_download=False
default_allow = False
filter=Type='Software' or Type='Driver'
download_scheduling=2h
install_scheduling=12h
install_at_shutdown=1
install_delay=7
allowed_severities=Important,Critical
`)
	if len(s.Problems) != 0 {
		t.Fatalf("problems: %v", s.Problems)
	}
	if s.Enabled != True || !s.Offline || s.AllowDirect || !s.InstallAtShutdown || *s.Rules.DefaultAllow {
		t.Errorf("switches: %+v", s)
	}
	if s.DownloadEvery != schedule.Every(2*time.Hour) || *s.Rules.InstallDelay != 7*schedule.Day {
		t.Errorf("schedules: %v, delay %v", s.DownloadEvery, *s.Rules.InstallDelay)
	}
	if d := cmp.Diff([]waptwua.Severity{waptwua.Important, waptwua.Critical}, s.Rules.Allowed.Severities); d != "" {
		t.Error(d)
	}
	if got := s.Files()[0].String(); got != "https://srvwapt.mydomain.lan/waptwua/" {
		t.Errorf("files at %s", got)
	}
}

func TestWhatCannotBeReadAllowsNothing(t *testing.T) {
	tests := map[string]struct {
		line  string
		check func(*Settings) bool
	}{
		"enabled":               {"enabled = ture", func(s *Settings) bool { return s.Enabled == Unset }},
		"default_allow":         {"default_allow = ja", func(s *Settings) bool { return s.Rules.DefaultAllow != nil && !*s.Rules.DefaultAllow }},
		"allow_direct_download": {"allow_direct_download = maybe", func(s *Settings) bool { return !s.AllowDirect }},
		"install_at_shutdown":   {"install_at_shutdown = 2", func(s *Settings) bool { return !s.InstallAtShutdown }},
		"install_scheduling":    {"install_scheduling = soon", func(s *Settings) bool { return s.InstallEvery.Never() }},
		"download_scheduling":   {"download_scheduling = 0", func(s *Settings) bool { return s.DownloadEvery.Never() }},
		"install_delay":         {"install_delay = a week", func(s *Settings) bool { return s.Rules.HoldAll != "" && s.Rules.InstallDelay == nil }},
		"forbidden_kbs":         {"forbidden_kbs = KB1, KBx", func(s *Settings) bool { return s.Rules.HoldAll != "" && len(s.Rules.Forbidden.KBs) == 1 }},
		"forbidden_severities":  {"forbidden_severities = Hot", func(s *Settings) bool { return s.Rules.HoldAll != "" }},
		"allowed_kbs":           {"allowed_kbs = KB1, KBx", func(s *Settings) bool { return s.Rules.HoldAll == "" && len(s.Rules.Allowed.KBs) == 1 }},
		"offline":               {"offline = x", func(s *Settings) bool { return s.Offline }},
		"postboot_delay":        {"postboot_delay = 2d", func(s *Settings) bool { return s.PostbootDelay == 10*time.Minute }},
		"user_locale":           {"user_locale = en-US", func(s *Settings) bool { return s.UserLocale == 1033 }},
		"instal_delay":          {"instal_delay = 7d", func(s *Settings) bool { return s.Rules.InstallDelay == nil }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, "[waptwua]\n"+tt.line+"\n")
			if !tt.check(s) {
				t.Errorf("in force: %v", s.Effective()[name])
			}
			if len(s.Problems) != 1 || s.Problems[0].Name != name || !strings.Contains(s.Problems[0].String(), "[waptwua] "+name+": ") {
				t.Errorf("problems: %v", s.Problems)
			}
			for _, o := range s.Options() {
				if o.Name == name && o.Origin != Default {
					t.Errorf("origin of a value that could not be read: %s", o.Origin)
				}
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	s := parse(t, "[waptwua]\nENABLED = yes\n[other]\nenabled=no\n")
	got := map[string]string{}
	for _, o := range s.Options() {
		got[o.Section+"."+o.Name] = o.Value + " from " + o.Origin
	}
	if got["waptwua.enabled"] != "true from /wapt/wapt-get.ini" || got["waptwua.offline"] != "true from default" {
		t.Errorf("got %v", got)
	}
}

func TestGlobal(t *testing.T) {
	s := parse(t, `[global]
wapt_server = https://wapt.example.org:8443
uuid = 4C4C4544
limit_bandwidth = 16
http_proxy = http://proxy.example.org:3128
use_http_proxy_for_repo = true
public_certs_dir = trusted
verify_cert = /etc/wapt/ca.pem
`)
	if s.Files()[0].String() != "https://wapt.example.org:8443/waptwua/" {
		t.Errorf("files at %v", s.Files())
	}
	if s.Bandwidth != 2e6 || s.Certificates != filepath.FromSlash("/wapt/trusted") || s.VerifyCert != "/etc/wapt/ca.pem" || !s.ProxyForRepo || s.ProxyForServer {
		t.Errorf("got %+v", s)
	}
	for text, want := range map[string]int64{"500 kbit/s": 62500, "2 MB/s": 2e6, "1Gbit/s": 125e6, "-1": 0, "NaN": 0, "fast": 0, "None": 0} {
		if got := parse(t, "[global]\nlimit_bandwidth="+text).Bandwidth; got != want {
			t.Errorf("limit_bandwidth %s = %d, want %d", text, got, want)
		}
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	s := parse(t, "[global]\nhttp_proxy = http://user:secret@proxy.example.org:3128\nwapt_server = ftp://user:secret@x\n")
	for _, o := range s.Options() {
		if strings.Contains(o.Value, "secret") {
			t.Errorf("%s shows %s", o.Name, o.Value)
		}
	}
	for _, p := range s.Problems {
		if strings.Contains(p.Text, "secret") {
			t.Errorf("a problem shows the password: %s", p)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "wapt-get.ini")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "--config") {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("\ufeff[waptwua]\r\nenabled=true\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(path)
	if err != nil || s.Enabled != True || s.Certificates != filepath.Join(dir, "ssl") {
		t.Fatalf("got %+v, %v", s, err)
	}
	if err := os.WriteFile(path, []byte("[waptwua]\nno value here\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil {
		t.Error("a line that is no option was accepted")
	}
	if err := os.WriteFile(path, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("huge file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("[waptwua]\nenabled=true\nforbidden_kbs=KB1,x\n")
	f.Add("[global]\nwapt_server: https://a\n  continued\n[waptwua\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("wapt-get.ini", []byte(text))
		if err != nil {
			return
		}
		for _, p := range s.Problems {
			if p.Section == WaptWUA && strings.HasPrefix(p.Name, "forbidden_") && p.Text[:5] != "there" && s.Rules.HoldAll == "" {
				t.Fatalf("%v, and nothing is held", p)
			}
		}
	})
}

func TestFileIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wapt-get.ini")
	f := NewFile(path)
	if _, err := f.Settings(); err == nil {
		t.Fatal("a missing file gave settings")
	}
	write := func(text string, age time.Duration) *Settings {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		s, err := f.Settings()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := write("[waptwua]\nenabled=true\n", 0)
	if again := write("[waptwua]\nenabled=true\n", 0); again != first {
		t.Error("an unchanged file was read again")
	}
	if s := write("[waptwua]\nenabled=false\n", time.Second); s.Enabled != False {
		t.Errorf("after the change: enabled = %v", s.Enabled)
	}
	if s := write("[waptwua\n", 2*time.Second); s.Enabled != False || len(s.Problems) != 1 {
		t.Errorf("a broken file: enabled = %v, problems %v; want the last good settings and one problem", s.Enabled, s.Problems)
	}
}
