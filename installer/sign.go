package installer

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"waptwua/internal/pki"
)

// Signing is a code-signing certificate, as osslsigncode takes it. The zero
// value signs nothing.
type Signing struct {
	Certificates string // PEM file: the signer's, then those between it and the root
	Key          string // PEM file
	PasswordFile string // of an encrypted key
	Timestamp    string // address of an RFC 3161 authority; empty: the signature ends with the certificate
	CA           string // PEM file with the root that the result is verified against; empty: see roots
}

// systemRoots is where Debian keeps the roots of public authorities.
const systemRoots = "/etc/ssl/certs/ca-certificates.crt"

func (s *Signing) active() bool { return s.Certificates != "" || s.Key != "" }

// check finds what is missing before anything is built.
func (s *Signing) check() error {
	switch {
	case !s.active() && s.Timestamp == "" && s.PasswordFile == "":
		return nil
	case s.Certificates == "" || s.Key == "":
		return errors.New("signing needs a certificate and its key; give both")
	}
	for _, f := range []string{s.Certificates, s.Key} {
		if _, err := os.Stat(f); err != nil {
			return fmt.Errorf("signing: %w", err)
		}
	}
	return nil
}

// roots is what the signature must lead to: CA, else the self-signed
// certificate in the file of certificates, else the public authorities.
func (s *Signing) roots() (string, error) {
	if s.CA != "" {
		return s.CA, nil
	}
	text, err := os.ReadFile(s.Certificates)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	certs, err := pki.DecodeCertificates(text)
	if err != nil {
		return "", fmt.Errorf("signing: %s: %w", s.Certificates, err)
	}
	for _, c := range certs {
		if bytes.Equal(c.RawSubject, c.RawIssuer) && c.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
			return s.Certificates, nil
		}
	}
	return systemRoots, nil
}

// sign replaces the file at path by the same file with a signature, which is
// verified.
func (s *Signing) sign(ctx context.Context, path string) error {
	signed := path + ".signed"
	args := []string{"sign", "-certs", s.Certificates, "-key", s.Key, "-h", "sha256", "-n", productName, "-in", path, "-out", signed}
	if s.PasswordFile != "" {
		args = append(args, "-readpass", s.PasswordFile)
	}
	if s.Timestamp != "" {
		args = append(args, "-ts", s.Timestamp)
	}
	if filepath.Ext(path) == ".msi" {
		args = append(args, "-add-msi-dse")
	}
	if _, _, err := run(ctx, "", "osslsigncode", args...); err != nil {
		return fmt.Errorf("signing %s: %w", filepath.Base(path), err)
	}
	if err := s.verify(ctx, signed); err != nil {
		return fmt.Errorf("verifying the signature of %s: %w", filepath.Base(path), err)
	}
	return os.Rename(signed, path)
}

func (s *Signing) verify(ctx context.Context, path string) error {
	roots, err := s.roots()
	if err != nil {
		return err
	}
	args := []string{"verify", "-CAfile", roots, "-in", path}
	if s.Timestamp != "" {
		args = append(args, "-TSA-CAfile", systemRoots)
	}
	_, _, err = run(ctx, "", "osslsigncode", args...)
	return err
}
