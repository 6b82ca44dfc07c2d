package cab_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua/cab"
	"waptwua/internal/cabwrite"
	"waptwua/internal/lzxenc"
)

// Every combination of reserves with every compression.
func TestReserves(t *testing.T) {
	compressions := []struct {
		name string
		opt  cabwrite.Options
		want cab.Compression
	}{
		{"stored", cabwrite.Options{Compression: cabwrite.None}, cab.None},
		{"MSZIP", cabwrite.Options{Compression: cabwrite.MSZIP}, cab.MSZIP},
		{"LZX", cabwrite.Options{Compression: cabwrite.LZX, Window: 16, LZX: lzxenc.Options{Blocks: lzxenc.Mixed, E8: true}}, cab.LZX},
	}
	for _, c := range compressions {
		for bits := range 8 {
			opt := c.opt
			if bits&1 != 0 {
				opt.HeaderReserve = []byte(text(5, 6144))
			}
			if bits&2 != 0 {
				opt.FolderReserve = []byte("folder reserve")
			}
			if bits&4 != 0 {
				opt.DataReserve = 24
			}
			t.Run(fmt.Sprintf("%s %03b", c.name, bits), func(t *testing.T) {
				testReserves(t, opt, c.want)
			})
		}
	}
}

func testReserves(t *testing.T, opt cabwrite.Options, want cab.Compression) {
	entries := append(sample(), entry{"|", ""}, entry{"second folder", text(9, 70_000)})
	r := open(t, write(t, opt, entries...))
	if !bytes.Equal(r.Header.Reserve, opt.HeaderReserve) || r.Header.DataReserve != opt.DataReserve {
		t.Errorf("header reserve of %d bytes, data reserve %d; want %d, %d",
			len(r.Header.Reserve), r.Header.DataReserve, len(opt.HeaderReserve), opt.DataReserve)
	}
	var got []entry
	for i, folder := range r.Folders {
		if i > 0 {
			got = append(got, entry{"|", ""})
		}
		if folder.Compression != want || !bytes.Equal(folder.Reserve, opt.FolderReserve) {
			t.Errorf("folder %d: %v, reserve %q", i, folder.Compression, folder.Reserve)
		}
		got = append(got, readFolder(t, folder)...)
	}
	if diff := cmp.Diff(entries, got, cmp.AllowUnexported(entry{})); diff != "" {
		t.Errorf("(-want +got):\n%.2000s", diff)
	}
}

func readFolder(t *testing.T, folder *cab.Folder) (got []entry) {
	t.Helper()
	fr, err := folder.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer fr.Close()
	for {
		f, err := fr.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, entry{f.Name, contents(t, fr)})
	}
}

func TestHeader(t *testing.T) {
	b := write(t, cabwrite.Options{Compression: cabwrite.LZX, Window: 18, SetID: 0x1234, Index: 7, HeaderReserve: make([]byte, 20)}, sample()...)
	r := open(t, append(b, "what follows is not the cabinet's"...))
	want := cab.Header{
		Size: int64(len(b)), FilesOffset: 68, MinorVersion: 3, MajorVersion: 1, Flags: cab.HasReserve,
		SetID: 0x1234, Index: 7, Reserve: make([]byte, 20),
	}
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	f := r.Files[2]
	if f.Name != "folder/small.txt" || f.RawName != nil || f.Size != 300 || f.Offset != 1 ||
		!f.Modified.Equal(modified) || f.Attributes != cab.Archive || f.Folder != r.Folders[0] {
		t.Errorf("file %+v", f)
	}
	if f := r.Folders[0]; f.Window != 18 || f.Blocks != 5 || len(f.Files) != 6 {
		t.Errorf("folder: window %d, %d blocks, %d files", f.Window, f.Blocks, len(f.Files))
	}
}

