package wsusscn2

import (
	"encoding/hex"

	"waptwua"
)

// GUID is a GUID as sixteen bytes, in the order of its digits. An archive
// names GUIDs some millions of times, in either case and always in the form
// 8-4-4-4-12; as bytes they are compared and kept without being allocated.
type GUID [16]byte

// ParseGUID reads a GUID in any of the forms that waptwua.NormalizeGUID takes.
func ParseGUID(s string) (GUID, error) {
	if g, ok := hexGUID(s); ok {
		return g, nil
	}
	s, err := waptwua.NormalizeGUID(s)
	if err != nil {
		return GUID{}, err
	}
	g, _ := hexGUID(s)
	return g, nil
}

// String is the lower-case form 8-4-4-4-12.
func (g GUID) String() string {
	var b [36]byte
	hex.Encode(b[:8], g[:4])
	hex.Encode(b[9:13], g[4:6])
	hex.Encode(b[14:18], g[6:8])
	hex.Encode(b[19:23], g[8:10])
	hex.Encode(b[24:], g[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// Identity identifies one revision of one update, as waptwua.UpdateID does.
type Identity struct {
	GUID   GUID
	Number int // RevisionNumber, not the archive's RevisionId
}

// UpdateID is the identity in the form that the rest of the program uses.
func (id Identity) UpdateID() waptwua.UpdateID {
	return waptwua.UpdateID{GUID: id.GUID.String(), Revision: id.Number}
}

// String is the form of waptwua.UpdateID.
func (id Identity) String() string { return id.UpdateID().String() }

// hexGUID reads the form 8-4-4-4-12, which nearly all GUIDs have.
func hexGUID[T string | []byte](s T) (g GUID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return GUID{}, false
	}
	bad := byte(0)
	for i, at := range [...]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		high, low := hexDigit[s[at]], hexDigit[s[at+1]]
		bad |= high | low
		g[i] = high<<4 | low&15
	}
	return g, bad < 16
}

// hexDigit is the value of a hexadecimal digit; more than 15 for other bytes.
var hexDigit = func() (t [256]byte) {
	for c := range t {
		t[c] = 0xf0
	}
	for i, c := range "0123456789abcdef" {
		t[c] = byte(i)
	}
	for i, c := range "ABCDEF" {
		t[c] = byte(10 + i)
	}
	return t
}()
