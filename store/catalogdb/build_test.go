package catalogdb_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/catalog"
	"waptwua/internal/world"
	"waptwua/store/catalogdb"
)

// TestBuildOnBase: a catalogue that was built on last month's is the one that
// would have been built without it.
func TestBuildOnBase(t *testing.T) {
	for name, change := range map[string]world.Change{
		"changes together": {Share: 0.05}, "changes spread": {Share: 0.05, Spread: true}, "no changes in fragments": {},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 600, 3)
			base := filepath.Join(t.TempDir(), "base.sqlite")
			if _, err := catalogdb.Build(t.Context(), archiveOf(t, write(t, w)), base, catalogdb.BuildOptions{}); err != nil {
				t.Fatal(err)
			}
			next := w.Successor(change)
			a := archiveOf(t, write(t, next))
			c, report := built(t, a, catalogdb.BuildOptions{Base: base})
			if change.Share == 0 && report.Kept == 0 || report.BaseLeft != "" || report.Revisions != next.Updates() || report.Rows != next.Updates() {
				t.Errorf("report %+v", report)
			}
			g := inMemory(t, a)
			for n := range 3 {
				compareAnswers(t, g, c, machineOf(t, next.Machine(n)))
			}
			compareSearches(t, g, c)
		})
	}
}

func compareSearches(t *testing.T, g *catalog.Graph, c *catalogdb.Catalogue) {
	t.Helper()
	for _, q := range []catalog.Query{
		{}, {Words: []string{"Cumulative", "24H2"}}, {Severity: "critical", Current: true}, {Words: []string{"kb506"}, Product: "windows 1"},
		{Classification: "rollup"}, {CVE: "CVE-2026-90001"}, {Words: []string{"nowhere"}}, {Severity: "Low", Words: []string{"windows"}},
	} {
		v := c.View()
		if diff := cmp.Diff(g.Search(q), v.Search(q)); diff != "" || v.Err() != nil {
			t.Errorf("search %+v: %v (-memory +stored):\n%s", q, v.Err(), diff)
		}
	}
}

// TestBuildReplacesItsBase: the same file may be base and result, and readers
// of the old one go on.
func TestBuildReplacesItsBase(t *testing.T) {
	w := newWorld(t, 100, 1)
	a := archiveOf(t, write(t, w))
	path := filepath.Join(t.TempDir(), "catalogue.sqlite")
	for range 2 {
		if _, err := catalogdb.Build(t.Context(), a, path, catalogdb.BuildOptions{Base: path}); err != nil {
			t.Fatal(err)
		}
	}
	old := opened(t, path)
	r, err := catalogdb.Build(t.Context(), archiveOf(t, write(t, w.Successor(world.Change{Share: 0.1}))), path, catalogdb.BuildOptions{Base: path})
	if err != nil {
		t.Fatal(err)
	}
	compareAnswers(t, inMemory(t, a), old, machineOf(t, w.Machine(0)))
	if got := opened(t, path).View().Len(); got != r.Revisions {
		t.Errorf("the new catalogue has %d revisions, want %d", got, r.Revisions)
	}
	assertAlone(t, path)
}

// assertAlone: beside the file lies nothing but the lock.
func assertAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) && !strings.HasSuffix(e.Name(), ".lock") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

// TestBaseThatCannotServe is left out, with the reason, and the build is whole.
func TestBaseThatCannotServe(t *testing.T) {
	a := archiveOf(t, write(t, newWorld(t, 60, 1)))
	other := filepath.Join(t.TempDir(), "fr.sqlite")
	if _, err := catalogdb.Build(t.Context(), a, other, catalogdb.BuildOptions{Languages: []string{"FR"}}); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("not a database, whatever its name may say"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ base, want string }{
		"other languages": {other, "texts in fr,en"}, "no catalogue": {text, "not a catalogue"}, "missing": {other + "x", "no file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, r := built(t, a, catalogdb.BuildOptions{Base: c.base})
			if r.Kept != 0 || !strings.Contains(r.BaseLeft, c.want) || r.Revisions != 60 {
				t.Errorf("report %+v, want %q", r, c.want)
			}
		})
	}
}

