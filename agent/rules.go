package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/policy"
	"waptwua/signing"
	"waptwua/transport"
)

// maxPackages bounds the rule packages of one host.
const maxPackages = 500

// rulebook is rules.json: the packages in force and what the server last
// handed out.
type rulebook struct {
	ETag     string                  `json:"etag,omitempty"`
	Packages map[string]*rulePackage `json:"packages"` // by name
	Refused  []transport.RuleState   `json:"refused,omitempty"`
}

// rulePackage is the last good version of one package, as it was signed. It
// is remembered for ever, so that no lower version comes back.
type rulePackage struct {
	Version   int       `json:"version"`
	Envelope  string    `json:"envelope"`
	Accepted  time.Time `json:"accepted"` // the signer's certificate was valid then
	Withdrawn bool      `json:"withdrawn,omitempty"`
}

// UpdateRules fetches the rules and reports. It returns
// waptwua.ErrUnchanged when the server has nothing new.
func (a *Agent) UpdateRules(ctx context.Context) error {
	return a.do("update", func(op *operation) error {
		_, changed, err := op.rules(ctx)
		op.mem.LastUpdate = op.now()
		if changed {
			op.mem.LastDownload = time.Time{} // new rules: due at once, where it comes round at all
		}
		if err == nil && !changed {
			return errors.Join(waptwua.ErrUnchanged, op.save(), op.report(ctx))
		}
		return op.finish(ctx, err)
	})
}

// rules fetches what the server hands out and returns the policy in force.
// When the server cannot be asked, the policy of the last good packages is
// returned together with the error.
func (op *operation) rules(ctx context.Context) (p *policy.Policy, changed bool, err error) {
	book, err := op.loadRules()
	if err != nil {
		return nil, false, err
	}
	trust, err := op.administrators()
	if err != nil {
		return nil, false, err
	}
	set, etag, err := op.fetchRules(ctx, book.ETag)
	switch {
	case errors.Is(err, waptwua.ErrUnchanged):
		err = nil
	case err == nil:
		changed = true
		book.take(set, trust, op.now())
		book.ETag = etag
		err = journal.Save(op.path("rules.json"), book)
	}
	rules, states := book.inForce(trust)
	op.mem.State.Rules = states
	return policy.Merge(op.settings.Rules, rules...), changed, err
}

func (op *operation) fetchRules(ctx context.Context, etag string) (*transport.RuleSet, string, error) {
	c, err := op.server()
	if err != nil {
		return nil, "", err
	}
	set, etag, err := c.Rules(ctx, etag)
	if err == nil && len(set.Packages) > maxPackages {
		return nil, "", fmt.Errorf("fetching rules: %d packages, at most %d: %w", len(set.Packages), maxPackages, waptwua.ErrLimit)
	}
	return set, etag, err
}

// loadRules reads the rulebook. A damaged one is an error and not an empty
// one: without it nobody knows which versions were seen, or what is
// forbidden.
func (op *operation) loadRules() (*rulebook, error) {
	book := &rulebook{}
	err := journal.Load(op.path("rules.json"), book)
	if err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return nil, fmt.Errorf("the rules in force cannot be read, so nothing is decided; remove the file to take them from the server anew: %w", err)
	}
	if book.Packages == nil {
		book.Packages = map[string]*rulePackage{}
	}
	return book, nil
}

// administrators is the trust in the certificates of the certificates'
// folder; empty when there are none.
func (op *operation) administrators() (*signing.Trust, error) {
	t, err := LoadTrust(op.settings.Certificates)
	if err != nil {
		return nil, fmt.Errorf("administrators' certificates: %w", err)
	}
	return t, nil
}

