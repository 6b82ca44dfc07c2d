package authenticode

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/authsign"
)

func TestVerify(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    authsign.Options
		kind string // of the timestamp
	}{
		{"RFC 3161 timestamp", authsign.Options{Program: "scan archive"}, "RFC 3161"},
		{"PKCS #9 countersignature", authsign.Options{Program: "scan archive", Countersign: true}, "PKCS #9"},
		{"no timestamp", authsign.Options{Program: "scan archive", NoTimestamp: true}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := check(t, signed(t, tc.o), now.Add(day))
			if err != nil {
				t.Fatal(err)
			}
			if !r.DigestOK || !r.SignatureOK || r.SHA1 || r.Hash != crypto.SHA256 || r.Program != "scan archive" {
				t.Errorf("verified as %+v", r)
			}
			if !r.Chain.Anchored || r.Chain.Anchor != "waptwua test root" || len(r.Chain.Certificates) != 2 {
				t.Errorf("chain %+v", r.Chain)
			}
			assertTimestamp(t, r, tc.kind)
		})
	}
}

func assertTimestamp(t *testing.T, r *Result, kind string) {
	t.Helper()
	if kind == "" {
		if r.Timestamp != nil || !r.SignedAt().IsZero() {
			t.Errorf("timestamp %+v where none was made", r.Timestamp)
		}
		return
	}
	if r.Timestamp == nil || r.Timestamp.Kind != kind || !r.SignedAt().Equal(now) {
		t.Errorf("timestamp %+v, want %s at %v", r.Timestamp, kind, now)
	}
}

func TestVerifyNeedsATime(t *testing.T) {
	if _, err := check(t, signed(t, authsign.Options{}), time.Time{}); err == nil {
		t.Error("verified at no time")
	}
}

// Each bit of the header is signed, or has the only value it may have.
func TestEveryBitOfTheHeaderCounts(t *testing.T) {
	good := signed(t, authsign.Options{})
	for bit := range 8 * headerSize {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := check(t, bad, now); err == nil {
			t.Errorf("header with bit %d of byte %d flipped was accepted", bit%8, bit/8)
		}
	}
}

func TestAlteredContentIsADigestError(t *testing.T) {
	good := signed(t, authsign.Options{})
	for at := headerSize; at < end(good); at++ {
		bad := bytes.Clone(good)
		bad[at] ^= 0x80
		r, err := check(t, bad, now)
		if !errors.Is(err, waptwua.ErrDigest) || r == nil || r.DigestOK {
			t.Fatalf("byte %d altered: error %v, result %+v", at, err, r)
		}
	}
}

func TestFramingOfTheSignature(t *testing.T) {
	put := func(off int, delta int64) func([]byte) []byte {
		return func(b []byte) []byte {
			v := binary.LittleEndian.Uint32(b[off:])
			binary.LittleEndian.PutUint32(b[off:], uint32(int64(v)+delta))
			return b
		}
	}
	grow := func(tail ...byte) func([]byte) []byte { // within the stated size
		return func(b []byte) []byte { return append(put(offSigSize, int64(len(tail)))(b), tail...) }
	}
	for _, tc := range []struct {
		name  string
		alter func([]byte) []byte
		want  error
		text  string
	}{
		{"data after the signature", func(b []byte) []byte { return append(b, 0) }, waptwua.ErrNotTrusted, "1 bytes follow"},
		{"data after the signature, counted in", grow(1, 2, 3, 4, 5, 6, 7, 8), waptwua.ErrNotTrusted, "follow its end"},
		{"too much padding", grow(make([]byte, 16)...), waptwua.ErrNotTrusted, "follow its end"},
		{"cut off", func(b []byte) []byte { return b[:len(b)-9] }, waptwua.ErrDigest, "cut off"},
		{"offset before the end", put(offSigOffset, -8), waptwua.ErrNotTrusted, "said to begin"},
		{"offset behind the end", put(offSigOffset, 8), waptwua.ErrNotTrusted, "said to begin"},
		{"both offsets moved", func(b []byte) []byte { return put(offCbCabinet, -8)(put(offSigOffset, -8)(put(offSigSize, 8)(b))) }, waptwua.ErrNotTrusted, "DER"},
		{"size too large", put(offSigSize, 1<<20), waptwua.ErrLimit, "the signature at offset"},
		{"size zero", func(b []byte) []byte { clear(b[offSigSize : offSigSize+4]); return b }, ErrUnsigned, "no signature"},
		{"size one less", func(b []byte) []byte { return put(offSigSize, -8)(b)[:len(b)-8] }, waptwua.ErrNotTrusted, "DER"},
		{"header alone", func(b []byte) []byte { return b[:headerSize] }, waptwua.ErrDigest, "cut off"},
		{"half a header", func(b []byte) []byte { return b[:30] }, waptwua.ErrNotTrusted, "30 bytes"},
		{"larger folder reserve", func(b []byte) []byte { b[offCbFolder] = 4; return b }, waptwua.ErrNotTrusted, "reserves"},
		{"larger header reserve", put(offCbHeader, 40), waptwua.ErrNotTrusted, "reserves"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := check(t, tc.alter(signed(t, authsign.Options{})), now)
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error %v; want one with %q that wraps %q", err, tc.text, tc.want)
			}
		})
	}
}

