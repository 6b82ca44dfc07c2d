package authenticode

import (
	"bytes"
	"testing"

	"waptwua/internal/authsign"
)

// FuzzVerify holds that nothing verifies but the cabinet that was signed:
// what lies before the signature is equal to it byte for byte, save the
// size of the signature, which the file's own size fixes.
func FuzzVerify(f *testing.F) {
	good := signed(f, authsign.Options{})
	f.Add(good)
	f.Add(signed(f, authsign.Options{Countersign: true}))
	f.Add(good[:headerSize])
	f.Add([]byte("MZ"))
	f.Fuzz(func(t *testing.T, cab []byte) {
		r, err := check(t, cab, now)
		if err != nil {
			return
		}
		if !r.DigestOK || !r.SignatureOK || !r.Chain.Anchored {
			t.Fatalf("accepted with %+v", r)
		}
		if end(cab) != end(good) || !bytes.Equal(content(cab), content(good)) {
			t.Fatal("a cabinet verified that was never signed")
		}
	})
}

// content is what lies before the signature, without its size.
func content(cab []byte) []byte {
	c := bytes.Clone(cab[:end(cab)])
	clear(c[offSigSize : offSigSize+4])
	return c
}

// FuzzSignature drives the parsers of PKCS #7 directly: no panic, and no
// digest of a length that its algorithm does not have.
func FuzzSignature(f *testing.F) {
	cab := signed(f, authsign.Options{})
	f.Add(cab[end(cab):])
	cab = signed(f, authsign.Options{Countersign: true})
	f.Add(cab[end(cab):])
	f.Fuzz(func(t *testing.T, b []byte) {
		der, err := trimPadding(b)
		if err != nil {
			return
		}
		s, err := parseSignature(der)
		if err != nil {
			return
		}
		if len(s.claimed) != s.hash.Size() {
			t.Fatalf("%v digest of %d bytes", s.hash, len(s.claimed))
		}
		_, _ = s.timestamp()
	})
}
