package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"waptwua/internal/fixture"
)

const module = "waptwua"

// pkg is what `go list -json` says of one package.
type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	Imports    []string
	GoFiles    []string
	Deps       []string
}

func (p *pkg) path() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

func TestImportDirections(t *testing.T) {
	for _, p := range list(t) {
		l := layerOf(p.path())
		if l == nil {
			continue
		}
		for _, imp := range p.Imports {
			if why := refuse(l, p.path(), imp); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imp, why)
			}
		}
	}
}

func TestAgentAndServerNeverMeet(t *testing.T) {
	for _, p := range list(t) {
		for _, pair := range [][2]string{{"agent", "server"}, {"agent", "store"}, {"agent", "api"}, {"server", "agent"}, {"api", "agent"}, {"api", "store/sqlite"}} {
			if below(p.path(), pair[0]) && slices.ContainsFunc(p.Deps, func(d string) bool { return below(ours(d), pair[1]) && isOurs(d) }) {
				t.Errorf("%s depends on %s; they meet only in transport", p.ImportPath, pair[1])
			}
		}
	}
}

func TestThirdPartyStaysInItsPackage(t *testing.T) {
	for _, p := range list(t) {
		for _, imp := range p.Imports {
			for mod, homes := range thirdParty {
				if (imp == mod || strings.HasPrefix(imp, mod+"/")) && !slices.ContainsFunc(homes, func(h string) bool { return below(p.path(), h) }) {
					t.Errorf("%s imports %s, which belongs in %s", p.ImportPath, imp, strings.Join(homes, ", "))
				}
			}
		}
	}
}

func TestTestPackagesStayInTests(t *testing.T) {
	for _, p := range list(t) {
		if slices.Contains(testOnly, p.path()) || below(p.path(), "test") {
			continue
		}
		for _, imp := range p.Imports {
			if isOurs(imp) && slices.Contains(testOnly, ours(imp)) {
				t.Errorf("%s imports %s outside its tests", p.ImportPath, imp)
			}
		}
	}
}

func TestGeneratedWorldStaysInTheSimulator(t *testing.T) {
	for _, p := range list(t) {
		if !below(p.path(), "cmd/waptserver") && !below(p.path(), "cmd/wapt-get") {
			continue
		}
		for _, d := range p.Deps {
			if isOurs(d) && slices.Contains(worldOnly, ours(d)) {
				t.Errorf("%s ships %s, which is for tests and waptsim only", p.ImportPath, d)
			}
		}
	}
}

func TestOnlyCommandsNameDrivers(t *testing.T) {
	drivers := []string{"store/sqlite", "store/postgres", "blob/s3", "notify/postgres", "wua/com", "wua/sim"}
	for _, p := range list(t) {
		if below(p.path(), "cmd") || below(p.path(), "test") || p.Name == "main" {
			continue
		}
		for _, imp := range p.Imports {
			if isOurs(imp) && slices.Contains(drivers, ours(imp)) && !below(p.path(), ours(imp)) {
				t.Errorf("%s imports the driver %s; only cmd names drivers", p.ImportPath, ours(imp))
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range list(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command "
			if !strings.HasPrefix(p.Doc, want) && len(p.Doc) > 20 {
				continue
			}
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s has no package comment that starts with %q (got %q)", p.ImportPath, want, p.Doc)
		}
	}
}

func refuse(l *layer, from, imp string) string {
	if !isOurs(imp) {
		if slices.Contains(l.never, imp) {
			return l.name + " stays without " + imp
		}
		return ""
	}
	to := ours(imp)
	if slices.ContainsFunc(l.packages, func(p string) bool { return p != root && below(to, p) && below(from, p) }) {
		return ""
	}
	if slices.ContainsFunc(l.never, func(n string) bool { return below(to, n) }) {
		return l.name + " never imports " + to
	}
	if !slices.ContainsFunc(l.ours, func(o string) bool { return to == o || o != root && below(to, o) }) {
		return l.name + " may import of ours only [" + strings.Join(l.ours, " ") + "]"
	}
	return ""
}

// layerOf returns the layer whose package path is the longest match.
func layerOf(path string) *layer {
	var best *layer
	longest := -1
	for i, l := range layers {
		for _, p := range l.packages {
			if (p == root && path == root || p != root && below(path, p)) && len(p) > longest {
				best, longest = &layers[i], len(p)
			}
		}
	}
	return best
}

func below(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
func isOurs(imp string) bool      { return imp == module || strings.HasPrefix(imp, module+"/") }
func ours(imp string) string      { return strings.TrimPrefix(strings.TrimPrefix(imp, module), "/") }

func list(t *testing.T) []*pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Doc,Imports,GoFiles,Deps", "./...")
	cmd.Dir = fixture.Root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var pkgs []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		pkgs = append(pkgs, p)
	}
}
