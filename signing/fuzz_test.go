package signing

import (
	"bytes"
	"testing"
)

// FuzzVerify holds that no text verifies unless it carries the very payload
// that was signed, under the type it was signed as, and that what decodes
// encodes to something that decodes to the same.
func FuzzVerify(f *testing.F) {
	alice := administrator(f, "Alice", "")
	trust := NewTrust(alice.Certificate())
	good, err := sign(f, alice).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte("rules"), []byte("files"), 1))
	f.Add([]byte(`{"payloadType":"application/vnd.waptwua.rules+json","payload":"e30=","signatures":[{"keyid":"","sig":"","cert":""}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		env, err := Decode(text)
		if err != nil {
			return
		}
		if v, err := trust.Verify(env, TypeRules, now); err == nil && !bytes.Equal(v.Payload, payload) {
			t.Fatalf("verified %q, which was never signed", v.Payload)
		}
		back := throughJSON(t, env)
		if !bytes.Equal(back.Payload, env.Payload) || len(back.Signatures) != len(env.Signatures) {
			t.Fatal("encoding and decoding changed the envelope")
		}
	})
}

// FuzzRulesStatement holds that what parses encodes and parses again.
func FuzzRulesStatement(f *testing.F) {
	f.Add([]byte(`{"name":"a","version":1,"created":"2026-01-01T00:00:00Z","rules":{"default_allow":true}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseRulesStatement(text)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseRulesStatement(again); err != nil {
			t.Fatalf("%q does not parse again: %v", again, err)
		}
	})
}
