package applicability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The registry value types that rules name.
const (
	RegSZ       = "REG_SZ"
	RegExpandSZ = "REG_EXPAND_SZ"
	RegMultiSZ  = "REG_MULTI_SZ"
	RegDWORD    = "REG_DWORD"
	RegQWORD    = "REG_QWORD"
	RegBinary   = "REG_BINARY"
)

// Value is a registry value. In JSON a string is a REG_SZ and a number a
// REG_DWORD; every other type is {"type": "REG_EXPAND_SZ", "data": …}, with
// a number for REG_QWORD and text otherwise (lines of a REG_MULTI_SZ are
// joined by newlines, REG_BINARY is hexadecimal).
type Value struct {
	Type   string
	Text   string // of the text types and REG_BINARY
	Number uint64 // of REG_DWORD and REG_QWORD
}

// SZ is a REG_SZ.
func SZ(s string) *Value { return &Value{Type: RegSZ, Text: s} }

// DWORD is a REG_DWORD.
func DWORD(n uint32) *Value { return &Value{Type: RegDWORD, Number: uint64(n)} }

// IsNumber tells whether the value's content is Number.
func (v Value) IsNumber() bool { return v.Type == RegDWORD || v.Type == RegQWORD }

// String shows type and content, for people.
func (v Value) String() string {
	if v.IsNumber() {
		return v.Type + " " + strconv.FormatUint(v.Number, 10)
	}
	return v.Type + " " + strconv.Quote(v.Text)
}

type valueJSON struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// MarshalJSON writes the short form where there is one.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.Type {
	case RegSZ:
		return json.Marshal(v.Text)
	case RegDWORD:
		return json.Marshal(v.Number)
	}
	var data any = v.Text
	if v.IsNumber() {
		data = v.Number
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	return json.Marshal(valueJSON{Type: v.Type, Data: raw})
}

// UnmarshalJSON reads every form of the type's comment.
func (v *Value) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '{' {
		return v.unmarshalTyped(b)
	}
	if len(b) > 0 && b[0] == '"' {
		v.Type = RegSZ
		return json.Unmarshal(b, &v.Text)
	}
	n, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil {
		return fmt.Errorf("%s: %w", b, errValueForm)
	}
	*v = Value{Type: RegDWORD, Number: n}
	return nil
}

func (v *Value) unmarshalTyped(b []byte) error {
	var t valueJSON
	if err := json.Unmarshal(b, &t); err != nil {
		return err
	}
	*v = Value{Type: strings.ToUpper(t.Type)}
	switch v.Type {
	case RegDWORD, RegQWORD:
		return json.Unmarshal(t.Data, &v.Number)
	case RegSZ, RegExpandSZ, RegMultiSZ, RegBinary:
		return json.Unmarshal(t.Data, &v.Text)
	}
	return fmt.Errorf("type %q: %w", t.Type, errValueForm)
}
