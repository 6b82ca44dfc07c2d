package authenticode

import (
	"bytes"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/fixture"
)

// judged is when the real archive is looked at: years after its
// certificates ended.
var judged = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func verifyReal(t *testing.T) *Result {
	t.Helper()
	cab := fixture.Read(t, "offline-scan-2011/WSUSSCAN.cab")
	r, err := Verify(bytes.NewReader(cab), int64(len(cab)), Options{AllowSHA1: true, At: judged})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRealArchive checks Microsoft's archive of 2011 under the pinned
// certificates, without a network.
func TestRealArchive(t *testing.T) {
	r := verifyReal(t)
	if r.Signer.Subject.CommonName != "Microsoft Corporation" || r.Program != "Microsoft Windows" || !r.SHA1 || !r.DigestOK {
		t.Errorf("verified as %+v", r)
	}
	if !r.Chain.Anchored || r.Chain.Anchor != "Microsoft Code Signing PCA" {
		t.Errorf("chain %+v", r.Chain)
	}
	want := time.Date(2011, 3, 25, 3, 27, 42, 0, time.UTC)
	if !r.SignedAt().Equal(want) || r.Timestamp.Kind != "PKCS #9" || r.Timestamp.Chain.Anchor != "Microsoft Time-Stamp PCA" {
		t.Errorf("timestamp %+v, want %v", r.Timestamp, want)
	}
}

func TestRealArchiveRefused(t *testing.T) {
	cab := fixture.Read(t, "offline-scan-2011/WSUSSCAN.cab")
	altered := bytes.Clone(cab)
	altered[100_000] ^= 1
	foreign := []*x509.Certificate{authority(t, publisher).Root}
	for _, tc := range []struct {
		name string
		cab  []byte
		o    Options
		want error
		text string
	}{
		{"SHA-1 not allowed", cab, Options{At: judged}, ErrSHA1, "old files"},
		{"one bit altered", altered, Options{At: judged, AllowSHA1: true}, waptwua.ErrDigest, "fetch it again"},
		{"only another root trusted", cab, Options{At: judged, AllowSHA1: true, Roots: foreign}, waptwua.ErrNotTrusted, "885de64c340e3ea7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Verify(bytes.NewReader(tc.cab), int64(len(tc.cab)), tc.o)
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error %v; want one with %q that wraps %q", err, tc.text, tc.want)
			}
			if r == nil || r.Chain.Anchored {
				t.Errorf("result %+v", r)
			}
		})
	}
}
