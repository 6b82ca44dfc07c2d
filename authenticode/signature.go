package authenticode

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"unicode/utf16"

	_ "crypto/sha1"   // made available; taken only with AllowSHA1
	_ "crypto/sha256" // the digest of today
	_ "crypto/sha512" // SHA-384 and SHA-512

	"github.com/smallstep/pkcs7"

	"waptwua"
)

// Object identifiers of Authenticode.
var (
	oidIndirectData = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 4}
	oidCabData      = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 25}
	oidOpusInfo     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 12}
)

// indirectData is SpcIndirectDataContent: the digest of a file, and of what
// kind the file is.
type indirectData struct {
	Data struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue `asn1:"optional"`
	}
	MessageDigest struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
}

// signature is the parsed signature of a cabinet, with one signer.
type signature struct {
	p7      *pkcs7.PKCS7
	signer  *x509.Certificate
	hash    crypto.Hash
	claimed []byte
	limits  Limits
}

// parseSignature reads PKCS #7 that checkDER has seen. All that it demands
// is syntax and form; nothing is verified.
func parseSignature(der []byte, l Limits) (*signature, error) {
	s := &signature{limits: l}
	var err error
	if s.p7, s.signer, err = parseSigned(der, oidIndirectData, l); err != nil {
		return nil, err
	}
	var content indirectData
	if err := unmarshalAll(sequence(s.p7.Content), &content); err != nil {
		return nil, malformed("signed content", err)
	}
	if !content.Data.Type.Equal(oidCabData) {
		return nil, malformed("signed content", fmt.Errorf("it is for a file of type %v, not for a cabinet", content.Data.Type))
	}
	if s.hash, err = hashOf(content.MessageDigest.Algorithm); err != nil {
		return nil, malformed("signed content", err)
	}
	if outer, err := hashOf(s.p7.Signers[0].DigestAlgorithm); err != nil || outer != s.hash {
		return nil, malformed("digest algorithm", fmt.Errorf("%v inside, %v outside (%v)", s.hash, outer, err))
	}
	if s.claimed = content.MessageDigest.Digest; len(s.claimed) != s.hash.Size() {
		return nil, malformed("signed content", fmt.Errorf("digest of %d bytes", len(s.claimed)))
	}
	return s, nil
}

// parseSigned reads SignedData with exactly one signer, whose signed
// attributes say that the content is of the given type, and its certificate.
func parseSigned(der []byte, contentType asn1.ObjectIdentifier, l Limits) (*pkcs7.PKCS7, *x509.Certificate, error) {
	plain, err := plainCertificates(der)
	if err != nil {
		return nil, nil, malformed("PKCS #7", err)
	}
	p7, err := pkcs7.Parse(plain)
	if err != nil {
		return nil, nil, malformed("PKCS #7", err)
	}
	if len(p7.Signers) != 1 {
		return nil, nil, malformed("PKCS #7", fmt.Errorf("%d signers; exactly one is expected", len(p7.Signers)))
	}
	if err := l.checkCertificates(p7.Certificates); err != nil {
		return nil, nil, err
	}
	for _, oid := range []asn1.ObjectIdentifier{pkcs7.OIDAttributeContentType, pkcs7.OIDAttributeMessageDigest} {
		if n := signedAttributes(p7, oid); n != 1 {
			return nil, nil, malformed("signed attributes", fmt.Errorf("%d of type %v; exactly one is expected", n, oid))
		}
	}
	var got asn1.ObjectIdentifier
	if err := p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &got); err != nil || !got.Equal(contentType) {
		return nil, nil, malformed("content type", fmt.Errorf("%v where %v is expected (%v)", got, contentType, err))
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return nil, nil, malformed("PKCS #7", errors.New("the signer's certificate is not in it"))
	}
	return p7, signer, nil
}

// signedAttributes counts the signer's attributes of one type.
func signedAttributes(p7 *pkcs7.PKCS7, oid asn1.ObjectIdentifier) (n int) {
	for _, a := range p7.Signers[0].AuthenticatedAttributes {
		if a.Type.Equal(oid) {
			n++
		}
	}
	return n
}

// checkCertificates bounds what a hostile signature can make a check cost:
// the time to use an RSA key rises with the square of its size.
func (l Limits) checkCertificates(certs []*x509.Certificate) error {
	if len(certs) > l.Certificates {
		return fmt.Errorf("%d certificates, at most %d: %w", len(certs), l.Certificates, waptwua.ErrLimit)
	}
	for _, c := range certs {
		if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > l.KeyBits {
			return fmt.Errorf("the key of %.64q has %d bits, at most %d: %w", name(c), k.N.BitLen(), l.KeyBits, waptwua.ErrLimit)
		}
	}
	return nil
}

// result is what the signature claims, before anything is verified.
func (s *signature) result() *Result {
	return &Result{Hash: s.hash, Claimed: s.claimed, Signer: s.signer, Program: s.program()}
}

// program returns the description in SpcSpOpusInfo, or "".
func (s *signature) program() string {
	var opus struct {
		Name asn1.RawValue `asn1:"optional,tag:0"` // explicit: holds the string with its own tag
		More asn1.RawValue `asn1:"optional,tag:1"`
	}
	var name asn1.RawValue
	if s.p7.UnmarshalSignedAttribute(oidOpusInfo, &opus) != nil || unmarshalAll(opus.Name.Bytes, &name) != nil {
		return ""
	}
	switch b := name.Bytes; name.Tag {
	case 0: // UTF-16, big-endian
		u := make([]uint16, len(b)/2)
		for i := range u {
			u[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
		}
		return string(utf16.Decode(u))
	case 1: // ASCII
		return string(bytes.ToValidUTF8(b, []byte("?")))
	}
	return ""
}

// hashOf maps the digest algorithms that are accepted at all.
func hashOf(a pkix.AlgorithmIdentifier) (crypto.Hash, error) {
	switch {
	case a.Algorithm.Equal(pkcs7.OIDDigestAlgorithmSHA1):
		return crypto.SHA1, nil
	case a.Algorithm.Equal(pkcs7.OIDDigestAlgorithmSHA256):
		return crypto.SHA256, nil
	case a.Algorithm.Equal(pkcs7.OIDDigestAlgorithmSHA384):
		return crypto.SHA384, nil
	case a.Algorithm.Equal(pkcs7.OIDDigestAlgorithmSHA512):
		return crypto.SHA512, nil
	}
	return 0, fmt.Errorf("digest algorithm %v is not supported", a.Algorithm)
}

// sequence gives content its SEQUENCE header back.
func sequence(content []byte) []byte {
	// A raw value of a fixed, valid tag always encodes.
	b, _ := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: content})
	return b
}

// unmarshalAll reads one value that must fill der.
func unmarshalAll(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	return err
}

func malformed(what string, err error) error {
	return fmt.Errorf("%s: %v: %w", what, err, waptwua.ErrNotTrusted)
}
