package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Admin is an administrator's certificate and key, outside the server.
type Admin struct {
	Certificate, Key string // paths
}

// NewAdmin makes an administrator.
func (s *System) NewAdmin(name string) Admin {
	s.t.Helper()
	s.Command("wapt-get", "create-keycert", "--name", name, "--dir", s.Dir)
	return Admin{Certificate: filepath.Join(s.Dir, name+".crt"), Key: filepath.Join(s.Dir, name+".pem")}
}

// Sign signs rules (waptwua_rules.json) as a version of the package "test"
// and returns the envelope.
func (s *System) Sign(a Admin, version int, rules string) []byte {
	s.t.Helper()
	in := s.file("rules.json", rules)
	out := filepath.Join(s.Dir, fmt.Sprintf("rules-%d.dsse.json", version))
	s.Command("wapt-get", "sign", "--name", RulePackage, "--version", strconv.Itoa(version), "--cert", a.Certificate, "--key", a.Key, "--out", out, in)
	b, err := os.ReadFile(out)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// RulePackage is the name of the package that Sign signs.
const RulePackage = "test"

// Upload gives an envelope to the server as an administrator does.
func (s *System) Upload(envelope []byte) error {
	_, err := s.Try("wapt-get", "upload-rules", "--server", s.Console, "--token-file", s.file("api-token", s.Token), s.file("upload.dsse.json", string(envelope)))
	return err
}

// Rules signs rules as the administrator and uploads them.
func (s *System) Rules(version int, rules string) {
	s.t.Helper()
	if err := s.Upload(s.Sign(s.Admin, version, rules)); err != nil {
		s.t.Fatal(err)
	}
}

// file writes a file in the system's folder and returns its path.
func (s *System) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}
