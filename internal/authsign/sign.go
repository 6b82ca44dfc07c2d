package authsign

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf16"

	"github.com/smallstep/pkcs7"
)

// Object identifiers of Authenticode.
var (
	oidIndirectData = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 4}
	oidCabData      = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 25}
	oidOpusInfo     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 12}
)

// File is a cabinet that is being signed.
type File interface {
	io.ReaderAt
	io.WriterAt
}

// Options vary what is signed.
type Options struct {
	Program     string   // what the signature calls the file
	Signer      Identity // zero: the authority's
	TSA         Identity // zero: the authority's
	NoTimestamp bool
	Countersign bool // timestamp in the old form (PKCS #9) instead of RFC 3161
	// Digest is signed instead of the file's own, for tests.
	Digest []byte
	// Type says what kind of file the digest is of, for tests; nil: a cabinet.
	Type asn1.ObjectIdentifier
}

// Sign signs the cabinet in f, which has a header reserve of 20 bytes, in
// place and returns the size of the file afterwards. What followed the
// cabinet, such as an older signature, is written over; the caller truncates
// the file to the size.
func (a *Authority) Sign(f File, o Options) (size int64, err error) {
	var h [60]byte
	if _, err := f.ReadAt(h[:], 0); err != nil {
		return 0, fmt.Errorf("signing: %w", err)
	}
	if string(h[:4]) != "MSCF" || h[30]&4 == 0 || binary.LittleEndian.Uint16(h[36:]) != 20 {
		return 0, errors.New("signing: not a cabinet with a header reserve of 20 bytes")
	}
	end := binary.LittleEndian.Uint32(h[8:])
	for i := range h[40:] {
		h[40+i] = 0
	}
	h[42] = 0x10
	binary.LittleEndian.PutUint32(h[44:], end)
	digest := o.Digest
	if digest == nil {
		if digest, err = fileDigest(h[:], f, int64(end)); err != nil {
			return 0, err
		}
	}
	sig, err := a.signature(digest, o)
	if err != nil {
		return 0, fmt.Errorf("signing: %w", err)
	}
	binary.LittleEndian.PutUint32(h[48:], uint32(len(sig)))
	if _, err := f.WriteAt(sig, int64(end)); err != nil {
		return 0, fmt.Errorf("signing: %w", err)
	}
	if _, err := f.WriteAt(h[:], 0); err != nil {
		return 0, fmt.Errorf("signing: %w", err)
	}
	return int64(end) + int64(len(sig)), nil
}

// fileDigest is the digest of a cabinet: all but bytes 4..7 and 34..55.
func fileDigest(header []byte, f io.ReaderAt, end int64) ([]byte, error) {
	d := sha256.New()
	d.Write(header[:4])
	d.Write(header[8:34])
	d.Write(header[56:])
	if _, err := io.Copy(d, io.NewSectionReader(f, int64(len(header)), end-int64(len(header)))); err != nil {
		return nil, fmt.Errorf("signing: reading the cabinet: %w", err)
	}
	return d.Sum(nil), nil
}

// signature is the PKCS #7 of a cabinet, filled up to a multiple of 8 bytes.
func (a *Authority) signature(digest []byte, o Options) ([]byte, error) {
	content, err := indirectData(digest, o.Type)
	if err != nil {
		return nil, err
	}
	opus, err := opusInfo(o.Program)
	if err != nil {
		return nil, err
	}
	signer := o.Signer
	if signer.Certificate == nil {
		signer = a.Signer
	}
	var inner asn1.RawValue // the digest of the content leaves out its header
	if _, err := asn1.Unmarshal(content, &inner); err != nil {
		return nil, err
	}
	sd, err := pkcs7.NewSignedData(inner.Bytes)
	if err != nil {
		return nil, err
	}
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	raw := sd.GetSignedData()
	raw.ContentInfo.ContentType = oidIndirectData
	raw.ContentInfo.Content = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: content}
	attributes := []pkcs7.Attribute{{Type: oidOpusInfo, Value: asn1.RawValue{FullBytes: opus}}}
	if err := addSigner(sd, signer, attributes, time.Time{}); err != nil {
		return nil, err
	}
	sd.AddCertificate(a.Root)
	if err := a.addTimestamp(sd, o); err != nil {
		return nil, err
	}
	der, err := sd.Finish()
	if err != nil {
		return nil, err
	}
	return append(der, make([]byte, (8-len(der)%8)%8)...), nil
}

// addSigner signs sd as id, with a signing time of at, or none when at is
// zero. The module's AddSigner always states the present time, which is not
// the authority's and which Microsoft's signatures do not have; so the
// attribute is changed and the signature made again.
func addSigner(sd *pkcs7.SignedData, id Identity, attributes []pkcs7.Attribute, at time.Time) error {
	if err := sd.AddSigner(id.Certificate, id.Key, pkcs7.SignerInfoConfig{ExtraSignedAttributes: attributes}); err != nil {
		return err
	}
	info := &sd.GetSignedData().SignerInfos[0]
	for i, a := range info.AuthenticatedAttributes {
		if !a.Type.Equal(pkcs7.OIDAttributeSigningTime) {
			continue
		}
		if at.IsZero() {
			info.AuthenticatedAttributes = slices.Delete(info.AuthenticatedAttributes, i, i+1)
			break
		}
		value, err := asn1.Marshal(at.UTC())
		if err != nil {
			return err
		}
		info.AuthenticatedAttributes[i].Value.Bytes = value
	}
	signed, err := asn1.MarshalWithParams(info.AuthenticatedAttributes, "set")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(signed)
	info.EncryptedDigest, err = id.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	return err
}

// algorithm is an AlgorithmIdentifier of SHA-256 with its NULL.
type algorithm struct {
	OID    asn1.ObjectIdentifier
	Params asn1.RawValue
}

func sha256Algorithm() algorithm {
	return algorithm{pkcs7.OIDDigestAlgorithmSHA256, asn1.NullRawValue}
}

// indirectData is SpcIndirectDataContent of a cabinet, or of another type of
// file. Its link says "<<<Obsolete>>>", as everywhere.
func indirectData(digest []byte, kind asn1.ObjectIdentifier) ([]byte, error) {
	if kind == nil {
		kind = oidCabData
	}
	name := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: bmp("<<<Obsolete>>>")}
	inner, err := asn1.Marshal(name)
	if err != nil {
		return nil, err
	}
	var c struct {
		Data struct {
			Type asn1.ObjectIdentifier
			Link asn1.RawValue
		}
		MessageDigest struct {
			Algorithm algorithm
			Digest    []byte
		}
	}
	c.Data.Type = kind
	c.Data.Link = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, IsCompound: true, Bytes: inner}
	c.MessageDigest.Algorithm = sha256Algorithm()
	c.MessageDigest.Digest = digest
	return asn1.Marshal(c)
}

// opusInfo is SpcSpOpusInfo with the program's name, if there is one.
func opusInfo(program string) ([]byte, error) {
	if program == "" {
		return asn1.Marshal(struct{}{})
	}
	inner, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: bmp(program)})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct{ Name asn1.RawValue }{asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner}})
}

// bmp is s in UTF-16, big-endian.
func bmp(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}
