package installer

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// codeSigner makes a test authority and a code-signing certificate with
// openssl, as an administrator would.
func codeSigner(t *testing.T) (s Signing, otherCA string) {
	t.Helper()
	needs(t, "openssl", "osslsigncode")
	dir := t.TempDir()
	script := `set -e
for ca in ca other; do openssl req -x509 -newkey rsa:2048 -nodes -keyout $ca.key -out $ca.pem -days 30 -subj "/CN=waptwua test $ca" 2>/dev/null; done
openssl req -newkey rsa:2048 -nodes -keyout code.key -out code.csr -subj "/CN=waptwua test publisher" 2>/dev/null
printf 'extendedKeyUsage=codeSigning\nkeyUsage=digitalSignature\n' > ext
openssl x509 -req -in code.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile ext -days 30 -out code.pem 2>/dev/null`
	c := exec.CommandContext(t.Context(), "sh", "-c", script)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("making a code-signing certificate: %v\n%s", err, out)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	return Signing{Certificates: at("code.pem"), Key: at("code.key"), CA: at("ca.pem")}, at("other.pem")
}

func TestSigned(t *testing.T) {
	needs(t, "wixl", "msibuild")
	s, otherCA := codeSigner(t)
	plan := Plan{Platform: AMD64, Program: tiny(t, "amd64", "1.4.2"), Version: "1.4.2", Settings: "[global]\n"}
	b, err := Build(t.Context(), plan, s, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Signed {
		t.Error("it is not called signed")
	}
	other := s
	other.CA = otherCA
	for _, f := range []string{b.Package, b.Program} {
		if err := s.verify(t.Context(), f); err != nil {
			t.Errorf("%s: %v", filepath.Ext(f), err)
		}
		if err := other.verify(t.Context(), f); err == nil {
			t.Errorf("%s: the signature leads to another CA, too", filepath.Ext(f))
		}
		flip(t, f)
		if err := s.verify(t.Context(), f); err == nil {
			t.Errorf("%s: still good with one bit flipped", filepath.Ext(f))
		}
	}
}

// TestWrongRootStopsTheBuild: a signature that does not verify is not handed out.
func TestWrongRootStopsTheBuild(t *testing.T) {
	s, otherCA := codeSigner(t)
	s.CA = otherCA
	out := t.TempDir()
	plan := Plan{Platform: AMD64, Program: tiny(t, "amd64", "1.4.2"), Version: "1.4.2"}
	if _, err := Build(t.Context(), plan, s, out, nil); err == nil {
		t.Error("built although the signature does not verify")
	}
	if left, err := os.ReadDir(out); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSignedProgramIsKept(t *testing.T) {
	s, _ := codeSigner(t)
	stamped, err := Stamp(tiny(t, "amd64", "1.4.2"), "1.4.2")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p.exe")
	if err := os.WriteFile(path, stamped, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.sign(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	signed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := Stamp(signed, "1.4.2")
	if err != nil || string(kept) != string(signed) {
		t.Errorf("a signed program with the right version: %v, changed %v", err, string(kept) != string(signed))
	}
	if _, err := Stamp(signed, "1.5.0"); err == nil {
		t.Error("a signed program was stamped: its signature is broken")
	}
}

func flip(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
