package cab_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"waptwua/cab"
	"waptwua/internal/cabwrite"
	"waptwua/internal/lzxenc"
)

// FuzzReader opens arbitrary bytes as a cabinet. Whatever they are, reading
// ends; every fault is a FormatError; a file that is read has its size; and
// one that a pass reads, Open reads with the same content.
func FuzzReader(f *testing.F) {
	for _, opt := range []cabwrite.Options{
		{},
		{Compression: cabwrite.MSZIP, HeaderReserve: make([]byte, 20)},
		{Compression: cabwrite.LZX, Window: 15, FolderReserve: []byte("f"), DataReserve: 2},
		{Compression: cabwrite.LZX, Window: 18, LZX: lzxenc.Options{Blocks: lzxenc.Mixed, E8: true}},
	} {
		b := write(f, opt, entry{"a", text(1, 100)}, entry{`d\b`, text(2, 700)}, entry{"|", ""}, entry{"c", ""}, entry{"é", "x"})
		layoutOf(b).noChecksums(b)
		f.Add(b)
	}
	limits := cab.Limits{FolderBytes: 1 << 20, FileBytes: 1 << 20, Files: 100}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := cab.NewReaderLimits(bytes.NewReader(b), int64(len(b)), limits)
		if err != nil {
			checkIsFormatError(t, err)
			return
		}
		got, errs := outcomes(t, r)
		for i, file := range r.Files {
			if errs[i] != nil {
				checkIsFormatError(t, errs[i])
			}
			if i < 5 && errs[i] == nil {
				checkOpen(t, file, got[i])
			}
		}
		if _, err := r.ReadDir("."); err != nil {
			t.Errorf("the root cannot be listed: %v", err)
		}
	})
}

func checkIsFormatError(t *testing.T, err error) {
	t.Helper()
	var fe *cab.FormatError
	if !errors.As(err, &fe) {
		t.Errorf("error %v is no FormatError", err)
	}
}

// checkOpen checks that Open reads f as the pass did. (Not the other way
// round: a pass may reach its limit first.)
func checkOpen(t *testing.T, f *cab.File, want outcome) {
	t.Helper()
	rc, err := f.Open()
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	b, err := io.ReadAll(rc)
	if err != nil || int64(len(b)) != f.Size {
		t.Fatalf("%d bytes of %d: %v", len(b), f.Size, err)
	}
	if got, _ := sum(bytes.NewReader(b)); got != want {
		t.Errorf("Open gives %s, the pass %s", got, want)
	}
}
