package server_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/pki"
	"waptwua/server"
	"waptwua/signing"
)

// administrator makes an administrator's signer.
func administrator(t *testing.T, r *rig) *signing.Signer {
	t.Helper()
	return must(signing.NewSigner(must(pki.NewAdministrator("Ada", pki.ECDSAP256, time.Hour*24*365, r.now))(t)))(t)
}

// envelope makes a signed rule package.
func envelope(t *testing.T, s *signing.Signer, name string, version int, rules string) []byte {
	t.Helper()
	st := signing.RulesStatement{Name: name, Version: version, Created: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Rules: json.RawMessage(rules)}
	env := must(signing.Sign(signing.TypeRules, must(st.Encode())(t), s))(t)
	return must(env.Encode())(t)
}

func TestRules(t *testing.T) {
	r := newRig(t)
	ada := administrator(t, r)
	_, empty, err := r.Rules.Set(t.Context())
	check(t, err)
	one := envelope(t, ada, "servers", 1, `{"default_allow":true}`)
	v := must(r.Rules.Upload(r.ctx, one))(t)
	if v.Name != "servers" || v.Version != 1 || v.Signer != "Ada" || v.Verified || v.By != "ada" {
		t.Errorf("uploaded: %+v", v)
	}
	set, tag, err := r.Rules.Set(t.Context())
	check(t, err)
	if len(set.Packages) != 1 || set.Packages[0] != string(one) || tag == empty {
		t.Errorf("hosts get %q, tag %s", set.Packages, tag)
	}
	must(r.Rules.Upload(r.ctx, one))(t) // the same again

	_, err = r.Rules.Upload(r.ctx, envelope(t, ada, "servers", 1, `{"default_allow":false}`))
	wantError(t, "other content under the same version", err, waptwua.ErrStale)
	two := envelope(t, ada, "servers", 2, `{}`)
	must(r.Rules.Upload(r.ctx, two))(t)
	_, err = r.Rules.Upload(r.ctx, one)
	wantError(t, "an older version", err, waptwua.ErrStale)
	must(r.Rules.Upload(r.ctx, envelope(t, ada, "another", 1, `{}`)))(t)
	if l := must(r.Rules.List(t.Context()))(t); len(l) != 2 || l[0].Name != "another" || l[1].Version != 2 {
		t.Errorf("in force: %+v", l)
	}
	check(t, r.Rules.Remove(r.ctx, "servers"))
	wantError(t, "removing twice", r.Rules.Remove(r.ctx, "servers"), waptwua.ErrNotFound)
	if l := must(r.Rules.List(t.Context()))(t); len(l) != 1 {
		t.Errorf("after removal: %+v", l)
	}
	_, err = r.Rules.Upload(r.ctx, one)
	wantError(t, "an older version after removal", err, waptwua.ErrStale)
	must(r.Rules.Upload(r.ctx, two))(t)
	if l := must(r.Rules.List(t.Context()))(t); len(l) != 2 {
		t.Errorf("uploaded again: %+v", l)
	}
}

func TestRulesRefused(t *testing.T) {
	r := newRig(t)
	ada := administrator(t, r)
	files := must(signing.Sign(signing.TypeFiles, []byte(`{}`), ada))(t)
	unsigned := must((&signing.Envelope{PayloadType: signing.TypeRules, Payload: []byte(`{}`)}).Encode())(t)
	for _, c := range []struct {
		name string
		text []byte
		want error
	}{
		{"no envelope", []byte(`{"default_allow":true}`), server.ErrInvalid},
		{"no JSON", []byte(`allow everything`), server.ErrInvalid},
		{"another kind of document", must(files.Encode())(t), server.ErrInvalid},
		{"unsigned", unsigned, server.ErrInvalid},
		{"rules that are no object", must(must(signing.Sign(signing.TypeRules, []byte(`{"name":"x","version":1,"created":"2026-01-01T00:00:00Z","rules":[]}`), ada))(t).Encode())(t), server.ErrInvalid},
		{"too large", make([]byte, 8<<20), waptwua.ErrLimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.Rules.Upload(r.ctx, c.text)
			wantError(t, "upload", err, c.want)
		})
	}
}

func TestRulesCheckedWhereAdministratorsAreKnown(t *testing.T) {
	var trusted *signing.Signer
	r := newRig(t, func(p *server.Parts) {
		trusted = administrator(t, &rig{now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)})
		p.Administrators = signing.NewTrust(trusted.Certificate())
	})
	good := envelope(t, trusted, "servers", 1, `{}`)
	if v := must(r.Rules.Upload(r.ctx, good))(t); !v.Verified {
		t.Errorf("signed by a known administrator: %+v", v)
	}
	_, err := r.Rules.Upload(r.ctx, envelope(t, administrator(t, r), "servers", 2, `{}`))
	wantError(t, "signed by a stranger", err, waptwua.ErrNotTrusted)
	env := must(signing.Decode(envelope(t, trusted, "servers", 3, `{"default_allow":false}`)))(t)
	env.Payload = signing.Base64(strings.Replace(string(env.Payload), "false", "true ", 1))
	_, err = r.Rules.Upload(r.ctx, must(env.Encode())(t))
	wantError(t, "altered after signing", err, waptwua.ErrNotTrusted)
}
