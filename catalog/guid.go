package catalog

import (
	"bytes"
	"encoding/hex"
	"slices"

	"waptwua"
)

// key is a GUID as sixteen bytes, in the order of its digits.
type key [16]byte

// parseKey reads a GUID in any of the forms that waptwua.NormalizeGUID takes.
func parseKey(s string) (k key, err error) {
	s, err = waptwua.NormalizeGUID(s)
	if err != nil {
		return k, err
	}
	digits := [32]byte{}
	n := 0
	for i := range len(s) {
		if s[i] != '-' {
			digits[n] = s[i]
			n++
		}
	}
	_, err = hex.Decode(k[:], digits[:])
	return k, err
}

// String is the lower-case form with hyphens.
func (k key) String() string {
	var b [36]byte
	hex.Encode(b[:8], k[:4])
	hex.Encode(b[9:13], k[4:6])
	hex.Encode(b[14:18], k[6:8])
	hex.Encode(b[19:23], k[8:10])
	hex.Encode(b[24:], k[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// guidTable numbers GUIDs and finds them again.
type guidTable struct {
	keys   []key  // by number
	sorted []guid // numbers in the order of their keys
}

// sort prepares find.
func (t *guidTable) sort() {
	t.sorted = make([]guid, len(t.keys))
	for i := range t.sorted {
		t.sorted[i] = guid(i)
	}
	slices.SortFunc(t.sorted, func(a, b guid) int { return bytes.Compare(t.keys[a][:], t.keys[b][:]) })
}

func (t *guidTable) find(k key) (guid, bool) {
	i, ok := slices.BinarySearchFunc(t.sorted, k, func(g guid, k key) int { return bytes.Compare(t.keys[g][:], k[:]) })
	if !ok {
		return 0, false
	}
	return t.sorted[i], true
}
