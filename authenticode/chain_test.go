package authenticode

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"waptwua"
)

// legacyKey is shared: what differs in these tests are the certificates.
var legacyKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// legacy is a chain of certificates signed with SHA-1, as before 2016.
type legacy struct{ root, middle, leaf *x509.Certificate }

// newLegacy makes a chain in which the certificate named name has been
// changed by change.
func newLegacy(t *testing.T, name string, change func(*x509.Certificate)) legacy {
	t.Helper()
	key, err := legacyKey()
	if err != nil {
		t.Fatal(err)
	}
	make := func(cn string, ca bool, parent *x509.Certificate, usage x509.ExtKeyUsage) *x509.Certificate {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(len(cn))), Subject: pkix.Name{CommonName: cn},
			NotBefore: now.Add(-day), NotAfter: now.Add(day), SignatureAlgorithm: x509.SHA1WithRSA,
			BasicConstraintsValid: true, IsCA: ca, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		}
		if ca {
			c.KeyUsage = x509.KeyUsageCertSign
		}
		if cn == name {
			change(c)
		}
		if parent == nil {
			parent = c
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), crypto.Signer(key))
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		return c
	}
	var l legacy
	l.root = make("root", true, nil, x509.ExtKeyUsageAny)
	l.middle = make("middle", true, l.root, x509.ExtKeyUsageCodeSigning)
	l.leaf = make("leaf", false, l.middle, x509.ExtKeyUsageCodeSigning)
	return l
}

func (l legacy) build(o Options, at time.Time) (Chain, *Result, error) {
	o.Limits = o.Limits.withDefaults()
	v := verification{Options: o, res: new(Result)}
	v.Roots = []*x509.Certificate{l.root}
	c, err := v.buildChain(l.leaf, []*x509.Certificate{l.middle}, at, x509.ExtKeyUsageCodeSigning)
	return c, v.res, err
}

func TestLegacyChain(t *testing.T) {
	for _, tc := range []struct {
		name, of string
		change   func(*x509.Certificate)
		ok       bool
	}{
		{"as it should be", "", nil, true},
		{"leaf expired", "leaf", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) }, false},
		{"issuer expired", "middle", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) }, false},
		{"root expired", "root", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) }, false},
		{"issuer is no CA", "middle", func(c *x509.Certificate) { c.IsCA = false }, false},
		{"issuer may not issue", "middle", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }, false},
		{"issuer is for another purpose", "middle", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping} }, false},
		{"leaf is for another purpose", "leaf", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping} }, false},
		{"leaf states no purpose", "leaf", func(c *x509.Certificate) { c.ExtKeyUsage = nil }, false},
		{"path too long", "root", func(c *x509.Certificate) { c.MaxPathLenZero = true }, false},
		{"path just long enough", "middle", func(c *x509.Certificate) { c.MaxPathLenZero = true }, true},
		{"name constraints", "middle", func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.com"}
		}, false},
		{"unknown critical extension", "leaf", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			chain, res, err := newLegacy(t, tc.of, tc.change).build(Options{AllowSHA1: true}, now)
			if (err == nil) != tc.ok || chain.Anchored != tc.ok || err != nil && !errors.Is(err, waptwua.ErrNotTrusted) {
				t.Errorf("chain %+v, error %v; want success %v", chain, err, tc.ok)
			}
			if tc.ok && !res.SHA1 {
				t.Error("the result does not tell that SHA-1 was needed")
			}
		})
	}
}

func TestLegacyChainNeedsPermission(t *testing.T) {
	if chain, _, err := newLegacy(t, "", nil).build(Options{}, now); !errors.Is(err, waptwua.ErrNotTrusted) || chain.Anchored {
		t.Errorf("SHA-1 without permission: %+v, %v", chain, err)
	}
}

func TestLegacyChainNeedsItsAnchor(t *testing.T) {
	l, other := newLegacy(t, "", nil), newLegacy(t, "root", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(99); c.Subject.CommonName = "other" })
	l.root = other.root
	chain, _, err := l.build(Options{AllowSHA1: true}, now)
	if !errors.Is(err, errNoAnchor) || len(chain.Certificates) != 2 || chain.Needs == "" {
		t.Errorf("chain %+v, error %v", chain, err)
	}
}

// Under Microsoft's anchors only Microsoft counts: its roots also stand over
// certificates of hardware makers and of the store's publishers.
func TestOrganisation(t *testing.T) {
	anchor := &x509.Certificate{Raw: []byte("any"), Subject: pkix.Name{CommonName: "root of an operator"}}
	v := verification{res: &Result{Signer: &x509.Certificate{Subject: pkix.Name{CommonName: "somebody"}}}}
	v.res.Chain.Certificates = []*x509.Certificate{v.res.Signer, anchor}
	if err := v.checkOrganisation(); err != nil {
		t.Errorf("under an operator's own root: %v", err)
	}
	real := verifyReal(t)
	v.res.Chain.Certificates[1] = real.Chain.Certificates[1]
	if err := v.checkOrganisation(); !errors.Is(err, waptwua.ErrNotTrusted) {
		t.Errorf("somebody under an anchor of Microsoft: %v", err)
	}
	v.res.Signer.Subject.Organization = []string{"Microsoft Corporation"}
	if err := v.checkOrganisation(); err != nil {
		t.Error(err)
	}
}

func TestLifetimeSigningEndsWithTheCertificate(t *testing.T) {
	c := &x509.Certificate{UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidLifetimeSigning}}
	if !lifetimeSigning(c) || lifetimeSigning(new(x509.Certificate)) {
		t.Error("the usage lifetime signing is not told apart")
	}
}

func TestPinnedRootsRefuseStrangers(t *testing.T) {
	a := authority(t, publisher)
	if _, err := PinnedRoots([]*x509.Certificate{a.Root}); !errors.Is(err, waptwua.ErrNotTrusted) {
		t.Errorf("a test root passed for Microsoft's: %v", err)
	}
	known := verifyReal(t).Chain.Certificates[1:]
	if got, err := PinnedRoots(known); err != nil || !slices.Equal(got, known) {
		t.Errorf("PinnedRoots = %v, %v", got, err)
	}
}

func TestLimitsOnCertificates(t *testing.T) {
	root, limits := authority(t, publisher).Root, Limits{}.withDefaults()
	if err := limits.checkCertificates(slices.Repeat([]*x509.Certificate{root}, limits.Certificates+1)); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("many certificates: %v", err)
	}
	huge := &x509.Certificate{PublicKey: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), uint(limits.KeyBits)), E: 65537}}
	if err := limits.checkCertificates([]*x509.Certificate{huge}); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("huge key: %v", err)
	}
	if err := limits.checkCertificates([]*x509.Certificate{root}); err != nil {
		t.Error(err)
	}
}
