package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/internal/pki"
	"waptwua/transport"
)

func TestRegister(t *testing.T) {
	r := newRig(t)
	foreign := agenttest.NewServer(t)
	tests := map[string]struct {
		o    agent.RegisterOptions
		want error
		says string
	}{
		"nothing to trust":    {agent.RegisterOptions{Token: agenttest.Token}, waptwua.ErrNotTrusted, pki.Fingerprint(r.server.CA)},
		"another CA":          {agent.RegisterOptions{Token: agenttest.Token, CA: foreign.CAPEM()}, waptwua.ErrNotTrusted, ""},
		"another fingerprint": {agent.RegisterOptions{Token: agenttest.Token, Fingerprint: pki.Fingerprint(foreign.CA)}, waptwua.ErrNotTrusted, ""},
		"wrong token":         {agent.RegisterOptions{Token: "guess", CA: r.server.CAPEM()}, waptwua.ErrForbidden, "the token is unknown"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := r.agent().Register(t.Context(), tt.o)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %v, want %v and %q", err, tt.want, tt.says)
			}
			if _, err := os.Stat(filepath.Join(r.dir, "private", "host.crt")); err == nil {
				t.Fatal("a certificate was stored")
			}
		})
	}
	if err := r.agent().Scan(t.Context(), agent.ScanOptions{}); !errors.Is(err, agent.ErrNotRegistered) {
		t.Errorf("scan before registration: %v", err)
	}
	err := r.agent().Register(t.Context(), agent.RegisterOptions{Token: agenttest.Token, Fingerprint: pki.Fingerprint(r.server.CA)})
	if err != nil {
		t.Fatalf("by fingerprint: %v", err)
	}
	r.server.Requests()
	err = r.agent().Register(t.Context(), agent.RegisterOptions{Token: "used up"})
	if !errors.Is(err, waptwua.ErrUnchanged) || len(r.server.Requests()) != 0 {
		t.Errorf("again: %v", err)
	}
	fi, err := os.Stat(filepath.Join(r.dir, "private", "host.key"))
	if err != nil || fi.Mode().Perm()&0o077 != 0 {
		t.Errorf("key file: %v, %v", fi.Mode(), err)
	}
	key, err := os.ReadFile(filepath.Join(r.dir, "private", "host.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.agent().Register(t.Context(), agent.RegisterOptions{Token: agenttest.Token, Force: true}); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(filepath.Join(r.dir, "private", "host.key")); err != nil || string(again) != string(key) {
		t.Error("registering again made another key")
	}
}

func TestRulesNeedTheAdministratorsSignature(t *testing.T) {
	r := newRig(t)
	r.ini = "enabled = true\n"
	r.register()
	id := r.offer(1, waptwua.Update{KBs: []waptwua.KB{1}})
	us, them := newAdmin(t), newAdmin(t)
	us.trustedBy(r)
	good := us.sign("rules", 1, `{"allowed_kbs":["KB1"]}`)
	altered := strings.Replace(good, `"payload":"`, `"payload":"AAAA`, 1)
	refused := map[string]string{
		"not signed by us": them.sign("rules", 1, `{"allowed_kbs":["KB1"]}`),
		"altered":          altered,
		"garbage":          "{}",
		"bad rules":        us.sign("rules", 1, `{"allowed_kbs":["KB1"], "allow_all":true}`),
	}
	for name, envelope := range refused {
		t.Run(name, func(t *testing.T) {
			r.server.SetRules(envelope)
			r.scan()
			r.wantStatus(id, waptwua.StatusDiscarded)
			if rules := r.held().Rules; len(rules) != 1 || rules[0].Error == "" {
				t.Errorf("the refusal is not reported: %+v", rules)
			}
		})
	}
	r.server.SetRules(good)
	r.scan()
	r.wantStatus(id, waptwua.StatusPending)
	if rules := r.held().Rules; len(rules) != 1 || rules[0].Error != "" || rules[0].Signer != "Admin" || rules[0].Version != 1 {
		t.Errorf("rules reported as %+v", rules)
	}
	r.server.SetRules(them.sign("rules", 9, `{}`))
	r.scan()
	r.wantStatus(id, waptwua.StatusPending) // the last good version stays in force
	if rules := r.held().Rules; len(rules) != 1 || rules[0].Error == "" {
		t.Errorf("rules reported as %+v", rules)
	}
	if err := os.Remove(filepath.Join(r.dir, "ssl", "admin.crt")); err != nil {
		t.Fatal(err)
	}
	r.scan()
	r.wantStatus(id, waptwua.StatusDiscarded) // the administrator is trusted no more
}

