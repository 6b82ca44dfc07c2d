package client

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"waptwua"
	"waptwua/internal/pki"
)

// Trust says which server certificates count. Exactly one way is used:
// Roots when there are any, otherwise Fingerprint. With neither, nothing is
// trusted and the error says what the server presents: trust on first use
// is an administrator's decision, never a silent one.
type Trust struct {
	Roots []*x509.Certificate
	// Fingerprint is the SHA-256 of the server's CA certificate, or of its
	// own certificate, in hexadecimal; colons and upper case are allowed.
	Fingerprint string
	// Now is the clock for validity; nil: the machine's.
	Now func() time.Time
}

// config is the TLS configuration of an agent: TLS 1.2 or newer, its own
// trust only.
// host is the name or address that a pinned chain must be valid for.
func (t Trust) config(id *tls.Certificate, host string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, Time: t.Now}
	if id != nil {
		c.Certificates = []tls.Certificate{*id}
	}
	if len(t.Roots) > 0 {
		c.RootCAs = x509.NewCertPool()
		for _, r := range t.Roots {
			c.RootCAs.AddCert(r)
		}
		return c, nil
	}
	want, err := NormalizeFingerprint(t.Fingerprint)
	if err != nil {
		return nil, err
	}
	// The chain is checked below, against the fingerprint, on every
	// connection including resumed ones.
	c.InsecureSkipVerify = true
	c.VerifyConnection = func(s tls.ConnectionState) error { return t.checkPinned(s.PeerCertificates, want, host) }
	return c, nil
}

// NormalizeFingerprint returns s as 64 lower-case hexadecimal digits; the
// empty string stays empty.
func NormalizeFingerprint(s string) (string, error) {
	f := strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(s))
	if f == "" {
		return "", nil
	}
	if b, err := hex.DecodeString(f); err != nil || len(b) != 32 {
		return "", fmt.Errorf("fingerprint %.80q: want the SHA-256 of a certificate, 64 hexadecimal digits", s)
	}
	return f, nil
}

// checkPinned accepts a chain that holds the pinned certificate and is
// otherwise sound below it.
func (t Trust) checkPinned(chain []*x509.Certificate, want, host string) error {
	if len(chain) == 0 {
		return errors.New("the server shows no certificate")
	}
	if want == "" {
		return untrusted(chain)
	}
	for i, c := range chain {
		if pki.Fingerprint(c) != want {
			continue
		}
		if i == 0 {
			return t.checkLeaf(c, host)
		}
		return t.checkChain(chain, c, host)
	}
	return fmt.Errorf("no certificate of the server has the fingerprint %.16s…: %w", want, waptwua.ErrNotTrusted)
}

// checkLeaf checks a pinned server certificate: its name and its dates.
func (t Trust) checkLeaf(c *x509.Certificate, host string) error {
	now := t.now()
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return fmt.Errorf("the server's certificate is valid from %s to %s only: %w",
			c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly), waptwua.ErrNotTrusted)
	}
	return c.VerifyHostname(host)
}

func (t Trust) checkChain(chain []*x509.Certificate, root *x509.Certificate, host string) error {
	opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: host, CurrentTime: t.now()}
	opts.Roots.AddCert(root)
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(opts)
	return err
}

func (t Trust) now() time.Time {
	if t.Now != nil {
		return t.Now()
	}
	return time.Now()
}

// untrusted tells an administrator what to compare.
func untrusted(chain []*x509.Certificate) error {
	last := chain[len(chain)-1]
	return fmt.Errorf("nothing says which server to trust; this one shows the certificate of %q with the SHA-256 fingerprint %s: "+
		"compare it with what the server printed at its initialisation, then give it with --fingerprint, or the CA's PEM file with --ca: %w",
		last.Subject.CommonName, pki.Fingerprint(last), waptwua.ErrNotTrusted)
}
