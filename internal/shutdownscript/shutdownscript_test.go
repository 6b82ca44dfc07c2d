package shutdownscript

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
)

// fakeRegistry is a registry in memory.
type fakeRegistry map[string]uint32

func (r fakeRegistry) Get(key, name string) (uint32, bool, error) {
	v, ok := r[key+`\`+name]
	return v, ok, nil
}

func (r fakeRegistry) Set(key, name string, v uint32) error {
	if _, ok := r["refused"]; ok && name == "MaxGPOScriptWait" {
		return errors.New("access is denied")
	}
	r[key+`\`+name] = v
	return nil
}

func (r fakeRegistry) Delete(key, name string) error {
	delete(r, key+`\`+name)
	return nil
}

// fakeStore keeps one Before.
type fakeStore struct{ kept *Before }

func (s *fakeStore) Load(b *Before) error {
	if s.kept == nil {
		return waptwua.ErrNotFound
	}
	*b = *s.kept
	return nil
}
func (s *fakeStore) Save(b *Before) error { c := *b; s.kept = &c; return nil }
func (s *fakeStore) Remove() error        { s.kept = nil; return nil }

const gpsvc = `SYSTEM\CurrentControlSet\Services\gpsvc\PreshutdownTimeout`

var script = Script{Program: `C:\Program Files\waptwua\wapt-get.exe`, Parameters: "waptexit", Wait: time.Hour}

func newMachine(t *testing.T, files map[string][]byte) (Machine, fakeRegistry) {
	t.Helper()
	reg := fakeRegistry{gpsvc: 900000}
	m := Machine{Policy: filepath.Join(t.TempDir(), "GroupPolicy"), Registry: reg, Store: &fakeStore{}}
	for name, b := range files {
		if err := m.write(name, b); err != nil {
			t.Fatal(err)
		}
	}
	return m, reg
}

// tree is every file of the policy.
func tree(t *testing.T, m Machine) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{scriptsFile, gptFile} {
		if b, err := os.ReadFile(filepath.Join(m.Policy, name)); err == nil {
			files[name] = string(b)
		}
	}
	return files
}

func apply(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const others = "[Startup]\r\n0CmdLine=a.cmd\r\n0Parameters=\r\n\r\n[Shutdown]\r\n0CmdLine=b.cmd\r\n0Parameters=-x\r\n"

func TestAddAndRemoveRestoreExactly(t *testing.T) {
	off := false
	for name, files := range map[string]map[string][]byte{
		"no policy":     {},
		"other scripts": {scriptsFile: encode(others), gptFile: []byte("[General]\r\ngPCMachineExtensionNames=[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{D02B1F72-3407-48AE-BA88-E8213C6761F1}]\r\nVersion=196613\r\n")},
		"odd files":     {scriptsFile: []byte("; by hand\n[SHUTDOWN]\n"), gptFile: []byte("[General]")},
	} {
		t.Run(name, func(t *testing.T) {
			m, reg := newMachine(t, files)
			before, regBefore := tree(t, m), cmp.Diff(nil, map[string]uint32(reg))
			s := script
			s.Hiberboot = &off
			apply(t, m.Add(s))
			once := tree(t, m)
			if !strings.Contains(decode([]byte(once[scriptsFile])), script.Program) || !strings.Contains(once[gptFile], extension) {
				t.Fatalf("not added: %q", once)
			}
			if reg[gpsvc] != 3600000 {
				t.Errorf("registry %v", reg)
			}
			apply(t, m.Add(s))
			if d := cmp.Diff(once, tree(t, m)); d != "" {
				t.Errorf("adding twice is not the same as once:\n%s", d)
			}
			apply(t, m.Remove())
			if d := cmp.Diff(before, tree(t, m)); d != "" {
				t.Errorf("not restored:\n%s", d)
			}
			if d := cmp.Diff(nil, map[string]uint32(reg)); d != regBefore {
				t.Errorf("registry not restored: %v", reg)
			}
			apply(t, m.Remove())
		})
	}
}

func TestOthersMayChangeThePolicyMeanwhile(t *testing.T) {
	m, reg := newMachine(t, map[string][]byte{scriptsFile: encode(others)})
	apply(t, m.Add(script))
	now, _, err := m.read(scriptsFile)
	apply(t, err)
	apply(t, m.write(scriptsFile, encode(addScript(decode(now), Script{Program: "c.cmd"}))))
	reg[gpsvc] = 1
	apply(t, m.Remove())
	want := others + "1CmdLine=c.cmd\r\n1Parameters=\r\n"
	if got, _, _ := m.read(scriptsFile); decode(got) != want {
		t.Errorf("got %q", decode(got))
	}
	if reg[gpsvc] != 1 {
		t.Error("a value that somebody else has set was changed")
	}
}

func TestAMovedProgramIsReplaced(t *testing.T) {
	m, _ := newMachine(t, nil)
	apply(t, m.Add(script))
	moved := script
	moved.Program = `D:\wapt-get.exe`
	apply(t, m.Add(moved))
	if got, _, _ := m.read(scriptsFile); decode(got) != "[Shutdown]\r\n0CmdLine=D:\\wapt-get.exe\r\n0Parameters=waptexit\r\n" {
		t.Errorf("got %q", decode(got))
	}
	apply(t, m.Remove())
	if d := cmp.Diff(map[string]string{}, tree(t, m)); d != "" {
		t.Error(d)
	}
}

func TestAValueThatIsRefusedKeepsNothingElse(t *testing.T) {
	m, reg := newMachine(t, nil)
	reg["refused"] = 1
	if err := m.Add(script); err == nil || !strings.Contains(err.Error(), "denied") {
		t.Errorf("got %v", err)
	}
	if reg[gpsvc] != 3600000 || len(tree(t, m)) != 2 {
		t.Errorf("registry %v, files %v", reg, tree(t, m))
	}
	apply(t, m.Remove())
	if reg[gpsvc] != 900000 || len(tree(t, m)) != 0 {
		t.Errorf("registry %v, files %v", reg, tree(t, m))
	}
}

func TestVersions(t *testing.T) {
	for before, want := range map[string]string{
		"[General]\r\nVersion=5\r\n":      "[General]\r\nVersion=6\r\n",
		"[General]\r\nVersion=131071\r\n": "[General]\r\nVersion=65537\r\n",
		"[General]\r\n":                   "[General]\r\nVersion=1\r\n",
	} {
		if got := raiseVersion(before); got != want {
			t.Errorf("%q: %q", before, got)
		}
	}
}

func TestLimits(t *testing.T) {
	m, _ := newMachine(t, map[string][]byte{gptFile: make([]byte, maxFile+1)})
	if err := m.Add(script); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("a huge file: %v", err)
	}
	long := script
	long.Wait = 10 * time.Hour
	if err := m.Add(long); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("a long wait: %v", err)
	}
}

// Whatever is in the file, adding and removing leaves the other entries in
// their order.
func FuzzScripts(f *testing.F) {
	f.Add(others)
	f.Add("[shutdown]\n3CmdLine=x\n7Parameters=y\n[")
	f.Fuzz(func(t *testing.T, text string) {
		added := addScript(text, script)
		if !strings.Contains(added, "CmdLine="+script.Program) {
			t.Fatalf("not added: %q", added)
		}
		if removed := removeScript(added, script.Program); strings.Contains(removed, "CmdLine="+script.Program+"\r") && !strings.Contains(text, script.Program) {
			t.Fatalf("not removed: %q", removed)
		}
		if got := decode(encode(added)); got != strings.ToValidUTF8(added, "\uFFFD") && !strings.ContainsRune(added, 0xFFFD) && strings.ToValidUTF8(added, "") == added {
			t.Fatalf("%q became %q", added, got)
		}
	})
}
