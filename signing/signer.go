package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"waptwua"
	"waptwua/internal/pki"
)

// p1363Size is the length of an ECDSA P-256 signature as r || s.
const p1363Size = 64

// Signer signs documents with a key and carries its certificates.
type Signer struct {
	id    pki.Identity
	chain string // PEM
}

// NewSigner makes a signer of an identity, whose certificate must be one
// that receivers can accept.
func NewSigner(id pki.Identity) (*Signer, error) {
	leaf := id.Leaf()
	if err := checkUsage(leaf); err != nil {
		return nil, fmt.Errorf("certificate of %q cannot sign documents: %w", leaf.Subject.CommonName, err)
	}
	if len(id.Chain) > MaxChain {
		return nil, fmt.Errorf("chain of %d certificates, at most %d: %w", len(id.Chain), MaxChain, waptwua.ErrLimit)
	}
	return &Signer{id: id, chain: string(pki.EncodeCertificates(id.Chain...))}, nil
}

// LoadSigner makes a signer of PEM texts: the certificate (with those
// between it and the trusted one) and its private key. password is for an
// encrypted key; pki.ErrPassword says that it is missing or wrong.
func LoadSigner(certPEM, keyPEM, password []byte) (*Signer, error) {
	id, err := pki.Decode(certPEM, keyPEM, password)
	if err != nil {
		return nil, fmt.Errorf("loading a signer: %w", err)
	}
	return NewSigner(id)
}

// Certificate is the certificate that receivers will see.
func (s *Signer) Certificate() *x509.Certificate { return s.id.Leaf() }

// Sign puts payload into an envelope with one signature.
func Sign(payloadType string, payload []byte, s *Signer) (*Envelope, error) {
	e := &Envelope{PayloadType: payloadType, Payload: payload}
	if err := e.AddSignature(s); err != nil {
		return nil, err
	}
	return e, nil
}

// AddSignature adds the signature of s to an envelope.
func (e *Envelope) AddSignature(s *Signer) error {
	sig, err := s.sign(dsse.PAE(e.PayloadType, e.Payload))
	if err != nil {
		return fmt.Errorf("signing a document of type %s: %w", e.PayloadType, err)
	}
	e.Signatures = append(e.Signatures, Signature{KeyID: pki.Fingerprint(s.id.Leaf()), Sig: sig, Cert: s.chain})
	return e.check()
}

func (s *Signer) sign(message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	sig, err := s.id.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	if _, ok := s.id.Key.Public().(*ecdsa.PublicKey); ok {
		return toP1363(sig)
	}
	return sig, nil
}

// toP1363 turns the ASN.1 form that Go's keys give into r || s.
func toP1363(der []byte) ([]byte, error) {
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil, fmt.Errorf("encoding an ECDSA signature: %w", err)
	}
	out := make([]byte, p1363Size)
	v.R.FillBytes(out[:p1363Size/2])
	v.S.FillBytes(out[p1363Size/2:])
	return out, nil
}

var errSignature = errors.New("the signature does not fit the document")

// checkSignature verifies sig over message with the algorithm of pub.
func checkSignature(pub crypto.PublicKey, message, sig []byte) error {
	if err := pki.CheckPublicKey(pub); err != nil {
		return err
	}
	sum := sha256.Sum256(message)
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		if len(sig) != p1363Size {
			return fmt.Errorf("the ECDSA signature has %d bytes; want r and s of 32 bytes each, as WebCrypto makes them", len(sig))
		}
		r, s := new(big.Int).SetBytes(sig[:p1363Size/2]), new(big.Int).SetBytes(sig[p1363Size/2:])
		if !ecdsa.Verify(k, sum[:], r, s) {
			return errSignature
		}
	case *rsa.PublicKey:
		if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], sig) != nil {
			return errSignature
		}
	default:
		return fmt.Errorf("keys of type %T are not supported", pub)
	}
	return nil
}
