package cabwrite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"waptwua/cab"
	"waptwua/internal/lzxenc"
)

// checkReaders compares what cabextract, 7z and package cab read with what was
// put in.
func checkReaders(t *testing.T, cabinet []byte, members []member) {
	t.Helper()
	want := sums(members)
	t.Run("cab", func(t *testing.T) {
		got, err := readFolders(cabinet)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, sums(got)); diff != "" {
			t.Errorf("read (-want +got):\n%s", diff)
		}
	})
	path := filepath.Join(t.TempDir(), "test.cab")
	if err := os.WriteFile(path, cabinet, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tool := range extractors {
		t.Run(tool.name, func(t *testing.T) {
			if diff := cmp.Diff(want, tool.extract(t, path)); diff != "" {
				t.Errorf("extracted (-want +got):\n%s", diff)
			}
		})
	}
}

// readFolders returns the files that package cab finds, folder by folder.
func readFolders(cabinet []byte) (members []member, err error) {
	r, err := cab.NewReader(bytes.NewReader(cabinet), int64(len(cabinet)))
	if err != nil {
		return nil, err
	}
	for _, f := range r.Folders {
		in, err := f.Open()
		if err != nil {
			return nil, err
		}
		defer in.Close()
		for {
			file, err := in.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			content, err := io.ReadAll(in)
			if err != nil {
				return nil, err
			}
			members = append(members, member{file.Name, content})
		}
	}
	return members, nil
}

func TestReadersAgreeOnLZX(t *testing.T) {
	kinds := []struct {
		name string
		kind lzxenc.Blocks
	}{{"auto", lzxenc.Auto}, {"verbatim", lzxenc.Verbatim}, {"aligned", lzxenc.Aligned},
		{"uncompressed", lzxenc.Uncompressed}, {"mixed", lzxenc.Mixed}}
	for window := lzxenc.MinWindow; window <= lzxenc.MaxWindow; window++ {
		for i, k := range kinds {
			t.Run(fmt.Sprintf("%d/%s", window, k.name), func(t *testing.T) {
				members := mixture(uint64(window))
				opt := Options{Compression: LZX, Window: window, SingleFrames: (window+i)%3 == 0,
					LZX: lzxenc.Options{Blocks: k.kind, E8: (window+i)%2 == 1}}
				checkReaders(t, write(t, opt, members), members)
			})
		}
	}
}

// Content of several windows, with repetitions about a window apart.
func TestReadersAgreeBeyondTheWindow(t *testing.T) {
	for _, window := range []int{15, 18, 21} {
		t.Run(fmt.Sprint(window), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(window), 4))
			block := noise(rng, 5000)
			var members []member
			for i := range 7 {
				filler := markup(rng, 1<<(window-1)-len(block)-2+i)
				members = append(members, member{fmt.Sprintf("x/%d", i), append(bytes.Clone(block), filler...)})
			}
			checkReaders(t, write(t, Options{Compression: LZX, Window: window}, members), members)
		})
	}
}

func TestReadersAgreeOnLayout(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  Options
	}{
		{"stored", Options{}},
		{"mszip", Options{Compression: MSZIP}},
		{"room for a signature", Options{Compression: LZX, HeaderReserve: make([]byte, 20)}},
		{"header reserve of 6,144 bytes", Options{Compression: MSZIP, HeaderReserve: make([]byte, 6144)}},
		{"folder reserve", Options{Compression: LZX, FolderReserve: []byte("folder")}},
		{"data reserve", Options{Compression: LZX, DataReserve: 7}},
		{"all reserves", Options{HeaderReserve: []byte("head"), FolderReserve: make([]byte, 255), DataReserve: 255}},
		{"small folders", Options{Compression: LZX, Window: 16, FolderBytes: 1000}},
		{"one folder for each file", Options{Compression: MSZIP, FolderBytes: 1}},
		{"set", Options{SetID: 4711, Index: 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			members := mixture(99)
			checkReaders(t, write(t, c.opt, members), members)
		})
	}
}

