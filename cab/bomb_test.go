package cab_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"waptwua/cab"
	"waptwua/internal/cabwrite"
)

// TestSharedData gives several folders the blocks of one: a cabinet that
// would expand to so many times its content.
func TestSharedData(t *testing.T) {
	b := write(t, lzxOptions, entry{"a", text(1, 100_000)}, entry{"|", ""}, entry{"b", text(2, 100_000)}, entry{"|", ""}, entry{"c", text(3, 100_000)})
	l := layoutOf(b)
	tests := []struct {
		name string
		at   int      // where the third folder's data is said to begin
		want []string // by file, "" for none
	}{
		{"as written", l.blocks[2][0], []string{"", "", ""}},
		{"the same blocks", l.blocks[1][0], []string{"", "", "folder 2 has the data of another folder"}},
		{"from the second block on", l.blocks[1][1], []string{"", "reaches into the data of another folder", "LZX"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := bytes.Clone(b)
			put32(b, l.folders[2], uint32(tt.at))
			_, errs := outcomes(t, open(t, b))
			for i, want := range tt.want {
				switch {
				case want == "" && errs[i] != nil:
					t.Errorf("file %d: %v", i, errs[i])
				case want == "LZX" && !errors.Is(errs[i], cab.ErrFormat): // not the start of a stream
					t.Errorf("file %d: %v", i, errs[i])
				case want != "" && want != "LZX":
					checkFault(t, errs[i], cab.ErrFormat, want)
				}
			}
		})
	}
}

// TestManyFoldersOneData is a bomb of 65,000 folders over the same two
// gigabytes: all but one folder are refused without being decoded.
func TestManyFoldersOneData(t *testing.T) {
	const folders = 65_000
	one := write(t, lzxOptions, entry{"a", text(1, 1000)})
	l := layoutOf(one)
	header, folder, rest := one[:l.folders[0]], one[l.folders[0]:l.folders[0]+8], one[l.files[0]:]
	grown := (folders - 1) * len(folder)
	b := append(bytes.Clone(header), bytes.Repeat(folder, folders)...)
	b = append(b, rest...)
	for i := range folders {
		put32(b, len(header)+i*len(folder), uint32(l.blocks[0][0]+grown))
	}
	put32(b, 8, uint32(len(b)))
	put32(b, 16, uint32(l.files[0]+grown))
	put16(b, 26, folders)
	r := open(t, b)
	opened := 0
	for _, f := range r.Folders {
		fr, err := f.Open()
		if err == nil {
			opened++
			fr.Close()
		} else {
			checkFault(t, err, cab.ErrFormat, "the data of another folder")
		}
	}
	if opened != 1 {
		t.Errorf("%d folders can be opened, want one", opened)
	}
}

// TestClaims are cabinets whose lists claim gigabytes that are not there.
func TestClaims(t *testing.T) {
	b := write(t, cabwrite.Options{}, entry{"a", "aaa"}, entry{"b", "bbb"}, entry{"c", "ccc"})
	l := layoutOf(b)
	tests := []struct {
		name  string
		alter func(b []byte)
		kind  error
		says  string
	}{
		{"4 GiB files", func(b []byte) {
			for _, at := range l.files {
				put32(b, at, math.MaxUint32)
			}
		}, cab.ErrLimit, "4294967295 bytes, the limit is"},
		{"2 GiB files", func(b []byte) {
			for _, at := range l.files {
				put32(b, at, 1<<31-1)
			}
		}, cab.ErrFormat, "of a folder that has at most 32768"},
		{"files behind 4 GiB", func(b []byte) {
			for _, at := range l.files {
				put32(b, at+4, math.MaxUint32)
			}
		}, cab.ErrFormat, "of a folder that has at most"},
		{"65,535 blocks", func(b []byte) {
			put16(b, l.folders[0]+4, math.MaxUint16)
			for _, at := range l.files {
				put32(b, at, 1<<30)
			}
		}, cab.ErrFormat, "the cabinet ends within a block"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := bytes.Clone(b)
			tt.alter(b)
			_, errs := outcomes(t, open(t, b))
			for _, err := range errs {
				checkFault(t, err, tt.kind, tt.says)
			}
		})
	}
	t.Run("cbCabinet of 4 GiB", func(t *testing.T) {
		b := bytes.Clone(b)
		put32(b, 8, math.MaxUint32)
		_, err := cab.NewReader(bytes.NewReader(b), int64(len(b)))
		checkFault(t, err, cab.ErrFormat, "the header says 4294967295 bytes")
	})
}

// TestBomb decodes a file of 40 MiB that is not worth its bytes: the ratio
// ends it as soon as it applies, at a block.
func TestBomb(t *testing.T) {
	b := write(t, lzxOptions, entry{"bomb.cab", string(make([]byte, 40<<20))})
	r, err := cab.NewReaderLimits(bytes.NewReader(b), int64(len(b)), cab.Limits{Ratio: 100})
	if err != nil {
		t.Fatal(err)
	}
	rc, err := r.Files[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, rc)
	checkFault(t, err, cab.ErrLimit, "folder 0 expands more than 100 times")
	if n > cab.RatioFrom {
		t.Errorf("%d bytes were decoded first", n)
	}
	var fe *cab.FormatError
	if errors.As(err, &fe) && !slices.Contains(layoutOf(b).blocks[0], int(fe.Offset)) {
		t.Errorf("the error names offset %d, where no block begins", fe.Offset)
	}
}
