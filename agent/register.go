package agent

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"

	"waptwua"
	"waptwua/internal/atomicfile"
	"waptwua/internal/pki"
	"waptwua/transport"
	"waptwua/transport/client"
)

// RegisterOptions say how the host proves itself, and the server to it.
type RegisterOptions struct {
	Token       string // from the server's administrator
	CA          []byte // PEM of the server's CA; empty: as the settings say
	Fingerprint string // SHA-256 of the server's CA; empty: as the settings say
	Force       bool   // also when the host has a certificate that is good
}

// Register makes the host's key, where it has none, and gets a certificate
// for it. A host that has a fresh certificate for the same server stays as
// it is: the error is then waptwua.ErrUnchanged. It may be repeated after
// any failure.
func (a *Agent) Register(ctx context.Context, o RegisterOptions) error {
	return a.do("register", func(op *operation) error {
		uuid, err := op.uuid()
		if err != nil {
			return err
		}
		if id, err := op.identity(); err == nil && !o.Force && id.Leaf().Subject.CommonName == uuid && fresh(id.Leaf(), op.now()) {
			return fmt.Errorf("this host is registered as %s until %s: %w", uuid, id.Leaf().NotAfter.Format("2006-01-02"), waptwua.ErrUnchanged)
		}
		if err := op.enrol(ctx, uuid, o); err != nil {
			return err
		}
		if err := op.dropToken(); err != nil {
			return err
		}
		op.mem.State.Host = op.host(ctx, uuid)
		return op.finish(ctx, nil)
	})
}

func (op *operation) enrol(ctx context.Context, uuid string, o RegisterOptions) error {
	trust, err := op.enrolTrust(o)
	if err != nil {
		return err
	}
	key, err := op.key()
	if err != nil {
		return err
	}
	op.opt.Reached("register key")
	csr, err := pki.NewHostRequest(uuid, key)
	if err != nil {
		return err
	}
	c, err := client.New(op.clientConfig(trust))
	if err != nil {
		return err
	}
	defer c.Close()
	res, err := c.Enrol(ctx, &transport.EnrolRequest{Version: transport.Version, Token: o.Token, CSR: string(csr), Host: op.host(ctx, uuid)})
	if err != nil {
		return err
	}
	op.opt.Reached("register answered")
	if err := op.checkEnrolment(res, trust, key.Public(), uuid); err != nil {
		return fmt.Errorf("the server's answer to the registration: %w", err)
	}
	op.dropConnection()
	return op.storeEnrolment(res)
}

// enrolTrust is the trust of the options, else that of the settings. What an
// earlier enrolment stored counts last: a host can be moved to a new server.
func (op *operation) enrolTrust(o RegisterOptions) (client.Trust, error) {
	t := client.Trust{Now: op.opt.Clock.Now, Fingerprint: o.Fingerprint}
	if len(o.CA) > 0 {
		var err error
		t.Roots, err = pki.DecodeCertificates(o.CA)
		return t, err
	}
	if o.Fingerprint != "" {
		return t, nil
	}
	if op.settings.VerifyCert == "" && op.settings.Fingerprint != "" {
		t.Fingerprint = op.settings.Fingerprint
		return t, nil
	}
	return op.trust()
}

// checkEnrolment refuses certificates that are for another key or host, or
// that do not come from the CA that was trusted.
func (op *operation) checkEnrolment(res *transport.EnrolResponse, trust client.Trust, key any, uuid string) error {
	certs, err := pki.DecodeCertificates([]byte(res.Certificate))
	if err != nil {
		return err
	}
	cas, err := pki.DecodeCertificates([]byte(res.CA))
	if err != nil {
		return err
	}
	if _, err := pki.DecodeCertificates([]byte(res.Signing)); err != nil {
		return err
	}
	leaf := certs[0]
	if pub, ok := leaf.PublicKey.(interface{ Equal(any) bool }); ok && !pub.Equal(key) {
		return fmt.Errorf("the certificate is for another key: %w", waptwua.ErrNotTrusted)
	}
	if leaf.Subject.CommonName != uuid {
		return fmt.Errorf("the certificate is for %q, not for %s: %w", leaf.Subject.CommonName, uuid, waptwua.ErrNotTrusted)
	}
	if err := knownCA(cas, trust); err != nil {
		return err
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: pool(cas), Intermediates: pool(certs[1:]), CurrentTime: op.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return fmt.Errorf("%w: %w", waptwua.ErrNotTrusted, err)
	}
	return nil
}

// knownCA demands that the CA which the server names is one that was given.
// A fingerprint may be that of the server's own certificate; then the server
// is believed about its CA.
func knownCA(cas []*x509.Certificate, t client.Trust) error {
	if len(t.Roots) == 0 {
		return nil // the connection was pinned to the fingerprint
	}
	for _, ca := range cas {
		for _, r := range t.Roots {
			if ca.Equal(r) {
				return nil
			}
		}
	}
	return fmt.Errorf("it names a CA that is not the one given for this server: %w", waptwua.ErrNotTrusted)
}

func pool(certs []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}

// storeEnrolment writes the host's certificate last: while it is missing,
// the host counts as not registered.
func (op *operation) storeEnrolment(res *transport.EnrolResponse) error {
	files := []struct{ name, text string }{{fileCA, res.CA}, {fileSigning, res.Signing}, {fileCert, res.Certificate}}
	for _, f := range files {
		if err := atomicfile.WriteFile(op.path("private", f.name), []byte(f.text), 0o600); err != nil {
			return fmt.Errorf("storing the registration: %w", err)
		}
		op.opt.Reached("register " + f.name)
	}
	// The new server knows nothing yet.
	if err := os.Remove(op.path("acked.json")); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// host describes the host. What WUA does not tell stays empty.
func (op *operation) host(ctx context.Context, uuid string) waptwua.Host {
	h := waptwua.Host{UUID: uuid, Name: op.opt.HostName, AgentVersion: op.opt.Version}
	if h.Name == "" {
		h.Name = uuid
	}
	info, err := op.opt.WUA.Info(ctx)
	if err != nil {
		op.log.Warn("host cannot be described", "error", err)
		return h
	}
	h.OS, h.OSVersion, h.Architecture, h.WUAVersion = info.OS, info.Version, info.Architecture, info.WUAVersion
	return h
}