func TestFoldersOfSeveralKinds(t *testing.T) {
	members := mixture(5)
	var b bytes.Buffer
	w := newWriter(t, &b, Options{})
	kinds := []Compression{LZX, None, MSZIP, LZX}
	for i, m := range members {
		if i%3 == 2 {
			if err := w.NextFolder(kinds[i/3], 15+i/3); err != nil {
				t.Fatal(err)
			}
		}
		add(t, w, m)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	checkReaders(t, b.Bytes(), members)

	r, err := cab.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var got []cab.Compression
	for _, f := range r.Folders {
		got = append(got, f.Compression)
	}
	if diff := cmp.Diff([]cab.Compression{cab.None, cab.LZX, cab.None, cab.MSZIP, cab.LZX}, got); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
}

func TestFolderBytes(t *testing.T) {
	text := markup(rand.New(rand.NewPCG(1, 1)), 1000)
	b := write(t, Options{FolderBytes: 1500}, []member{{"a", text}, {"b", text}, {"c", text}, {"d", nil}})
	r, err := cab.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, f := range r.Folders {
		got = append(got, len(f.Files))
	}
	if diff := cmp.Diff([]int{2, 2}, got); diff != "" {
		t.Errorf("files by folder (-want +got):\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var members []member
		for i := range rapid.IntRange(1, 20).Draw(t, "files") {
			n := rapid.SampledFrom([]int{0, 1, 600, 32767, 32768, 40000}).Draw(t, "size")
			generate := rapid.SampledFrom([]func(*rand.Rand, int) []byte{markup, noise, code}).Draw(t, "content")
			members = append(members, member{fmt.Sprintf("c/%d", i), generate(rng, n)})
		}
		opt := Options{
			Compression: Compression(rapid.IntRange(int(None), int(LZX)).Draw(t, "compression")),
			Window:      rapid.IntRange(lzxenc.MinWindow, 18).Draw(t, "window"),
			FolderBytes: rapid.Int64Range(1, 100000).Draw(t, "folder bytes"),
			DataReserve: rapid.IntRange(0, 255).Draw(t, "data reserve"),
		}
		var b bytes.Buffer
		w, err := NewWriter(&b, opt)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			if err := addPieces(w, m, rng); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := readFolders(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sums(members), sums(got)); diff != "" {
			t.Fatalf("read (-want +got):\n%s", diff)
		}
	})
}

// addPieces writes m in pieces of random sizes.
func addPieces(w *Writer, m member, rng *rand.Rand) error {
	f, err := w.Create(m.name, day, 0)
	for rest := m.content; err == nil && len(rest) > 0; {
		n := min(1+rng.IntN(50000), len(rest))
		_, err = f.Write(rest[:n])
		rest = rest[n:]
	}
	return err
}

func TestSameInputSameBytes(t *testing.T) {
	for _, c := range []Compression{None, MSZIP, LZX} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			opt := Options{Compression: c, FolderBytes: 100000}
			if !bytes.Equal(write(t, opt, mixture(1)), write(t, opt, mixture(1))) {
				t.Error("two runs give different cabinets")
			}
		})
	}
}

// An inner cabinet can be written straight into an outer one.
func TestNested(t *testing.T) {
	members := mixture(2)
	var b bytes.Buffer
	outer := newWriter(t, &b, Options{Compression: LZX})
	into, err := outer.Create("package.cab", day, 0)
	if err != nil {
		t.Fatal(err)
	}
	inner := newWriter(t, into, Options{Compression: LZX})
	for _, m := range members {
		add(t, inner, m)
	}
	if err := errors.Join(inner.Close(), outer.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := readFolders(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 {
		t.Fatalf("%d files in the outer cabinet, want 1", len(got))
	}
	checkReaders(t, got[0].content, members)
}

func TestHeaderReserveIsWhereSignaturesGo(t *testing.T) {
	b := write(t, Options{HeaderReserve: []byte("01234567890123456789")}, mixture(3))
	if got := string(b[40:60]); got != "01234567890123456789" {
		t.Errorf("the reserve at offset 40 is %q", got)
	}
	r, err := cab.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Header.Size != int64(len(b)) || string(r.Header.Reserve) != "01234567890123456789" {
		t.Errorf("header says %d bytes with reserve %q, want %d bytes", r.Header.Size, r.Header.Reserve, len(b))
	}
}

func TestEntries(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	for _, c := range []struct {
		name     string
		stored   string
		modified time.Time
		want     time.Time
		attrs    uint16
		flags    cab.Attributes
	}{
		{"c/1", "c/1", day, day, 0x21, cab.ReadOnly | cab.Archive},
		{`l\de\2`, "l/de/2", day.Add(time.Second), day, 0, 0},
		{"größe.txt", "größe.txt", day.In(zone), day.Add(2 * time.Hour), 0, cab.NameIsUTF8},
		{"old", "old", time.Time{}, time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), 0, 0},
		{"new", "new", time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC), 0, 0},
		{strings.Repeat("n", 255), strings.Repeat("n", 255), day, day, 0, 0},
	} {
		t.Run(c.stored[:min(20, len(c.stored))], func(t *testing.T) {
			var b bytes.Buffer
			w := newWriter(t, &b, Options{})
			if _, err := w.Create(c.name, c.modified, c.attrs); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := cab.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
			if err != nil {
				t.Fatal(err)
			}
			f := r.Files[0]
			if f.Name != c.stored || !f.Modified.Equal(c.want) || f.Attributes != c.flags {
				t.Errorf("got %q %v %x, want %q %v %x", f.Name, f.Modified, f.Attributes, c.stored, c.want, c.flags)
			}
		})
	}
}
