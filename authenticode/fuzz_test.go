package authenticode

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

// FuzzVerify holds that nothing verifies but the cabinet that was signed:
// what lies before the signature is equal to it byte for byte, save the
// size of the signature, which the file's own size fixes.
//
// The seeds are signed under a root that is kept beside them and whose key
// is gone, because the processes of a fuzzing run must agree on the root.
func FuzzVerify(f *testing.F) {
	good := seed(f, "rfc3161.cab")
	f.Add(good)
	f.Add(seed(f, "pkcs9.cab"))
	f.Add(good[:headerSize])
	f.Add([]byte("MZ"))
	block, _ := pem.Decode(seed(f, "root.pem"))
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		f.Fatal(err)
	}
	options := Options{Roots: []*x509.Certificate{root}, At: now}
	if _, err := Verify(bytes.NewReader(good), int64(len(good)), options); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, cab []byte) {
		r, err := Verify(bytes.NewReader(cab), int64(len(cab)), options)
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

// seed is a file that "go run ./internal/world/corpus" has written.
func seed(f *testing.F, name string) []byte {
	f.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.Fatal(err)
	}
	return b
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
	for _, name := range []string{"rfc3161.cab", "pkcs9.cab"} {
		cab := seed(f, name)
		f.Add(cab[end(cab):])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		der, err := Limits{}.withDefaults().trimPadding(b)
		if err != nil {
			return
		}
		s, err := parseSignature(der, Limits{}.withDefaults())
		if err != nil {
			return
		}
		if len(s.claimed) != s.hash.Size() {
			t.Fatalf("%v digest of %d bytes", s.hash, len(s.claimed))
		}
		_, _ = s.timestamp()
	})
}
