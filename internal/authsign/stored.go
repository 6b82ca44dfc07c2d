package authsign

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"waptwua/internal/atomicfile"
)

// The files of a stored authority. The first is what verifiers are given.
const (
	CertificateFile = "authority.pem"
	KeyFile         = "authority.key"
)

// OpenAuthority returns the authority that is stored in dir. Where there is
// none, it makes one and stores its root and the root's key, unencrypted.
// Signer and timestamp authority are made anew each time, below the same
// root.
func OpenAuthority(dir string, now func() time.Time) (*Authority, error) {
	cert, err := os.ReadFile(filepath.Join(dir, CertificateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return storeAuthority(dir, now)
	}
	if err != nil {
		return nil, fmt.Errorf("test authority: %w", err)
	}
	key, err := os.ReadFile(filepath.Join(dir, KeyFile))
	if err != nil {
		return nil, fmt.Errorf("test authority: %w", err)
	}
	a := &Authority{now: now}
	if err := a.decode(cert, key); err != nil {
		return nil, fmt.Errorf("test authority in %s: %w; remove both files to have another made", dir, err)
	}
	return a, a.issueOwn()
}

func storeAuthority(dir string, now func() time.Time) (*Authority, error) {
	a, err := NewAuthority(now)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(a.root)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("test authority: %w", err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := atomicfile.WriteFile(filepath.Join(dir, KeyFile), key, 0o600); err != nil {
		return nil, fmt.Errorf("test authority: %w", err)
	}
	if err := atomicfile.WriteFile(filepath.Join(dir, CertificateFile), a.RootPEM(), 0o644); err != nil {
		return nil, fmt.Errorf("test authority: %w", err)
	}
	return a, nil
}

// decode takes the root and its key from their files.
func (a *Authority) decode(cert, key []byte) error {
	der, err := decodePEM(cert, CertificateFile, "CERTIFICATE")
	if err != nil {
		return err
	}
	if a.Root, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("%s: %w", CertificateFile, err)
	}
	if der, err = decodePEM(key, KeyFile, "PRIVATE KEY"); err != nil {
		return err
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return fmt.Errorf("%s: %w", KeyFile, err)
	}
	signer, ok := k.(crypto.Signer)
	if !ok {
		return fmt.Errorf("%s: not a key that signs", KeyFile)
	}
	a.root = signer
	if pub, ok := a.Root.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(signer.Public()) {
		return fmt.Errorf("%s is not the key of %s", KeyFile, CertificateFile)
	}
	return nil
}

func decodePEM(text []byte, file, kind string) ([]byte, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s is not a PEM file with one %s", file, kind)
	}
	return block.Bytes, nil
}
