package world

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"waptwua"
	"waptwua/applicability"
	"waptwua/cab"
	"waptwua/catalog"
	"waptwua/internal/lzxenc"
	"waptwua/wsusscn2"
)

func TestArchiveCanBeRead(t *testing.T) {
	for _, updates := range []int{minUpdates, 301, 2500} {
		w, b := generate(t, Options{Updates: updates, Seed: 7})
		a, err := wsusscn2.Open(bytes.NewReader(b), int64(len(b)), wsusscn2.Options{})
		if err != nil {
			t.Fatal(err)
		}
		inv, err := a.Inventory(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if inv.Revisions != updates || w.Updates() != updates {
			t.Errorf("%d updates asked for: the archive holds %d, the world %d", updates, inv.Revisions, w.Updates())
		}
	}
}

func TestSameOptionsSameBytes(t *testing.T) {
	_, a := generate(t, Options{Updates: 200, Seed: 3, Real: true})
	_, b := generate(t, Options{Updates: 200, Seed: 3, Real: true})
	_, c := generate(t, Options{Updates: 200, Seed: 4, Real: true})
	if !bytes.Equal(a, b) {
		t.Error("the same options gave different archives")
	}
	if bytes.Equal(a, c) {
		t.Error("different seeds gave the same archive")
	}
}

func TestEveryMachineLacksSomething(t *testing.T) {
	w, g := graph(t, Options{Updates: 300, Seed: 1, Real: true})
	payloads := w.Payloads()
	for n := range 2 * len(platforms) {
		f := w.Machine(n)
		t.Run(f.Name, func(t *testing.T) {
			m, err := applicability.NewMachine(f)
			if err != nil {
				t.Fatal(err)
			}
			e := g.Evaluate(m, catalog.EvaluateOptions{})
			missing := e.Missing()
			if len(missing) == 0 || len(missing) > 40 {
				t.Errorf("lacks %d updates: %v", len(missing), e.Counts())
			}
			if n := e.Counts()[catalog.Unknown]; n > 0 {
				t.Errorf("%d updates are unknown: %v", n, e.Counts())
			}
			for _, id := range missing {
				checkFiles(t, g, id, payloads)
			}
		})
	}
}

func checkFiles(t *testing.T, g *catalog.Graph, id waptwua.UpdateID, payloads map[waptwua.SHA1]Payload) {
	t.Helper()
	files := g.Files(id)
	if len(files) == 0 {
		t.Errorf("%s has no files", id)
	}
	for _, f := range files {
		p, ok := payloads[f.SHA1]
		if !ok || p.Size != f.Size || p.URL != f.URL || p.SHA256 != f.SHA256 {
			t.Errorf("%s: file %+v is not the payload %+v", id, f, p.File)
		}
	}
}

func TestPayloadsHaveTheirDigests(t *testing.T) {
	w, err := New(Options{Updates: 120, Seed: 1, Real: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Payloads()) < 20 {
		t.Fatalf("only %d payloads", len(w.Payloads()))
	}
	for d, p := range w.Payloads() {
		b, err := io.ReadAll(p.Open())
		if err != nil || int64(len(b)) != p.Size || sha1.Sum(b) != d || sha256.Sum256(b) != p.SHA256 {
			t.Errorf("%s: %d bytes, %v", p.Name, len(b), err)
		}
	}
}

func TestCumulativeUpdatesSupersede(t *testing.T) {
	w, g := graph(t, Options{Updates: 300, Seed: 1})
	m, err := applicability.NewMachine(w.Machine(1))
	if err != nil {
		t.Fatal(err)
	}
	if n := g.Evaluate(m, catalog.EvaluateOptions{}).Counts()[catalog.Superseded]; n == 0 {
		t.Error("nothing is superseded on a machine that is months behind")
	}
}

// TestOthersReadIt has cabextract and 7z read the archive and its shards.
func TestOthersReadIt(t *testing.T) {
	_, b := generate(t, Options{Updates: 400, Seed: 9})
	dir := t.TempDir()
	outer := filepath.Join(dir, "a.cab")
	if err := os.WriteFile(outer, b, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "cabextract", "-q", "-d", dir, outer)
	for _, inner := range []string{"a.cab", "package.cab", "package2.cab", "package3.cab"} {
		run(t, "cabextract", "-t", "-q", filepath.Join(dir, inner))
		run(t, "7z", "t", filepath.Join(dir, inner))
	}
}

// TestCallsAreTranslated: a decoder that does not undo the translation of
// calls reads something else in the shard with the licences.
func TestCallsAreTranslated(t *testing.T) {
	_, b := generate(t, Options{Updates: 700, Seed: 9})
	outer, err := cab.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	inner, err := fs.ReadFile(outer, "package2.cab")
	if err != nil {
		t.Fatal(err)
	}
	shard, err := cab.NewReader(bytes.NewReader(inner), int64(len(inner)))
	if err != nil {
		t.Fatal(err)
	}
	translated := 0
	for _, f := range shard.Folders {
		translated += translatedIn(t, f)
	}
	if t.Logf("%d calls translated", translated); translated == 0 {
		t.Error("no call was translated")
	}
}

// translatedIn counts the places in a folder's content that an encoder
// changes: an E8 byte, not among the last ten of a frame, and a target between
// its own position and the file size.
func translatedIn(t *testing.T, f *cab.Folder) (n int) {
	t.Helper()
	content := contentOf(t, f)
	for at := 0; at < len(content); at++ {
		frameEnd := min(at/lzxenc.FrameSize*lzxenc.FrameSize+lzxenc.FrameSize, len(content))
		if content[at] != 0xE8 || at >= frameEnd-10 {
			continue
		}
		target := int32(binary.LittleEndian.Uint32(content[at+1:]))
		if target >= -int32(at) && target < lzxenc.DefaultE8FileSize {
			n++
		}
		at += 4
	}
	return n
}

// contentOf is what a pass over f's files reads.
func contentOf(t *testing.T, f *cab.Folder) (content []byte) {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		_, err := r.Next()
		if err == io.EOF {
			return content
		}
		b, rerr := io.ReadAll(r)
		if err != nil || rerr != nil {
			t.Fatal(err, rerr)
		}
		content = append(content, b...)
	}
}

func TestOptionsHaveLimits(t *testing.T) {
	for _, n := range []int{-1, 0, minUpdates - 1, maxUpdates + 1} {
		if _, err := New(Options{Updates: n}); err == nil {
			t.Errorf("a world of %d updates was accepted", n)
		}
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed; make test-deps installs it", name)
		}
		t.Skipf("%s is not installed", name)
	}
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func generate(t *testing.T, opt Options) (*World, []byte) {
	t.Helper()
	w, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := w.Write(context.Background(), &b, WriteOptions{Workers: 2, Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	return w, b.Bytes()
}

func graph(t *testing.T, opt Options) (*World, *catalog.Graph) {
	t.Helper()
	w, b := generate(t, opt)
	a, err := wsusscn2.Open(bytes.NewReader(b), int64(len(b)), wsusscn2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := catalog.Load(context.Background(), a, catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return w, g
}

// TestVariety: what is not the rule in real archives occurs: revisions of one
// UpdateId, bundles of two parts, bulletins, files that platforms share.
func TestVariety(t *testing.T) {
	w, g := graph(t, Options{Updates: 2500, Seed: 3})
	revisions, bulletins, checkpoints := map[string]int{}, 0, map[waptwua.SHA1]map[string]bool{}
	several, parts := 0, 0
	for _, id := range g.TopLevel() {
		if revisions[id.GUID]++; revisions[id.GUID] == 2 {
			several++
		}
		if len(g.Leaves(id)) > 1 {
			parts++
		}
		u, _ := g.Update(id)
		bulletins += len(u.Bulletins)
		for _, f := range g.Files(id) {
			if f.Name == "Windows11.0-KB5043080-x64.msu" {
				if checkpoints[f.SHA1] == nil {
					checkpoints[f.SHA1] = map[string]bool{}
				}
				checkpoints[f.SHA1][u.Products[0]] = true
			}
		}
	}
	within(t, "UpdateIds of several revisions", several, 50, 200)
	within(t, "bundles of several parts", parts, 20, 200)
	within(t, "bulletins", bulletins, 20, 500)
	shared := 0
	for _, products := range checkpoints {
		shared = max(shared, len(products))
	}
	within(t, "products that share a checkpoint", shared, 2, 2)
	if n := len(g.TopLevel()) + len(g.CategoryIDs()); n >= w.Updates() {
		t.Errorf("%d of %d revisions are no parts of bundles", n, w.Updates())
	}
}

// TestEarlierRevisionIsSuperseded: a machine lacks the newest revision only.
func TestEarlierRevisionIsSuperseded(t *testing.T) {
	w, g := graph(t, Options{Updates: 700, Seed: 1})
	superseded := 0
	for n := range len(platforms) {
		m, err := applicability.NewMachine(w.Machine(n))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range g.Evaluate(m, catalog.EvaluateOptions{}).Missing() {
			of := g.ByGUID(id.GUID)
			if of[0] != id {
				t.Errorf("%s is missing although there is %s", id, of[0])
			}
			superseded += len(of) - 1
		}
	}
	if superseded == 0 {
		t.Error("no machine lacks an update that has an earlier revision")
	}
}
