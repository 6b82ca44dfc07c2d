package cab_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"waptwua/cab"
	"waptwua/internal/cabwrite"
)

var lzxOptions = cabwrite.Options{Compression: cabwrite.LZX, Window: 17}

// What is not read of a file is skipped, and reading in pieces of any size
// gives the same bytes.
func TestPassSkips(t *testing.T) {
	r := open(t, write(t, lzxOptions, sample()...))
	fr, err := r.Folders[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := fr.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("Read before Next = %d, %v", n, err)
	}
	for i, e := range sample() {
		f, err := fr.Next()
		if err != nil || f != r.Files[i] {
			t.Fatalf("Next = %v, %v", f, err)
		}
		switch i % 3 {
		case 0: // skip all of it
		case 1: // skip its end
			head := make([]byte, len(e.content)/2)
			if _, err := io.ReadFull(fr, head); err != nil || string(head) != e.content[:len(head)] {
				t.Errorf("%s: other content, or error %v", e.name, err)
			}
		case 2:
			if got := contents(t, iotest.OneByteReader(fr)); got != e.content {
				t.Errorf("%s: other content", e.name)
			}
		}
	}
	for range 2 {
		if f, err := fr.Next(); f != nil || err != io.EOF {
			t.Errorf("Next after the last file = %v, %v", f, err)
		}
		if n, err := fr.Read(make([]byte, 10)); n != 0 || err != io.EOF {
			t.Errorf("Read after the last file = %d, %v", n, err)
		}
	}
}

func TestPassClose(t *testing.T) {
	r := open(t, write(t, lzxOptions, sample()...))
	fr, err := r.Folders[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fr.Close(), fr.Close()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := fr.Next(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Next after Close: %v", err)
	}
	if _, err := fr.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
}

func TestFileOpen(t *testing.T) {
	r := open(t, write(t, lzxOptions, sample()...))
	for i := len(r.Files) - 1; i >= 0; i-- {
		rc, err := r.Files[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(rc, []byte(sample()[i].content)); err != nil {
			t.Errorf("%s: %v", r.Files[i].Name, err)
		}
		if err := rc.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestPassesRunAtTheSameTime(t *testing.T) {
	entries := append(sample(), entry{"|", ""}, entry{"x", text(7, 200_000)})
	r := open(t, write(t, lzxOptions, entries...))
	want, _ := outcomes(t, r)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, errs := outcomes(t, r); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("outcomes %v, errors %v", got, errs)
			}
		})
	}
	wg.Wait()
}

