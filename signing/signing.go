// Package signing makes and checks the signed documents that pass between
// administrators, servers and hosts.
//
// # Form
//
// A document travels in a DSSE envelope (Dead Simple Signing Envelope,
// github.com/secure-systems-lab/dsse), in JSON:
//
//	{
//	  "payloadType": "application/vnd.waptwua.rules+json",
//	  "payload": "<base64 of the document>",
//	  "signatures": [{"keyid": "<hex>", "sig": "<base64>", "cert": "<PEM>"}]
//	}
//
// What is signed is DSSE's pre-authentication encoding of type and payload,
// so a document of one type never passes for another. The member cert, which
// DSSE does not have, carries the signer's certificate, followed by those
// between it and the trusted one; keyid is the SHA-256 of the signer's
// certificate in hexadecimal and must agree with it. Base64 is read in both
// alphabets, standard and URL-safe, and written in the standard one. Members
// that are not listed here are ignored, as DSSE demands; they are never
// covered by a signature.
//
// # Algorithms
//
// The key decides, nothing is negotiated:
//
//	ECDSA P-256       SHA-256; the signature is r || s, 64 bytes, as WebCrypto
//	                  and JOSE (ES256) write it, not ASN.1
//	RSA, >= 3072 bit  RSASSA-PKCS1-v1_5 with SHA-256, as WebCrypto and
//	                  "openssl dgst -sha256 -sign" make it
//
// So a browser signs with its own means: SubtleCrypto.sign over the
// pre-authentication encoding gives exactly what belongs into sig.
//
// # Trust
//
// [Trust] is a set of certificates: CAs, or the signers themselves. A
// signature counts when its certificate leads to one of them at the time
// asked for, is meant for signing (key usage digital signature, extended key
// usage code signing, both stated) and fits. One such signature is enough;
// others, by keys unknown here, are passed over. Everything else gives an
// error that wraps waptwua.ErrNotTrusted and says what, why and what to do.
//
// An envelope does not expire by itself and can be shown twice: documents
// carry their own version, time or nonce, and the receiver compares.
// Revocation is done by taking a certificate out of the trust.
//
// # Limits
//
// [MaxEnvelope], [MaxPayload], [MaxSignatures] and [MaxChain]; what exceeds
// them wraps waptwua.ErrLimit.
package signing

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"waptwua"
)

// Types of the documents of this project. They end in +json: the payload is
// a JSON text, signed byte for byte as it is, so it needs no canonical form.
const (
	// TypeRules is a RulesStatement, signed by an administrator.
	TypeRules = "application/vnd.waptwua.rules+json"
	// TypeAction is an order to named hosts, signed by an administrator.
	TypeAction = "application/vnd.waptwua.action+json"
	// TypeFiles lists the files of one update, signed by the server.
	TypeFiles = "application/vnd.waptwua.files+json"
	// TypeRepository lists the files of a repository, signed by the server.
	TypeRepository = "application/vnd.waptwua.repository+json"
)

// Limits on an envelope that comes from outside.
const (
	MaxPayload    = 32 << 20 // bytes of the document
	MaxEnvelope   = 48 << 20 // bytes of the JSON text
	MaxSignatures = 8        // signatures of one envelope
	MaxChain      = 4        // certificates that come with one signature
	maxType       = 256      // bytes of a payload type
	maxCert       = 64 << 10 // bytes of the PEM text of one signature
)

// Envelope is a document with its signatures. Its payload is not to be
// believed before [Trust.Verify] has returned it.
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     Base64      `json:"payload"`
	Signatures  []Signature `json:"signatures"`
}

// Signature is one signer's mark on an envelope.
type Signature struct {
	KeyID string `json:"keyid"` // SHA-256 of the signer's certificate, lower-case hexadecimal
	Sig   Base64 `json:"sig"`   // see the package comment for its form
	Cert  string `json:"cert"`  // PEM, the signer's certificate first
}

// Base64 is binary content that JSON shows in base64.
type Base64 []byte

// MarshalText writes the standard alphabet with padding.
func (b Base64) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText reads the standard or the URL-safe alphabet, with padding.
func (b *Base64) UnmarshalText(text []byte) error {
	enc := base64.StdEncoding
	if bytes.ContainsAny(text, "-_") {
		enc = base64.URLEncoding
	}
	v, err := enc.Strict().AppendDecode(nil, text)
	if err != nil {
		return err
	}
	*b = v
	return nil
}

// Encode writes the envelope as JSON.
func (e *Envelope) Encode() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding a signed document: %w", err)
	}
	return b, nil
}

// Decode reads one envelope and nothing after it. The result is within the
// limits; whether it is to be trusted, Trust.Verify tells.
func Decode(text []byte) (*Envelope, error) {
	if len(text) > MaxEnvelope {
		return nil, fmt.Errorf("reading a signed document: more than %d bytes: %w", MaxEnvelope, waptwua.ErrLimit)
	}
	var e Envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("reading a signed document: %w", err)
	}
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("reading a signed document: %w", err)
	}
	return &e, nil
}

// Read reads one envelope from r, at most MaxEnvelope bytes of it.
func Read(r io.Reader) (*Envelope, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxEnvelope+1))
	if err != nil {
		return nil, fmt.Errorf("reading a signed document: %w", err)
	}
	return Decode(text)
}

// check enforces the limits and that nothing is missing.
func (e *Envelope) check() error {
	switch {
	case e.PayloadType == "":
		return errors.New(`not an envelope: "payloadType" is missing`)
	case len(e.PayloadType) > maxType:
		return fmt.Errorf("payload type of %d bytes, at most %d: %w", len(e.PayloadType), maxType, waptwua.ErrLimit)
	case len(e.Payload) > MaxPayload:
		return fmt.Errorf("payload of %d bytes, at most %d: %w", len(e.Payload), MaxPayload, waptwua.ErrLimit)
	case len(e.Signatures) > MaxSignatures:
		return fmt.Errorf("%d signatures, at most %d: %w", len(e.Signatures), MaxSignatures, waptwua.ErrLimit)
	}
	for i, s := range e.Signatures {
		if len(s.Cert) > maxCert || len(s.Sig) > maxCert || len(s.KeyID) > maxType {
			return fmt.Errorf("signature %d is too large: %w", i+1, waptwua.ErrLimit)
		}
	}
	return nil
}
