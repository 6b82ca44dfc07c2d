package cab_test

import (
	"io"
	"io/fs"
	"testing"

	"waptwua/cab"
	"waptwua/internal/cabwrite"
	"waptwua/internal/fixture"
)

// benchmarkPass reads all files of a cabinet from memory, checksums included.
func benchmarkPass(b *testing.B, cabinet []byte) {
	r := open(b, cabinet)
	var size int64
	for _, f := range r.Files {
		size += f.Size
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, folder := range r.Folders {
			if err := readAll(folder); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func readAll(folder *cab.Folder) error {
	fr, err := folder.Open()
	if err != nil {
		return err
	}
	for {
		if _, err := fr.Next(); err == io.EOF {
			return fr.Close()
		}
		if _, err := io.Copy(io.Discard, fr); err != nil {
			return err
		}
	}
}

// 5,026 small XML files in one LZX:21 folder.
func BenchmarkDecodeScanArchive(b *testing.B) {
	inner, err := fs.ReadFile(open(b, fixture.Read(b, "offline-scan-2011/WSUSSCAN.cab")), "package.cab")
	if err != nil {
		b.Fatal(err)
	}
	benchmarkPass(b, inner)
}

// 14 MB of a repetitive file in LZX:21.
func BenchmarkDecodeLargeFile(b *testing.B) {
	benchmarkPass(b, fixture.Read(b, "cabs/libmspack/large-files-cab.cab"))
}

func BenchmarkDecodeMSZIP(b *testing.B) {
	benchmarkPass(b, write(b, cabwrite.Options{Compression: cabwrite.MSZIP}, entry{"a", text(1, 4<<20)}))
}

func BenchmarkDecodeStored(b *testing.B) {
	benchmarkPass(b, write(b, cabwrite.Options{}, entry{"a", text(1, 4<<20)}))
}

// The lists of 5,026 files.
func BenchmarkNewReader(b *testing.B) {
	inner, err := fs.ReadFile(open(b, fixture.Read(b, "offline-scan-2011/WSUSSCAN.cab")), "package.cab")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		open(b, inner)
	}
}
