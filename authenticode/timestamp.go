package authenticode

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/smallstep/pkcs7"
)

var (
	oidCounterSignature = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}
	oidRFC3161          = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 3, 3, 1}
	oidTSTInfo          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
)

// countersignature is a verified timestamp, with what its chain needs.
type countersignature struct {
	Timestamp
	pool   []*x509.Certificate
	hashes []crypto.Hash
}

// tstInfo is TSTInfo of RFC 3161 as far as it is read.
type tstInfo struct {
	Version        int
	Policy         asn1.ObjectIdentifier
	MessageImprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	SerialNumber *big.Int
	GenTime      time.Time `asn1:"generalized"`
	Accuracy     struct {
		Seconds int `asn1:"optional"`
		Millis  int `asn1:"optional,tag:0"`
		Micros  int `asn1:"optional,tag:1"`
	} `asn1:"optional"`
	Ordering   bool          `asn1:"optional"`
	Nonce      *big.Int      `asn1:"optional"`
	TSA        asn1.RawValue `asn1:"optional,explicit,tag:0"`
	Extensions asn1.RawValue `asn1:"optional,tag:1"`
}

// timestamp finds the countersignature and verifies that it signs the
// signature; nil when there is none. Whether its signer is to be believed
// is left to the chain.
func (s *signature) timestamp() (*countersignature, error) {
	var ts *countersignature
	for _, a := range s.p7.Signers[0].UnauthenticatedAttributes {
		var next *countersignature
		var err error
		switch {
		case a.Type.Equal(oidRFC3161):
			next, err = s.rfc3161(a.Value.Bytes)
		case a.Type.Equal(oidCounterSignature):
			next, err = s.pkcs9(a.Value.Bytes)
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		if ts != nil {
			return nil, errors.New("there are several; at most one is expected")
		}
		ts = next
	}
	return ts, nil
}

// rfc3161 verifies a token that holds the digest of the signature.
func (s *signature) rfc3161(der []byte) (*countersignature, error) {
	p7, signer, err := parseSigned(der, oidTSTInfo, s.limits)
	if err != nil {
		return nil, err
	}
	var info tstInfo
	if err := unmarshalAll(p7.Content, &info); err != nil {
		return nil, fmt.Errorf("content of the token: %w", err)
	}
	hash, err := hashOf(info.MessageImprint.Algorithm)
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(s.p7.Signers[0].EncryptedDigest)
	if !bytes.Equal(h.Sum(nil), info.MessageImprint.Digest) {
		return nil, errors.New("it was made for another signature")
	}
	ts := Timestamp{Kind: "RFC 3161", Time: info.GenTime.UTC(), Authority: signer}
	return s.countersigned(p7, ts, hash)
}

// pkcs9 verifies a bare SignerInfo over the signature, whose certificates
// are those of the signature and whose time is its signed attribute.
func (s *signature) pkcs9(der []byte) (*countersignature, error) {
	p7 := &pkcs7.PKCS7{
		Content:      s.p7.Signers[0].EncryptedDigest,
		Certificates: s.p7.Certificates,
		Signers:      oneZero(s.p7.Signers),
	}
	if err := unmarshalAll(der, &p7.Signers[0]); err != nil {
		return nil, fmt.Errorf("countersignature: %w", err)
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return nil, errors.New("the certificate of its signer is missing")
	}
	ts := Timestamp{Kind: "PKCS #9", Authority: signer}
	for _, a := range p7.Signers[0].AuthenticatedAttributes {
		if !a.Type.Equal(pkcs7.OIDAttributeSigningTime) {
			continue
		}
		if err := unmarshalAll(a.Value.Bytes, &ts.Time); err != nil {
			return nil, fmt.Errorf("signing time: %w", err)
		}
	}
	if n := signedAttributes(p7, pkcs7.OIDAttributeSigningTime); n != 1 {
		return nil, fmt.Errorf("%d signing times; exactly one is expected", n)
	}
	ts.Time = ts.Time.UTC()
	return s.countersigned(p7, ts)
}

// countersigned verifies p7 and joins what the chain may use.
func (s *signature) countersigned(p7 *pkcs7.PKCS7, ts Timestamp, hashes ...crypto.Hash) (*countersignature, error) {
	outer, err := hashOf(p7.Signers[0].DigestAlgorithm)
	if err != nil {
		return nil, err
	}
	if err := p7.Verify(); err != nil {
		return nil, fmt.Errorf("its signature does not fit: %w", err)
	}
	pool := append(p7.Certificates[:len(p7.Certificates):len(p7.Certificates)], s.p7.Certificates...)
	return &countersignature{Timestamp: ts, pool: pool, hashes: append(hashes, outer)}, nil
}

// oneZero makes a slice of one zero value, of a type that has no name here.
func oneZero[T any](_ []T) []T { return make([]T, 1) }