// take goes through what the server handed out. What is refused leaves the
// last good version in force.
func (b *rulebook) take(set *transport.RuleSet, trust *signing.Trust, now time.Time) {
	seen := map[string]bool{}
	b.Refused = nil
	for _, text := range set.Packages {
		st, signer, err := readRules(text, trust, now)
		if err == nil {
			err = b.newer(st, text)
		}
		if st.Name != "" {
			seen[st.Name] = true
		}
		if err != nil {
			b.Refused = append(b.Refused, transport.RuleState{Name: st.Name, Version: st.Version, Signer: signer, Error: err.Error()})
			continue
		}
		if old := b.Packages[st.Name]; old == nil || old.Version < st.Version {
			b.Packages[st.Name] = &rulePackage{Version: st.Version, Envelope: text, Accepted: now}
		}
	}
	for name, p := range b.Packages {
		p.Withdrawn = !seen[name]
	}
}

// newer refuses a version below the one held, and another content under the
// same version.
func (b *rulebook) newer(st signing.RulesStatement, text string) error {
	old := b.Packages[st.Name]
	switch {
	case old == nil || st.Version > old.Version:
		return nil
	case st.Version < old.Version:
		return fmt.Errorf("version %d is offered, but version %d was in force: %w", st.Version, old.Version, waptwua.ErrStale)
	case !samePayload(old.Envelope, text):
		return fmt.Errorf("version %d has other rules than before; give them a new version: %w", st.Version, waptwua.ErrConflict)
	}
	return nil
}

func samePayload(a, b string) bool {
	x, errX := signing.Decode([]byte(a))
	y, errY := signing.Decode([]byte(b))
	return errX == nil && errY == nil && string(x.Payload) == string(y.Payload)
}

// readRules verifies one envelope and reads the rules in it. With an error,
// the statement holds the name that the envelope claims, for the report.
func readRules(text string, trust *signing.Trust, at time.Time) (st signing.RulesStatement, signer string, err error) {
	env, err := signing.Decode([]byte(text))
	if err != nil {
		return st, "", err
	}
	if claimed, err := signing.ParseRulesStatement(env.Payload); err == nil {
		st.Name, st.Version = claimed.Name, claimed.Version
	}
	v, err := trust.Verify(env, signing.TypeRules, at)
	if err != nil {
		return st, "", err
	}
	verified, err := signing.ParseRulesStatement(v.Payload)
	if err != nil {
		return st, v.SignerName, err
	}
	if _, err := policy.ParseRules(verified.Name, verified.Rules); err != nil {
		return st, v.SignerName, err
	}
	return verified, v.SignerName, nil
}

// inForce returns the rules that count and what to report about them. Each
// package is verified again: a certificate may have been taken out of the
// folder.
func (b *rulebook) inForce(trust *signing.Trust) (rules []*policy.Rules, states []transport.RuleState) {
	refused := map[string]string{}
	for _, r := range b.Refused {
		refused[r.Name] = r.Error
	}
	for name, p := range b.Packages {
		st, signer, err := readRules(p.Envelope, trust, p.Accepted)
		state := transport.RuleState{Name: name, Version: p.Version, Signer: signer, Error: refused[name]}
		delete(refused, name)
		if err != nil {
			state.Error = err.Error()
			states = append(states, state)
			continue
		}
		r, err := policy.ParseRules(name, st.Rules)
		if err != nil {
			state.Error = err.Error()
		} else if p.Withdrawn {
			r = restrictions(r)
			state.Error = "the server does not hand it out any more: what it forbids stays in force until a new version is signed, what it allows does not"
		}
		if r != nil {
			rules = append(rules, r)
		}
		states = append(states, state)
	}
	for _, r := range b.Refused {
		if _, new := refused[r.Name]; new {
			states = append(states, r)
		}
	}
	slices.SortFunc(states, func(a, b transport.RuleState) int { return strings.Compare(a.Name+a.Error, b.Name+b.Error) })
	return rules, states
}

// restrictions keeps of r what makes less allowed.
func restrictions(r *policy.Rules) *policy.Rules {
	out := &policy.Rules{Name: r.Name, Forbidden: r.Forbidden, InstallDelay: r.InstallDelay}
	if r.DefaultAllow != nil && !*r.DefaultAllow {
		out.DefaultAllow = r.DefaultAllow
	}
	for _, c := range r.Clauses {
		if !c.Allow {
			out.Clauses = append(out.Clauses, c)
		}
	}
	return out
}