// TestDamagedBase: a base that is damaged where only its shards are read does
// not keep a build from being made.
func TestDamagedBase(t *testing.T) {
	w := newWorld(t, 300, 1)
	a := archiveOf(t, write(t, w))
	good := filepath.Join(t.TempDir(), "good.sqlite")
	if _, err := catalogdb.Build(t.Context(), a, good, catalogdb.BuildOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]string{"facts": "UPDATE shard SET facts = x'ffffff'", "before anything is kept": "DROP TABLE location"} {
		t.Run(name, func(t *testing.T) {
			c, r := built(t, a, catalogdb.BuildOptions{Base: altered(t, good, damage)})
			if r.Kept != 0 || r.BaseLeft == "" || r.Revisions != 300 {
				t.Errorf("report %+v", r)
			}
			compareAnswers(t, inMemory(t, a), c, machineOf(t, w.Machine(0)))
		})
	}
}

// TestMonthsOfBuilds: built on one another, catalogues hold no more than what
// was built without a base, and little space that is free.
func TestMonthsOfBuilds(t *testing.T) {
	dir, w := t.TempDir(), newWorld(t, 300, 1)
	path, base, kept := "", "", 0
	var r catalogdb.Report
	for month := range 5 {
		a := archiveOf(t, write(t, w))
		base, path = path, filepath.Join(dir, fmt.Sprintf("%d.sqlite", month))
		var err error
		if r, err = catalogdb.Build(t.Context(), a, path, catalogdb.BuildOptions{Base: base}); err != nil {
			t.Fatal(err)
		}
		kept += r.Kept
		if month == 4 {
			_, anew := built(t, a, catalogdb.BuildOptions{})
			if anew.Rows != r.Rows || anew.Revisions != r.Revisions || r.Bytes > 2*anew.Bytes {
				t.Errorf("built on others %+v, anew %+v", r, anew)
			}
			compareAnswers(t, inMemory(t, a), opened(t, path), machineOf(t, w.Machine(0)))
		}
		w = w.Successor(world.Change{Share: 0.2})
	}
	if kept == 0 {
		t.Error("nothing was ever taken from the month before")
	}
}

// TestLanguages: titles come in the best language there is.
func TestLanguages(t *testing.T) {
	a := archiveOf(t, write(t, newWorld(t, 60, 1)))
	c, _ := built(t, a, catalogdb.BuildOptions{Languages: []string{"fr"}})
	v, translated := c.View(), 0
	for _, id := range v.TopLevel() {
		u, _ := v.Update(id)
		if u.Title == "" {
			t.Errorf("%s has no title", id)
		}
		if r := v.Record(id); len(r.Texts) == 2 && r.Texts[0].Language == "fr" {
			translated++
		}
	}
	if translated == 0 {
		t.Error("no title is French")
	}
}

