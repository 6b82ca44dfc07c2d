package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

const (
	year   = 365 * 24 * time.Hour
	hostID = "4c4c4544-0042-3510-8051-b4c04f4e3732"
)

func TestAdministratorSignsAndIssuesOnlyCodeSigning(t *testing.T) {
	admin := must(NewAdministrator("admin", ECDSAP256, 10*year, now))(t)
	a := authority(t, admin)
	key := must(GenerateKey(ECDSAP256))(t)
	signer := must(a.IssueSigner(key.Public(), "daily signer", year))(t)
	server := must(a.IssueServer(key.Public(), []string{"srv.example"}, year))(t)
	for _, tc := range []struct {
		name  string
		cert  *x509.Certificate
		usage x509.ExtKeyUsage
		ok    bool
	}{
		{"itself, code signing", admin.Leaf(), x509.ExtKeyUsageCodeSigning, true},
		{"issued, code signing", signer, x509.ExtKeyUsageCodeSigning, true},
		{"issued signer as a TLS server", signer, x509.ExtKeyUsageServerAuth, false},
		{"issued TLS server", server, x509.ExtKeyUsageServerAuth, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := verify(tc.cert, admin, tc.usage, now); (err == nil) != tc.ok {
				t.Errorf("verification: %v, want success %v", err, tc.ok)
			}
		})
	}
}

func TestServerAuthorityIssues(t *testing.T) {
	ca := must(NewServerAuthority("server CA", 20*year, now))(t)
	a := authority(t, ca)
	key := must(GenerateKey(""))(t)

	server := must(a.IssueServer(key.Public(), []string{"srv.example", "192.0.2.7", "::1"}, year))(t)
	for _, name := range []string{"srv.example", "192.0.2.7", "::1"} {
		if err := server.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if err := verify(server, ca, x509.ExtKeyUsageServerAuth, now); err != nil {
		t.Error(err)
	}

	host := must(a.IssueHost(must(NewHostRequest(hostID, key))(t), hostID, year))(t)
	if err := verify(host, ca, x509.ExtKeyUsageClientAuth, now); err != nil {
		t.Error(err)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageCodeSigning} {
		if verify(host, ca, usage, now) == nil {
			t.Errorf("a host's certificate has usage %v", usage)
		}
	}
	if host.IsCA || len(host.DNSNames) > 0 || host.Subject.String() != "CN="+hostID {
		t.Errorf("host certificate took over more than the key: %v", host.Subject)
	}
}

func TestCertificatesDoNotOutliveTheirIssuer(t *testing.T) {
	ca := must(NewServerAuthority("server CA", year, now))(t)
	key := must(GenerateKey(ECDSAP256))(t)
	signer := must(authority(t, ca).IssueSigner(key.Public(), "s", 5*year))(t)
	if !signer.NotAfter.Equal(ca.Leaf().NotAfter) {
		t.Errorf("valid until %v, its issuer until %v", signer.NotAfter, ca.Leaf().NotAfter)
	}
	late := must(NewAuthority(ca, func() time.Time { return now.Add(2 * year) }))(t)
	if _, err := late.IssueSigner(key.Public(), "s", year); err == nil {
		t.Error("an expired CA issued a certificate")
	}
}

func TestIssueHostRefuses(t *testing.T) {
	a := authority(t, must(NewServerAuthority("server CA", year, now))(t))
	key := must(GenerateKey(ECDSAP256))(t)
	good := must(NewHostRequest(hostID, key))(t)
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)-60] ^= 1 // in the signature, still base64
	weak := weakRequest(t, hostID)
	for _, tc := range []struct {
		name, host string
		request    []byte
	}{
		{"request of another host", "other-host", good},
		{"empty host", "", good},
		{"host with path characters", "../../etc", good},
		{"altered request", hostID, flipped},
		{"no PEM", hostID, []byte("hello")},
		{"weak key", hostID, weak},
		{"too long", hostID, append(good, make([]byte, maxRequest)...)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if c, err := a.IssueHost(tc.request, tc.host, year); err == nil {
				t.Errorf("issued a certificate for %v", c.Subject)
			}
		})
	}
}

func TestNewAuthorityRefusesALeaf(t *testing.T) {
	ca := must(NewServerAuthority("server CA", year, now))(t)
	key := must(GenerateKey(ECDSAP256))(t)
	leaf := must(authority(t, ca).IssueSigner(key.Public(), "leaf", year))(t)
	id := must(NewIdentity(key, leaf))(t)
	if _, err := NewAuthority(id, time.Now); err == nil {
		t.Error("a leaf became an authority")
	}
	if _, err := NewIdentity(key, ca.Leaf()); err == nil {
		t.Error("a key was joined with another key's certificate")
	}
}

func TestSaveAndLoad(t *testing.T) {
	for _, tc := range []struct {
		name     string
		kt       KeyType
		password string
	}{
		{"ecdsa plain", ECDSAP256, ""},
		{"ecdsa encrypted", ECDSAP256, "pässword"},
		{"rsa plain", RSA3072, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			cert, key := filepath.Join(dir, "a.crt"), filepath.Join(dir, "a.pem")
			id := must(NewAdministrator("admin", tc.kt, year, now))(t)
			if err := id.Save(cert, key, []byte(tc.password)); err != nil {
				t.Fatal(err)
			}
			back := must(Load(cert, key, []byte(tc.password)))(t)
			if Fingerprint(back.Leaf()) != Fingerprint(id.Leaf()) {
				t.Error("another certificate came back")
			}
			assertPrivate(t, key)
			if tc.password == "" {
				return
			}
			for _, wrong := range []string{"", "wrong"} {
				if _, err := Load(cert, key, []byte(wrong)); !errors.Is(err, ErrPassword) {
					t.Errorf("password %q: error %v, want ErrPassword", wrong, err)
				}
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	id := must(NewAdministrator("admin", ECDSAP256, year, now))(t)
	cert := EncodeCertificates(id.Chain...)
	key := must(EncodeKey(id.Key, nil))(t)
	for _, tc := range []struct {
		name      string
		cert, key []byte
		want      string
	}{
		{"no certificate", key, key, "no certificate"},
		{"no key", cert, cert, "no private key"},
		{"damaged certificate", []byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), key, "certificate 1"},
		{"huge", make([]byte, maxPEM+1), key, "at most"},
		{"old encryption", cert, []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"), "openssl pkcs8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Decode(tc.cert, tc.key, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
	if _, err := GenerateKey("dsa"); err == nil {
		t.Error("key type dsa was accepted")
	}
}

// weakRequest is a well-formed request with a key that is not accepted.
func weakRequest(t *testing.T, host string) []byte {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))(t)
	return must(NewHostRequest(host, key))(t)
}

func assertPrivate(t *testing.T, path string) {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("key file has permissions %v, want 0600", fi.Mode().Perm())
	}
}

func verify(c *x509.Certificate, root Identity, usage x509.ExtKeyUsage, at time.Time) error {
	pool := x509.NewCertPool()
	pool.AddCert(root.Leaf())
	_, err := c.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{usage}, CurrentTime: at})
	return err
}

func authority(t *testing.T, id Identity) *Authority {
	t.Helper()
	return must(NewAuthority(id, func() time.Time { return now }))(t)
}

// must turns (value, error) into a value, or ends the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
