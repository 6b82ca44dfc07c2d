package wuatest

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"waptwua/internal/authsign"
)

// signedArchives are the scan archives of every world of a process: making
// keys takes longer than most tests.
type signedArchives struct {
	good, damaged, foreign []byte
	root                   *x509.Certificate
}

var signOnce = sync.OnceValues(func() (*signedArchives, error) {
	unsigned, err := archive(revisions())
	if err != nil {
		return nil, fmt.Errorf("making the scan archive: %w", err)
	}
	var s signedArchives
	if s.good, s.root, err = signed(unsigned); err != nil {
		return nil, err
	}
	if s.foreign, _, err = signed(unsigned); err != nil {
		return nil, err
	}
	s.damaged = bytes.Clone(s.good)
	s.damaged[len(unsigned)/2] ^= 1
	return &s, nil
})

// signed signs a cabinet by an authority of its own.
func signed(cabinet []byte) ([]byte, *x509.Certificate, error) {
	a, err := authsign.NewAuthority(time.Now)
	if err != nil {
		return nil, nil, fmt.Errorf("making a test authority: %w", err)
	}
	f := &memory{bytes.Clone(cabinet)}
	size, err := a.Sign(f, authsign.Options{Program: "Contract of the simulated host"})
	if err != nil {
		return nil, nil, fmt.Errorf("signing the scan archive: %w", err)
	}
	return f.b[:size], a.Root, nil
}

// sign writes the archives of the world and the root of their signature.
func (w *World) sign(t testing.TB) {
	t.Helper()
	s, err := signOnce()
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.Archive, s.good)
	write(t, w.Damaged, s.damaged)
	write(t, w.Foreign, s.foreign)
	write(t, filepath.Join(w.dir, rootFile), s.root.Raw)
	w.Roots = []*x509.Certificate{s.root}
}

// OpenWorld opens the world that NewWorld made in dir, for another process.
func OpenWorld(dir string) (*World, error) {
	w := newWorld(dir)
	b, err := os.ReadFile(filepath.Join(dir, rootFile))
	if err != nil {
		return nil, err
	}
	root, err := x509.ParseCertificate(b)
	if err != nil {
		return nil, err
	}
	w.Roots = []*x509.Certificate{root}
	return w, nil
}

const rootFile = "root.cer"

// memory is a file in memory.
type memory struct{ b []byte }

func (m *memory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(m.b).ReadAt(p, off) }

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if more := int(off) + len(p) - len(m.b); more > 0 {
		m.b = append(m.b, make([]byte, more)...)
	}
	return copy(m.b[off:], p), nil
}
