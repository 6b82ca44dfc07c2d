package native

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode/utf16"
)

// MaxValue bounds a registry value that is read, in bytes.
const MaxValue = 64 << 10

// The types of values that this package writes, by their numbers in Windows
// (winnt.h). Others are kept as they are.
const (
	typeString = 1 // REG_SZ
	typeNumber = 4 // REG_DWORD
)

// Value is a registry value of any type, byte for byte, so that it can be put
// back exactly.
type Value struct {
	Type  uint32 `json:"type"`
	Bytes []byte `json:"bytes,omitempty"`
}

// Number is a value of type REG_DWORD.
func Number(n uint32) Value {
	return Value{Type: typeNumber, Bytes: binary.LittleEndian.AppendUint32(nil, n)}
}

// Equal tells whether type and bytes are the same.
func (v Value) Equal(o Value) bool { return v.Type == o.Type && bytes.Equal(v.Bytes, o.Bytes) }

// IsZero tells whether v is a REG_DWORD of 0, which for policies is the same
// as having none.
func (v Value) IsZero() bool { return v.Equal(Number(0)) }

// String is the value for people: a number, a text, or type and bytes.
func (v Value) String() string {
	switch {
	case v.Type == typeNumber && len(v.Bytes) == 4:
		return strconv.FormatUint(uint64(binary.LittleEndian.Uint32(v.Bytes)), 10)
	case v.Type == typeString && len(v.Bytes)%2 == 0:
		return strconv.Quote(text(v.Bytes))
	}
	return fmt.Sprintf("type %d, %s", v.Type, hex.EncodeToString(v.Bytes[:min(len(v.Bytes), 32)]))
}

// text reads UTF-16 up to a terminating zero.
func text(b []byte) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
