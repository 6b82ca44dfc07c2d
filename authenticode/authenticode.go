// Package authenticode checks the Authenticode signature of cabinets: the
// scan archive, and updates that come as .cab or as a cabinet named .msu.
//
// # What is promised
//
// [Verify] returns without an error only when all of this holds:
//
//   - the file is one cabinet with a signature that ends where the file ends;
//     each byte is covered by the digest or has the only value it may have
//     (see [OpenCabinet]);
//   - the digest in the signed content is the digest of the file;
//   - one signer signed it, with a certificate for code signing that leads to
//     an anchor;
//   - that certificate was valid at the time of signing, when a trusted
//     timestamp tells it, or else is valid at Options.At.
//
// The anchors are the certificates of Options.Roots or, without any, those
// of Microsoft that this package knows by SHA-256 (see [Pins]): roots, and
// issuing certificates of Microsoft that a signature brings along. No system
// store is asked and nothing is fetched. Under an anchor of Microsoft the
// signer's organisation must be "Microsoft Corporation", because Microsoft's
// roots also stand over certificates of others.
//
// When it does not hold, the error wraps waptwua.ErrDigest, ErrNotTrusted or
// ErrLimit, and [Result] tells what was still found true: a digest can be
// right while the chain lacks its root, and then Chain.Needs names it.
//
// # Time
//
// A timestamp is a countersignature: RFC 3161 (1.3.6.1.4.1.311.3.3.1) or
// PKCS #9 (1.2.840.113549.1.9.6). One that does not verify refuses the
// file; one whose chain has no anchor counts as absent. Chains of signer and
// timestamp authority are judged at the stamped time, so that a signature
// outlives its certificates. A signer with the usage "lifetime signing"
// (1.3.6.1.4.1.311.10.3.13) gets no such grace.
//
// # SHA-1
//
// Until about 2019 Microsoft signed with SHA-1, for which collisions can be
// made. Options.AllowSHA1 takes such digests, signatures and certificates;
// Result.SHA1 says that it was needed.
//
// # Not supported
//
// Revocation lists; nested (second) signatures, which are ignored, only the
// first counts; catalogue files (.cat); signed EXE, MSI and WIM files (recent
// .msu files are WIM); cabinets of a set; encodings other than DER; RSA-PSS;
// the binding of a timestamp's certificate by ESSCertID.
//
// # Sources
//
// Microsoft, "Windows Authenticode Portable Executable Signature Format"
// (2008), for the signed content; RFC 2315, 3161 and 5652. The layout within
// a cabinet is not published: it was established on files of Microsoft and
// agrees with what osslsigncode reads and writes.
package authenticode

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"waptwua"
)

// Options says what to accept.
type Options struct {
	Roots     []*x509.Certificate // the anchors; none: Microsoft's, by Pins
	AllowSHA1 bool                // take SHA-1 too
	At        time.Time           // now; must be set
	Limits    Limits
}

// Result tells what was found, also beside an error.
type Result struct {
	Hash        crypto.Hash // of the file's digest
	Digest      []byte      // that the file has
	Claimed     []byte      // that the signature says it has
	DigestOK    bool        // they are equal
	SignatureOK bool        // the signer's key signed the claim

	Signer    *x509.Certificate
	Program   string     // what the signer called the file; may be empty
	Chain     Chain      // of the signer
	Timestamp *Timestamp // nil: none
	SHA1      bool       // SHA-1 had to be accepted somewhere
}

// Timestamp is the statement of a timestamp authority about when the
// signature existed. Its own signature has been checked.
type Timestamp struct {
	Time      time.Time
	Kind      string // "RFC 3161" or "PKCS #9"
	Authority *x509.Certificate
	Chain     Chain
}

// Chain tells where a certificate leads.
type Chain struct {
	Anchored     bool
	Certificates []*x509.Certificate // from the signer upwards; with the anchor if Anchored
	Anchor       string              // name of the anchor; "" if not Anchored
	Needs        string              // what is missing, as a sentence; "" if Anchored
}

