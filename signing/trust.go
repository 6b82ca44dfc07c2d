package signing

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"waptwua"
	"waptwua/internal/pki"
)

// Trust is the set of certificates whose signatures count: CA certificates,
// or those of signers themselves. The zero value trusts nobody. It does not
// change once made and is safe for concurrent use.
type Trust struct {
	anchors []*x509.Certificate
}

// NewTrust trusts certs.
func NewTrust(certs ...*x509.Certificate) *Trust {
	return &Trust{anchors: slices.Clone(certs)}
}

// LoadTrust trusts the certificates of a PEM text, at least one.
func LoadTrust(pemText []byte) (*Trust, error) {
	certs, err := pki.DecodeCertificates(pemText)
	if err != nil {
		return nil, fmt.Errorf("loading trusted certificates: %w", err)
	}
	return NewTrust(certs...), nil
}

// Certificates returns the trusted certificates.
func (t *Trust) Certificates() []*x509.Certificate { return slices.Clone(t.anchors) }

// Verified is a document that someone trusted has signed.
type Verified struct {
	Payload     []byte              // the document
	Certificate *x509.Certificate   // of the signer
	Chain       []*x509.Certificate // from the signer to the trusted certificate, both included
	SignerName  string              // common name of the signer's certificate
}

// Verify returns the document of env when its type is wantType and a
// trusted signer, whose certificates are valid at the time at, has signed
// it. Otherwise the error wraps waptwua.ErrNotTrusted (or ErrLimit).
func (t *Trust) Verify(env *Envelope, wantType string, at time.Time) (*Verified, error) {
	if err := env.check(); err != nil {
		return nil, fmt.Errorf("checking a signed document: %w", err)
	}
	if env.PayloadType != wantType {
		return nil, fmt.Errorf("document has type %q where %q is expected; it was made for another purpose: %w", env.PayloadType, wantType, waptwua.ErrNotTrusted)
	}
	if len(env.Signatures) == 0 {
		return nil, fmt.Errorf("document of type %s carries no signature; sign it with an administrator's key: %w", wantType, waptwua.ErrNotTrusted)
	}
	message := dsse.PAE(env.PayloadType, env.Payload)
	var reasons []error
	for i := range env.Signatures {
		chain, err := t.verifyOne(&env.Signatures[i], message, at)
		if err == nil {
			return &Verified{Payload: env.Payload, Certificate: chain[0], Chain: chain, SignerName: chain[0].Subject.CommonName}, nil
		}
		reasons = append(reasons, fmt.Errorf("signature %d: %w", i+1, err))
	}
	return nil, fmt.Errorf("document of type %s: %w: %w", wantType, waptwua.ErrNotTrusted, errors.Join(reasons...))
}

// verifyOne returns the chain of the signature's certificate. Trust comes
// first, so that an unknown key costs no signature check.
func (t *Trust) verifyOne(s *Signature, message []byte, at time.Time) ([]*x509.Certificate, error) {
	certs, err := pki.DecodeCertificates([]byte(s.Cert))
	if err != nil {
		return nil, err
	}
	leaf := certs[0]
	name := leaf.Subject.CommonName
	if len(certs) > MaxChain {
		return nil, fmt.Errorf("%d certificates come with the signature of %q, at most %d: %w", len(certs), name, MaxChain, waptwua.ErrLimit)
	}
	if fp := pki.Fingerprint(leaf); s.KeyID != fp {
		return nil, fmt.Errorf("keyid %.64q is not the fingerprint of the certificate of %q", s.KeyID, name)
	}
	chain, err := t.chain(certs, at)
	if err != nil {
		return nil, fmt.Errorf("certificate of %q (fingerprint %.16s…): %w", name, s.KeyID, err)
	}
	if err := checkSignature(leaf.PublicKey, message, s.Sig); err != nil {
		return nil, fmt.Errorf("by %q: %w; the document was altered, or signed as something else", name, err)
	}
	return chain, nil
}

// chain leads from certs[0] to a trusted certificate.
func (t *Trust) chain(certs []*x509.Certificate, at time.Time) ([]*x509.Certificate, error) {
	if err := checkUsage(certs[0]); err != nil {
		return nil, err
	}
	opts := x509.VerifyOptions{
		Roots:         pool(t.anchors),
		Intermediates: pool(certs[1:]),
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	chains, err := certs[0].Verify(opts)
	if err != nil {
		return nil, explain(err)
	}
	return chains[0], nil
}

// checkUsage demands that the certificate states to be for signing.
func checkUsage(c *x509.Certificate) error {
	if c.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return errors.New("it lacks the key usage digital signature; make one with wapt-get create-keycert")
	}
	if !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) {
		return errors.New("it is not meant for code signing; make one with wapt-get create-keycert")
	}
	return nil
}

// explain adds the next step to the commonest reasons of crypto/x509.
func explain(err error) error {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w; if this signer is to be trusted, install its certificate or its CA's on the hosts", err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w; renew the certificate and sign again", err)
	}
	return err
}

func pool(certs []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool() // never nil: nil would mean the system's roots
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}
