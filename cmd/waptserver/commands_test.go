package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua/internal/pki"
	"waptwua/server"
	"waptwua/signing"
)

// newSite makes a data directory.
func newSite(t *testing.T) (dir string, made initialised) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	made, err := initSite(t.Context(), dir, []string{"waptserver_port=0", "console_listen=127.0.0.1:0", "wapt_bind_interface=127.0.0.1", "upstream_url=http://127.0.0.1:1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return dir, made
}

func TestUserCommands(t *testing.T) {
	dir, _ := newSite(t)
	if got := command(t, "", "user", "add", "--data", dir, "--role", "operator", "ada"); len(got) < 16 {
		t.Errorf("the password made is %q", got)
	}
	if got := command(t, "battery staple\n", "user", "passwd", "--data", dir, "--stdin", "ada"); got != "" {
		t.Errorf("a password that was given is printed: %q", got)
	}
	var users []server.UserView
	if err := json.Unmarshal([]byte(command(t, "", "user", "list", "--data", dir, "--json")), &users); err != nil {
		t.Fatal(err)
	}
	if len(users) != 2 || users[0].Name != "ada" || users[0].MustChange || users[1].Name != firstUser || !users[1].MustChange {
		t.Errorf("users: %+v", users)
	}
	if table := command(t, "", "user", "list", "--data", dir); !strings.Contains(table, "operator") {
		t.Errorf("table:\n%s", table)
	}
	r := serveDir(t, dir)
	signedIn(t, r, "ada", "battery staple")
}

func TestTokenCommandsBesideAServer(t *testing.T) {
	r := startServer(t)
	var tok struct {
		server.TokenView
		Secret string `json:"secret"`
	}
	text := command(t, "", "token", "create", "--data", r.dir, "--kind", "api", "--role", "viewer", "--note", "test", "--expires", "8h", "--json")
	if err := json.Unmarshal([]byte(text), &tok); err != nil {
		t.Fatal(err)
	}
	c := &admin{base: r.Console, token: tok.Secret}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	t.Cleanup(c.http.CloseIdleConnections)
	if status, body := c.call(t, "GET", "/api/v1/hosts", nil); status != http.StatusOK {
		t.Errorf("with the token: %d %s", status, body)
	}
	if table := command(t, "", "token", "list", "--data", r.dir); !strings.Contains(table, tok.ID) || strings.Contains(table, tok.Secret) {
		t.Errorf("table:\n%s", table)
	}
	command(t, "", "token", "revoke", "--data", r.dir, tok.ID)
	if status, _ := c.call(t, "GET", "/api/v1/hosts", nil); status != http.StatusUnauthorized {
		t.Errorf("after revoking: %d, want 401", status)
	}
}

func TestRulesCommands(t *testing.T) {
	dir, _ := newSite(t)
	ada, err := pki.NewAdministrator("Ada", pki.ECDSAP256, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "administrators", "ada.crt"), pki.EncodeCertificates(ada.Leaf()), 0o600); err != nil {
		t.Fatal(err)
	}
	file := signedRules(t, ada, "servers")
	if got := command(t, "", "rules", "add", "--data", dir, file); !strings.Contains(got, "servers version 1, signed by Ada") {
		t.Errorf("added: %s", got)
	}
	if got := command(t, "", "rules", "list", "--data", dir); !strings.Contains(got, "servers") || !strings.Contains(got, "true") {
		t.Errorf("list:\n%s", got)
	}
	command(t, "", "rules", "remove", "--data", dir, "servers")
	if got := command(t, "", "rules", "list", "--data", dir, "--json"); got != "[]" {
		t.Errorf("after removal: %s", got)
	}
	mallory, err := pki.NewAdministrator("Mallory", pki.ECDSAP256, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cmd := newRulesCommand()
	cmd.SetArgs([]string{"add", "--data", dir, signedRules(t, mallory, "evil")})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("rules of a stranger: %v", err)
	}
}

// signedRules writes a signed rule package and returns the file's name.
func signedRules(t *testing.T, who pki.Identity, name string) string {
	t.Helper()
	signer, err := signing.NewSigner(who)
	if err != nil {
		t.Fatal(err)
	}
	st, err := signing.RulesStatement{Name: name, Version: 1, Created: time.Now(), Rules: json.RawMessage(`{"default_allow":true}`)}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	env, err := signing.Sign(signing.TypeRules, st, signer)
	if err != nil {
		t.Fatal(err)
	}
	text, err := env.Encode()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name+".json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCommandsNameTheNextStep(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"list", "waptserver init"},
		{"create", "waptserver init"},
	} {
		cmd := newTokenCommand()
		cmd.SetArgs([]string{c.args, "--data", t.TempDir()})
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("token %s without a data directory: %v", c.args, err)
		}
	}
}

func TestServerCertificateFollowsNames(t *testing.T) {
	dir, _ := newSite(t)
	s, err := openSite(dir)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := s.identity("ca")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	a, err := pki.NewAuthority(ca, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	serial := func(at time.Time) string {
		t.Helper()
		id, err := s.serverCertificate(a, at)
		if err != nil {
			t.Fatal(err)
		}
		return id.Leaf().SerialNumber.String()
	}
	first := serial(now)
	if serial(now) != first {
		t.Error("a certificate that is good was replaced")
	}
	s.serverNames = []string{"wapt.example.org"}
	second := serial(now)
	if second == first {
		t.Error("the certificate lacks the new name")
	}
	if serial(now.Add(validServer-24*time.Hour)) == second {
		t.Error("a certificate about to end was kept")
	}
}

func TestKeysAreNotReadableByOthers(t *testing.T) {
	dir, _ := newSite(t)
	for _, name := range []string{"ca.key", "server.key", "signing.key"} {
		fi, err := os.Stat(filepath.Join(dir, "pki", name))
		if err != nil {
			t.Fatal(err)
		}
		if m := fi.Mode().Perm(); m&0o077 != 0 && os.PathSeparator == '/' {
			t.Errorf("%s has permissions %o", name, m)
		}
	}
}
