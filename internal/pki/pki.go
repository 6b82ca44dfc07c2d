// Package pki makes, keeps and issues the X.509 certificates of a fleet.
//
// # Who has what
//
//	administrator   a self-signed certificate that may sign code and issue such
//	                certificates ([NewAdministrator]); agents are installed with it.
//	                Its key never lies on the server.
//	server's CA     issues the server's TLS certificate, the certificates of hosts
//	                and the one that signs what the server publishes
//	                ([NewServerAuthority]).
//	host            a key made on the host; its certificate is asked for by a PKCS#10
//	                request ([NewHostRequest], [Authority.IssueHost]).
//
// The usages keep these apart: a host's certificate is for client
// authentication only, the server's TLS certificate for server
// authentication only, and only certificates with the usage code signing
// sign documents. An administrator's certificate restricts all that it
// issues to code signing.
//
// # Forms
//
// Keys are ECDSA P-256 (the default, and what browsers make) or RSA with
// 3072 bits. Files are PEM: certificates with the leaf first, keys as PKCS#8,
// encrypted by PBES2 (PBKDF2 with HMAC-SHA-256, AES-256-CBC) when a password
// is given, which OpenSSL reads and writes too. Key files are written with
// permissions 0600, whole or not at all.
//
// Time is a parameter. Randomness is crypto/rand's: since Go 1.26 the
// standard library makes keys and signatures from nothing else.
//
// Not supported: revocation lists (a host is turned away by its record, an
// administrator by removing the certificate), hardware keys, other curves.
package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// clockSkew is how far a clock may be behind the issuer's and still accept
// a fresh certificate.
const clockSkew = 10 * time.Minute

// ErrPassword says that a key file is encrypted and the password is missing
// or wrong.
var ErrPassword = errors.New("wrong or missing password")

// Identity is a private key with its certificate.
type Identity struct {
	Chain []*x509.Certificate // leaf first, without the root unless the leaf is one
	Key   crypto.Signer
}

// Leaf is the certificate of the key.
func (id Identity) Leaf() *x509.Certificate { return id.Chain[0] }

// TLS gives the identity in the form that crypto/tls takes.
func (id Identity) TLS() tls.Certificate {
	c := tls.Certificate{PrivateKey: id.Key, Leaf: id.Leaf()}
	for _, x := range id.Chain {
		c.Certificate = append(c.Certificate, x.Raw)
	}
	return c
}

// NewIdentity joins key and chain and refuses what does not belong together.
func NewIdentity(key crypto.Signer, chain ...*x509.Certificate) (Identity, error) {
	if len(chain) == 0 {
		return Identity{}, errors.New("no certificate for the key")
	}
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(chain[0].PublicKey) {
		return Identity{}, fmt.Errorf("the key does not belong to the certificate of %q; give the pair that was made together", chain[0].Subject.CommonName)
	}
	return Identity{Chain: chain, Key: key}, nil
}

// Fingerprint is the SHA-256 of the certificate in lower-case hexadecimal.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// NewAdministrator makes a key and the self-signed certificate with which an
// administrator signs rules, packages and actions. It is a CA too, so that
// it can be pinned on agents while the daily work is done with certificates
// from [Authority.IssueSigner].
func NewAdministrator(name string, kt KeyType, valid time.Duration, now time.Time) (Identity, error) {
	t := template(name, now, valid)
	t.IsCA, t.MaxPathLenZero = true, true
	t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	return selfSigned(t, kt)
}

// NewServerAuthority makes the key and certificate of the server's CA.
func NewServerAuthority(name string, valid time.Duration, now time.Time) (Identity, error) {
	t := template(name, now, valid)
	t.IsCA, t.MaxPathLenZero = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	return selfSigned(t, ECDSAP256)
}

func selfSigned(t *x509.Certificate, kt KeyType) (Identity, error) {
	key, err := GenerateKey(kt)
	if err != nil {
		return Identity{}, err
	}
	c, err := sign(t, t, key.Public(), key)
	if err != nil {
		return Identity{}, err
	}
	return NewIdentity(key, c)
}

// template is what all certificates share. It is valid from a little before
// now, and no certificate outlives its issuer: see sign.
func template(name string, now time.Time, valid time.Duration) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-clockSkew).UTC(),
		NotAfter:              now.Add(valid).UTC(),
		BasicConstraintsValid: true,
	}
}

// sign issues t under parent, with a random serial number of 127 bits.
func sign(t, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	if t.Subject.CommonName == "" {
		return nil, errors.New("a certificate needs a name")
	}
	if t.NotAfter.After(parent.NotAfter) {
		t.NotAfter = parent.NotAfter
	}
	if !t.NotAfter.After(t.NotBefore.Add(clockSkew)) {
		return nil, fmt.Errorf("certificate for %q would be expired from the start: its issuer %q ends on %s; renew the issuer or give a longer validity",
			t.Subject.CommonName, parent.Subject.CommonName, parent.NotAfter.Format(time.DateOnly))
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("choosing a serial number: %w", err)
	}
	t.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, t, parent, pub, key)
	if err != nil {
		return nil, fmt.Errorf("issuing the certificate for %q: %w", t.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}
