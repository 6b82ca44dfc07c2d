package rig

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua"
	"waptwua/cmd/waptsim/fleet"
	"waptwua/transport"
	"waptwua/wua"
	"waptwua/wua/sim"
)

// complaints is a test that notes what it is told to fail for.
type complaints struct {
	testing.TB
	said []string
}

func (c *complaints) Helper() {}

func (c *complaints) Errorf(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

func TestCheckShelf(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "offered.cab")
	content := []byte("an archive")
	put(t, archive, content)
	whole := sum1(content) + "_a.cab"
	for name, c := range map[string]struct {
		files map[string]string
		want  string // in the only complaint; empty: none
	}{
		"nothing yet":        {nil, ""},
		"whole":              {map[string]string{whole: "an archive", transport.ArchiveName: "an archive"}, ""},
		"on its way":         {map[string]string{"." + whole: "an ar"}, ""},
		"something else":     {map[string]string{"index.html": "?"}, ""},
		"half a payload":     {map[string]string{whole: "an ar"}, whole},
		"half an archive":    {map[string]string{transport.ArchiveName: "an ar"}, "the scan archive"},
		"an archive of none": {map[string]string{transport.ArchiveName: "another one"}, "the scan archive"},
	} {
		t.Run(name, func(t *testing.T) {
			said := &complaints{TB: t}
			s := &System{t: said, shelf: t.TempDir()}
			for name, text := range c.files {
				put(t, filepath.Join(s.shelf, name), []byte(text))
			}
			s.CheckShelf(archive)
			expectSaid(t, said, c.want)
		})
	}
}

func TestCheckArchive(t *testing.T) {
	content := []byte("an archive")
	archive := filepath.Join(t.TempDir(), "offered.cab")
	put(t, archive, content)
	for name, c := range map[string]struct{ file, sha1, want string }{
		"agrees":           {"an archive", sum1(content) + "\n", ""},
		"another archive":  {"an archivf", sum1(content), transport.ArchiveName + " is of"},
		"another's digest": {"an archive", sum1([]byte("?")), ".sha1 is of"},
	} {
		t.Run(name, func(t *testing.T) {
			said := &complaints{TB: t}
			s := &System{t: said, shelf: t.TempDir()}
			for suffix, text := range map[string]string{"": c.file, ".sha1": c.sha1, ".sha256": sum256(content)} {
				put(t, filepath.Join(s.shelf, transport.ArchiveName+suffix), []byte(text))
			}
			s.CheckArchive(archive)
			expectSaid(t, said, c.want)
		})
	}
}

func TestExpectOnce(t *testing.T) {
	id := waptwua.UpdateID{GUID: "11111111-2222-4333-8444-555555555555", Revision: 100}
	good := sim.Event{Operation: sim.OpInstall, ID: id, Code: wua.Succeeded}
	bad := sim.Event{Operation: sim.OpInstall, ID: id, Code: wua.Failed}
	restart := sim.Event{Operation: sim.OpRestart}
	for name, c := range map[string]struct {
		events []sim.Event
		count  int
		want   string
	}{
		"never":            {nil, 0, ""},
		"once":             {[]sim.Event{good, restart}, 1, ""},
		"after failures":   {[]sim.Event{bad, bad, good}, 1, ""},
		"twice":            {[]sim.Event{good, restart, good}, 2, "installed 2 times"},
		"twice in no time": {[]sim.Event{good, good}, 2, "installed 2 times"},
	} {
		t.Run(name, func(t *testing.T) {
			said := &complaints{TB: t}
			f := &Fleet{s: &System{t: said, Dir: t.TempDir()}, name: "x", Hosts: 1}
			dir := fleet.MachineDir(f.dir(), 0)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			var log []byte
			for i, e := range c.events {
				e.Seq = int64(i + 1)
				b, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				log = append(append(log, b...), '\n')
			}
			put(t, filepath.Join(dir, "install.log"), log)
			if got := f.ExpectOnce(); got != c.count {
				t.Errorf("%d installations, want %d", got, c.count)
			}
			expectSaid(t, said, c.want)
		})
	}
}

func put(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// expectSaid fails unless there was one complaint with want in it, or none
// when want is empty.
func expectSaid(t *testing.T, c *complaints, want string) {
	t.Helper()
	ok := want == "" && len(c.said) == 0 || want != "" && len(c.said) == 1 && strings.Contains(c.said[0], want)
	if !ok {
		t.Errorf("complaints %q, want one with %q", c.said, want)
	}
}
