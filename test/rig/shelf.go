package rig

import (
	"crypto/sha1" // payload files are named by SHA-1
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waptwua"
	"waptwua/transport"
)

// Payloads are the names of the payload files on the shelf, in order.
func (s *System) Payloads() []string {
	s.t.Helper()
	var names []string
	for _, name := range s.names() {
		if sum, _, ok := strings.Cut(name, "_"); ok && len(sum) == 2*sha1.Size {
			names = append(names, name)
		}
	}
	return names
}

// names are the names on the shelf that hosts can ask for.
func (s *System) names() []string {
	s.t.Helper()
	entries, err := os.ReadDir(s.Shelf())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// CheckShelf fails the test for a file that hosts can ask for and that is not
// whole: a payload without the SHA-1 that its name begins with, a scan
// archive that is none of archives (paths). It may be called at any moment,
// while a server runs or after one was killed.
func (s *System) CheckShelf(archives ...string) {
	s.t.Helper()
	for _, name := range s.Payloads() {
		b, err := os.ReadFile(filepath.Join(s.Shelf(), name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if want, _, _ := strings.Cut(name, "_"); !strings.EqualFold(sum1(b), want) {
			s.t.Errorf("published although not whole: %s with %d bytes has SHA-1 %s", name, len(b), sum1(b))
		}
	}
	b, err := os.ReadFile(filepath.Join(s.Shelf(), transport.ArchiveName))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if !slices.Contains(digests(s.t, archives), sum256(b)) {
		s.t.Errorf("published although not whole: the scan archive, %d bytes", len(b))
	}
}

// CheckArchive fails the test unless the shelf holds just the archive at
// path, and what stands beside it agrees.
func (s *System) CheckArchive(path string) {
	s.t.Helper()
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	for suffix, sum := range map[string]string{"": sum256(want), ".sha1": sum1(want), ".sha256": sum256(want)} {
		b, err := os.ReadFile(filepath.Join(s.Shelf(), transport.ArchiveName+suffix))
		if err != nil {
			s.t.Error(err)
			continue
		}
		got := strings.TrimSpace(string(b))
		if suffix == "" {
			got = sum256(b)
		}
		if got != sum {
			s.t.Errorf("%s%s is of %s, want %s", transport.ArchiveName, suffix, got, sum)
		}
	}
}

// SHA256 is the digest of the file at path.
func SHA256(t testing.TB, path string) waptwua.SHA256 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

func digests(t testing.TB, paths []string) []string {
	t.Helper()
	var sums []string
	for _, path := range paths {
		sums = append(sums, SHA256(t, path).String())
	}
	return sums
}

func sum1(b []byte) string {
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:])
}

func sum256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
