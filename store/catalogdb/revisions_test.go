package catalogdb

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waptwua"
	"waptwua/catalog"
	"waptwua/wsusscn2"
)

// TestRevisionBlocks: what is encoded is found again, in blocks whose keys
// ascend.
func TestRevisionBlocks(t *testing.T) {
	size := rapid.SampledFrom([]int{0, 1, 100, 127, 128, 5_000, 16_383, 16_384, 40_000})
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfDistinct(rapid.IntRange(0, 1<<31-1), rapid.ID).Draw(t, "ids")
		slices.Sort(ids)
		rows := make([]catalog.Row, len(ids))
		for i, id := range ids {
			rows[i] = catalog.Row{Revision: id, Rules: []byte(strings.Repeat("r", size.Draw(t, "rules")))}
			rows[i].Record.Texts = []wsusscn2.Localized{{Language: "en", Title: strings.Repeat("T ", size.Draw(t, "title")/2)}}
			if i%2 == 0 {
				rows[i].Record.Extended = &wsusscn2.Extended{Severity: waptwua.Critical, KBs: []waptwua.KB{5_000_000}}
			}
		}
		compareBlocks(t, rows)
	})
}

func compareBlocks(t *rapid.T, rows []catalog.Row) {
	blocks, err := encodeRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, b := range blocks {
		if b.first != rows[at].Revision {
			t.Fatalf("a block of revision %d begins at %d", rows[at].Revision, b.first)
		}
		err := eachStored(b.data, func(s stored) bool {
			want := &rows[at]
			var got catalog.Record
			if err := got.UnmarshalBinary(s.record); err != nil || got.SearchText() != want.Record.SearchText() {
				t.Fatalf("revision %d: another record, %v", want.Revision, err)
			}
			if s.revision != want.Revision || string(s.rules) != string(want.Rules) || string(s.words) != want.Record.SearchText() {
				t.Fatalf("revision %d became %d, its rules %d bytes, its words %d", want.Revision, s.revision, len(s.rules), len(s.words))
			}
			if (string(s.severity) == string(waptwua.Critical)) != (want.Record.Extended != nil) {
				t.Fatalf("revision %d has the severity %q", want.Revision, s.severity)
			}
			at++
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if at != len(rows) {
		t.Fatalf("%d of %d revisions", at, len(rows))
	}
}

// FuzzRevisionBlock: a block gives an error or entries that lie within it,
// and one with a wrong checksum an error.
func FuzzRevisionBlock(f *testing.F) {
	blocks, err := encodeRows([]catalog.Row{{Revision: 3, Rules: []byte("<True/>")}, {Revision: 9}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blocks[0].data[checksumBytes:])
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0})
	f.Fuzz(func(t *testing.T, content []byte) {
		block := append(make([]byte, checksumBytes), content...)
		binary.LittleEndian.PutUint32(block, castagnoli(content))
		total := 0
		err := eachStored(block, func(s stored) bool {
			total += 5 + len(s.severity) + len(s.words) + len(s.rules) + len(s.record)
			return true
		})
		if total > len(content) || err == nil && len(content) > 0 && total == 0 {
			t.Errorf("%d bytes of entries in %d, %v", total, len(content), err)
		}
		block[0] ^= 1
		if eachStored(block, func(stored) bool { return true }) == nil {
			t.Error("a wrong checksum is no error")
		}
	})
}
