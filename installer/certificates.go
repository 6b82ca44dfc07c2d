package installer

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"waptwua"
	"waptwua/internal/pki"
)

// SigningCertificates reads the certificates of people whose signatures
// hosts shall believe, from the content of a PEM file called name. Each must
// be a CA, or meant for signing (digital signature and code signing), and
// valid at the time at. A file that also holds a private key is refused with
// waptwua.ErrForbidden: it would end up on every host.
func SigningCertificates(name string, text []byte, at time.Time) ([]*x509.Certificate, error) {
	certs, err := readCertificates(name, text)
	if err != nil {
		return nil, err
	}
	for _, c := range certs {
		if err := signer(c, at); err != nil {
			return nil, fmt.Errorf("%s: certificate of %q: %w", name, c.Subject.CommonName, err)
		}
	}
	return certs, nil
}

// CACertificates reads the certificates that hosts shall recognise the
// server by; the server's own certificate is refused: it is made anew every
// year.
func CACertificates(name string, text []byte) ([]*x509.Certificate, error) {
	certs, err := readCertificates(name, text)
	if err != nil {
		return nil, err
	}
	for _, c := range certs {
		if !c.IsCA {
			return nil, fmt.Errorf("%s: certificate of %q is not that of a CA; give the CA's, pki/ca.crt in the server's data directory", name, c.Subject.CommonName)
		}
	}
	return certs, nil
}

func readCertificates(name string, text []byte) ([]*x509.Certificate, error) {
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		if strings.HasSuffix(b.Type, "PRIVATE KEY") {
			return nil, fmt.Errorf("%s holds a private key; hosts get certificates only, give the file without the key: %w", name, waptwua.ErrForbidden)
		}
	}
	certs, err := pki.DecodeCertificates(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return certs, nil
}

func signer(c *x509.Certificate, at time.Time) error {
	if err := pki.CheckPublicKey(c.PublicKey); err != nil {
		return err
	}
	signs := c.KeyUsage&x509.KeyUsageDigitalSignature != 0 && slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageCodeSigning)
	switch {
	case at.After(c.NotAfter):
		return fmt.Errorf("it ended on %s", c.NotAfter.Format(time.DateOnly))
	case !c.IsCA && !signs:
		return errors.New("it is neither a CA's nor meant for signing (digital signature and code signing); make one with wapt-get create-keycert")
	}
	return nil
}