// Damage to a file's entry or to data: which files can still be read, and
// what the others say. An empty string means the file is as it was.
func TestDamage(t *testing.T) {
	const any = "(any)"
	tests := []struct {
		name   string
		opt    cabwrite.Options
		damage func(b []byte, l layout)
		kind   error
		want   [6]string // for the files of sample
	}{
		{"a checksum", lzxOptions, func(b []byte, l layout) { b[l.blocks[0][2]] ^= 1 },
			cab.ErrChecksum, [6]string{3: "block's checksum", 4: "block's checksum", 5: "block's checksum"}},
		{"data", lzxOptions, func(b []byte, l layout) { b[l.blocks[0][4]+20] ^= 1 },
			cab.ErrChecksum, [6]string{4: "block's checksum", 5: "block's checksum"}},
		{"LZX without checksums", lzxOptions, func(b []byte, l layout) {
			l.noChecksums(b)
			b[l.blocks[0][3]+8] = 0xff
			b[l.blocks[0][3]+9] = 0xff
		}, cab.ErrFormat, [6]string{3: "lzx: malformed", 4: "block 3", 5: "block 3"}},
		{"MSZIP signature", cabwrite.Options{Compression: cabwrite.MSZIP}, func(b []byte, l layout) {
			l.noChecksums(b)
			b[l.blocks[0][3]+8] = 'X'
		}, cab.ErrFormat, [6]string{3: `"CK"`, 4: `"CK"`, 5: `"CK"`}},
		{"MSZIP stream", cabwrite.Options{Compression: cabwrite.MSZIP}, func(b []byte, l layout) {
			l.noChecksums(b)
			b[l.blocks[0][3]+10] = 7 // block type 3
		}, cab.ErrFormat, [6]string{3: "MSZIP block fails", 4: "MSZIP", 5: "MSZIP"}},
		{"MSZIP block longer than told", cabwrite.Options{Compression: cabwrite.MSZIP}, func(b []byte, l layout) {
			l.noChecksums(b)
			put16(b, l.blocks[0][4]+6, 14000)
		}, cab.ErrFormat, [6]string{4: "does not end", 5: "does not end"}},
		{"MSZIP block shorter than told", cabwrite.Options{Compression: cabwrite.MSZIP}, func(b []byte, l layout) {
			l.noChecksums(b)
			put16(b, l.blocks[0][4]+6, 15000)
		}, cab.ErrFormat, [6]string{4: "fails after 14", 5: "fails after 14"}},
		{"stored block of another size", cabwrite.Options{}, func(b []byte, l layout) {
			l.noChecksums(b)
			put16(b, l.blocks[0][3]+6, 32767)
		}, cab.ErrFormat, [6]string{3: "32768 stored bytes for 32767", 4: "stored", 5: "stored"}},
		{"a short block before the last", lzxOptions, func(b []byte, l layout) {
			l.noChecksums(b)
			put16(b, l.blocks[0][1]+6, 32767)
		}, cab.ErrFormat, [6]string{3: "not its folder's last", 4: "not its", 5: "not its"}},
		{"content of a block too large", cabwrite.Options{}, func(b []byte, l layout) { put16(b, l.blocks[0][1]+6, 32769) },
			cab.ErrFormat, [6]string{3: "32769 bytes of content", 4: any, 5: any}},
		{"data of a block too large", cabwrite.Options{}, func(b []byte, l layout) { put16(b, l.blocks[0][1]+4, 38913) },
			cab.ErrFormat, [6]string{3: "a block of 38913 bytes", 4: any, 5: any}},
		{"a block that continues in the next cabinet", cabwrite.Options{}, func(b []byte, l layout) { put16(b, l.blocks[0][4]+6, 0) },
			cab.ErrUnsupported, [6]string{4: "next cabinet", 5: "next cabinet"}},
		{"cbCabinet within a block's header", lzxOptions, func(b []byte, l layout) { put32(b, 8, uint32(l.blocks[0][3]+5)) },
			cab.ErrFormat, [6]string{3: "ends within a block", 4: any, 5: any}},
		{"cbCabinet within a block", lzxOptions, func(b []byte, l layout) { put32(b, 8, uint32(l.blocks[0][4]+50)) },
			cab.ErrFormat, [6]string{4: "ends within a block", 5: any}},
		{"fewer blocks than the files need", lzxOptions, func(b []byte, l layout) { put16(b, l.folders[0]+4, 4) },
			cab.ErrFormat, [6]string{4: `"folder/sub/block.txt" ends at byte 133069`, 5: "has at most 131072"}},
		{"the last file longer than the data", lzxOptions, func(b []byte, l layout) { put32(b, l.files[5], 12346) },
			cab.ErrFormat, [6]string{5: "ends after 145414 bytes"}},
		{"a file at an impossible place", lzxOptions, func(b []byte, l layout) { put32(b, l.files[3]+4, 1<<31) },
			cab.ErrFormat, [6]string{3: "ends at byte"}},
		{"an empty file at an impossible place", lzxOptions, func(b []byte, l layout) { put32(b, l.files[0]+4, 1<<31) },
			cab.ErrFormat, [6]string{0: "ends at byte"}},
		{"a file from the previous cabinet", lzxOptions, func(b []byte, l layout) { put16(b, l.files[0]+8, 0xfffd) },
			cab.ErrUnsupported, [6]string{any, any, any, "previous cabinet", any, any}},
		{"a file for the next cabinet", lzxOptions, func(b []byte, l layout) { put16(b, l.files[5]+8, 0xfffe) },
			cab.ErrUnsupported, [6]string{5: "next cabinet"}},
		{"Quantum", lzxOptions, func(b []byte, l layout) { put16(b, l.folders[0]+6, 0x1472) },
			cab.ErrUnsupported, [6]string{any, any, any, "Quantum", any, any}},
		{"a method nobody knows", lzxOptions, func(b []byte, l layout) { put16(b, l.folders[0]+6, 0xf) },
			cab.ErrUnsupported, [6]string{any, any, any, "method 15", any, any}},
		{"a window nobody knows", lzxOptions, func(b []byte, l layout) { put16(b, l.folders[0]+6, 0x1603) },
			cab.ErrFormat, [6]string{any, any, any, "22 bits", any, any}},
		{"data before the start", lzxOptions, func(b []byte, l layout) { put32(b, l.folders[0], 0) },
			cab.ErrFormat, [6]string{1: any, 2: any, 3: any, 4: any, 5: any}},
		{"data beyond the end", lzxOptions, func(b []byte, l layout) { put32(b, l.folders[0], 1<<31) },
			cab.ErrFormat, [6]string{1: any, 2: any, 3: any, 4: any, 5: "ends within a block"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := write(t, tt.opt, sample()...)
			intact, _ := outcomes(t, open(t, b))
			tt.damage(b, layoutOf(b))
			got, errs := outcomes(t, open(t, b))
			for i, err := range errs {
				switch {
				case tt.want[i] == "" && (err != nil || got[i] != intact[i]):
					t.Errorf("file %d: other content, or error %v", i, err)
				case tt.want[i] == any && err == nil:
					t.Errorf("file %d: no error", i)
				case tt.want[i] != "" && tt.want[i] != any:
					checkFault(t, err, tt.kind, tt.want[i])
				}
			}
			sameOneByOne(t, open(t, b), got, errs)
		})
	}
}

