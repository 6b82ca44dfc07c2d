package wsusscn2

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"os"
	"strings"
	"testing"

	"waptwua"
	"waptwua/cab"
	"waptwua/internal/fixture"
)

func sha1Of(b []byte) waptwua.SHA1 { return sha1.Sum(b) }

// readAll opens an archive and reads all of it.
func readAll(t *testing.T, data string, opt Options) error {
	a, err := Open(strings.NewReader(data), int64(len(data)), opt)
	if err != nil {
		return err
	}
	if _, err := a.Inventory(t.Context()); err != nil {
		return err
	}
	ps := NewParser(opt.Limits)
	return a.Fragments(t.Context(), Selection{Kinds: []Kind{KindCore}}, func(f Fragment) error {
		_, err := ps.Core(f.Data)
		return err
	})
}

func TestHostileArchives(t *testing.T) {
	graph := func(xml string) entry {
		return entry{"package.cab", cabinet(t, entry{"package.xml", xml})}
	}
	index := func(xml string) entry { return entry{"index.xml", xml} }
	tests := map[string]struct {
		archive string
		opt     Options
		want    error
		says    string
	}{
		"not a cabinet":       {archive: "MZ, a program", want: ErrFormat, says: "the archive"},
		"another cabinet":     {archive: cabinet(t, entry{"a.txt", "a"}), want: ErrFormat, says: "neither index.xml nor package.cab"},
		"two of a name":       {archive: cabinet(t, entry{"package.cab", "a"}, entry{"PACKAGE.CAB", "b"}), want: ErrFormat, says: "second file"},
		"no package.cab":      {archive: smallArchive(t, entry{"package.cab", ""}), want: ErrFormat, says: "package.cab"},
		"no package.xml":      {archive: smallArchive(t, entry{"package.cab", cabinet(t, entry{"a", "a"})}), want: ErrFormat, says: "package.cab/package.xml"},
		"a shard is missing":  {archive: smallArchive(t, entry{"package3.cab", ""}), want: ErrFormat, says: "package3.cab"},
		"a shard is torn":     {archive: smallArchive(t, entry{"package3.cab", "MSCF"}), want: ErrFormat, says: "package3.cab"},
		"index version":       {archive: smallArchive(t, index(strings.Replace(smallIndex, `"1"`, `"2"`, 1))), want: ErrFormat, says: "VERSION"},
		"index XOR":           {archive: smallArchive(t, index(strings.Replace(smallIndex, `XOR="0"`, `XOR="7"`, 1))), want: ErrFormat, says: "XOR"},
		"index descends":      {archive: smallArchive(t, index(strings.Replace(smallIndex, `"10"`, `"0"`, 1))), want: ErrFormat, says: "does not ascend"},
		"index traversal":     {archive: smallArchive(t, index(strings.Replace(smallIndex, `package3.cab`, `..\a.cab`, 1))), want: ErrFormat, says: "index.xml at offset"},
		"index repeats":       {archive: smallArchive(t, index(strings.Replace(smallIndex, `package3.cab`, `Package2.cab`, 1))), want: ErrFormat, says: "twice"},
		"index too long":      {archive: smallArchive(t), opt: Options{Limits: Limits{IndexBytes: 20}}, want: waptwua.ErrLimit, says: "index.xml: an index of"},
		"too many shards":     {archive: smallArchive(t), opt: Options{Limits: Limits{Shards: 1}}, want: waptwua.ErrLimit, says: "shards"},
		"shard too large":     {archive: smallArchive(t), opt: Options{Limits: Limits{ShardBytes: 100}}, want: waptwua.ErrLimit, says: "package.cab: an inner cabinet of"},
		"no room, no spool":   {archive: smallArchive(t), opt: Options{Limits: Limits{MemoryBytes: 100}}, want: waptwua.ErrLimit, says: "no spool"},
		"package.xml too big": {archive: smallArchive(t), opt: Options{Limits: Limits{PackageBytes: 100}}, want: waptwua.ErrLimit, says: "package.cab/package.xml at offset 100: a document of more than 100 bytes"},
		"of the cabinets":     {archive: smallArchive(t), opt: Options{Limits: Limits{Cabinet: cab.Limits{FileBytes: 100}}}, want: waptwua.ErrLimit, says: "at offset"},
		"too many revisions":  {archive: smallArchive(t), opt: Options{Limits: Limits{Revisions: 11}}, want: waptwua.ErrLimit, says: "offset"},
		"fragment too large":  {archive: smallArchive(t), opt: Options{Limits: Limits{FragmentBytes: 10}}, want: waptwua.ErrLimit, says: "package2.cab/c/1: a fragment of"},
		"entities": {archive: smallArchive(t, graph(`<!DOCTYPE a [<!ENTITY b "bb">]><OfflineSyncPackage/>`)),
			want: ErrFormat, says: "document type declaration"},
		"unknown entity": {archive: smallArchive(t, graph(`<OfflineSyncPackage PackageVersion="&b;"/>`)), want: ErrFormat, says: "entity"},
		"attribute flood": {archive: smallArchive(t, graph(`<OfflineSyncPackage `+numbered("a%=\"\" ", 300)+`/>`)),
			want: waptwua.ErrLimit, says: "attributes"},
		"deep": {archive: smallArchive(t, graph(`<OfflineSyncPackage>`+strings.Repeat("<a>", 300))), want: waptwua.ErrLimit, says: "deep"},
		"endless tag": {archive: smallArchive(t, graph(`<OfflineSyncPackage PackageVersion="`+strings.Repeat("a", 2<<20))),
			want: waptwua.ErrLimit, says: "bytes"},
		"list too long": {archive: smallArchive(t, graph(strings.Replace(smallGraph(1), `"0"/>`, `"0"><SupersededBy>`+
			strings.Repeat(`<Revision Id="1"/>`, 9)+`</SupersededBy></Update>`, 1))),
			opt: Options{Limits: Limits{Items: 8}}, want: waptwua.ErrLimit, says: "more than 8"},
		"torn document":   {archive: smallArchive(t, graph(smallGraph(3)[:200])), want: ErrFormat, says: "ends"},
		"no document":     {archive: smallArchive(t, graph(" ")), want: ErrFormat, says: "no <OfflineSyncPackage>"},
		"another element": {archive: smallArchive(t, graph("<html/>")), want: ErrFormat, says: "<html>"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := readAll(t, tt.archive, tt.opt)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q does not say %q", err, tt.says)
			}
			if strings.Count(err.Error(), waptwua.ErrLimit.Error()) > 1 {
				t.Errorf("%q says twice that a limit is exceeded", err)
			}
		})
	}
}

