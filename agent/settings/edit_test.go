package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEdit(t *testing.T) {
	set := func(section, name, value string) Assignment { return Assignment{section, name, value} }
	for _, c := range []struct {
		name, before, after string
		changes             []Assignment
	}{
		{"empty file", "", "[global]\nwapt_server = https://a\n", []Assignment{set("global", "wapt_server", "https://a")}},
		{"value changes in its place", "[global]\n; why\nUUID: x\nrepo_url = r\n", "[global]\n; why\nuuid = y\nrepo_url = r\n", []Assignment{set("global", "uuid", "y")}},
		{"new option goes before the blank line", "[waptwua]\nenabled = true\n\n[other]\na = 1\n", "[waptwua]\nenabled = true\noffline = false\n\n[other]\na = 1\n",
			[]Assignment{set("waptwua", "offline", "false")}},
		{"new section", "[global]\na = 1\n", "[global]\na = 1\n\n[waptwua]\nenabled = false\n", []Assignment{set("waptwua", "enabled", "false")}},
		{"the later of two goes", "[waptwua]\nenabled = true\nenabled = false\n", "[waptwua]\nenabled = None\n", []Assignment{set("waptwua", "enabled", "None")}},
		{"further lines go with their first", "[waptwua]\nforbidden_kbs = 1,\n  2,\n  3\nenabled = true\n", "[waptwua]\nforbidden_kbs = 4\nenabled = true\n",
			[]Assignment{set("waptwua", "forbidden_kbs", "4")}},
		{"removal", "[waptwua]\nenabled = true\n[global]\nenabled = 1\n", "[waptwua]\n[global]\nenabled = 1\n", []Assignment{set("waptwua", "enabled", "")}},
		{"removal of what is not there", "[global]\n", "[global]\n", []Assignment{set("waptwua", "enabled", "")}},
		{"a comment is no option", "[waptwua]\n;enabled = true\n", "[waptwua]\n;enabled = true\nenabled = false\n", []Assignment{set("waptwua", "enabled", "false")}},
		{"Windows line ends and a byte order mark", "\ufeff[global]\r\nuuid = x\r\n", "[global]\nuuid = y\n", []Assignment{set("global", "uuid", "y")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.after, string(Edit([]byte(c.before), c.changes...))); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestEditSetsWhatItSays: whatever the file holds, after the change the
// option has the value, and the other options are what they were.
func TestEditSetsWhatItSays(t *testing.T) {
	line := rapid.SampledFrom([]string{"[global]", "[WaptWUA]", "[other]", "enabled = true", "Enabled: false", "install_delay = 3d", "  7d", "; enabled = x", "", "uuid=a=b", "loglevel = debug"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 0, 12).Draw(t, "lines"), "\n")
		before, err := Assignments([]byte(text))
		if err != nil {
			t.Skip("not a settings file")
		}
		c := Assignment{WaptWUA, "enabled", rapid.SampledFrom([]string{"", "true", "false", "None"}).Draw(t, "value")}
		after, err := Assignments(Edit([]byte(text), c))
		if err != nil {
			t.Fatalf("cannot be read any more: %v", err)
		}
		want := map[Assignment]bool{}
		for _, a := range before {
			want[a] = a.Section != c.Section || a.Name != c.Name
		}
		if c.Value != "" {
			want[c] = true
		}
		got := map[Assignment]bool{}
		for _, a := range after {
			got[a] = true
		}
		for a, keep := range want {
			if got[a] != keep {
				t.Errorf("%v: in force %v, want %v", a, got[a], keep)
			}
			delete(got, a)
		}
		if len(got) > 0 {
			t.Errorf("came out of nowhere: %v", got)
		}
	})
}

func TestParseAssignment(t *testing.T) {
	for _, c := range []struct{ text, wrong string }{
		{"waptwua.install_delay=7d", ""},
		{"WAPTWUA.Enabled = true", ""},
		{"global.wapt_server=https://wapt.example.org:8443", ""},
		{"waptwua.filter=Type='Software' and IsHidden=0", ""},
		{"global.wapt_server=http://wapt.example.org", "only https"},
		{"waptwua.install_delay=soon", "install_delay"},
		{"waptwua.instal_delay=7d", "misspelled"},
		{"other.option=1", "no such option"},
		{"install_delay=7d", "SECTION.NAME=VALUE"},
		{"waptwua.enabled", "SECTION.NAME=VALUE"},
		{"waptwua.enabled=true\n[global]", "one line"},
	} {
		_, err := ParseAssignment(c.text)
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("ParseAssignment(%q): %v, want %q", c.text, err, c.wrong)
		}
	}
}

func TestEditFileWritesOnlyChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "wapt-get.ini")
	a := Assignment{WaptWUA, "enabled", "true"}
	if err := EditFile(path, a); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := EditFile(path, a); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) {
		t.Error("the file was written although nothing changed")
	}
}

func TestOverwrites(t *testing.T) {
	for text, want := range map[string]bool{
		"[installer]\noverwrite = true\n": true, "[installer]\noverwrite = no\n": false, "[global]\noverwrite = true\n": false, "": false, "[installer]\noverwrite = perhaps\n": false,
	} {
		if got := Overwrites([]byte(text)); got != want {
			t.Errorf("Overwrites(%q) = %v", text, got)
		}
	}
}