func TestOtherFilesNamedCab(t *testing.T) {
	for kind, magic := range map[string]string{
		"EXE":   "MZ\x90\x00",
		"MSI":   "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
		"ZIP":   "PK\x03\x04",
		"WIM":   "MSWIM\x00\x00\x00",
		"text":  "<html>",
		"other": "other",
	} {
		t.Run(kind, func(t *testing.T) {
			file := append([]byte(magic), make([]byte, 4096)...)
			_, err := check(t, file, now)
			if !errors.Is(err, waptwua.ErrNotTrusted) || kind != "other" && !strings.Contains(err.Error(), kind) {
				t.Errorf("error %v; want ErrNotTrusted that names %s", err, kind)
			}
			if _, err := check(t, file[:len(magic)], now); !errors.Is(err, waptwua.ErrNotTrusted) {
				t.Errorf("a file of %d bytes: %v", len(magic), err)
			}
		})
	}
}

func TestSignaturesThatDoNotCount(t *testing.T) {
	other := signedBy(t, authority(t, publisher), unsigned(t, "another archive, longer than the first"), authsign.Options{})
	for _, tc := range []struct {
		name string
		cab  func(t *testing.T) []byte
		want error
		text string
	}{
		{"wrong digest", func(t *testing.T) []byte { return signed(t, authsign.Options{Digest: make([]byte, 32)}) }, waptwua.ErrDigest, "altered"},
		{"signature of another cabinet", func(t *testing.T) []byte { return graft(signed(t, authsign.Options{}), other) }, waptwua.ErrDigest, "altered"},
		{"foreign authority", func(t *testing.T) []byte {
			return signedBy(t, authority(t, stranger), unsigned(t, "x"), authsign.Options{})
		}, waptwua.ErrNotTrusted, "no anchor"},
		{"certificate of another purpose", func(t *testing.T) []byte {
			return signed(t, authsign.Options{Signer: issue(t, authsign.Certificate{Name: "web", Usage: x509.ExtKeyUsageServerAuth})})
		}, waptwua.ErrNotTrusted, "not meant for this purpose"},
		{"signature of a program, with the cabinet's digest", func(t *testing.T) []byte {
			return signed(t, authsign.Options{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 15}})
		}, waptwua.ErrNotTrusted, "not for a cabinet"},
		{"signature of an MSI, with the cabinet's digest", func(t *testing.T) []byte {
			return signed(t, authsign.Options{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 30}})
		}, waptwua.ErrNotTrusted, "not for a cabinet"},
		{"unsigned", func(t *testing.T) []byte { return unsigned(t, "x").b }, ErrUnsigned, "no signature"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := check(t, tc.cab(t), now); !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error %v; want one with %q that wraps %q", err, tc.text, tc.want)
			}
		})
	}
}

// No bit of the signed part of a signature can be flipped unseen; elsewhere
// in it (other certificates, padding) a flip changes nothing that counts.
func TestFlippedSignature(t *testing.T) {
	good := signed(t, authsign.Options{NoTimestamp: true})
	want, err := check(t, good, now)
	if err != nil {
		t.Fatal(err)
	}
	for at := end(good); at < len(good); at += 3 {
		bad := bytes.Clone(good)
		bad[at] ^= 0x04
		r, err := check(t, bad, now)
		if err == nil && (!bytes.Equal(r.Digest, want.Digest) || !r.Signer.Equal(want.Signer)) {
			t.Fatalf("byte %d of the signature altered: verified as %+v", at-end(good), r)
		}
	}
}

func TestExpiredSigner(t *testing.T) {
	short := issue(t, authsign.Certificate{Name: "short-lived", Usage: x509.ExtKeyUsageCodeSigning, NotAfter: now.Add(day)})
	foreign := authority(t, stranger).TSA
	later := now.Add(100 * day)
	for _, tc := range []struct {
		name string
		o    authsign.Options
		ok   bool
		text string
	}{
		{"with a timestamp", authsign.Options{Signer: short}, true, ""},
		{"with a countersignature", authsign.Options{Signer: short, Countersign: true}, true, ""},
		{"without a timestamp", authsign.Options{Signer: short, NoTimestamp: true}, false, "was not valid"},
		{"with a timestamp of strangers", authsign.Options{Signer: short, TSA: foreign}, false, "timestamp is not counted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := check(t, signed(t, tc.o), later)
			if (err == nil) != tc.ok || err != nil && !(errors.Is(err, waptwua.ErrNotTrusted) && strings.Contains(err.Error(), tc.text)) {
				t.Errorf("error %v, want success %v, %q", err, tc.ok, tc.text)
			}
			if !r.DigestOK || !r.SignatureOK {
				t.Errorf("the digest and the signature are right whatever the time: %+v", r)
			}
		})
	}
	if _, err := check(t, signed(t, authsign.Options{TSA: foreign}), now); err != nil {
		t.Errorf("a valid signer needs no timestamp, but: %v", err)
	}
}

func TestBrokenTimestampIsRefused(t *testing.T) {
	for name, o := range map[string]authsign.Options{"token": {}, "countersignature": {Countersign: true}} {
		t.Run(name, func(t *testing.T) {
			cab := signed(t, o)
			der, err := Limits{}.withDefaults().trimPadding(cab[end(cab):])
			if err != nil {
				t.Fatal(err)
			}
			s, err := parseSignature(der, Limits{}.withDefaults())
			if err != nil {
				t.Fatal(err)
			}
			// The authority's signature over other bytes: as if it were lent.
			s.p7.Signers[0].EncryptedDigest[5] ^= 1
			if _, err := s.timestamp(); err == nil {
				t.Error("a timestamp of another signature was taken")
			}
		})
	}
}

// graft puts the signature of donor onto cab.
func graft(cab, donor []byte) []byte {
	sig := donor[end(donor):]
	out := append(bytes.Clone(cab[:end(cab)]), sig...)
	binary.LittleEndian.PutUint32(out[offSigSize:], uint32(len(sig)))
	return out
}

func issue(t *testing.T, c authsign.Certificate) authsign.Identity {
	t.Helper()
	id, err := authority(t, publisher).Issue(c)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
