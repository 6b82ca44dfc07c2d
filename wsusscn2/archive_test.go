package wsusscn2

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/fixture"

	"github.com/google/go-cmp/cmp"
)

func openFixture(t testing.TB, name string) *Archive {
	t.Helper()
	f, err := os.Open(fixture.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(f, st.Size(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const real2011 = "offline-scan-2011/WSUSSCAN.cab"

func TestInventoryOfRealArchive(t *testing.T) {
	inv, err := openFixture(t, real2011).Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantHead := Package{
		ID: "147e0297-e8ca-4075-ad9a-517c6a48a981", Created: time.Date(2011, 3, 25, 3, 27, 7, 0, time.UTC),
		Version: "1.0", MinimumClientVersion: "5.4.3790.2191", ProtocolVersion: "2.0",
		SourceID: "8af5b5e4-1eb7-4fad-aac4-cb031bc3147e",
	}
	if diff := cmp.Diff(wantHead, inv.Package); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	if inv.Layout != Single || inv.Revisions != 766 || inv.Locations != 38 || len(inv.Shards) != 1 {
		t.Errorf("layout %s, %d revisions, %d locations, %d shards", inv.Layout, inv.Revisions, inv.Locations, len(inv.Shards))
	}
	want := Counts{Core: 766, Extended: 766, Localized: 3421, Eula: 36, Files: 36, Other: 1}
	got := inv.Total
	got.Bytes = 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if len(inv.Languages) != 37 || !slices.Contains(inv.Languages, "zh-hk") {
		t.Errorf("%d languages: %v", len(inv.Languages), inv.Languages)
	}
}

func TestEveryFragmentOfRealArchiveParses(t *testing.T) {
	ps := NewParser(Limits{})
	rules, files, titles := 0, 0, 0
	err := openFixture(t, real2011).Fragments(t.Context(), Selection{}, func(f Fragment) error {
		switch f.Kind {
		case KindCore:
			c, err := ps.Core(f.Data)
			if c.Rules != nil {
				rules++
			}
			return err
		case KindExtended:
			x, err := ps.Extended(f.Data)
			files += len(x.Files)
			return err
		case KindLocalized:
			l, err := ps.Localized(f.Data)
			if l.Language == f.Language && l.Title != "" {
				titles++
			}
			return err
		case KindEula:
			e, err := ps.Eula(f.Data)
			if len(e) == 0 {
				t.Errorf("%s names no licence text", f.Path())
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rules != 765 || files != 2 {
		t.Errorf("%d rule sets and %d files, want 765 and 2", rules, files)
	}
	if titles < 3400 {
		t.Errorf("only %d titles in the language of their folder", titles)
	}
}

func TestIncludedFilesHaveTheDigestOfTheirName(t *testing.T) {
	n := 0
	sel := Selection{Kinds: []Kind{KindFile}}
	err := openFixture(t, real2011).Fragments(t.Context(), sel, func(f Fragment) error {
		n++
		if got := sha1Of(f.Data); got != f.Digest {
			t.Errorf("%s has the digest %s", f.Path(), got)
		}
		return nil
	})
	if err != nil || n != 36 {
		t.Fatalf("%d files, error %v", n, err)
	}
}

func TestFragmentsEqualTheSamples(t *testing.T) {
	root := fixture.Path(t, "offline-scan-2011/samples")
	compared := 0
	err := openFixture(t, real2011).Fragments(t.Context(), Selection{}, func(f Fragment) error {
		want, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.Name)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		compared++
		if !bytes.Equal(want, f.Data) {
			t.Errorf("%s differs from the sample", f.Name)
		}
		return err
	})
	if err != nil || compared < 160 {
		t.Fatalf("compared %d samples, error %v", compared, err)
	}
}

func TestShardedFixture(t *testing.T) {
	a := openFixture(t, "offline-scan-vuls/wsusscn2.cab")
	inv, err := a.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if inv.Layout != Sharded || inv.Revisions != 4 || len(inv.Shards) != 2 {
		t.Fatalf("layout %s, %d revisions, %d shards", inv.Layout, inv.Revisions, len(inv.Shards))
	}
	if s := inv.Shards[0]; s.Name != "package2.cab" || s.Last != 234567 || !s.FilesDir || s.Counts.Core != 2 || s.Counts.Extended != 4 {
		t.Errorf("first shard: %+v", s)
	}
	got := paths(t, a, Selection{Revisions: []int{345678}})
	if want := []string{"package3.cab/c/345678", "package3.cab/l/en/345678", "package3.cab/x/345678"}; !slices.Equal(got, want) {
		t.Errorf("fragments of 345678: %v", got)
	}
}

func paths(t *testing.T, a *Archive, sel Selection) (names []string) {
	t.Helper()
	err := a.Fragments(t.Context(), sel, func(f Fragment) error {
		names = append(names, f.Path())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSelection(t *testing.T) {
	file := "package2.cab/files/E5/0123456789ABCDEF0123456789ABCDEF012345E5"
	tests := map[string]struct {
		sel  Selection
		want []string
	}{
		"everything":      {Selection{}, []string{"package2.cab/c/1", "package2.cab/l/en/1", "package2.cab/l/de/1", file, "package3.cab/c/10"}},
		"one kind":        {Selection{Kinds: []Kind{KindCore}}, []string{"package2.cab/c/1", "package3.cab/c/10"}},
		"one language":    {Selection{Kinds: []Kind{KindLocalized}, Languages: []string{"DE"}}, []string{"package2.cab/l/de/1"}},
		"one revision":    {Selection{Kinds: []Kind{KindCore}, Revisions: []int{3, 10, 12}}, []string{"package3.cab/c/10"}},
		"included files":  {Selection{Kinds: []Kind{KindFile}, Revisions: []int{10}}, []string{file}},
		"no revision":     {Selection{Kinds: []Kind{KindCore}, Revisions: []int{}}, nil},
		"absent revision": {Selection{Kinds: []Kind{KindCore}, Revisions: []int{2}}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, paths(t, openString(t, smallArchive(t), Options{}), tt.sel)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestShardsOutsideTheSelectionAreNotRead(t *testing.T) {
	broken := smallArchive(t, entry{"package2.cab", "not a cabinet"})
	got := paths(t, openString(t, broken, Options{}), Selection{Kinds: []Kind{KindCore}, Revisions: []int{10}})
	if want := []string{"package3.cab/c/10"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestShardsInParallel(t *testing.T) {
	a := openString(t, smallArchive(t), Options{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := make(map[string]bool)
	digests := make(map[waptwua.SHA256]bool)
	err := a.Shards(t.Context(), Selection{}, func(s *Shard) error {
		d, err := s.Digest()
		digests[d] = true
		wg.Go(func() {
			defer s.Close()
			err := s.Fragments(context.Background(), Selection{}, func(f Fragment) error {
				mu.Lock()
				defer mu.Unlock()
				seen[f.Path()] = true
				return nil
			})
			if err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		})
		return err
	})
	wg.Wait()
	if err != nil || len(seen) != 5 || len(digests) != 2 {
		t.Fatalf("%d fragments, %d digests, error %v", len(seen), len(digests), err)
	}
}

func TestEarlyEnd(t *testing.T) {
	a := openString(t, smallArchive(t), Options{})
	n := 0
	err := a.Fragments(t.Context(), Selection{}, func(Fragment) error { n++; return fs.SkipAll })
	if err != nil || n != 1 {
		t.Errorf("fragments: %d calls, error %v", n, err)
	}
	n = 0
	_, err = a.Package(t.Context(), PackageVisitor{Revision: func(Revision) error { n++; return fs.SkipAll }})
	if err != nil || n != 1 {
		t.Errorf("package: %d calls, error %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = a.Package(ctx, PackageVisitor{Revision: func(Revision) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled pass gives %v", err)
	}
	if err := a.Fragments(ctx, Selection{}, func(Fragment) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled walk gives %v", err)
	}
}

func TestHeadReadsNoFurther(t *testing.T) {
	graph := `<OfflineSyncPackage PackageId="` + testGUID + `1"><broken`
	a := openString(t, smallArchive(t, entry{"package.cab", cabinet(t, entry{"package.xml", graph})}), Options{})
	head, err := a.Head(t.Context())
	if err != nil || head.ID != strings.ToLower(testGUID)+"1" {
		t.Errorf("head %+v, error %v", head, err)
	}
}

func TestErrorsOfVisitKeepTheirKind(t *testing.T) {
	a := openString(t, smallArchive(t), Options{})
	mine := errors.New("mine")
	err := a.Fragments(t.Context(), Selection{}, func(Fragment) error { return mine })
	if !errors.Is(err, mine) || !strings.Contains(err.Error(), "package2.cab/c/1") {
		t.Errorf("got %v", err)
	}
	if _, err = a.Package(t.Context(), PackageVisitor{Revision: func(Revision) error { return mine }}); !errors.Is(err, mine) {
		t.Errorf("got %v", err)
	}
}
