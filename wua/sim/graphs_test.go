package sim

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"waptwua"
	"waptwua/catalog"
	"waptwua/wua/wuatest"
)

func newGraphs(w *wuatest.World, keep int) *Graphs {
	return NewGraphs(GraphsOptions{Roots: w.Roots, Now: time.Now, Keep: keep})
}

// copies writes the archive n times, as hosts have it each in its folder.
func copies(t *testing.T, w *wuatest.World, n int) []string {
	t.Helper()
	b, err := os.ReadFile(w.Archive)
	if err != nil {
		t.Fatal(err)
	}
	paths := make([]string, n)
	for i := range paths {
		paths[i] = filepath.Join(t.TempDir(), "wsusscn2.cab")
		if err := os.WriteFile(paths[i], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func TestGraphsParsesAContentOnce(t *testing.T) {
	w := wuatest.NewWorld(t)
	g := newGraphs(w, 0)
	paths := copies(t, w, 20)
	graphs := make([]*catalog.Graph, len(paths))
	var wg sync.WaitGroup
	for i, p := range paths {
		wg.Go(func() {
			var err error
			if graphs[i], err = g.Open(t.Context(), p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range graphs {
		if graphs[i] != graphs[0] {
			t.Fatalf("host %d has a graph of its own", i)
		}
	}
}

func TestGraphsSeesAChangedFile(t *testing.T) {
	w := wuatest.NewWorld(t)
	g := newGraphs(w, 0)
	path := copies(t, w, 1)[0]
	if _, err := g.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(w.Damaged)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour) // whatever the clock's resolution
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	for range 2 { // an error is not remembered as a graph
		if graph, err := g.Open(t.Context(), path); err == nil || graph != nil {
			t.Errorf("the damaged archive was opened: %v, %v", graph, err)
		}
	}
	if _, err := g.Open(t.Context(), w.Archive); err != nil {
		t.Errorf("after the damaged archive the good one fails: %v", err)
	}
}

func TestGraphsKeepsFew(t *testing.T) {
	w := wuatest.NewWorld(t)
	g := newGraphs(w, 2)
	for _, digest := range []waptwua.SHA256{{1}, {2}, {1}, {3}} {
		g.find(digest)
	}
	if len(g.kept) != 2 || g.kept[0].digest != (waptwua.SHA256{1}) || g.kept[1].digest != (waptwua.SHA256{3}) {
		t.Errorf("kept %d archives, want the two used last", len(g.kept))
	}
}

func TestGraphsRefusesUntrusted(t *testing.T) {
	w := wuatest.NewWorld(t)
	g := newGraphs(w, 0)
	for _, path := range []string{w.Damaged, w.Foreign} {
		if _, err := g.Open(t.Context(), path); !errors.Is(err, waptwua.ErrNotTrusted) && !errors.Is(err, waptwua.ErrDigest) {
			t.Errorf("%s: %v, want waptwua.ErrNotTrusted or waptwua.ErrDigest", filepath.Base(path), err)
		}
	}
}

func TestGraphsOpenEndsWithItsContext(t *testing.T) {
	w := wuatest.NewWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newGraphs(w, 0).Open(ctx, w.Archive); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
