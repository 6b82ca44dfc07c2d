package server

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"waptwua"
	"waptwua/internal/pki"
	"waptwua/notify"
	"waptwua/signing"
	"waptwua/store"
	"waptwua/transport"
)

// seenEvery bounds how often a request writes that a host was seen.
const seenEvery = time.Minute

// Enrolment takes hosts in and recognises them.
type Enrolment struct {
	*base
	authority *pki.Authority
	signer    *signing.Signer
}

// Enrol gives a host its certificate for a valid token.
//
// It may be repeated with the same key, also with a token that this host
// used up: the answer may have been lost. A UUID that is enrolled with
// another key gives waptwua.ErrConflict and an audit entry: either the host
// was installed anew, then an administrator deletes the old record first, or
// somebody has cloned it. A token that is unknown, expired, revoked or used
// up gives ErrSignIn.
//
// Where hosts need approval, the certificate is issued but opens nothing
// until an administrator approves the host.
func (e *Enrolment) Enrol(ctx context.Context, req transport.EnrolRequest, remote string) (transport.EnrolResponse, error) {
	host, err := newHost(req)
	if err != nil {
		return transport.EnrolResponse{}, err
	}
	ctx = WithActor(ctx, Actor{Name: "host " + host.UUID})
	cert, err := e.authority.IssueHost([]byte(req.CSR), host.UUID, e.set.CertValidity)
	if err != nil {
		return transport.EnrolResponse{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	host.KeyDigest, host.CertExpires = keyDigest(cert), cert.NotAfter
	err = e.audited(ctx, "host.enrol", host.UUID, "name "+host.Name+", from "+remote, func(tx store.Records) error {
		return e.admit(ctx, tx, host, digest(req.Token))
	})
	if err != nil {
		return transport.EnrolResponse{}, e.recordRefusal(ctx, host, remote, err)
	}
	e.changed(ctx, notify.Hosts)
	return transport.EnrolResponse{
		Version:     transport.Version,
		Certificate: string(pki.EncodeCertificates(cert)),
		CA:          string(pki.EncodeCertificates(e.authority.Certificate())),
		Signing:     string(pki.EncodeCertificates(e.signer.Certificate())),
	}, nil
}

// admit checks the token against the host's record and writes both.
func (e *Enrolment) admit(ctx context.Context, tx store.Records, host store.Host, tokenDigest string) error {
	now := e.now()
	token, err := findToken(ctx, tx, tokenDigest, KindEnrol, now)
	if err != nil {
		return err
	}
	old, err := tx.Host(ctx, host.UUID)
	known := err == nil
	if err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return err
	}
	if known && old.KeyDigest != host.KeyDigest {
		return fmt.Errorf("host %s is enrolled with another key; delete its record first if it was installed anew: %w", host.UUID, waptwua.ErrConflict)
	}
	repeated := known && old.EnrolledBy == token.ID
	if token.UsesLeft == 0 && !repeated {
		return fmt.Errorf("the enrolment token is used up; make a new one: %w", ErrSignIn)
	}
	if token.UsesLeft > 0 && !repeated {
		token.UsesLeft--
	}
	token.LastUsed = now
	if err := tx.PutToken(ctx, token); err != nil {
		return err
	}
	return tx.PutHost(ctx, e.merge(old, host, token.ID, known))
}

// merge joins the host's former record with the new one. The state that was
// reported is forgotten, so that the host's next report is a whole one.
func (e *Enrolment) merge(old, host store.Host, tokenID string, known bool) store.Host {
	host.EnrolledBy, host.EnrolledAt, host.LastSeen = tokenID, e.now(), e.now()
	host.Standing = store.Enrolled
	if e.set.ApproveHosts {
		host.Standing = store.Awaiting
	}
	if known {
		host.Standing, host.EnrolledAt = old.Standing, old.EnrolledAt
		host.Status, host.ScannedAt, host.ScanError, host.ReportedAt = old.Status, old.ScannedAt, old.ScanError, old.ReportedAt
	}
	return host
}

// recordRefusal writes down an attempt to enrol that was turned away; what
// failed for other reasons is left to the caller.
func (e *Enrolment) recordRefusal(ctx context.Context, h store.Host, remote string, cause error) error {
	if !errors.Is(cause, waptwua.ErrConflict) && !errors.Is(cause, waptwua.ErrForbidden) {
		return cause
	}
	detail := fmt.Sprintf("name %s, from %s: %v", h.Name, remote, cause)
	err := e.audited(ctx, "host.refused", h.UUID, detail, func(store.Records) error { return nil })
	return errors.Join(cause, err)
}

// newHost checks what a request says about the host.
func newHost(req transport.EnrolRequest) (store.Host, error) {
	if req.Version != transport.Version {
		return store.Host{}, fmt.Errorf("enrolment in version %d of the messages; this server speaks version %d: %w", req.Version, transport.Version, ErrInvalid)
	}
	uuid, err := waptwua.NormalizeGUID(req.Host.UUID)
	if err != nil || uuid != req.Host.UUID {
		return store.Host{}, fmt.Errorf("host UUID %.80q: want a GUID in lower case: %w", req.Host.UUID, ErrInvalid)
	}
	h := store.Host{UUID: uuid}
	describeHost(&h, req.Host)
	return h, checkRequest(req.CSR)
}

// checkRequest refuses what is not one certificate request, before it costs anything.
func checkRequest(text string) error {
	if b, rest := pem.Decode([]byte(text)); b == nil || len(rest) > 0 && len(text) > transport.MaxEnrol {
		return fmt.Errorf("the certificate request is not PEM: %w", ErrInvalid)
	}
	return nil
}

// describeHost takes over what a host says about itself.
func describeHost(h *store.Host, from waptwua.Host) {
	h.Name = clean(from.Name, 255)
	h.OS, h.OSVersion = clean(from.OS, 200), clean(from.OSVersion, 100)
	h.Architecture = clean(from.Architecture, 20)
	h.AgentVersion, h.WUAVersion = clean(from.AgentVersion, 100), clean(from.WUAVersion, 100)
}

// keyDigest names the key of a certificate.
func keyDigest(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// Authenticate recognises a host by its certificate, whose chain the caller
// has verified. A host that is unknown, has another key, awaits approval or
// was refused gives waptwua.ErrForbidden.
func (e *Enrolment) Authenticate(ctx context.Context, cert *x509.Certificate) (uuid string, err error) {
	uuid = cert.Subject.CommonName
	h, err := e.store.Host(ctx, uuid)
	switch {
	case errors.Is(err, waptwua.ErrNotFound):
		return "", fmt.Errorf("host %.80q is not enrolled here; register it again: %w", uuid, waptwua.ErrForbidden)
	case err != nil:
		return "", err
	case h.KeyDigest != keyDigest(cert):
		return "", fmt.Errorf("host %s is enrolled with another key: %w", uuid, waptwua.ErrForbidden)
	case h.Standing == store.Awaiting:
		return "", fmt.Errorf("host %s waits for an administrator's approval: %w", uuid, waptwua.ErrForbidden)
	case h.Standing != store.Enrolled:
		return "", fmt.Errorf("host %s was refused by an administrator: %w", uuid, waptwua.ErrForbidden)
	}
	if now := e.now(); now.Sub(h.LastSeen) > seenEvery {
		return uuid, e.store.SeenHost(ctx, uuid, now)
	}
	return uuid, nil
}

// SetStanding approves (store.Enrolled) or refuses a host.
func (e *Enrolment) SetStanding(ctx context.Context, uuid string, s store.Standing) error {
	if s != store.Enrolled && s != store.Refused {
		return fmt.Errorf("standing %q: want %s or %s: %w", s, store.Enrolled, store.Refused, ErrInvalid)
	}
	err := e.audited(ctx, "host."+string(s), uuid, "", func(tx store.Records) error {
		h, err := tx.Host(ctx, uuid)
		if err != nil {
			return err
		}
		h.Standing = s
		return tx.PutHost(ctx, h)
	})
	if err == nil {
		e.changed(ctx, notify.Hosts)
	}
	return err
}

// Delete forgets a host; its certificate then opens nothing.
func (e *Enrolment) Delete(ctx context.Context, uuid string) error {
	err := e.audited(ctx, "host.delete", uuid, "", func(tx store.Records) error { return tx.DeleteHost(ctx, uuid) })
	if err == nil {
		e.changed(ctx, notify.Hosts)
	}
	return err
}
