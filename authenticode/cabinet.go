package authenticode

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"waptwua"
)

// Positions within the header of a signed cabinet, in bytes.
const (
	offReserved1  = 4  // u32, outside the digest
	offCbCabinet  = 8  // u32 size of the cabinet without the signature
	offFlags      = 30 // u16
	offICabinet   = 34 // u16, outside the digest like all up to signedTail
	offCbHeader   = 36 // u16 size of the header's reserve
	offCbFolder   = 38 // u8 size of each folder's reserve
	offCbData     = 39 // u8 size of each block's reserve
	offMark       = 40 // 00 00 10 00
	offSigOffset  = 44 // u32
	offSigSize    = 48 // u32
	offZero       = 52 // u32 0
	offSignedTail = 56 // from here the digest goes on
	headerSize    = 60
)

const (
	reserveSize        = 20
	flagPrevCabinet    = 1
	flagNextCabinet    = 2
	flagReservePresent = 4
	maxPadding         = 7 // zero bytes after the signature, up to a multiple of 8
)

// ErrUnsigned says that a cabinet carries no signature. It comes wrapped
// together with waptwua.ErrNotTrusted.
var ErrUnsigned = errors.New("no signature")

// ErrSHA1 says that something is made with SHA-1 and Options.AllowSHA1 is not
// set. It comes wrapped together with waptwua.ErrNotTrusted.
var ErrSHA1 = errors.New("SHA-1, which can be forged, is accepted only where that is allowed for old files")

// Cabinet is a cabinet that carries a signature, not yet checked.
type Cabinet struct {
	Signature []byte // PKCS #7, DER, without padding
	r         io.ReaderAt
	end       int64 // where the signature begins
}

// OpenCabinet finds the signature of a cabinet.
//
// The digest leaves out the bytes 4..7 and 34..55 of the header, among them
// the sizes of the reserves, by which a reader finds everything after the
// header. An altered size would let a reader see other content under the
// same digest. So each of these bytes must have the one value that a signed
// cabinet of its own (not of a set) has: 20 bytes of header reserve, none in
// folders and blocks, the mark 00 00 10 00, a signature that begins where the
// cabinet ends and ends where the file ends, zero elsewhere.
func OpenCabinet(r io.ReaderAt, size int64) (*Cabinet, error) {
	return OpenCabinetLimits(r, size, Limits{})
}

// OpenCabinetLimits is OpenCabinet with limits of the caller's.
func OpenCabinetLimits(r io.ReaderAt, size int64, l Limits) (*Cabinet, error) {
	var h [headerSize]byte
	if n, err := r.ReadAt(h[:], 0); err != nil && !(n == headerSize && errors.Is(err, io.EOF)) {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("file of %d bytes is not a signed cabinet%s: %w", size, nameKind(h[:n]), waptwua.ErrNotTrusted)
		}
		return nil, fmt.Errorf("reading the header of the cabinet: %w", err)
	}
	if err := checkHeader(h[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", err, waptwua.ErrNotTrusted)
	}
	return l.withDefaults().readSignature(r, size, h[:])
}

// checkHeader demands the header of a signed cabinet, as far as the digest
// does not fix it.
func checkHeader(h []byte) error {
	flags := le16(h[offFlags:])
	switch {
	case string(h[:4]) != "MSCF":
		return fmt.Errorf("the file is not a cabinet%s, whatever its name", nameKind(h))
	case flags&(flagPrevCabinet|flagNextCabinet) != 0 || le16(h[offICabinet:]) != 0:
		return errors.New("the cabinet is one of a set; its signature cannot be checked")
	case flags&flagReservePresent == 0 || le32(h[offSigSize:]) == 0:
		return fmt.Errorf("the cabinet has %w; get it from its publisher", ErrUnsigned)
	case le16(h[offCbHeader:]) != reserveSize || h[offCbFolder] != 0 || h[offCbData] != 0:
		return fmt.Errorf("the cabinet's header (offset %d) has reserves of %d, %d and %d bytes where a signed one has 20, 0 and 0",
			offCbHeader, le16(h[offCbHeader:]), h[offCbFolder], h[offCbData])
	case !bytes.Equal(h[offMark:offMark+4], []byte{0, 0, 0x10, 0}), le32(h[offZero:]) != 0, le32(h[offReserved1:]) != 0:
		return fmt.Errorf("the cabinet's header (offsets %d, %d, %d) has values that a signed one has not", offReserved1, offMark, offZero)
	}
	return nil
}

func (l Limits) readSignature(r io.ReaderAt, size int64, h []byte) (*Cabinet, error) {
	start, length := int64(le32(h[offSigOffset:])), int64(le32(h[offSigSize:]))
	switch {
	case start != int64(le32(h[offCbCabinet:])) || start < headerSize:
		return nil, fmt.Errorf("the signature is said to begin at %d but the cabinet ends at %d: %w", start, le32(h[offCbCabinet:]), waptwua.ErrNotTrusted)
	case length > l.Bytes:
		return nil, fmt.Errorf("the signature at offset %d has %d bytes, at most %d are read: %w", start, length, l.Bytes, waptwua.ErrLimit)
	case start+length > size:
		return nil, fmt.Errorf("the file ends at %d, before its signature does (%d); it is cut off, fetch it again: %w", size, start+length, waptwua.ErrDigest)
	case start+length < size:
		return nil, fmt.Errorf("%d bytes follow the signature: %w", size-start-length, waptwua.ErrNotTrusted)
	}
	sig := make([]byte, length)
	if _, err := io.ReadFull(io.NewSectionReader(r, start, length), sig); err != nil {
		return nil, fmt.Errorf("reading the signature at %d: %w", start, err)
	}
	sig, err := l.trimPadding(sig)
	if err != nil {
		return nil, fmt.Errorf("signature at %d: %w: %w", start, err, waptwua.ErrNotTrusted)
	}
	return &Cabinet{Signature: sig, r: r, end: start}, nil
}

// trimPadding returns the one DER value that sig holds, without the zeros
// that fill it up to a multiple of 8.
func (l Limits) trimPadding(sig []byte) ([]byte, error) {
	n, err := l.checkDER(sig)
	if err != nil {
		return nil, err
	}
	pad := sig[n:]
	if len(pad) > maxPadding || len(bytes.Trim(pad, "\x00")) > 0 {
		return nil, fmt.Errorf("%d bytes follow its end", len(pad))
	}
	return sig[:n], nil
}

// Digest computes the digest that a signature signs: all of the cabinet but
// the header's bytes 4..7 and 34..55.
func (c *Cabinet) Digest(hash crypto.Hash) ([]byte, error) {
	h := hash.New()
	for _, part := range [][2]int64{{0, offReserved1}, {offCbCabinet, offICabinet}, {offSignedTail, c.end}} {
		if _, err := io.Copy(h, io.NewSectionReader(c.r, part[0], part[1]-part[0])); err != nil {
			return nil, fmt.Errorf("computing the digest of the cabinet: %w", err)
		}
	}
	return h.Sum(nil), nil
}

// nameKind names what a file is that is not a cabinet, for the message.
func nameKind(h []byte) string {
	for magic, kind := range map[string]string{
		"MZ":                               " but a program (EXE or DLL)",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": " but an MSI or other compound file",
		"PK\x03\x04":                       " but a ZIP file",
		"MSWIM\x00\x00\x00":                " but a WIM image",
		"<":                                " but a text, perhaps a proxy's error page",
	} {
		if bytes.HasPrefix(h, []byte(magic)) {
			return kind
		}
	}
	return ""
}

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
