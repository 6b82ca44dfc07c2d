package pki

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	"waptwua/internal/atomicfile"
)

const blockCertificate = "CERTIFICATE"

// Limits of one PEM file of certificates. The time to use an RSA key rises
// with the square of its size, which a stranger chooses.
const (
	maxCertificates = 200
	maxRSA          = 16384 // bits
)

// EncodeCertificates writes certificates as PEM, in their order.
func EncodeCertificates(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		// Writing a block without headers to memory cannot fail.
		_ = pem.Encode(&b, &pem.Block{Type: blockCertificate, Bytes: c.Raw})
	}
	return b.Bytes()
}

// DecodeCertificates reads all certificates of a PEM text, at least one.
// Other blocks, such as a key in the same file, are passed over.
func DecodeCertificates(text []byte) ([]*x509.Certificate, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("reading certificates: %d bytes, at most %d are allowed", len(text), maxPEM)
	}
	var certs []*x509.Certificate
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		if b.Type != blockCertificate {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading certificate %d: %w", len(certs)+1, err)
		}
		if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > maxRSA {
			return nil, fmt.Errorf("reading certificate %d: its key has %d bits, at most %d are allowed", len(certs)+1, k.N.BitLen(), maxRSA)
		}
		if certs = append(certs, c); len(certs) > maxCertificates {
			return nil, fmt.Errorf("reading certificates: more than %d", maxCertificates)
		}
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("no certificate in the text; want a PEM block %s", blockCertificate)
	}
	return certs, nil
}

// Save writes the certificates and the key, which is encrypted unless
// password is empty. The key goes first: a certificate is never on the disk
// without its key.
func (id Identity) Save(certFile, keyFile string, password []byte) error {
	key, err := EncodeKey(id.Key, password)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(keyFile, key, 0o600); err != nil {
		return fmt.Errorf("saving the private key: %w", err)
	}
	if err := atomicfile.WriteFile(certFile, EncodeCertificates(id.Chain...), 0o644); err != nil {
		return fmt.Errorf("saving the certificate: %w", err)
	}
	return nil
}

// Load reads what Save wrote.
func Load(certFile, keyFile string, password []byte) (Identity, error) {
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return Identity{}, fmt.Errorf("loading a certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return Identity{}, fmt.Errorf("loading a private key: %w", err)
	}
	id, err := Decode(certPEM, keyPEM, password)
	if err != nil {
		return Identity{}, fmt.Errorf("%s, %s: %w", certFile, keyFile, err)
	}
	return id, nil
}

// Decode reads an identity from its two PEM texts.
func Decode(certPEM, keyPEM, password []byte) (Identity, error) {
	chain, err := DecodeCertificates(certPEM)
	if err != nil {
		return Identity{}, err
	}
	key, err := DecodeKey(keyPEM, password)
	if err != nil {
		return Identity{}, err
	}
	return NewIdentity(key, chain...)
}
