package authsign

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestStoredAuthoritySignsAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "authority")
	first, err := OpenAuthority(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	second, err := OpenAuthority(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Root.Raw, second.Root.Raw) {
		t.Error("the second time another root was made")
	}
	path := cabinet(t)
	sign(t, second, path, Options{})
	if _, err := verify(t, path, first, time.Now()); err != nil {
		t.Errorf("under the root of the first time: %v", err)
	}
	if st, err := os.Stat(filepath.Join(dir, KeyFile)); err != nil || st.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("the key's file: %v, %v", st.Mode(), err)
	}
}

func TestStoredAuthorityIsChecked(t *testing.T) {
	whole, other := t.TempDir(), t.TempDir()
	for _, dir := range []string{whole, other} {
		if _, err := OpenAuthority(dir, time.Now); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		file    string
		content []byte // nil: removed
		says    string
	}{
		"no key":          {KeyFile, nil, KeyFile},
		"torn key":        {KeyFile, []byte("-----BEGIN"), KeyFile},
		"another key":     {KeyFile, read(t, filepath.Join(other, KeyFile)), "not the key"},
		"no certificate":  {CertificateFile, []byte("text"), CertificateFile},
		"key as root":     {CertificateFile, read(t, filepath.Join(whole, KeyFile)), CertificateFile},
		"malformed block": {CertificateFile, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), CertificateFile},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range []string{KeyFile, CertificateFile} {
				write(t, filepath.Join(dir, f), read(t, filepath.Join(whole, f)))
			}
			if tt.content == nil {
				if err := os.Remove(filepath.Join(dir, tt.file)); err != nil {
					t.Fatal(err)
				}
			} else {
				write(t, filepath.Join(dir, tt.file), tt.content)
			}
			if _, err := OpenAuthority(dir, time.Now); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error that says %q", err, tt.says)
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
