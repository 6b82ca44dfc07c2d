package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/catalog"
	"waptwua/internal/world"
)

// machineAnswer is what the tests compare of one machine.
type machineAnswer struct {
	Machine string
	Counts  map[string]int
	Missing []waptwua.UpdateID
	Error   string
}

// generatedFleet builds the catalogue of a generated archive and records n
// machines, which lack different updates.
func generatedFleet(t *testing.T, n int) (catalogue, dir string) {
	t.Helper()
	w, err := world.New(world.Options{Updates: 700, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	catalogue, dir = generatedCatalogue(t, w), t.TempDir()
	for i := range n {
		text, err := json.Marshal(w.Machine(i))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return catalogue, dir
}

func generatedCatalogue(t *testing.T, w *world.World) string {
	t.Helper()
	archive := filepath.Join(t.TempDir(), "generated.cab")
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Write(t.Context(), f, world.WriteOptions{Workers: 2, Dir: t.TempDir()})
	if cerr := f.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	if _, err := catalogCommand(t, "build", archive); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(archive, ".cab") + ".sqlite"
}

// alone is the answer of a machine that is evaluated by itself.
func alone(t *testing.T, catalogue, file string) machineAnswer {
	t.Helper()
	out, err := catalogCommand(t, "evaluate", "-c", catalogue, "--machine", file, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		machineAnswer
		Updates []struct {
			ID      waptwua.UpdateID
			Verdict string
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	for _, u := range got.Updates {
		if u.Verdict == catalog.Applicable.String() {
			got.Missing = append(got.Missing, u.ID)
		}
	}
	return got.machineAnswer
}

func answers(out string) (list []machineAnswer) {
	for line := range strings.Lines(out) {
		var m machineAnswer
		if json.Unmarshal([]byte(line), &m) == nil {
			list = append(list, m)
		}
	}
	return list
}

// TestCatalogFleet: each machine gets, in the order of file names, the answer
// that it gets alone, however many are evaluated at a time.
func TestCatalogFleet(t *testing.T) {
	catalogue, dir := generatedFleet(t, 20)
	files, err := machineFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	var want []machineAnswer
	lacking := map[string]bool{}
	for _, file := range files {
		a := alone(t, catalogue, file)
		want = append(want, a)
		text, _ := json.Marshal(a.Missing)
		lacking[string(text)] = true
	}
	if len(lacking) < 15 {
		t.Fatalf("only %d of %d machines lack different updates", len(lacking), len(files))
	}
	for _, workers := range []string{"1", "2", "7"} {
		out, err := catalogCommand(t, "evaluate", "-c", catalogue, "--machines", dir, "--json", "--workers", workers)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, answers(out)); diff != "" || !strings.Contains(out, "machines per second") {
			t.Errorf("%s workers (-alone +together):\n%s", workers, diff)
		}
	}
}

// TestCatalogFleetWithABadFile: a file that is no machine is named; the
// machines after it, and the rate, are printed all the same.
func TestCatalogFleetWithABadFile(t *testing.T) {
	catalogue, dir := generatedFleet(t, 5)
	if err := os.WriteFile(filepath.Join(dir, "b.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"--json"}} {
		out, err := catalogCommand(t, append([]string{"evaluate", "-c", catalogue, "--machines", dir}, args...)...)
		if err == nil || !strings.Contains(err.Error(), "1 of 5 machines") {
			t.Errorf("error %v, want one that counts the machine", err)
		}
		for _, want := range []string{"-001", "b.json", "-005", "4 machines in"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in:\n%s", want, out)
			}
		}
	}
}

// TestCatalogShowGenerated: what an update needs and replaces is named, three
// of them at most.
func TestCatalogShowGenerated(t *testing.T) {
	w, err := world.New(world.Options{Updates: 700, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	catalogue := generatedCatalogue(t, w)
	out, err := catalogCommand(t, "search", "2026-11", "cumulative", "22H2", "-c", catalogue, "--json")
	var found []struct{ ID string }
	if err != nil || json.Unmarshal([]byte(out), &found) != nil || len(found) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	out, err = catalogCommand(t, "show", found[0].ID, "-c", catalogue)
	for _, want := range []string{"needs      Windows 10\n", " or ", "replaces   2026-10 Cumulative Update"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v: no %q in:\n%s", err, want, out)
		}
	}
	detectoid := regexp.MustCompile(`needs +(\S{36})\n`).FindStringSubmatch(out)
	if out, err = catalogCommand(t, "show", detectoid[1], "-c", catalogue); err != nil || !strings.HasPrefix(out, "Detectoid without a title\n") || strings.Contains(out, "part") {
		t.Errorf("%v: %s", err, out)
	}
	many := []catalog.Named{{Title: "a"}, {GUID: "b"}, {Title: "c"}, {Title: "d"}, {Title: "e"}}
	if diff := cmp.Diff([]string{"a", "b", "c", "2 others"}, firstNames(many, "%d others")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
