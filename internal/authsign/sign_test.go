package authsign

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"waptwua"
	"waptwua/authenticode"
	"waptwua/internal/cabwrite"
)

func TestSignedCabinetVerifies(t *testing.T) {
	a := authority(t)
	path := cabinet(t)
	sign(t, a, path, Options{Program: "Generated archive é"})
	r, err := verify(t, path, a, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if r.Program != "Generated archive é" || r.Timestamp == nil || !r.Timestamp.Chain.Anchored || r.SHA1 || r.Signer.Subject.CommonName != "waptwua test publisher" {
		t.Errorf("verified as %+v", r)
	}
}

func TestSigningAgainReplacesTheSignature(t *testing.T) {
	a, b := authority(t), authority(t)
	path := cabinet(t)
	sign(t, a, path, Options{})
	sign(t, b, path, Options{})
	if _, err := verify(t, path, b, time.Now()); err != nil {
		t.Error(err)
	}
	if _, err := verify(t, path, a, time.Now()); !errors.Is(err, waptwua.ErrNotTrusted) {
		t.Errorf("under the first authority: %v", err)
	}
}

func TestTimestampOutlivesTheSigner(t *testing.T) {
	a := authority(t)
	short, err := a.Issue(Certificate{Name: "short-lived", Usage: x509.ExtKeyUsageCodeSigning, NotAfter: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().AddDate(1, 0, 0)
	path := cabinet(t)
	sign(t, a, path, Options{Signer: short})
	if _, err := verify(t, path, a, later); err != nil {
		t.Errorf("with a timestamp: %v", err)
	}
	sign(t, a, path, Options{Signer: short, NoTimestamp: true})
	if _, err := verify(t, path, a, later); !errors.Is(err, waptwua.ErrNotTrusted) {
		t.Errorf("without a timestamp: %v", err)
	}
}

func TestNotACabinet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, bytes.Repeat([]byte("MZ"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := authority(t).Sign(f, Options{}); err == nil {
		t.Error("an EXE was signed as a cabinet")
	}
}

func authority(t *testing.T) *Authority {
	t.Helper()
	a, err := NewAuthority(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// cabinet is a cabinet with room for a signature.
func cabinet(t *testing.T) string { return cabinetWith(t, make([]byte, 20)) }

func cabinetWith(t *testing.T, reserve []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.cab")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := cabwrite.NewWriter(f, cabwrite.Options{HeaderReserve: reserve})
	if err != nil {
		t.Fatal(err)
	}
	entry, err := w.Create("hello.txt", time.Now(), 0)
	if err == nil {
		_, err = entry.Write([]byte("hello"))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func sign(t *testing.T, a *Authority, path string, o Options) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := a.Sign(f, o)
	if err == nil {
		err = f.Truncate(size)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, path string, a *Authority, at time.Time) (*authenticode.Result, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return authenticode.Verify(f, fi.Size(), authenticode.Options{Roots: []*x509.Certificate{a.Root}, At: at})
}
