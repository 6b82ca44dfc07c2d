package authenticode

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"waptwua"
)

const (
	minLegacyRSA  = 2048 // bits of keys in chains that need SHA-1
	microsoftName = "Microsoft Corporation"
)

var oidLifetimeSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 10, 3, 13}

// errNoAnchor says that a chain is right as far as it goes, but ends
// outside the anchors.
var errNoAnchor = fmt.Errorf("the chain leads to no anchor: %w", waptwua.ErrNotTrusted)

// buildChain leads from leaf through pool to an anchor, all valid at the
// time at. The result tells how far it got, also beside an error.
func (v *verification) buildChain(leaf *x509.Certificate, pool []*x509.Certificate, at time.Time, usage x509.ExtKeyUsage) (Chain, error) {
	if !slices.Contains(leaf.ExtKeyUsage, usage) {
		return Chain{Certificates: []*x509.Certificate{leaf}, Needs: "a certificate for this purpose"},
			fmt.Errorf("the certificate of %q is not meant for this purpose: %w", name(leaf), waptwua.ErrNotTrusted)
	}
	anchors := v.anchors(pool)
	certs, err := modernChain(leaf, pool, anchors, at, usage)
	if err != nil && v.AllowSHA1 {
		if legacy, lerr := legacyChain(leaf, pool, anchors, at, usage, v.Limits.Chain); lerr == nil {
			certs, err, v.res.SHA1 = legacy, nil, true
		} else if usesSHA1(leaf, pool) {
			err = lerr
		}
	}
	if err == nil && len(certs) > v.Limits.Chain {
		err = fmt.Errorf("chain of %d certificates, at most %d: %w", len(certs), v.Limits.Chain, waptwua.ErrLimit)
	}
	if err == nil {
		return Chain{Anchored: true, Certificates: certs, Anchor: name(certs[len(certs)-1])}, nil
	}
	return v.incomplete(leaf, pool, err)
}

// anchors are the operator's roots or else those certificates that came
// along and that Pins knows.
func (v *verification) anchors(pool []*x509.Certificate) []*x509.Certificate {
	if len(v.Roots) > 0 {
		return v.Roots
	}
	var known []*x509.Certificate
	for _, c := range pool {
		if _, ok := pinOf(c); ok {
			known = append(known, c)
		}
	}
	return known
}

func modernChain(leaf *x509.Certificate, pool, anchors []*x509.Certificate, at time.Time, usage x509.ExtKeyUsage) ([]*x509.Certificate, error) {
	roots, inter := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range anchors {
		roots.AddCert(c)
	}
	for _, c := range pool {
		inter.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: inter, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
	if err != nil {
		return nil, err
	}
	return chains[0], nil
}

// legacyChain does what crypto/x509 no longer does: it takes certificates
// signed with SHA-1. Stricter than the library elsewhere: the issuer that
// fits is the only one tried, name constraints and unknown critical
// extensions are refused, and keys are RSA with at least 2048 bits.
func legacyChain(leaf *x509.Certificate, pool, anchors []*x509.Certificate, at time.Time, usage x509.ExtKeyUsage, most int) ([]*x509.Certificate, error) {
	chain := []*x509.Certificate{leaf}
	for len(chain) <= most {
		c := chain[len(chain)-1]
		if err := legacyCertificate(c, len(chain)-1, at, usage); err != nil {
			return nil, err
		}
		if contains(anchors, c) {
			return chain, nil
		}
		issuer := issuerOf(c, anchors)
		if issuer == nil {
			issuer = issuerOf(c, pool)
		}
		if issuer == nil || contains(chain, issuer) {
			return nil, errNoAnchor
		}
		chain = append(chain, issuer)
	}
	return nil, fmt.Errorf("chain of more than %d certificates: %w", most, waptwua.ErrLimit)
}

// legacyCertificate checks one certificate with below certificates of the
// chain under it, of which all but the last are CAs.
func legacyCertificate(c *x509.Certificate, below int, at time.Time, usage x509.ExtKeyUsage) error {
	key, isRSA := c.PublicKey.(*rsa.PublicKey)
	ca := below > 0
	switch {
	case at.Before(c.NotBefore) || at.After(c.NotAfter):
		return x509.CertificateInvalidError{Cert: c, Reason: x509.Expired, Detail: fmt.Sprintf("valid from %s to %s, judged at %s",
			c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly), at.Format(time.DateOnly))}
	case !isRSA || key.N.BitLen() < minLegacyRSA:
		return fmt.Errorf("certificate of %q: key is not RSA with at least %d bits", name(c), minLegacyRSA)
	case len(c.UnhandledCriticalExtensions) > 0 || c.PermittedDNSDomainsCritical:
		return x509.UnhandledCriticalExtension{}
	case ca && (!c.BasicConstraintsValid || !c.IsCA || c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0):
		return x509.CertificateInvalidError{Cert: c, Reason: x509.NotAuthorizedToSign}
	case ca && (c.MaxPathLen > 0 || c.MaxPathLenZero) && below-1 > c.MaxPathLen:
		return x509.CertificateInvalidError{Cert: c, Reason: x509.TooManyIntermediates}
	case ca && len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 && !slices.Contains(c.ExtKeyUsage, usage) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny):
		return x509.CertificateInvalidError{Cert: c, Reason: x509.IncompatibleUsage}
	}
	return nil
}