// TestFailedBuild leaves the old catalogue and nothing else.
func TestFailedBuild(t *testing.T) {
	content := write(t, newWorld(t, 300, 1))
	path := filepath.Join(t.TempDir(), "catalogue.sqlite")
	if _, err := catalogdb.Build(t.Context(), archiveOf(t, content), path, catalogdb.BuildOptions{}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn := bytes.Clone(content)
	for i := len(torn) * 3 / 4; i < len(torn); i++ {
		torn[i] ^= 0x55
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, build := range map[string]func() error{
		"torn": func() error {
			_, err := catalogdb.Build(t.Context(), archiveOf(t, torn), path, catalogdb.BuildOptions{})
			return err
		},
		"cancelled": func() error {
			_, err := catalogdb.Build(cancelled, archiveOf(t, content), path, catalogdb.BuildOptions{})
			return err
		},
	} {
		if err := build(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", name, err)
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the old catalogue changed: %v", name, err)
		}
		assertAlone(t, path)
	}
}

// TestKilledBuild kills a process that builds, again and again and later and
// later, until one build is through: each time the old catalogue is there and
// whole, and the next build removes what the killed one left.
func TestKilledBuild(t *testing.T) {
	if archive := os.Getenv("CATALOGDB_TEST_BUILD"); archive != "" {
		buildForever(t, archive)
		return
	}
	dir := t.TempDir()
	archive, path := filepath.Join(dir, "archive.cab"), filepath.Join(dir, "catalogue.sqlite")
	content := write(t, newWorld(t, 300, 1))
	if err := os.WriteFile(archive, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := catalogdb.Build(t.Context(), archiveOf(t, content), path, catalogdb.BuildOptions{}); err != nil {
		t.Fatal(err)
	}
	for kill := range 6 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledBuild$")
		cmd.Env = append(os.Environ(), "CATALOGDB_TEST_BUILD="+archive)
		lines, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The process says when it has done a part of its work; kill it then.
		if _, err := lines.Read(make([]byte, 1+kill)); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		if got := opened(t, path).View().Len(); got != 300 {
			t.Fatalf("after kill %d the catalogue has %d revisions", kill, got)
		}
	}
	if _, err := catalogdb.Build(t.Context(), archiveOf(t, content), path, catalogdb.BuildOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(archive); err != nil {
		t.Fatal(err)
	}
	assertAlone(t, path)
}

// buildForever builds the catalogue beside the archive until it is killed.
func buildForever(t *testing.T, archive string) {
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	say := func(int, int) { os.Stdout.WriteString(".") }
	for {
		path := filepath.Join(filepath.Dir(archive), "catalogue.sqlite")
		if _, err := catalogdb.Build(t.Context(), archiveOf(t, content), path, catalogdb.BuildOptions{Progress: say}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTwoBuilds of one file at the same time: the second is refused.
func TestTwoBuilds(t *testing.T) {
	content := write(t, newWorld(t, 60, 1))
	path := filepath.Join(t.TempDir(), "catalogue.sqlite")
	var second error
	_, err := catalogdb.Build(t.Context(), archiveOf(t, content), path, catalogdb.BuildOptions{Progress: func(int, int) {
		if second == nil {
			_, second = catalogdb.Build(t.Context(), archiveOf(t, content), path, catalogdb.BuildOptions{})
		}
	}})
	if err != nil || !errors.Is(second, waptwua.ErrConflict) {
		t.Errorf("first %v, second %v", err, second)
	}
}

// TestDamagedCatalogue: whatever is wrong with a file, the error says which
// file and what.
func TestDamagedCatalogue(t *testing.T) {
	w := newWorld(t, 100, 1)
	good := filepath.Join(t.TempDir(), "good.sqlite")
	if _, err := catalogdb.Build(t.Context(), archiveOf(t, write(t, w)), good, catalogdb.BuildOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sql  string
		want error
	}{
		"newer":            {"PRAGMA user_version = 99", catalogdb.ErrVersion},
		"another database": {"PRAGMA application_id = 1", catalogdb.ErrFormat},
		"no graph":         {"DELETE FROM graph", catalogdb.ErrFormat},
		"altered graph":    {"UPDATE graph SET data = substr(data, 1, 5000) || x'a5a5a5a5' || substr(data, 5005)", catalogdb.ErrFormat},
		"short graph":      {"UPDATE graph SET data = x'00'", catalogdb.ErrFormat},
		"no table":         {"DROP TABLE revision", catalogdb.ErrFormat},
		"no languages":     {"DELETE FROM meta", catalogdb.ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			path := altered(t, good, c.sql)
			_, err := catalogdb.Open(t.Context(), path)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
	for name, sql := range map[string]string{
		"no rows": "DELETE FROM revision", "altered records": "UPDATE revision SET data = x'ff'", "altered addresses": "UPDATE location SET data = x'ff'",
	} {
		t.Run(name, func(t *testing.T) {
			v := opened(t, altered(t, good, sql)).View()
			answers(v.Graph, machineOf(t, w.Machine(0)))
			if !errors.Is(v.Err(), catalogdb.ErrFormat) {
				t.Errorf("error %v, want %v", v.Err(), catalogdb.ErrFormat)
			}
		})
	}
	if _, err := catalogdb.Open(t.Context(), good+"x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
	if _, err := catalogdb.Open(t.Context(), t.TempDir()); !errors.Is(err, catalogdb.ErrFormat) {
		t.Errorf("a folder gives %v", err)
	}
}

// altered copies a catalogue and changes the copy by a statement.
func altered(t *testing.T, good, statement string) string {
	t.Helper()
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "altered.sqlite")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTornCatalogue: a file that was cut or overwritten anywhere gives an
// error or right answers, and no panic.
func TestTornCatalogue(t *testing.T) {
	w := newWorld(t, 60, 1)
	good := filepath.Join(t.TempDir(), "good.sqlite")
	if _, err := catalogdb.Build(t.Context(), archiveOf(t, write(t, w)), good, catalogdb.BuildOptions{}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	m, path := machineOf(t, w.Machine(0)), filepath.Join(t.TempDir(), "torn.sqlite")
	for i := range 40 {
		torn := bytes.Clone(content)
		at := len(torn) * i / 40
		if i%2 == 0 {
			torn = torn[:at]
		} else {
			copy(torn[at:], bytes.Repeat([]byte{0xa5}, 300))
		}
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := catalogdb.Open(t.Context(), path)
		if err != nil {
			continue
		}
		answers(c.View().Graph, m)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
