package waptwua

import (
	"crypto/sha1" // the archive names files by SHA-1; SHA-256 is checked beside it
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// SHA1 is the digest by which the archive names a payload file.
type SHA1 [sha1.Size]byte

// SHA256 is the digest that recent archives give beside SHA1. Zero: unknown.
type SHA256 [sha256.Size]byte

// File is one payload file of an update.
type File struct {
	Name   string `json:"name"`            // FileName of the archive, without directory
	Size   int64  `json:"size"`            // bytes
	SHA1   SHA1   `json:"sha1"`            // always known
	SHA256 SHA256 `json:"sha256,omitzero"` // zero in old archives
	URL    string `json:"url,omitempty"`   // Microsoft's address, as the archive gives it
	Kind   string `json:"kind,omitempty"`  // PatchingType: SelfContained, ServicingStack, Metadata …; empty when not said
}

// StoredName is the flat name under which the file lies in the waptwua
// folder: the SHA-1 in hexadecimal, "_", and the archive's name reduced to
// safe characters. Two files of one name and different content never meet.
func (f File) StoredName() string { return f.SHA1.String() + "_" + safeName(f.Name) }

func safeName(s string) string {
	b := []byte(s)
	if len(b) > 150 {
		b = b[len(b)-150:]
	}
	for i, c := range b {
		if !safeByte(c) {
			b[i] = '_'
		}
	}
	if len(b) == 0 || b[0] == '.' {
		return "_" + string(b)
	}
	return string(b)
}

func safeByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-' || c == '_'
}

// IsZero tells whether the digest is unknown.
func (d SHA1) IsZero() bool { return d == SHA1{} }

// IsZero tells whether the digest is unknown.
func (d SHA256) IsZero() bool { return d == SHA256{} }

// String is the digest in lower-case hexadecimal.
func (d SHA1) String() string { return hex.EncodeToString(d[:]) }

// String is the digest in lower-case hexadecimal.
func (d SHA256) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes lower-case hexadecimal.
func (d SHA1) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText writes lower-case hexadecimal.
func (d SHA256) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads hexadecimal of exactly 20 bytes.
func (d *SHA1) UnmarshalText(b []byte) error { return unhex(d[:], b, "SHA-1") }

// UnmarshalText reads hexadecimal of exactly 32 bytes.
func (d *SHA256) UnmarshalText(b []byte) error { return unhex(d[:], b, "SHA-256") }

func unhex(dst, text []byte, what string) error {
	if len(text) != 2*len(dst) {
		return fmt.Errorf("%s %q: want %d hexadecimal digits", what, text, 2*len(dst))
	}
	if _, err := hex.Decode(dst, text); err != nil {
		return fmt.Errorf("%s %q: %w", what, text, err)
	}
	return nil
}