// issuerOf returns the certificate of candidates whose key signed c.
func issuerOf(c *x509.Certificate, candidates []*x509.Certificate) *x509.Certificate {
	for _, p := range candidates {
		if bytes.Equal(p.RawSubject, c.RawIssuer) && p.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
			return p
		}
	}
	return nil
}

// incomplete explains why there is no chain and how far one leads.
func (v *verification) incomplete(leaf *x509.Certificate, pool []*x509.Certificate, err error) (Chain, error) {
	chain := Chain{Certificates: []*x509.Certificate{leaf}}
	top := leaf
	for len(chain.Certificates) < v.Limits.Chain {
		up := issuerOf(top, pool)
		if up == nil || contains(chain.Certificates, up) {
			break
		}
		chain.Certificates = append(chain.Certificates, up)
		top = up
	}
	chain.Needs = needs(top)
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return chain, fmt.Errorf("a certificate was not valid when the file was signed, or now if no timestamp tells when: %w: %w", err, waptwua.ErrNotTrusted)
	case errors.Is(err, errNoAnchor) || errors.As(err, new(x509.UnknownAuthorityError)) && !(usesSHA1(leaf, pool) && !v.AllowSHA1):
		return chain, fmt.Errorf("%w; it needs %s", errNoAnchor, chain.Needs)
	case usesSHA1(leaf, pool) && !v.AllowSHA1:
		return chain, fmt.Errorf("a certificate of the chain: %w: %w", ErrSHA1, waptwua.ErrNotTrusted)
	}
	return chain, fmt.Errorf("the chain of %q does not hold: %w: %w", name(leaf), err, waptwua.ErrNotTrusted)
}

// needs names the certificate above top that has to be given.
func needs(top *x509.Certificate) string {
	issuer := top.Issuer.CommonName
	if issuer == "" {
		issuer = top.Issuer.String()
	}
	for _, p := range Pins() {
		if p.Root && p.Name == issuer {
			return fmt.Sprintf("the certificate %q (SHA-256 %s), given as a PEM file", issuer, p.SHA256)
		}
	}
	return fmt.Sprintf("the certificate %q, given as a PEM file if it is to be trusted", issuer)
}

// checkOrganisation holds that under an anchor of Microsoft only
// Microsoft's own signature counts.
func (v *verification) checkOrganisation() error {
	certs := v.res.Chain.Certificates
	if _, ok := pinOf(certs[len(certs)-1]); !ok || slices.Equal(v.res.Signer.Subject.Organization, []string{microsoftName}) {
		return nil
	}
	return fmt.Errorf("signed by %q under a root of Microsoft, but not by %s itself: %w", name(v.res.Signer), microsoftName, waptwua.ErrNotTrusted)
}

func lifetimeSigning(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.UnknownExtKeyUsage, oidLifetimeSigning.Equal)
}

func usesSHA1(leaf *x509.Certificate, pool []*x509.Certificate) bool {
	return slices.ContainsFunc(append([]*x509.Certificate{leaf}, pool...), func(c *x509.Certificate) bool {
		return c.SignatureAlgorithm == x509.SHA1WithRSA || c.SignatureAlgorithm == x509.ECDSAWithSHA1
	})
}

func contains(certs []*x509.Certificate, c *x509.Certificate) bool {
	return slices.ContainsFunc(certs, c.Equal)
}

func name(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}