// sameOneByOne checks that File.Open gives what a pass gives.
func sameOneByOne(t *testing.T, r *cab.Reader, want []outcome, errs []error) {
	t.Helper()
	for i, f := range r.Files {
		var got outcome
		rc, err := f.Open()
		if err == nil {
			got, err = sum(rc)
		}
		if got != want[i] || (err == nil) != (errs[i] == nil) {
			t.Errorf("%s: a pass gives %q, %v; Open %q, %v", f.Name, want[i], errs[i], got, err)
		}
	}
}

// Both ways of computing a checksum over a block with reserve are accepted.
func TestChecksumWithReserve(t *testing.T) {
	opt := cabwrite.Options{DataReserve: 6}
	b := write(t, opt, entry{"a", "content"})
	at := layoutOf(b).blocks[0][0]
	copy(b[at+8:], "\x01\x02\x03\x04\x05\x06") // words 04030201 and, of what remains, 0506
	if got, errs := outcomes(t, open(t, b)); errs[0] != nil {
		t.Errorf("without the reserve: %v, %v", got, errs)
	}
	for i, x := range []byte{0x01 ^ 0x06, 0x02 ^ 0x05, 0x03, 0x04} {
		b[at+i] ^= x
	}
	if got, errs := outcomes(t, open(t, b)); errs[0] != nil {
		t.Errorf("with the reserve: %v, %v", got, errs)
	}
	b[at] ^= 1
	_, errs := outcomes(t, open(t, b))
	checkFault(t, errs[0], cab.ErrChecksum, "checksum")
}

// Files out of order, or on top of each other, are read all the same.
func TestOverlappingFiles(t *testing.T) {
	all := ""
	for _, e := range sample() {
		all += e.content
	}
	b := write(t, lzxOptions, sample()...)
	l := layoutOf(b)
	put32(b, l.files[1], 70_000) // now "one" overlaps what follows
	put32(b, l.files[2]+4, 120_000)
	put32(b, l.files[4]+4, 5)
	r := open(t, b)
	got := readFolder(t, r.Folders[0])
	for i, f := range r.Files {
		if got[i].content != all[f.Offset:f.Offset+f.Size] {
			t.Errorf("%s: not the bytes from %d on", f.Name, f.Offset)
		}
	}
}