func TestRulesNeverGoBack(t *testing.T) {
	r := newRig(t)
	r.ini = "enabled = true\n"
	r.register()
	id := r.offer(1, waptwua.Update{KBs: []waptwua.KB{1}})
	us := newAdmin(t)
	us.trustedBy(r)
	allow1 := us.sign("rules", 1, `{"allowed_kbs":["KB1"]}`)
	forbid2 := us.sign("rules", 2, `{"forbidden_kbs":["KB1"]}`)
	for _, step := range []struct {
		offer string
		want  waptwua.Status
		error bool
	}{
		{allow1, waptwua.StatusPending, false},
		{forbid2, waptwua.StatusDiscarded, false},
		{allow1, waptwua.StatusDiscarded, true},
		{us.sign("rules", 2, `{"allowed_kbs":["KB1"]}`), waptwua.StatusDiscarded, true},
		{us.sign("rules", 3, `{"allowed_kbs":["KB1"]}`), waptwua.StatusPending, false},
	} {
		r.server.SetRules(step.offer)
		r.scan()
		r.wantStatus(id, step.want)
		if rules := r.held().Rules; len(rules) != 1 || (rules[0].Error != "") != step.error {
			t.Errorf("rules reported as %+v, want an error: %v", rules, step.error)
		}
	}
}

func TestServerCannotPermitByLeavingRulesOut(t *testing.T) {
	r := newRig(t) // default_allow = true
	r.register()
	denied := r.offer(1, waptwua.Update{KBs: []waptwua.KB{1}})
	us := newAdmin(t)
	us.trustedBy(r)
	r.server.SetRules(us.sign("no-kb1", 1, `{"forbidden_kbs":["KB1"]}`))
	r.scan()
	r.wantStatus(denied, waptwua.StatusDiscarded)
	r.server.SetRules()
	r.scan()
	r.wantStatus(denied, waptwua.StatusDiscarded)
	if rules := r.held().Rules; len(rules) != 1 || !strings.Contains(rules[0].Error, "hand it out") {
		t.Errorf("rules reported as %+v", rules)
	}
	r.server.SetRules(us.sign("no-kb1", 2, `{}`)) // how an administrator withdraws it
	r.scan()
	r.wantStatus(denied, waptwua.StatusPending)
}

func TestServerCanTakeAllowanceAway(t *testing.T) {
	r := newRig(t)
	r.ini = "enabled = true\n"
	r.register()
	id := r.offer(1, waptwua.Update{KBs: []waptwua.KB{1}})
	us := newAdmin(t)
	us.trustedBy(r)
	r.server.SetRules(us.sign("kb1", 1, `{"allowed_kbs":["KB1"], "default_allow":true}`))
	r.scan()
	r.wantStatus(id, waptwua.StatusPending)
	r.server.SetRules()
	r.scan()
	r.wantStatus(id, waptwua.StatusDiscarded)
}

func TestStatementsAreChecked(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offerOnly(1, waptwua.Update{})
	r.scan()
	content := []byte("payload")
	file := agenttest.FileOf("kb.cab", content)
	r.server.SetFile(file.StoredName(), content)
	r.server.State(t, id, file)
	good := r.server.Files()[id.String()+".json"]

	other := waptwua.UpdateID{GUID: "00000000-0000-4000-8000-000000000009", Revision: 1}
	r.server.State(t, other, file)
	ofOther := r.server.Files()[other.String()+".json"]

	r.server.SetArchive([]byte("another archive"))
	r.server.State(t, id, file)
	forOtherArchive := r.server.Files()[id.String()+".json"]
	r.server.SetArchive([]byte("the scan archive of July"))

	payload, err := json.Marshal(transport.FilesStatement{Update: id})
	if err != nil {
		t.Fatal(err)
	}
	r.server.Publish(t, id, payload, newAdmin(t).signer)
	byOther := r.server.Files()[id.String()+".json"]

	for name, text := range map[string][]byte{
		"about another update":  ofOther,
		"for another archive":   forOtherArchive,
		"signed by another key": byOther,
		"not an envelope":       []byte("{}"),
		"a rules document":      []byte(newAdmin(t).sign("rules", 1, "{}")),
		"none":                  nil,
	} {
		t.Run(name, func(t *testing.T) {
			r.server.SetFile(id.String()+".json", text)
			_ = r.agent().Download(t.Context(), agent.ScanOptions{Force: true}) // an error in some of the cases
			r.wantStatus(id, waptwua.StatusMissing)
		})
	}
	r.server.SetFile(id.String()+".json", good)
	r.download()
	r.wantStatus(id, waptwua.StatusPending)
}

