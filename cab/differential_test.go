package cab_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"waptwua/cab"
	"waptwua/internal/cabwrite"
	"waptwua/internal/lzxenc"
)

// stricter lists, by what the error says, the damage that this package
// refuses and that cabextract reads over. docs/formats/cab.md gives the
// reasons.
var stricter = []string{
	"has more codes than fit",        // LZX: a complete code with surplus symbols
	"bytes end within the frame",     // LZX: cabextract goes on in the next block's data
	"left over at the end of",        // LZX: cabextract takes it for the next frame's
	"MSZIP block does not end after", // the content's size is another than told
	"unexpected EOF",                 // likewise, an MSZIP block that is too short
	"flate: corrupt input",           // MSZIP: a match before the start of the folder
	`does not begin with "CK"`,       // cabextract searches on for it
	"stored bytes for",               // stored: the two sizes differ
	"not its folder's last",          // MSZIP: a short block
}

// TestDifferential damages cabinets at random and compares, file by file,
// with cabextract: both fail, or both give the same bytes. Checksums are
// removed, so that the damage reaches the decoders.
//
// A file that only one of them reads must have a known reason: ours is
// listed in stricter; cabextract gives up the rest of a folder after the
// first file it fails to read, and decodes a folder up to where an empty
// file begins. WAPTWUA_DIFFERENTIAL sets the number of cabinets.
func TestDifferential(t *testing.T) {
	tool(t, "cabextract")
	rounds := 40
	if s := os.Getenv("WAPTWUA_DIFFERENTIAL"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for name, cabinet := range differentialSeeds(t) {
		t.Run(name, func(t *testing.T) {
			layoutOf(cabinet).noChecksums(cabinet)
			tally := tally{}
			for seed := range uint64(rounds) {
				damaged, what := damage(rand.New(rand.NewPCG(seed, 10)), cabinet)
				if why := compare(t, damaged, tally); why != "" {
					t.Errorf("seed %d, %s: %s", seed, what, why)
				}
			}
			t.Log(tally)
			if tally[bothRead] == 0 || tally[bothFail] == 0 {
				t.Error("the damage is too little or too much to compare anything")
			}
		})
	}
}

// tally counts files by what the two programs make of them. Reasons for which
// only this package refuses one are counted each by itself.
type tally map[string]int

const (
	bothRead        = "the same bytes"
	bothFail        = "both fail"
	cabextractFails = "only cabextract fails"
)

func (t tally) String() string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(t)) {
		fmt.Fprintf(&b, "%s: %d; ", what, t[what])
	}
	return b.String()
}

func differentialSeeds(t *testing.T) map[string][]byte {
	lzx := func(window int, blocks lzxenc.Blocks) []byte {
		return write(t, cabwrite.Options{
			Compression: cabwrite.LZX, Window: window, LZX: lzxenc.Options{Blocks: blocks, E8: true},
		}, entry{"a", text(1, 2000)}, entry{"empty", ""}, entry{"b", text(2, 40_000)}, entry{"c", text(3, 30_000)}, entry{"d", text(4, 99)})
	}
	return map[string][]byte{
		"LZX15 verbatim":     lzx(15, lzxenc.Verbatim),
		"LZX16 aligned":      lzx(16, lzxenc.Aligned),
		"LZX18 uncompressed": lzx(18, lzxenc.Uncompressed),
		"LZX21 mixed":        lzx(21, lzxenc.Mixed),
		"MSZIP":              write(t, cabwrite.Options{Compression: cabwrite.MSZIP}, sample()...),
		"stored":             write(t, cabwrite.Options{DataReserve: 3, FolderReserve: []byte("x")}, sample()[:4]...),
	}
}

// damage changes one to three bytes: of blocks' data, mostly of their heads,
// where the format's decisions are dense, or of a file's size, place or
// folder. Blocks' sizes stay: cabextract reads blocks ahead, and when a later
// one is at fault fails for files that are intact (see TestDamage).
func damage(r *rand.Rand, cabinet []byte) (damaged []byte, what string) {
	b, l := bytes.Clone(cabinet), layoutOf(cabinet)
	for range 1 + r.IntN(3) {
		blocks := l.blocks[r.IntN(len(l.blocks))]
		at := blocks[r.IntN(len(blocks))] + 4
		switch r.IntN(8) {
		case 0, 1, 2, 3: // the head of a block's data
			at += 4 + l.dataReserve + r.IntN(200)
		case 4: // a file's entry
			at = l.files[r.IntN(len(l.files))] + r.IntN(10)
		default:
			at += 4 + l.dataReserve + r.IntN(int(binary.LittleEndian.Uint16(b[at:])))
		}
		at = min(at, len(b)-1)
		v := byte(r.Uint32())
		if r.IntN(2) == 0 {
			v = b[at] ^ 1<<r.IntN(8)
		}
		what += fmt.Sprintf("[%d]=%#02x ", at, v)
		b[at] = v
	}
	return b, what
}

// compare returns what speaks against the two programs' agreement.
func compare(t *testing.T, cabinet []byte, tally tally) string {
	theirs := cabextractTest(t, cabinet)
	r, err := cab.NewReader(bytes.NewReader(cabinet), int64(len(cabinet)))
	if err != nil {
		if len(theirs) > 0 {
			return fmt.Sprintf("not opened (%v), cabextract gives %v", err, theirs)
		}
		tally[bothFail]++
		return ""
	}
	ours, errs := outcomes(t, r)
	if len(theirs) != len(ours) {
		return fmt.Sprintf("%d files, cabextract has %d", len(ours), len(theirs))
	}
	failed := map[*cab.Folder]bool{} // in cabextract, by folder
	for i, f := range r.Files {
		switch {
		case ours[i] == theirs[i] && ours[i] == "":
			tally[bothFail]++
		case ours[i] == theirs[i]:
			tally[bothRead]++
		case theirs[i] == "":
			tally[cabextractFails]++
			if !failed[f.Folder] && f.Size > 0 && !readsAhead(f) {
				return fmt.Sprintf("cabextract fails to read %s, which is read as %s", f.Name, ours[i])
			}
		case ours[i] == "":
			reason := explained(errs[i])
			tally["stricter: "+reason]++
			if reason == "" {
				return fmt.Sprintf("%s fails (%v), cabextract gives %s", f.Name, errs[i], theirs[i])
			}
		default:
			return fmt.Sprintf("%s has MD5 %s, by cabextract %s", f.Name, ours[i], theirs[i])
		}
		failed[f.Folder] = failed[f.Folder] || theirs[i] == ""
	}
	return ""
}

// readsAhead tells whether a file ends so near the end of a block that
// cabextract, which looks ahead, may need the next one.
func readsAhead(f *cab.File) bool {
	return f.Folder.Compression == cab.MSZIP && (f.Offset+f.Size)%32768 == 0
}

// explained returns the reason that stricter has for the error, if any.
func explained(err error) string {
	for _, s := range stricter {
		if strings.Contains(err.Error(), s) && errors.Is(err, cab.ErrFormat) {
			return s
		}
	}
	return ""
}
