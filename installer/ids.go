package installer

import (
	"crypto/sha1" // UUID version 5 is defined with it
	"fmt"
	"strings"
)

// UpgradeCode is what all versions of the agent's package have in common,
// for every processor. It never changes. Upper case: wixl copies it as it
// is, and Windows Installer compares the text.
const UpgradeCode = "5B0C44D0-8D5E-4C0B-9C55-6B7E0D5B3F61"

// namespace is the name space of all other identifiers here.
var namespace = [16]byte{0x5b, 0x0c, 0x44, 0xd0, 0x8d, 0x5e, 0x4c, 0x0b, 0x9c, 0x55, 0x6b, 0x7e, 0x0d, 0x5b, 0x3f, 0x61}

// guid is the UUID version 5 (RFC 9562 §5.5) of a name, in upper case.
func guid(parts ...string) string {
	h := sha1.New()
	h.Write(namespace[:])
	h.Write([]byte(strings.Join(parts, "\x00")))
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}