func TestPayloadWithWrongBytes(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	fine := r.offer(2, waptwua.Update{})
	f := agenttest.FileOf("kb.cab", []byte("payload of "+id.String()))
	r.server.SetFile(f.StoredName(), []byte("PAYLOAD of "+id.String()))
	if err := r.agent().Install(t.Context(), agent.InstallOptions{}); !errors.Is(err, waptwua.ErrDigest) {
		t.Errorf("got %v, want ErrDigest", err)
	}
	r.wantStatus(fine, waptwua.StatusOK)
	if s := r.held(); s.Updates[id].Downloaded || !strings.Contains(s.LastAction.Error, "SHA-1") {
		t.Errorf("wrong bytes: %+v, last action %+v", s.Updates[id], s.LastAction)
	}
}

func TestFileChangedInTheCacheIsNotInstalled(t *testing.T) {
	r := newRig(t)
	r.register()
	id := r.offer(1, waptwua.Update{})
	r.download()
	files, err := filepath.Glob(filepath.Join(r.dir, "cache", "files", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("cache: %v, %v", files, err)
	}
	text := []byte("payload of " + id.String())
	text[0] = 'X'
	if err := os.WriteFile(files[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	r.install()
	if len(r.host.Calls()) != 0 {
		t.Fatal("a file with wrong bytes was given to the installer")
	}
	r.wantStatus(id, waptwua.StatusError)
}

func TestBadArchiveKeepsTheOld(t *testing.T) {
	r := newRig(t)
	r.register()
	r.offer(1, waptwua.Update{})
	r.scan()
	used := r.held().Scan.Archive
	r.server.SetFile(transport.ArchiveName, []byte("an archive that does not fit its digest"))
	r.do(func(ctx context.Context) error { return r.agent().Scan(ctx, agent.ScanOptions{Force: true}) })
	if got := r.held().Scan.Archive; got != used {
		t.Errorf("scanned with %s, want the old archive", got)
	}
}

func TestNoArchiveAtAll(t *testing.T) {
	r := newRig(t)
	r.register()
	r.server.SetFile(transport.ArchiveName, nil)
	if err := r.agent().Scan(t.Context(), agent.ScanOptions{}); !errors.Is(err, agent.ErrNoArchive) {
		t.Fatalf("got %v, want ErrNoArchive", err)
	}
	if s := r.held(); s.Scan.Error == nil || !s.Scan.At.IsZero() {
		t.Errorf("reported as %+v", s.Scan)
	}
}

// microsoft is a proxy that answers for Microsoft's hosts, and notes what it
// was asked for.
func microsoft(t *testing.T, content map[string][]byte) (address string, asked func() []string) {
	var mu sync.Mutex
	var urls []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		urls = append(urls, r.URL.String())
		b, ok := content[r.URL.String()]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return urls
	}
}

func TestDirectDownload(t *testing.T) {
	tests := map[string]struct {
		allow   string
		content string // at Microsoft; empty: right
		url     string // of the file; empty: at Microsoft
		gone    bool   // the server cannot be reached; else it lacks the file
		want    bool
	}{
		"allowed":                  {"true", "", "", true, true},
		"not allowed":              {"false", "", "", true, false},
		"wrong bytes":              {"true", "PAYLOAD", "", true, false},
		"another host":             {"true", "", "http://evil.example.org/d/kb.cab", true, false},
		"server only lacks a file": {"true", "", "", false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			content := []byte("payload")
			f := agenttest.FileOf("kb.cab", content)
			if tt.url != "" {
				f.URL = tt.url
			}
			if tt.content != "" {
				content = []byte(tt.content)
			}
			proxy, asked := microsoft(t, map[string][]byte{f.URL: content})
			r.ini += "allow_direct_download = " + tt.allow + "\n"
			r.global = "http_proxy = " + proxy + "\nuse_http_proxy_for_repo = true\n"
			r.register()
			id := r.offerOnly(1, waptwua.Update{})
			r.server.State(t, id, f)
			r.scan()
			if tt.gone {
				r.server.Close()
			}
			_ = r.agent().Download(t.Context(), agent.ScanOptions{}) // it cannot report
			s, err := r.agent().Status()
			if err != nil {
				t.Fatal(err)
			}
			if got := s.State.Updates[id].Downloaded; got != tt.want {
				t.Errorf("downloaded: %v, want %v (Microsoft was asked for %v)", got, tt.want, asked())
			}
			if tt.allow == "false" || !tt.gone || tt.url != "" {
				if urls := asked(); len(urls) != 0 {
					t.Errorf("asked for %v", urls)
				}
			}
		})
	}
}
