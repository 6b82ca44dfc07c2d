package authenticode

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"waptwua/internal/authsign"
	"waptwua/internal/cabwrite"
)

// now is when the test authority signs.
var now = time.Date(2026, 7, 14, 14, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

var (
	publisher = sync.OnceValues(func() (*authsign.Authority, error) { return authsign.NewAuthority(func() time.Time { return now }) })
	stranger  = sync.OnceValues(func() (*authsign.Authority, error) { return authsign.NewAuthority(func() time.Time { return now }) })
)

// authority unwraps one of the authorities, which all tests share: keys are
// slow to make.
func authority(t testing.TB, f func() (*authsign.Authority, error)) *authsign.Authority {
	t.Helper()
	a, err := f()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// unsigned is a cabinet with room for a signature.
func unsigned(t testing.TB, content string) *memory {
	t.Helper()
	var b bytes.Buffer
	w, err := cabwrite.NewWriter(&b, cabwrite.Options{HeaderReserve: make([]byte, 20)})
	if err != nil {
		t.Fatal(err)
	}
	e, err := w.Create("package.xml", now, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &memory{b.Bytes()}
}

// signed is a cabinet signed by the publisher as o says.
func signed(t testing.TB, o authsign.Options) []byte {
	t.Helper()
	return signedBy(t, authority(t, publisher), unsigned(t, "content of the archive"), o)
}

func signedBy(t testing.TB, a *authsign.Authority, f *memory, o authsign.Options) []byte {
	t.Helper()
	size, err := a.Sign(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return f.b[:size]
}

// check verifies under the publisher's root.
func check(t testing.TB, cab []byte, at time.Time) (*Result, error) {
	t.Helper()
	roots := []*x509.Certificate{authority(t, publisher).Root}
	return Verify(bytes.NewReader(cab), int64(len(cab)), Options{Roots: roots, At: at})
}

// end is where the cabinet ends and its signature begins.
func end(cab []byte) int { return int(binary.LittleEndian.Uint32(cab[offCbCabinet:])) }

// memory is a file in memory.
type memory struct{ b []byte }

func (m *memory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(m.b).ReadAt(p, off) }

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if need := int(off) + len(p); need > len(m.b) {
		m.b = append(m.b, make([]byte, need-len(m.b))...)
	}
	return copy(m.b[off:], p), nil
}