func TestWorkLimits(t *testing.T) {
	zeros := write(t, lzxOptions, entry{"a", strings.Repeat("\x00", 20<<20)}, entry{"b", "b"})
	again := write(t, lzxOptions, entry{"a", text(1, 30_000)}, entry{"b", text(2, 100)}, entry{"c", text(3, 100)})
	l := layoutOf(again)
	put32(again, l.files[2]+4, 0)
	tests := []struct {
		name    string
		cabinet []byte
		limits  cab.Limits
		want    []string // by file, "" for none
	}{
		{"no limit is reached", zeros, cab.Limits{Ratio: 4000, FolderBytes: 20<<20 + 1, FileBytes: 20 << 20}, []string{"", ""}},
		{"file", zeros, cab.Limits{Ratio: 4000, FileBytes: 20<<20 - 1}, []string{"the limit is 20971519", ""}},
		{"folder", zeros, cab.Limits{Ratio: 4000, FolderBytes: 20 << 20}, []string{"", "more than 20971520 bytes"}},
		{"ratio", zeros, cab.Limits{Ratio: 100}, []string{"more than 100 times", "more than 100 times"}},
		{"decoding again", again, cab.Limits{FolderBytes: 60_000}, []string{"", "", "more than 60000 bytes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := cab.NewReaderLimits(bytes.NewReader(tt.cabinet), int64(len(tt.cabinet)), tt.limits)
			if err != nil {
				t.Fatal(err)
			}
			_, errs := outcomes(t, r)
			for i, want := range tt.want {
				if want == "" && errs[i] != nil {
					t.Errorf("file %d: %v", i, errs[i])
				}
				if want != "" {
					checkFault(t, errs[i], cab.ErrLimit, want)
				}
			}
		})
	}
}

// A pass allocates when it is opened, and not with every block or file.
func TestPassAllocates(t *testing.T) {
	var entries []entry
	for i := range 300 {
		entries = append(entries, entry{fmt.Sprint(i), text(uint64(i), 2000)})
	}
	for name, opt := range map[string]cabwrite.Options{"stored": {}, "LZX": lzxOptions} {
		t.Run(name, func(t *testing.T) {
			r := open(t, write(t, opt, entries...))
			p := make([]byte, 4096)
			allocs := testing.AllocsPerRun(3, func() {
				fr, err := r.Folders[0].Open()
				if err != nil {
					t.Fatal(err)
				}
				for _, err := fr.Next(); err == nil; _, err = fr.Next() {
					for n := 1; n > 0; n, _ = fr.Read(p) {
						continue
					}
				}
			})
			if allocs > 12 {
				t.Errorf("%v allocations for a pass over %d files", allocs, len(entries))
			}
		})
	}
}

// Discard skips bytes as reading them does, within a file and no further.
func TestDiscard(t *testing.T) {
	content := text(3, 200_000)
	r := open(t, write(t, lzxOptions, entry{"a", "first"}, entry{"b", content}, entry{"c", "last"}))
	fr, err := r.Folders[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := fr.Discard(1); n != 0 || err != io.EOF {
		t.Errorf("Discard before Next = %d, %v", n, err)
	}
	for range 2 {
		if _, err := fr.Next(); err != nil {
			t.Fatal(err)
		}
	}
	head := make([]byte, 10)
	for _, step := range []int{0, 1, 40_000, 99_000} {
		if n, err := fr.Discard(int64(step)); int(n) != step || err != nil {
			t.Fatalf("Discard(%d) = %d, %v", step, n, err)
		}
		content = content[step:]
		if _, err := io.ReadFull(fr, head); err != nil || string(head) != content[:10] {
			t.Fatalf("after Discard(%d): %q, %v", step, head, err)
		}
		content = content[10:]
	}
	if n, err := fr.Discard(1 << 40); int(n) != len(content) || err != io.EOF {
		t.Errorf("Discard beyond the end = %d, %v; %d bytes were left", n, err, len(content))
	}
	if _, err := fr.Next(); err != nil || contents(t, fr) != "last" {
		t.Errorf("the file after it: %v", err)
	}
	if err := fr.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := fr.Discard(1); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Discard after Close: %v", err)
	}
}
