package authenticode

import (
	"errors"
	"os"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/fixture"
)

// TestRealArchive checks Microsoft's archive of 2011 under the pinned
// certificates, without a network and years after its certificates ended.
func TestRealArchive(t *testing.T) {
	f, err := os.Open(fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	r, err := Verify(f, fi.Size(), Options{AllowSHA1: true, At: now})
	if err != nil {
		t.Fatal(err)
	}
	if r.Signer.Subject.CommonName != "Microsoft Corporation" || r.Program != "Microsoft Windows" || !r.SHA1 || !r.DigestOK || !r.Chain.Anchored {
		t.Errorf("verified as %+v", r)
	}
	if want := time.Date(2011, 3, 25, 3, 27, 42, 0, time.UTC); !r.SignedAt().Equal(want) || r.Timestamp.Kind != "PKCS #9" {
		t.Errorf("timestamp %+v, want %v", r.Timestamp, want)
	}
	if _, err := Verify(f, fi.Size(), Options{At: now}); !errors.Is(err, waptwua.ErrNotTrusted) {
		t.Errorf("without --allow-sha1: %v", err)
	}
}
