package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"
)

const blockRequest = "CERTIFICATE REQUEST"

// Limits of what a host may ask for.
const (
	maxRequest = 16 << 10 // bytes of a certificate request
	maxHostID  = 64       // characters of a host's identifier
)

// Authority issues certificates with an identity that is a CA.
type Authority struct {
	id  Identity
	now func() time.Time
}

// NewAuthority makes id an issuer that reads the time from now.
func NewAuthority(id Identity, now func() time.Time) (*Authority, error) {
	if c := id.Leaf(); !c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return nil, fmt.Errorf("certificate of %q may not issue certificates; use one made as a CA", c.Subject.CommonName)
	}
	return &Authority{id: id, now: now}, nil
}

// Certificate is the issuer's own certificate: what others must trust.
func (a *Authority) Certificate() *x509.Certificate { return a.id.Leaf() }

// IssueServer issues a TLS server certificate for names, which are DNS
// names or IP addresses; the first is the common name.
func (a *Authority) IssueServer(pub crypto.PublicKey, names []string, valid time.Duration) (*x509.Certificate, error) {
	if len(names) == 0 {
		return nil, errors.New("a server certificate needs at least one name")
	}
	t := template(names[0], a.now(), valid)
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	return a.issue(t, pub)
}

// IssueSigner issues a certificate that signs documents (usage code
// signing) and nothing else.
func (a *Authority) IssueSigner(pub crypto.PublicKey, name string, valid time.Duration) (*x509.Certificate, error) {
	t := template(name, a.now(), valid)
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	return a.issue(t, pub)
}

// IssueHost answers a host's certificate request, given in PEM. The caller
// has decided that the asker is host; of the request only the public key is
// taken over, after the proof that the asker has the private key. A request
// whose common name is not host is refused: it was made for another.
func (a *Authority) IssueHost(request []byte, host string, valid time.Duration) (*x509.Certificate, error) {
	if err := CheckHostID(host); err != nil {
		return nil, err
	}
	csr, err := parseRequest(request)
	if err != nil {
		return nil, fmt.Errorf("certificate request of host %s: %w", host, err)
	}
	if csr.Subject.CommonName != host {
		return nil, fmt.Errorf("certificate request of host %s: it names %q; register the host again", host, csr.Subject.CommonName)
	}
	t := template(host, a.now(), valid)
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.issue(t, csr.PublicKey)
}

func (a *Authority) issue(t *x509.Certificate, pub crypto.PublicKey) (*x509.Certificate, error) {
	if err := CheckPublicKey(pub); err != nil {
		return nil, err
	}
	return sign(t, a.id.Leaf(), pub, a.id.Key)
}

func parseRequest(text []byte) (*x509.CertificateRequest, error) {
	if len(text) > maxRequest {
		return nil, fmt.Errorf("%d bytes, at most %d are allowed", len(text), maxRequest)
	}
	b, _ := pem.Decode(text)
	if b == nil || b.Type != blockRequest {
		return nil, errors.New("not a PEM block " + blockRequest)
	}
	csr, err := x509.ParseCertificateRequest(b.Bytes)
	if err != nil {
		return nil, err
	}
	if err := CheckPublicKey(csr.PublicKey); err != nil { // before the proof: an oversized key costs time
		return nil, err
	}
	return csr, csr.CheckSignature()
}

// NewHostRequest makes the PEM certificate request of host, signed by its key.
func NewHostRequest(host string, key crypto.Signer) ([]byte, error) {
	if err := CheckHostID(host); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: host}}, key)
	if err != nil {
		return nil, fmt.Errorf("making the certificate request of host %s: %w", host, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockRequest, Bytes: der}), nil
}

// CheckHostID refuses a host identifier that is not 1 to 64 letters,
// digits, '-', '_' or '.'; a UUID is the usual form.
func CheckHostID(host string) error { return checkName("host identifier", host) }

// CheckOwner refuses a name of an administrator or of a key that is not
// written as a host identifier is: it becomes a file name, too.
func CheckOwner(name string) error { return checkName("name", name) }

func checkName(what, name string) error {
	if name == "" || len(name) > maxHostID {
		return fmt.Errorf("%s of %d characters; want 1 to %d", what, len(name), maxHostID)
	}
	for _, c := range []byte(name) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == '.') {
			return fmt.Errorf("%s %q: character %q is not allowed", what, name, c)
		}
	}
	return nil
}
