package cab_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"waptwua/internal/cabwrite"
)

// layout tells where a well-formed cabinet has its structures, so that tests
// can damage them.
type layout struct {
	folders, files []int
	blocks         [][]int // by folder
	dataReserve    int
}

func layoutOf(b []byte) (l layout) {
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }
	at, folderReserve := 36, 0
	if u16(30)&4 != 0 {
		folderReserve, l.dataReserve = int(b[38]), int(b[39])
		at += 4 + u16(36)
	}
	for range u16(26) {
		l.folders = append(l.folders, at)
		block := u32(at)
		var blocks []int
		for range u16(at + 4) {
			blocks = append(blocks, block)
			block += 8 + l.dataReserve + u16(block+4)
		}
		l.blocks = append(l.blocks, blocks)
		at += 8 + folderReserve
	}
	at = u32(16)
	for range u16(28) {
		l.files = append(l.files, at)
		at += 16 + bytes.IndexByte(b[at+16:], 0) + 1
	}
	return l
}

// noChecksums removes the checksums of all blocks, so that damage to data
// reaches the decoders.
func (l layout) noChecksums(b []byte) {
	for _, blocks := range l.blocks {
		for _, at := range blocks {
			put32(b, at, 0)
		}
	}
}

func put16(b []byte, at int, v uint16) { binary.LittleEndian.PutUint16(b[at:], v) }
func put32(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }

type entry struct {
	name    string
	content string
}

var modified = time.Date(2026, 7, 14, 13, 54, 6, 0, time.UTC)

// write returns a cabinet of the entries; "|" as a name begins a new folder.
func write(t testing.TB, opt cabwrite.Options, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := cabwrite.NewWriter(&out, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.name == "|" {
			if err := w.NextFolder(opt.Compression, opt.Window); err != nil {
				t.Fatal(err)
			}
			continue
		}
		f, err := w.Create(e.name, modified, 0x20)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// text returns n bytes that compress, different for every seed.
func text(seed uint64, n int) string {
	r := rand.New(rand.NewPCG(seed, 1))
	words := strings.Fields("update revision prerequisite bundle category applicability installed superseded windows")
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))])
		b.WriteByte("  \n\t=<>"[r.IntN(7)])
		if r.IntN(5) == 0 {
			b.WriteString(string(rune('0' + r.IntN(10))))
		}
	}
	return b.String()[:n]
}

// sample is a set of files that cross blocks, of all sizes that matter.
func sample() []entry {
	return []entry{
		{"empty", ""},
		{"one", "1"},
		{"folder/small.txt", text(1, 300)},
		{"folder/large.txt", text(2, 100_000)},
		{"folder/sub/block.txt", text(3, 32768)},
		{"last.txt", text(4, 12345)},
	}
}

func contents(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
