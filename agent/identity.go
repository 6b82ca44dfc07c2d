package agent

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/internal/atomicfile"
	"waptwua/internal/pki"
	"waptwua/signing"
)

// The files below private/.
const (
	fileUUID    = "uuid.json"
	fileKey     = "host.key"
	fileCert    = "host.crt"
	fileCA      = "server-ca.pem"
	fileSigning = "server-signing.pem"
)

// uuid is the host's identity: that of the settings, or one made at random
// and kept.
func (op *operation) uuid() (string, error) {
	if op.settings.UUID != "" {
		return waptwua.NormalizeGUID(op.settings.UUID)
	}
	var id string
	err := journal.Load(op.path("private", fileUUID), &id)
	if err == nil || !errors.Is(err, waptwua.ErrNotFound) {
		return id, err
	}
	id = randomUUID()
	return id, journal.Save(op.path("private", fileUUID), id)
}

// randomUUID is a version 4 UUID (RFC 9562 §5.4).
func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, as crypto/rand says
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// identity is the registered host's key and certificate, or
// ErrNotRegistered.
func (a *Agent) identity() (pki.Identity, error) {
	id, err := pki.Load(a.path("private", fileCert), a.path("private", fileKey), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return id, ErrNotRegistered
	}
	return id, err
}

// key returns the host's key, made at the first call. It stays the same
// when a registration is repeated, so that an interrupted one can go on.
func (a *Agent) key() (crypto.Signer, error) {
	text, err := os.ReadFile(a.path("private", fileKey))
	if err == nil {
		return pki.DecodeKey(text, nil)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the host's key: %w", err)
	}
	key, err := pki.GenerateKey(pki.ECDSAP256)
	if err != nil {
		return nil, err
	}
	if text, err = pki.EncodeKey(key, nil); err != nil {
		return nil, err
	}
	return key, atomicfile.WriteFile(a.path("private", fileKey), text, 0o600)
}

// certificates reads certificates stored below private/; none when the file
// does not exist.
func (a *Agent) certificates(name string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(a.path("private", name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return pki.DecodeCertificates(text)
}

// serverSigner is the trust in the certificate that signs FilesStatements.
func (a *Agent) serverSigner() (*signing.Trust, error) {
	certs, err := a.certificates(fileSigning)
	if err != nil {
		return nil, err
	}
	if len(certs) == 0 {
		return nil, ErrNotRegistered
	}
	return signing.NewTrust(certs...), nil
}

// fresh tells whether c is valid at now and stays so for a third of its life.
func fresh(c *x509.Certificate, now time.Time) bool {
	third := c.NotAfter.Sub(c.NotBefore) / 3
	return !now.Before(c.NotBefore) && now.Before(c.NotAfter.Add(-third))
}
