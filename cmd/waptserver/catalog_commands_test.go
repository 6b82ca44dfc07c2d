package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/catalog"
	"waptwua/internal/fixture"
)

// builtCatalogue builds the catalogue of the real archive of 2011.
func builtCatalogue(t *testing.T) (archive, catalogue string) {
	t.Helper()
	archive, catalogue = fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"), filepath.Join(t.TempDir(), "2011.sqlite")
	out, err := catalogCommand(t, "build", archive, "--out", catalogue)
	if err != nil || !strings.Contains(out, "766 updates") {
		t.Fatalf("%v: %s", err, out)
	}
	return archive, catalogue
}

// TestCatalogCommands asks every command of the built catalogue and of the
// archive: both give the same answer.
func TestCatalogCommands(t *testing.T) {
	archive, catalogue := builtCatalogue(t)
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"show by KB":       {[]string{"show", "KB958830"}, []string{"Update for Windows (KB958830)", "Important", "Cbs", "up to 251.7 MB", "  needs      Windows"}},
		"show a detectoid": {[]string{"show", "59653007-E2E9-4f71-8525-2FF588527978"}, []string{"AMD64"}},
		"show as JSON":     {[]string{"show", "958830", "--json"}, []string{`"kbs": [`, `"leaves": [`}},
		"search":           {[]string{"search", "UPDATE", "kb9588"}, []string{"KB958830", "251.7 MB"}},
		"search by class":  {[]string{"search", "--classification", "updates", "--severity", "important"}, []string{"KB958830"}},
		"search in time":   {[]string{"search", "--since", "2031-01-01"}, []string{"No updates."}},
		"superseded by":    {[]string{"superseded-by", "KB958830"}, []string{"No updates."}},
		"supersedes":       {[]string{"supersedes", "KB958830", "--json"}, []string{"["}},
		"files":            {[]string{"files", "KB958830"}, []string{"wua", "39a12ff9776d04530b2b015a0ced058f56c9202b", "rsatcustominstaller.exe"}},
		"no files":         {[]string{"files", "59653007-E2E9-4f71-8525-2FF588527978"}, []string{"No files."}},
		"files as JSON":    {[]string{"files", "KB958830", "--json"}, []string{`"route": "wua"`, `"bytes": 2516`}},
		"products":         {[]string{"products"}, []string{"UpdateClassification", "Windows"}},
		"stats":            {[]string{"stats"}, []string{"766", "operators", "1 revisions ask what only Windows can tell"}},
		"stats as JSON":    {[]string{"stats", "--json"}, []string{`"revisions": 766`, `"different_rules":`}},
		"asked":            {[]string{"asked"}, []string{"registry key", "file"}},
		"asked as JSON":    {[]string{"asked", "--json"}, []string{`"keys": [`}},
		"evaluate":         {[]string{"evaluate", "--machine", factsFile(t, "win7-sp1-x64")}, []string{"1 applicable, 0 installed"}},
		"explain":          {[]string{"evaluate", "--machine", factsFile(t, "win7-sp1-x64"), "--explain", "KB958830"}, []string{"b.FileExists"}},
	} {
		t.Run(name, func(t *testing.T) {
			stored, err := catalogCommand(t, append(c.args, "-c", catalogue)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(stored, want) {
					t.Errorf("no %q in:\n%s", want, stored)
				}
			}
			read, err := catalogCommand(t, append(c.args, "--archive", archive)...)
			if diff := cmp.Diff(read, stored); diff != "" || err != nil {
				t.Errorf("%v (-archive +catalogue):\n%s", err, diff)
			}
		})
	}
}

