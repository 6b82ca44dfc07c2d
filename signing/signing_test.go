package signing

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/internal/pki"
)

const year = 365 * 24 * time.Hour

var (
	now     = time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	payload = []byte(`{"name":"rules-servers","version":3}`)
)

func TestSignAndVerify(t *testing.T) {
	for _, kt := range []pki.KeyType{pki.ECDSAP256, pki.RSA3072} {
		t.Run(string(kt), func(t *testing.T) {
			s := administrator(t, "Alice", kt)
			env := throughJSON(t, sign(t, s))
			v, err := NewTrust(s.Certificate()).Verify(env, TypeRules, now)
			if err != nil {
				t.Fatal(err)
			}
			if v.SignerName != s.Certificate().Subject.CommonName || !bytes.Equal(v.Payload, payload) || !v.Certificate.Equal(s.Certificate()) {
				t.Errorf("verified %q by %q", v.Payload, v.SignerName)
			}
		})
	}
}

func TestIssuedSignerIsTrustedThroughItsCA(t *testing.T) {
	ca := identity(t, "Office CA")
	a, err := pki.NewAuthority(ca, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	s := issued(t, a, func(a *pki.Authority, k pkiKey) (*x509.Certificate, error) {
		return a.IssueSigner(k.Public(), "Bob", year)
	})
	v, err := NewTrust(ca.Leaf()).Verify(sign(t, s), TypeRules, now)
	if err != nil {
		t.Fatal(err)
	}
	if v.SignerName != "Bob" || len(v.Chain) != 2 {
		t.Errorf("signer %q with a chain of %d", v.SignerName, len(v.Chain))
	}
	if _, err := NewTrust(s.Certificate()).Verify(sign(t, s), TypeRules, now); err != nil {
		t.Errorf("pinned leaf: %v", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	alice, mallory := administrator(t, "Alice", ""), administrator(t, "Mallory", "")
	other := mustSign(t, []byte("other payload"), alice)
	tests := []struct {
		name  string
		alter func(e *Envelope)
		at    time.Time
		want  string // in the message
	}{
		{"altered payload", func(e *Envelope) { e.Payload[3] ^= 1 }, now, "does not fit"},
		{"altered type", func(e *Envelope) { e.PayloadType = TypeAction }, now, "another purpose"},
		{"no signature", func(e *Envelope) { e.Signatures = nil }, now, "no signature"},
		{"signature of another document", func(e *Envelope) { e.Signatures = other.Signatures }, now, "does not fit"},
		{"flipped signature", func(e *Envelope) { e.Signatures[0].Sig[40] ^= 1 }, now, "does not fit"},
		{"empty signature", func(e *Envelope) { e.Signatures[0].Sig = nil }, now, "0 bytes"},
		{"ASN.1 signature", func(e *Envelope) { e.Signatures[0].Sig = make([]byte, 71) }, now, "71 bytes"},
		{"zero signature", func(e *Envelope) { e.Signatures[0].Sig = make([]byte, 64) }, now, "does not fit"},
		{"key id of another", func(e *Envelope) { e.Signatures[0].KeyID = pki.Fingerprint(mallory.Certificate()) }, now, "keyid"},
		{"certificate of another", func(e *Envelope) { e.Signatures[0].Cert = mallory.chain }, now, "keyid"},
		{"signed by another", func(e *Envelope) { e.Signatures = sign(t, mallory).Signatures }, now, "install its certificate"},
		{"no certificate", func(e *Envelope) { e.Signatures[0].Cert = "" }, now, "no certificate"},
		{"expired certificate", func(*Envelope) {}, now.Add(2 * year), "renew the certificate"},
		{"certificate not yet valid", func(*Envelope) {}, now.Add(-year), "not yet valid"},
		{"chain too long", func(e *Envelope) { e.Signatures[0].Cert = strings.Repeat(alice.chain, MaxChain+1) }, now, "at most 4"},
	}
	trust := NewTrust(alice.Certificate())
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			env := sign(t, alice)
			tc.alter(env)
			v, err := trust.Verify(env, TypeRules, tc.at)
			if v != nil || !errors.Is(err, waptwua.ErrNotTrusted) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Verify = %v, error %v; want ErrNotTrusted with %q", v, err, tc.want)
			}
		})
	}
}

func TestNobodyIsTrustedByDefault(t *testing.T) {
	if _, err := new(Trust).Verify(sign(t, administrator(t, "Alice", "")), TypeRules, now); !errors.Is(err, waptwua.ErrNotTrusted) {
		t.Errorf("error %v, want ErrNotTrusted", err)
	}
}

