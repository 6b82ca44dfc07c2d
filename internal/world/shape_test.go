package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/cab"
	"waptwua/wsusscn2"
)

// shape is what an archive looks like from outside.
type shape struct {
	updates, evaluated     int // <Update>; categories and detectoids
	superseded, references int // SupersededBy blocks; the revisions in them
	highestID              int
	disorder               float64 // share of neighbours by RevisionId that are not in order of time
	shards                 []shardShape
	languages              []string
	licences               map[int]int // languages of e/ by revision
	core, all              []int64     // sizes of fragments, ascending
	kbs                    map[waptwua.KB]int
	handlers               map[string]int
	uupFiles               []int // files of OSInstaller updates
	extensions             map[string]int
	products, families     int
}

type shardShape struct {
	name           string
	size, decoded  int64
	files, folders int
}

// shapeOf reads all of an archive.
func shapeOf(t *testing.T, path string) *shape {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	a, err := wsusscn2.Open(f, st.Size(), wsusscn2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &shape{licences: map[int]int{}, kbs: map[waptwua.KB]int{}, handlers: map[string]int{}, extensions: map[string]int{}}
	if err := s.read(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.core)
	slices.Sort(s.all)
	return s
}

func (s *shape) read(ctx context.Context, a *wsusscn2.Archive) error {
	var last time.Time
	unordered := 0
	_, err := a.Package(ctx, wsusscn2.PackageVisitor{Revision: func(r wsusscn2.Revision) error {
		s.updates++
		if r.DeploymentAction == "Evaluate" {
			s.evaluated++
		}
		if n := len(r.SupersededBy); n > 0 {
			s.superseded++
			s.references += n
		}
		if r.Created.Before(last) {
			unordered++
		}
		last, s.highestID = r.Created, max(s.highestID, r.RevisionID)
		return nil
	}})
	if err != nil {
		return err
	}
	s.disorder = float64(unordered) / float64(s.updates)
	languages := map[string]bool{}
	err = a.Shards(ctx, wsusscn2.Selection{}, func(sh *wsusscn2.Shard) error {
		defer sh.Close()
		sum := shardShape{name: sh.Name, size: sh.Size}
		parser := wsusscn2.NewParser(wsusscn2.Limits{})
		err := sh.Fragments(ctx, wsusscn2.Selection{}, func(f wsusscn2.Fragment) error {
			sum.files++
			sum.decoded += int64(len(f.Data))
			return s.fragment(parser, f, languages)
		})
		s.shards = append(s.shards, sum)
		return err
	})
	if err != nil {
		return err
	}
	s.languages = slices.Sorted(maps.Keys(languages))
	inv, err := a.Inventory(ctx)
	for i, r := range inv.Shards {
		s.shards[i].folders = r.Folders
	}
	return err
}

func (s *shape) fragment(p *wsusscn2.Parser, f wsusscn2.Fragment, languages map[string]bool) error {
	s.all = append(s.all, int64(len(f.Data)))
	switch f.Kind {
	case wsusscn2.KindCore:
		s.core = append(s.core, int64(len(f.Data)))
	case wsusscn2.KindLocalized:
		languages[f.Language] = true
	case wsusscn2.KindEula:
		s.licences[f.RevisionID]++
	case wsusscn2.KindExtended:
		return s.extended(p, f)
	}
	return nil
}

func (s *shape) extended(p *wsusscn2.Parser, f wsusscn2.Fragment) error {
	x, err := p.Extended(f.Data)
	if err != nil {
		return err
	}
	for _, kb := range x.KBs {
		s.kbs[kb]++
	}
	switch x.CategoryType {
	case "Product":
		s.products++
	case "ProductFamily":
		s.families++
	}
	if x.Handler != "" {
		s.handlers[x.Handler]++
	}
	if x.Handler == "OSInstaller" {
		s.uupFiles = append(s.uupFiles, len(x.Files))
	}
	for _, file := range x.Files {
		s.extensions[strings.ToLower(path.Ext(file.Name))]++
	}
	return nil
}

func percentile(sorted []int64, p float64) int64 {
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

// report is the shape for people.
func (s *shape) report() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	var packed, decoded int64
	folders := map[int]int{}
	files := []int{}
	for _, sh := range s.shards {
		packed += sh.size
		decoded += sh.decoded
		folders[sh.folders]++
		files = append(files, sh.files)
	}
	line("updates %d, of them categories and detectoids %d, products %d, families %d", s.updates, s.evaluated, s.products, s.families)
	line("superseded %d, references %d, highest RevisionId %d, out of order %.2f", s.superseded, s.references, s.highestID, s.disorder)
	line("shards %d, packed %d, fragments decoded %d, files in a shard %d to %d, shards by folders %v", len(s.shards), packed, decoded, slices.Min(files), slices.Max(files), folders)
	line("languages %d, revisions with licences %d, KBs %d, handlers %v", len(s.languages), len(s.licences), len(s.kbs), s.handlers)
	line("files of OSInstaller updates %d to %d, extensions %v", slices.Min(s.uupFiles), slices.Max(s.uupFiles), s.extensions)
	for name, sizes := range map[string][]int64{"core": s.core, "all": s.all} {
		above := len(sizes) - sort.Search(len(sizes), func(i int) bool { return sizes[i] > 30<<20 })
		line("%s fragments: %d, median %d, p90 %d, p99 %d, largest %d, above 30 MiB %d", name, len(sizes),
			percentile(sizes, 0.5), percentile(sizes, 0.9), percentile(sizes, 0.99), sizes[len(sizes)-1], above)
	}
	return b.String()
}

// TestShapeOf reports the shape of a whole archive, which
// "waptsim archive" or Microsoft made.
func TestShapeOf(t *testing.T) {
	path := os.Getenv("WAPTWUA_SHAPE_OF")
	if path == "" {
		t.Skip("WAPTWUA_SHAPE_OF names no archive")
	}
	t.Log("\n" + shapeOf(t, path).report())
}

// TestShape holds a small archive to what does not depend on size; the
// figures of one with 137,000 updates are in docs/formats/wsusscn2.md.
func TestShape(t *testing.T) {
	const updates = 4000
	w, err := New(Options{Updates: updates, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.cab")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(t.Context(), f, WriteOptions{Workers: 2, Dir: t.TempDir()}), f.Close()); err != nil {
		t.Fatal(err)
	}
	s := shapeOf(t, path)
	t.Log("\n" + s.report())
	within(t, "updates", s.updates, updates, updates)
	within(t, "categories and detectoids, per mille", s.evaluated*1000/updates, 25, 35)
	within(t, "superseded updates, per mille", s.superseded*1000/updates, 80, 120)
	within(t, "updates out of order of time, per cent", int(100*s.disorder), 40, 60)
	within(t, "languages", len(s.languages), 37, 37)
	within(t, "KBs, per mille", len(s.kbs)*1000/updates, 40, 200)
	within(t, "fewest files of OSInstaller updates", slices.Min(s.uupFiles), 8, 9)
	within(t, "most files of OSInstaller updates", slices.Max(s.uupFiles), 18, 19)
	within(t, "median of fragments", int(percentile(s.all, 0.5)), 400, 700)
	within(t, "median of core fragments", int(percentile(s.core, 0.5)), 480, 640)
	within(t, "99th percentile of core fragments", int(percentile(s.core, 0.99)), 200_000, 600_000)
	for _, h := range []string{"Category", "Cbs", "CommandLineInstallation", "OSInstaller", "WindowsInstaller"} {
		within(t, "handler "+h, s.handlers[h], 10, updates)
	}
	for _, x := range []string{".msu", ".cab", ".psf", ".wim", ".exe"} {
		within(t, "files "+x, s.extensions[x], 10, 10*updates)
	}
	for _, sh := range s.shards {
		within(t, "folders of "+sh.name, sh.folders, 2, 10)
	}
	checkCompression(t, path)
}

func within(t *testing.T, what string, got, least, most int) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %d, want %d to %d", what, got, least, most)
	}
}

// checkCompression demands LZX:21 in the outer and every inner cabinet.
func checkCompression(t *testing.T, path string) {
	t.Helper()
	outer, err := cab.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Close()
	cabinets := map[string]*cab.Reader{"the archive": &outer.Reader}
	for _, f := range outer.Files {
		if filepath.Ext(f.Name) != ".cab" {
			continue
		}
		b, err := fs.ReadFile(outer, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if cabinets[f.Name], err = cab.NewReader(bytes.NewReader(b), int64(len(b))); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range cabinets {
		for i, f := range c.Folders {
			if f.Compression != cab.LZX || f.Window != 21 {
				t.Errorf("%s, folder %d: %v:%d", name, i, f.Compression, f.Window)
			}
		}
	}
}