func TestCatalogCommandErrors(t *testing.T) {
	archive, catalogue := builtCatalogue(t)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("a text that is longer than sixteen bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args   []string
		want   string
		status int
	}{
		"no such KB":         {[]string{"show", "KB1", "-c", catalogue}, "no update", statusNotFound},
		"no such update":     {[]string{"files", "00000000-0000-0000-0000-000000000000_1", "-c", catalogue}, "no update", statusNotFound},
		"no catalogue named": {[]string{"show", "KB1"}, "--archive wsusscn2.cab", 2},
		"neither":            {[]string{"stats", text}, "neither a catalogue nor a scan archive", 1},
		"both flags":         {[]string{"stats", "-c", catalogue, "--archive", catalogue}, "--catalogue does not go with --archive; see: waptserver catalog stats --help", 2},
		"bad date":           {[]string{"search", "--since", "tomorrow", "-c", catalogue}, "want a date", 2},
		"no folder":          {[]string{"evaluate", "--machines", "/nowhere", "-c", catalogue}, "no such file", 1},
		"no machines":        {[]string{"evaluate", "--machines", t.TempDir(), "-c", catalogue}, "no *.json files", 1},
		"no machine":         {[]string{"evaluate", "-c", catalogue}, "--machine FACTS.json", 2},
		"workers below none": {[]string{"evaluate", "-c", catalogue, "--machines", "x", "--workers", "-3"}, "--workers -3: want at least 0", 2},
		"unknown command":    {[]string{"bogus", "-c", catalogue}, `has no command "bogus"`, 2},
		"build of a text":    {[]string{"build", text}, "text", 1},
		"build onto a text":  {[]string{"build", archive, "--out", text}, "is no catalogue", 1},
		"build onto itself":  {[]string{"build", archive, "--out", archive}, "is no catalogue", 1},
		"build asks none":    {[]string{"build", archive, "-c", catalogue}, "-c", 2},
		"diff asks none":     {[]string{"diff", archive, archive, "-c", catalogue}, "-c", 2},
		"two catalogues":     {[]string{"stats", catalogue, "-c", "/nonexist"}, "Name one", 2},
		"bad severity":       {[]string{"search", "--severity", "Bogus", "-c", catalogue}, "want Critical, Important, Moderate or Low", 2},
		"fewer than none":    {[]string{"search", "--max", "-1", "-c", catalogue}, "or 0 for all", 2},
		"limit of a search":  {[]string{"search", "--limit", "shards=x", "-c", catalogue}, "limit shards", 2},
		"all machines, all":  {[]string{"evaluate", "--machines", "x", "--all", "-c", catalogue}, "does not go with", 2},
		"workers for one":    {[]string{"evaluate", "--machine", "x", "--workers", "2", "-c", catalogue}, "does not go with", 2},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := catalogCommand(t, c.args...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if status := exitStatus(err, io.Discard); status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
		})
	}
	if kept, err := os.ReadFile(text); err != nil || len(kept) != 40 {
		t.Errorf("the text that a catalogue was to replace is now %q, %v", kept, err)
	}
}

// TestCatalogBuildReplaces: a catalogue of another version and an empty file
// may be replaced.
func TestCatalogBuildReplaces(t *testing.T) {
	archive, catalogue := builtCatalogue(t)
	file, err := os.OpenFile(catalogue, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt([]byte{9}, 63) // the version
	if cerr := file.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{catalogue: "another version", empty: "1 shards."} {
		if out, err := catalogCommand(t, "build", archive, "--out", name); err != nil || !strings.Contains(out, want) {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// TestCatalogBuildWithinLimits: limits hold for what an older catalogue has,
// too, unless it is named as the base.
func TestCatalogBuildWithinLimits(t *testing.T) {
	archive, catalogue := builtCatalogue(t)
	args := []string{"build", archive, "--out", catalogue, "--limit", "payload-bytes=10"}
	if out, err := catalogCommand(t, args...); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := catalogCommand(t, append(args, "--base", catalogue)...); err != nil || !strings.Contains(out, "1 of 1 shards were unchanged") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := catalogCommand(t, "build", archive, "--out", catalogue, "--limit", "payload-bytes=1TiB"); err != nil || !strings.Contains(out, "not read within these limits") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestCatalogBuildAgain: a second build takes everything from the first.
func TestCatalogBuildAgain(t *testing.T) {
	archive, catalogue := builtCatalogue(t)
	out, err := catalogCommand(t, "build", archive, "--out", catalogue, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct{ Shards, Kept, Revisions int }
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Kept != r.Shards || r.Shards == 0 || r.Revisions != 766 {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = catalogCommand(t, "diff", archive, catalogue); err != nil || !strings.Contains(out, "0 new, 0 revised, 0 newly superseded, 0 removed") {
		t.Errorf("diff: %v: %s", err, out)
	}
}

// TestCatalogCompare: a host that says the same, and one that does not.
func TestCatalogCompare(t *testing.T) {
	_, catalogue := builtCatalogue(t)
	facts := factsFile(t, "win7-sp1-x64")
	c, err := openCatalogueFile(t.Context(), catalogue, defaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	id := c.ByKB(958830)[0].String()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		report string
		want   string
	}{
		"agrees":     {`{"changed":[{"id":"` + id + `","status":"MISSING"}]}`, "1 verdicts agree, 0 differ"},
		"disagrees":  {`{"updates":{"` + id + `":{"id":"` + id + `","status":"OK"}}}`, catalog.Applicable.String()},
		"silent":     {`{"changed":[]}`, "not mentioned"},
		"foreign":    {`{"changed":[{"id":"00000000-0000-0000-0000-000000000000_1","status":"OK"}]}`, "1 updates are not in the archive"},
		"incomplete": {`{"base":"x","changed":[]}`, "says only what changed"},
		"no report":  {`{}`, `neither "changed" nor "updates"`},
		"damaged":    {`{`, "unexpected end"},
	} {
		t.Run(name, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "report.json")
			if err := os.WriteFile(report, []byte(tt.report), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := catalogCommand(t, "compare", "-c", catalogue, "--machine", facts, "--report", report)
			if err != nil {
				out = err.Error()
			}
			if !strings.Contains(out, tt.want) {
				t.Errorf("no %q in:\n%s", tt.want, out)
			}
		})
	}
}