// SignedAt is the time at which the signer's chain is judged by others: the
// timestamp's when it is trusted, else zero.
func (r *Result) SignedAt() time.Time {
	if r.Timestamp == nil || !r.Timestamp.Chain.Anchored {
		return time.Time{}
	}
	return r.Timestamp.Time
}

// Verify checks the signature of the cabinet in r, which has size bytes. It
// reads the file once, in pieces, and keeps only the signature (at most
// Limits.Bytes) in memory. The result is nil when there is no readable
// signature at all.
func Verify(r io.ReaderAt, size int64, o Options) (*Result, error) {
	if o.At.IsZero() {
		return nil, errors.New("checking a signature: Options.At is not set")
	}
	o.Limits = o.Limits.withDefaults()
	c, err := OpenCabinetLimits(r, size, o.Limits)
	if err != nil {
		return nil, err
	}
	s, err := parseSignature(c.Signature, o.Limits)
	if err != nil {
		return nil, fmt.Errorf("reading the signature of the cabinet: %w", err)
	}
	v := verification{Options: o, cabinet: c, sig: s, res: s.result()}
	if err := v.run(); err != nil {
		return v.res, fmt.Errorf("signature of the cabinet: %w", err)
	}
	return v.res, nil
}

// verification is one run of Verify.
type verification struct {
	Options
	cabinet *Cabinet
	sig     *signature
	res     *Result
}

func (v *verification) run() error {
	if err := v.allowed(v.sig.hash); err != nil {
		return err
	}
	if err := v.digest(); err != nil {
		return err
	}
	if err := v.sig.p7.Verify(); err != nil {
		return fmt.Errorf("the signer's key did not sign this content: %v: %w", err, waptwua.ErrNotTrusted)
	}
	v.res.SignatureOK = true
	if err := v.timestamp(); err != nil {
		return err
	}
	return v.chain()
}

func (v *verification) digest() error {
	sum, err := v.cabinet.Digest(v.sig.hash)
	if err != nil {
		return err
	}
	v.res.Digest = sum
	if string(sum) != string(v.sig.claimed) {
		return fmt.Errorf("the file has the %v digest %x but %x was signed; it was damaged or altered, fetch it again: %w",
			v.sig.hash, sum, v.sig.claimed, waptwua.ErrDigest)
	}
	v.res.DigestOK = true
	return nil
}

func (v *verification) timestamp() error {
	ts, err := v.sig.timestamp()
	if err != nil {
		return fmt.Errorf("timestamp: %v: %w", err, waptwua.ErrNotTrusted)
	}
	if ts == nil {
		return nil
	}
	if err := v.allowed(ts.hashes...); err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	chain, err := v.buildChain(ts.Authority, ts.pool, ts.Time, x509.ExtKeyUsageTimeStamping)
	ts.Chain = chain
	v.res.Timestamp = &ts.Timestamp
	if err != nil && !errors.Is(err, errNoAnchor) {
		return fmt.Errorf("timestamp: %w", err)
	}
	return nil
}

func (v *verification) chain() error {
	at := v.res.SignedAt()
	if at.IsZero() || lifetimeSigning(v.res.Signer) {
		at = v.At
	}
	chain, err := v.buildChain(v.res.Signer, v.sig.p7.Certificates, at, x509.ExtKeyUsageCodeSigning)
	v.res.Chain = chain
	if err != nil {
		return fmt.Errorf("%w%s", err, v.timestampHint())
	}
	return v.checkOrganisation()
}

// timestampHint explains an expired signer whose timestamp did not count.
func (v *verification) timestampHint() string {
	ts := v.res.Timestamp
	if ts == nil || ts.Chain.Anchored {
		return ""
	}
	return " (the timestamp is not counted: " + ts.Chain.Needs + ")"
}

// allowed refuses SHA-1 unless it was allowed, and notes that it was met.
func (v *verification) allowed(hashes ...crypto.Hash) error {
	for _, h := range hashes {
		if h != crypto.SHA1 {
			continue
		}
		if !v.AllowSHA1 {
			return fmt.Errorf("the signature: %w: %w", ErrSHA1, waptwua.ErrNotTrusted)
		}
		v.res.SHA1 = true
	}
	return nil
}
