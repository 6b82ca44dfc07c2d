package signing

import (
	"crypto"
	"crypto/x509"
	"sync"
	"testing"

	"waptwua/internal/pki"
)

type pkiKey = crypto.Signer

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func identity(t testing.TB, name string) pki.Identity {
	t.Helper()
	id, err := pki.NewAdministrator(name, pki.ECDSAP256, year, now)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// rsaAdministrator is shared: RSA keys are slow to make.
var rsaAdministrator = sync.OnceValues(func() (pki.Identity, error) {
	return pki.NewAdministrator("RSA", pki.RSA3072, year, now)
})

// administrator makes a signer; the one with an RSA key is always the same,
// named "RSA".
func administrator(t testing.TB, name string, kt pki.KeyType) *Signer {
	t.Helper()
	id, err := pki.NewAdministrator(name, pki.ECDSAP256, year, now)
	if kt == pki.RSA3072 {
		id, err = rsaAdministrator()
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func issuedIdentity(t testing.TB, a *pki.Authority, issue func(*pki.Authority, pkiKey) (*x509.Certificate, error)) pki.Identity {
	t.Helper()
	key, err := pki.GenerateKey(pki.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := issue(a, key)
	if err != nil {
		t.Fatal(err)
	}
	id, err := pki.NewIdentity(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// issued signs with a certificate of a, whatever its usage.
func issued(t testing.TB, a *pki.Authority, issue func(*pki.Authority, pkiKey) (*x509.Certificate, error)) *Signer {
	t.Helper()
	id := issuedIdentity(t, a, issue)
	return &Signer{id: id, chain: string(pki.EncodeCertificates(id.Chain...))}
}

func sign(t testing.TB, s *Signer) *Envelope {
	t.Helper()
	return mustSign(t, payload, s)
}

func mustSign(t testing.TB, payload []byte, s *Signer) *Envelope {
	t.Helper()
	env, err := Sign(TypeRules, append([]byte(nil), payload...), s)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func throughJSON(t testing.TB, e *Envelope) *Envelope {
	t.Helper()
	text, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return back
}
