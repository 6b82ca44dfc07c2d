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
	if k, ok := hexKey(s); ok {
		return k, nil
	}
	if s, err = waptwua.NormalizeGUID(s); err != nil {
		return key{}, err
	}
	k, _ = hexKey(s)
	return k, nil
}

// hexKey reads the form 8-4-4-4-12, which nearly all GUIDs have.
func hexKey(s string) (k key, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return key{}, false
	}
	for i, at := range [...]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		high, low := digit(s[at]), digit(s[at+1])
		if high > 15 || low > 15 {
			return key{}, false
		}
		k[i] = high<<4 | low
	}
	return k, true
}

// digit is the value of a hexadecimal digit; more than 15 for others.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 16
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
