// Package authsign signs cabinets as Microsoft signs its scan archive, under
// an authority made for tests: Authenticode with SHA-256 and a timestamp
// (RFC 3161) of an authority of its own, all without a network.
//
// What it makes is read by package authenticode and by osslsigncode. For
// tests and for waptsim only: keys lie unencrypted in memory, certificates
// say "test" in their names, and nothing checks what is being signed.
package authsign

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

const keyBits = 2048

// Authority is a root with a signer and a timestamp authority below it.
type Authority struct {
	Root   *x509.Certificate
	Signer Identity
	TSA    Identity
	root   crypto.Signer
	now    func() time.Time
}

// Identity is a certificate with its key.
type Identity struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// NewAuthority makes an authority whose certificates are valid from a day
// before now for ten years. Timestamps say now().
func NewAuthority(now func() time.Time) (*Authority, error) {
	a := &Authority{now: now}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	a.root = key
	t := template("waptwua test root", now())
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	if a.Root, err = create(t, t, key.Public(), key); err != nil {
		return nil, err
	}
	return a, a.issueOwn()
}

// issueOwn makes the signer and the timestamp authority.
func (a *Authority) issueOwn() (err error) {
	if a.Signer, err = a.Issue(Certificate{Name: "waptwua test publisher", Usage: x509.ExtKeyUsageCodeSigning}); err != nil {
		return err
	}
	a.TSA, err = a.Issue(Certificate{Name: "waptwua test timestamps", Usage: x509.ExtKeyUsageTimeStamping})
	return err
}

// Certificate says what to issue. Zero times: as the authority's own.
type Certificate struct {
	Name                string
	Usage               x509.ExtKeyUsage
	NotBefore, NotAfter time.Time
}

// Issue makes a certificate below the root.
func (a *Authority) Issue(c Certificate) (Identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Identity{}, err
	}
	t := template(c.Name, a.now())
	t.KeyUsage = x509.KeyUsageDigitalSignature
	if c.Usage == x509.ExtKeyUsageTimeStamping { // must be critical, which ExtKeyUsage cannot say
		value, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
		if err != nil {
			return Identity{}, err
		}
		t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: value}}
	} else {
		t.ExtKeyUsage = []x509.ExtKeyUsage{c.Usage}
	}
	if !c.NotBefore.IsZero() {
		t.NotBefore = c.NotBefore
	}
	if !c.NotAfter.IsZero() {
		t.NotAfter = c.NotAfter
	}
	cert, err := create(t, a.Root, key.Public(), a.root)
	return Identity{cert, key}, err
}

// RootPEM is the root as a PEM file.
func (a *Authority) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root.Raw})
}

func template(name string, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: []string{"waptwua tests"}},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.AddDate(10, 0, 0),
	}
}

func create(t, parent *x509.Certificate, pub crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return nil, err
	}
	t.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, t, parent, pub, signer)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", t.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}