func TestOpenReader(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.cab")
	bad := filepath.Join(dir, "bad.cab")
	if err := os.WriteFile(good, write(t, cabwrite.Options{}, sample()...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, []byte("<html>not found</html>, says the proxy"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := cab.OpenReader(good)
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Files[2].Open()
	if err != nil {
		t.Fatal(err)
	}
	if got := contents(t, f); got != sample()[2].content {
		t.Errorf("content %q", got)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	f, err = r.Files[2].Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("reading after Close: %v", err)
	}
	if _, err := cab.OpenReader(bad); !errors.Is(err, cab.ErrFormat) || !strings.Contains(err.Error(), bad) {
		t.Errorf("opening an HTML page: %v", err)
	}
	if _, err := cab.OpenReader(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opening nothing: %v", err)
	}
}

func TestMalformedLists(t *testing.T) {
	tests := []struct {
		name   string
		damage func(b []byte, l layout) []byte
		kind   error
		want   string
	}{
		{"cut off by one", func(b []byte, _ layout) []byte { return b[:len(b)-1] }, cab.ErrFormat, "cut off"},
		{"cut off in the header", func(b []byte, _ layout) []byte { return b[:20] }, cab.ErrFormat, "ends within the header"},
		{"nothing", func(b []byte, _ layout) []byte { return nil }, cab.ErrFormat, "ends within the header"},
		{"list of files beyond the end", func(b []byte, _ layout) []byte {
			put32(b, 16, uint32(len(b)))
			return b
		}, cab.ErrFormat, "beyond the end"},
		{"list of files at the end", func(b []byte, _ layout) []byte {
			put32(b, 16, uint32(len(b)-3))
			return b
		}, cab.ErrFormat, "ends within a file's entry"},
		{"a large header reserve", func(b []byte, _ layout) []byte {
			put16(b, 36, 60001)
			return b
		}, cab.ErrFormat, "header reserve of 60001"},
		{"header reserve beyond the end", func(b []byte, _ layout) []byte {
			put32(b, 8, 1000)
			put16(b, 36, 60000)
			return b[:1000]
		}, cab.ErrFormat, "ends within the header reserve"},
		{"folders beyond the end", func(b []byte, _ layout) []byte {
			put16(b, 26, 65535)
			return b
		}, cab.ErrFormat, "ends within a folder"},
		{"cbCabinet within the list of folders", func(b []byte, l layout) []byte {
			put32(b, 8, uint32(l.folders[0]+4))
			put32(b, 16, 0)
			return b
		}, cab.ErrFormat, "ends within the list of folders"},
		{"a file in no folder", func(b []byte, l layout) []byte {
			put16(b, l.files[1]+8, 1)
			return b
		}, cab.ErrFormat, "a file in folder 1 of 1"},
		{"a file without a name", func(b []byte, l layout) []byte {
			b[l.files[1]+16] = 0
			return b
		}, cab.ErrFormat, "without a name"},
		{"a name without an end", func(b []byte, l layout) []byte {
			last := l.files[len(l.files)-1] + 16
			for i := last; i < last+300; i++ {
				b[i] = 'x'
			}
			return b
		}, cab.ErrFormat, "longer than 255"},
		{"a name cut off by the end", func(b []byte, l layout) []byte {
			last := l.files[len(l.files)-1] + 16
			put32(b, 8, uint32(last+3))
			return b
		}, cab.ErrFormat, "ends within a file's name"},
		{"names of neighbours missing", func(b []byte, l layout) []byte {
			put32(b, 16, uint32(l.files[5]))
			put16(b, 30, 7)
			for i := 60; i < len(b); i++ {
				b[i] = 'x'
			}
			return b
		}, cab.ErrFormat, "previous cabinet's name is longer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := write(t, cabwrite.Options{HeaderReserve: make([]byte, 20)}, sample()...)
			b = tt.damage(b, layoutOf(b))
			_, err := cab.NewReader(bytes.NewReader(b), int64(len(b)))
			checkFault(t, err, tt.kind, tt.want)
		})
	}
}

func checkFault(t *testing.T, err, kind error, want string) {
	t.Helper()
	var fe *cab.FormatError
	if !errors.As(err, &fe) || !errors.Is(err, kind) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v; want a FormatError, %v, with %q", err, kind, want)
	}
}

// An I/O error is passed on as it is: it is not the cabinet's fault.
func TestReadErrors(t *testing.T) {
	b := write(t, cabwrite.Options{Compression: cabwrite.LZX}, sample()...)
	boom := errors.New("the disk is on fire")
	for _, from := range []int64{0, 36, 44, layoutData(b), int64(len(b)) - 1} {
		t.Run(fmt.Sprint(from), func(t *testing.T) {
			r, err := cab.NewReader(failingReader{bytes.NewReader(b), from, boom}, int64(len(b)))
			if err == nil {
				var rc io.ReadCloser
				if rc, err = r.Files[5].Open(); err == nil {
					_, err = io.Copy(io.Discard, rc)
				}
			}
			if !errors.Is(err, boom) || errors.Is(err, cab.ErrFormat) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func layoutData(b []byte) int64 { return int64(layoutOf(b).blocks[0][0]) }

// failingReader fails to read what lies at or beyond from.
type failingReader struct {
	r    io.ReaderAt
	from int64
	err  error
}

func (f failingReader) ReadAt(p []byte, off int64) (int, error) {
	if room := f.from - off; room < int64(len(p)) {
		n, _ := f.r.ReadAt(p[:max(0, room)], off)
		return n, f.err
	}
	return f.r.ReadAt(p, off)
}

func TestListLimits(t *testing.T) {
	b := write(t, cabwrite.Options{}, append(sample(), entry{"|", ""}, entry{"x", "x"})...)
	tests := []struct {
		name   string
		limits cab.Limits
		want   string
	}{
		{"files", cab.Limits{Files: 6}, "7 files"},
		{"folders", cab.Limits{Folders: 1}, "2 folders"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := cab.NewReaderLimits(bytes.NewReader(b), int64(len(b)), tt.limits)
			checkFault(t, err, cab.ErrLimit, tt.want)
		})
	}
	if _, err := cab.NewReaderLimits(bytes.NewReader(b), int64(len(b)), cab.Limits{Files: 7, Folders: 2}); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

func TestModified(t *testing.T) {
	tests := []struct {
		name        string
		date, clock uint16
		want        time.Time
	}{
		{"a patch Tuesday", 46<<9 | 7<<5 | 14, 13<<11 | 54<<5 | 3, modified},
		{"the first", 1<<5 | 1, 0, time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"the last", 127<<9 | 12<<5 | 31, 23<<11 | 59<<5 | 29, time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)},
		{"no date", 0, 0, time.Time{}},
		{"month 13", 46<<9 | 13<<5 | 1, 0, time.Time{}},
		{"30 February", 46<<9 | 2<<5 | 30, 0, time.Time{}},
		{"hour 24", 46<<9 | 2<<5 | 3, 24 << 11, time.Time{}},
		{"second 60", 46<<9 | 2<<5 | 3, 30, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := write(t, cabwrite.Options{}, entry{"a", "a"})
			at := layoutOf(b).files[0]
			put16(b, at+10, tt.date)
			put16(b, at+12, tt.clock)
			if got := open(t, b).Files[0].Modified; !got.Equal(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	const why = "wsus"
	tests := []struct {
		stored string
		utf8   bool
		name   string
		path   string // what Path says is wrong; "" if nothing
	}{
		{`a`, false, "a", ""},
		{`c\1234`, false, "c/1234", ""},
		{`l/en/1234`, false, "l/en/1234", ""},
		{"\xc3\xa9t\xc3\xa9", true, "été", ""},
		{"\xc3\xa9t\xc3\xa9", false, "été", ""},
		{"\xe9t\xe9", false, "été", ""},
		{"\xe9t\xe9", true, "\uFFFDt\uFFFD", ""},
		{"a\xc0\xafb", true, "a\uFFFDb", ""}, // overlong '/'
		{"\xc0\xae\xc0\xae/x", true, "\uFFFD/x", ""},
		{`..\x`, false, "../x", `the element ".."`},
		{`a\..\..\x`, false, "a/../../x", `the element ".."`},
		{`.`, false, ".", `the element "."`},
		{`..`, false, "..", `the element ".."`},
		{`\windows\x`, false, "/windows/x", "absolute"},
		{`\\server\share\x`, false, "//server/share/x", "absolute"},
		{`C:\x`, false, "C:/x", "colon"},
		{`x:stream`, false, "x:stream", "colon"},
		{`a\\b`, false, "a//b", "empty element"},
		{`a\`, false, "a/", "empty element"},
	}
	for _, tt := range tests {
		t.Run(tt.stored, func(t *testing.T) {
			placeholder := strings.Repeat("n", len(tt.stored))
			b := write(t, cabwrite.Options{}, entry{placeholder, why})
			at := layoutOf(b).files[0]
			copy(b[at+16:], tt.stored)
			if tt.utf8 {
				put16(b, at+14, 0x80)
			}
			checkName(t, open(t, b), tt.stored, tt.name, tt.path)
		})
	}
}

func checkName(t *testing.T, r *cab.Reader, stored, name, wrong string) {
	t.Helper()
	f := r.Files[0]
	if f.Name != name {
		t.Errorf("name %q, want %q", f.Name, name)
	}
	if f.RawName != nil && string(f.RawName) != stored {
		t.Errorf("raw name %q, want %q", f.RawName, stored)
	}
	path, err := f.Path()
	if wrong == "" {
		if err != nil || path != name {
			t.Errorf("Path = %q, %v", path, err)
		}
		return
	}
	checkFault(t, err, cab.ErrFormat, wrong)
	if entries, err := r.ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("the unsafe name is listed: %v, %v", entries, err)
	}
}