// A certificate of the same CA with another purpose must not sign: a stolen
// host key gives no permission.
func TestOtherUsagesDoNotSign(t *testing.T) {
	id, err := pki.NewServerAuthority("CA", year, now)
	if err != nil {
		t.Fatal(err)
	}
	a, err := pki.NewAuthority(id, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	issue := map[string]func(*pki.Authority, pkiKey) (*x509.Certificate, error){
		"host": func(a *pki.Authority, k pkiKey) (*x509.Certificate, error) {
			csr, err := pki.NewHostRequest("host-1", k)
			if err != nil {
				return nil, err
			}
			return a.IssueHost(csr, "host-1", year)
		},
		"TLS server": func(a *pki.Authority, k pkiKey) (*x509.Certificate, error) {
			return a.IssueServer(k.Public(), []string{"srv"}, year)
		},
	}
	for name, f := range issue {
		t.Run(name, func(t *testing.T) {
			if _, err := NewSigner(issuedIdentity(t, a, f)); err == nil {
				t.Error("NewSigner took it")
			}
			s := issued(t, a, f)
			if _, err := NewTrust(id.Leaf()).Verify(sign(t, s), TypeRules, now); !errors.Is(err, waptwua.ErrNotTrusted) {
				t.Errorf("error %v, want ErrNotTrusted", err)
			}
		})
	}
}

func TestTwoSignatures(t *testing.T) {
	alice, stranger := administrator(t, "Alice", ""), administrator(t, "Stranger", pki.RSA3072)
	env := sign(t, stranger)
	if err := env.AddSignature(alice); err != nil {
		t.Fatal(err)
	}
	env = throughJSON(t, env)
	v, err := NewTrust(alice.Certificate()).Verify(env, TypeRules, now)
	if err != nil {
		t.Fatal(err)
	}
	if v.SignerName != "Alice" {
		t.Errorf("signer %q, want the trusted one", v.SignerName)
	}
	env.Signatures[0].Sig, env.Signatures[1].Sig = env.Signatures[1].Sig, env.Signatures[0].Sig
	if _, err := NewTrust(alice.Certificate()).Verify(env, TypeRules, now); !errors.Is(err, waptwua.ErrNotTrusted) {
		t.Errorf("swapped signatures: error %v", err)
	}
}

func TestSignatureHasTheFormOfWebCrypto(t *testing.T) {
	alice := administrator(t, "Alice", "")
	for range 600 { // r or s with leading zeros must keep 32 bytes
		if n := len(sign(t, alice).Signatures[0].Sig); n != 64 {
			t.Fatalf("signature of %d bytes, want 64", n)
		}
	}
}

func TestLimits(t *testing.T) {
	s := administrator(t, "Alice", "")
	many := sign(t, s)
	for range MaxSignatures {
		many.Signatures = append(many.Signatures, many.Signatures[0])
	}
	huge := sign(t, s)
	huge.Signatures[0].Cert = strings.Repeat(" ", maxCert+1)
	for name, env := range map[string]*Envelope{
		"signatures":   many,
		"certificates": huge,
		"type":         {PayloadType: strings.Repeat("x", maxType+1)},
		"payload":      {PayloadType: TypeRules, Payload: make([]byte, MaxPayload+1)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewTrust(s.Certificate()).Verify(env, TypeRules, now); !errors.Is(err, waptwua.ErrLimit) {
				t.Errorf("Verify: %v, want ErrLimit", err)
			}
		})
	}
	if _, err := Read(zeros{}); !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("endless input: %v, want ErrLimit", err)
	}
}

func TestDecode(t *testing.T) {
	urlSafe := base64.URLEncoding.EncodeToString([]byte{0xfb, 0xff})
	for _, tc := range []struct {
		name, text string
		ok         bool
	}{
		{"URL-safe base64", `{"payloadType":"t","payload":"` + urlSafe + `","signatures":[]}`, true},
		{"unknown member", `{"payloadType":"t","payload":"","signatures":[],"note":1}`, true},
		{"two envelopes", `{"payloadType":"t"}{"payloadType":"t"}`, false},
		{"no type", `{"payload":""}`, false},
		{"bad base64", `{"payloadType":"t","payload":"a"}`, false},
		{"loose base64", `{"payloadType":"t","payload":"QR=="}`, false},
		{"array", `[]`, false},
		{"empty", ``, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Decode([]byte(tc.text)); (err == nil) != tc.ok {
				t.Errorf("error %v, want success %v", err, tc.ok)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	id := identity(t, "Alice")
	cert := pki.EncodeCertificates(id.Chain...)
	key, err := pki.EncodeKey(id.Key, []byte("pw"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSigner(cert, key, nil); !errors.Is(err, pki.ErrPassword) {
		t.Errorf("without a password: %v", err)
	}
	s, err := LoadSigner(cert, key, []byte("pw"))
	if err != nil {
		t.Fatal(err)
	}
	trust, err := LoadTrust(cert)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.Verify(sign(t, s), TypeRules, now); err != nil {
		t.Error(err)
	}
	if _, err := LoadTrust([]byte("nothing")); err == nil {
		t.Error("trust was loaded from nothing")
	}
}

func TestRulesStatement(t *testing.T) {
	want := RulesStatement{Name: "servers", Version: 2, Created: now, Rules: []byte(`{"default_allow":false}`)}
	text, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseRulesStatement(text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for name, bad := range map[string]string{
		"unknown member":     `{"name":"a","version":1,"created":"2026-01-01T00:00:00Z","rules":{},"only_for":["x"]}`,
		"trailing text":      string(text) + `{}`,
		"version 0":          `{"name":"a","version":0,"created":"2026-01-01T00:00:00Z","rules":{}}`,
		"no name":            `{"version":1,"created":"2026-01-01T00:00:00Z","rules":{}}`,
		"no time":            `{"name":"a","version":1,"rules":{}}`,
		"rules are a string": `{"name":"a","version":1,"created":"2026-01-01T00:00:00Z","rules":"{}"}`,
		"no rules":           `{"name":"a","version":1,"created":"2026-01-01T00:00:00Z"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseRulesStatement([]byte(bad)); err == nil {
				t.Error("was accepted")
			}
		})
	}
	if _, err := (RulesStatement{Name: "a", Version: 1, Created: now, Rules: []byte("  ")}).Encode(); err == nil {
		t.Error("blank rules were encoded")
	}
}