// numbered repeats s n times with the number in place of %.
func numbered(s string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(s, "%", strings.Repeat("x", i+1)))
	}
	return b.String()
}

func TestTornRealArchive(t *testing.T) {
	data := fixture.Read(t, real2011)
	for _, size := range []int{0, 35, 100, 4_000, 60_000, 200_000} {
		if err := readAll(t, string(data[:size]), Options{}); !errors.Is(err, ErrFormat) {
			t.Errorf("the first %d bytes: got %v", size, err)
		}
	}
}

func TestHostileCabinetsAreNoArchives(t *testing.T) {
	for _, pattern := range []string{"cabs/libmspack/*.cab", "cabs/libarchive/*.cab"} {
		for _, name := range fixture.Glob(t, pattern) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(bytes.NewReader(data), int64(len(data)), Options{}); !errors.Is(err, ErrFormat) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
}

// diskSpool counts what is open; it keeps the bytes in temporary files.
type diskSpool struct {
	dir  string
	open int
}

type diskFile struct {
	*os.File
	spool *diskSpool
}

func (s *diskSpool) Create(string, int64) (SpoolFile, error) {
	f, err := os.CreateTemp(s.dir, "")
	s.open++
	return diskFile{f, s}, err
}

func (f diskFile) Close() error { f.spool.open--; return f.File.Close() }

func TestSpool(t *testing.T) {
	spool := &diskSpool{dir: t.TempDir()}
	opt := Options{Limits: Limits{MemoryBytes: 1}, Spool: spool}
	if err := readAll(t, smallArchive(t), opt); err != nil {
		t.Fatal(err)
	}
	if err := readAll(t, smallArchive(t, entry{"package3.cab", "MSCF"}), opt); !errors.Is(err, ErrFormat) {
		t.Errorf("a torn shard in the spool gives %v", err)
	}
	if spool.open != 0 {
		t.Errorf("%d spool files were left open", spool.open)
	}
}
