package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/origin"
	"waptwua/server"
	"waptwua/signing"
	"waptwua/test/rig"
)

// small is the size of worlds in which rules, not updates, matter.
const small = 200

// looking are settings of hosts that decide by the rules and install nothing.
func looking() map[string]string {
	return map[string]string{"enabled": "False", "default_allow": "None"}
}

// TestSignedRules lets hosts that trust the administrator, and hosts that
// trust another one, take rules as they come: signed, altered, unsigned.
func TestSignedRules(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, small, 1, 1)
	s := rig.New(t, w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.WaitCatalogue()
	trusting, foreign := s.NewFleet(w, "trusting", 2), s.NewFleet(w, "foreign", 2)
	trusting.Set, foreign.Set = looking(), looking()
	foreign.Admin = s.NewAdmin("stranger")

	s.Rules(1, `{"default_allow":true}`)
	trusting.Start()
	foreign.Start()
	expectRules(t, trusting, 1, "", waptwua.Allowed)
	expectRules(t, foreign, 1, "not trusted", waptwua.Denied)

	altered := alter(t, s.Sign(s.Admin, 2, `{"default_allow":false}`))
	if err := s.Upload(altered); err != nil { // this server knows no administrator: only hosts can tell
		t.Fatalf("uploading altered rules: %v", err)
	}
	expectRules(t, trusting, 1, "signature", waptwua.Allowed)

	var status *rig.StatusError
	if err := s.Post("/api/v1/rules", unsign(t, s.Sign(s.Admin, 3, `{"default_allow":false}`))); !errors.As(err, &status) || status.Code/100 != 4 {
		t.Errorf("unsigned rules: %v, want them refused", err)
	}
	if err := s.Upload(s.Sign(s.Admin, 1, `{"default_allow":false}`)); err == nil {
		t.Error("a lower version was taken")
	}

	s.Rules(4, `{"default_allow":false}`)
	expectRules(t, trusting, 4, "", waptwua.Denied)
	expectRules(t, foreign, 4, "not trusted", waptwua.Denied)
}

// TestServerWithAdministrators refuses at the door what no administrator it
// knows has signed.
func TestServerWithAdministrators(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, small, 1, 1)
	s := rig.New(t, w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots})
	b, err := os.ReadFile(s.Admin.Certificate)
	if err == nil {
		err = os.WriteFile(filepath.Join(s.Data(), "administrators", "admin.crt"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	good := s.Sign(s.Admin, 1, `{"default_allow":true}`)
	for name, envelope := range map[string][]byte{
		"of a stranger": s.Sign(s.NewAdmin("stranger"), 1, `{"default_allow":true}`),
		"altered":       alter(t, good),
		"unsigned":      unsign(t, good),
	} {
		t.Run(name, func(t *testing.T) {
			var status *rig.StatusError
			if err := s.Post("/api/v1/rules", envelope); !errors.As(err, &status) || status.Code/100 != 4 {
				t.Errorf("%v, want it refused", err)
			}
		})
	}
	if err := s.Upload(good); err != nil {
		t.Errorf("rules of the administrator: %v", err)
	}
	var rules []server.RuleView
	if err := s.Get("/api/v1/rules", &rules); err != nil || len(rules) != 1 || !rules[0].Verified {
		t.Errorf("rules in force: %+v, %v", rules, err)
	}
}

// TestServerFromBackup restores a server from a backup that is older than
// what its hosts know: they refuse the lower version of the rules, and tell
// it everything anew.
func TestServerFromBackup(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t, small, 1, 1)
	s := rig.New(t, w.Origin(origin.Faults{}), map[string]string{"archive_roots": w.Roots})
	s.Start()
	s.WaitCatalogue()
	f := s.NewFleet(w, "older", 2)
	f.Set = looking()
	s.Rules(1, `{"default_allow":true}`)
	f.Start()
	expectRules(t, f, 1, "", waptwua.Allowed)
	backup := stopAndCopy(t, s)
	s.Start()
	s.Rules(2, `{"default_allow":false}`)
	expectRules(t, f, 2, "", waptwua.Denied)
	stopAndCopy(t, s)
	for name, b := range backup {
		if err := os.WriteFile(filepath.Join(s.Data(), name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.Start()
	expectRules(t, f, 2, "version 1 is offered, but version 2 was in force", waptwua.Denied)
	f.ExpectReported(time.Minute)
}

// stopAndCopy stops the server and returns its database.
func stopAndCopy(t *testing.T, s *rig.System) map[string][]byte {
	t.Helper()
	if err := s.Server.Stop(); err != nil {
		t.Fatalf("the server did not stop cleanly: %v", err)
	}
	names, err := filepath.Glob(filepath.Join(s.Data(), "server.db*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no database: %v", err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// expectRules waits until the server shows of every host the version of the
// rules, with or without a word of why what came last was refused, and the
// decision about every update that the host lacks.
func expectRules(t *testing.T, f *rig.Fleet, version int, refused string, decision waptwua.Decision) {
	t.Helper()
	f.All(time.Minute, func(_ int, h *server.HostDetail) (bool, string) {
		lacking := 0
		for _, u := range h.List {
			if u.Status == waptwua.StatusOK {
				continue
			}
			if lacking++; u.Verdict.Decision != decision {
				return false, fmt.Sprintf("%s is %+v, want it %s", u.ID, u.Verdict, decision)
			}
		}
		for _, r := range h.State.Rules {
			good := refused == "" && r.Error == "" || refused != "" && strings.Contains(r.Error, refused)
			if r.Name == rig.RulePackage && r.Version == version && good && lacking > 0 {
				return true, ""
			}
		}
		return false, fmt.Sprintf("rules %+v, %d updates lacking; want version %d, error with %q", h.State.Rules, lacking, version, refused)
	})
}

// alter changes what was signed after it was signed.
func alter(t *testing.T, envelope []byte) []byte {
	t.Helper()
	env, err := signing.Decode(envelope)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(env.Payload, []byte(`"default_allow":`), []byte(`"default_allow": `), 1)
	if bytes.Equal(changed, env.Payload) {
		t.Fatalf("nothing was altered in %s", env.Payload)
	}
	env.Payload = changed
	out, err := env.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unsign takes the signatures away.
func unsign(t *testing.T, envelope []byte) []byte {
	t.Helper()
	var fields map[string]json.RawMessage
	err := json.Unmarshal(envelope, &fields)
	if err == nil {
		fields["signatures"] = json.RawMessage(`[]`)
		envelope, err = json.Marshal(fields)
	}
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}
