package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// Rules keeps signed rule packages, byte for byte as they were uploaded.
type Rules struct {
	*base
	trust *signing.Trust // nil: this server was given no administrators' certificates
}

// Upload takes the envelope of a rule package.
//
// What is not a rules statement gives ErrInvalid; one that no administrator
// known here has signed waptwua.ErrNotTrusted, where the server knows some;
// a version not above the last one waptwua.ErrStale. The same envelope again
// is taken, and brings a removed package back.
func (r *Rules) Upload(ctx context.Context, envelope []byte) (RuleView, error) {
	p, err := r.read(envelope)
	if err != nil {
		return RuleView{}, err
	}
	actor, _ := ActorOf(ctx)
	p.UploadedBy, p.UploadedAt = actor.Name, r.now()
	detail := fmt.Sprintf("version %d, signer %s, digest %s", p.Version, p.Signer, p.Digest)
	err = r.audited(ctx, "rules.upload", p.Name, detail, func(tx store.Records) error {
		last, err := tx.LatestRules(ctx, p.Name)
		if err != nil && !errors.Is(err, waptwua.ErrNotFound) {
			return err
		}
		if err == nil && p.Version <= last.Version && p.Digest != last.Digest {
			return fmt.Errorf("rule package %s: version %d is not above %d, which this server has; sign it with a higher version: %w",
				p.Name, p.Version, last.Version, waptwua.ErrStale)
		}
		return tx.PutRules(ctx, p)
	})
	if err != nil {
		return RuleView{}, err
	}
	r.changed(ctx, notify.Rules)
	return viewRules(p)
}

// read checks an envelope as far as this server can.
func (r *Rules) read(text []byte) (store.RulePackage, error) {
	if len(text) > transport.MaxRules/4 {
		return store.RulePackage{}, fmt.Errorf("rule package of %d bytes, at most %d: %w", len(text), transport.MaxRules/4, waptwua.ErrLimit)
	}
	env, err := signing.Decode(text)
	if err != nil {
		return store.RulePackage{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if env.PayloadType != signing.TypeRules || len(env.Signatures) == 0 {
		return store.RulePackage{}, fmt.Errorf("the document has type %.100q and %d signatures; want %s, signed: %w",
			env.PayloadType, len(env.Signatures), signing.TypeRules, ErrInvalid)
	}
	p := store.RulePackage{Envelope: string(text), Signer: claimedSigner(env)}
	if r.trust != nil {
		v, err := r.trust.Verify(env, signing.TypeRules, r.now())
		if err != nil {
			return p, err
		}
		p.Verified, p.Signer = true, clean(v.SignerName, 200)
	}
	st, err := signing.ParseRulesStatement(env.Payload)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	sum := sha256.Sum256(text)
	p.Name, p.Version, p.CreatedAt, p.Digest = st.Name, st.Version, st.Created, hex.EncodeToString(sum[:])
	if clean(p.Name, 200) != p.Name {
		return p, fmt.Errorf("rule package name %q has control characters: %w", p.Name, ErrInvalid)
	}
	return p, nil
}

// claimedSigner is the name in the first signature's certificate, which
// nobody has checked.
func claimedSigner(env *signing.Envelope) string {
	certs, err := pki.DecodeCertificates([]byte(env.Signatures[0].Cert))
	if err != nil {
		return ""
	}
	return clean(certs[0].Subject.CommonName, 200)
}

// List returns the rule packages in force, in the order of names.
func (r *Rules) List(ctx context.Context) ([]RuleView, error) {
	ps, err := r.store.CurrentRules(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]RuleView, 0, len(ps))
	for _, p := range ps {
		v, err := viewRules(p)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// Remove takes a rule package out of force. Hosts then no longer get it; to
// bring it back, upload it again or in a higher version.
func (r *Rules) Remove(ctx context.Context, name string) error {
	err := r.audited(ctx, "rules.remove", name, "", func(tx store.Records) error {
		p, err := tx.LatestRules(ctx, name)
		if err == nil && !p.RemovedAt.IsZero() {
			err = fmt.Errorf("rule package %s was removed already: %w", name, waptwua.ErrNotFound)
		}
		if err != nil {
			return err
		}
		p.RemovedAt = r.now().UTC().Truncate(time.Microsecond)
		return tx.PutRules(ctx, p)
	})
	if err == nil {
		r.changed(ctx, notify.Rules)
	}
	return err
}

// Set returns the rule packages for a host, and a digest that changes when
// they do. All hosts get the same ones.
func (r *Rules) Set(ctx context.Context) (transport.RuleSet, string, error) {
	ps, err := r.store.CurrentRules(ctx)
	if err != nil {
		return transport.RuleSet{}, "", err
	}
	set := transport.RuleSet{Version: transport.Version, Packages: make([]string, 0, len(ps))}
	h := sha256.New()
	for _, p := range ps {
		set.Packages = append(set.Packages, p.Envelope)
		fmt.Fprintf(h, "%s\n", p.Digest)
	}
	return set, hex.EncodeToString(h.Sum(nil)), nil
}
