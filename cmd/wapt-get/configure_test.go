package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent/upgrade"
)

// TestOlderPackageIsRefused: the agent has replaced itself since the last
// package was installed; a package between the two must not take it back.
func TestOlderPackageIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "db")
	if err := os.Mkdir(db, 0o700); err != nil {
		t.Fatal(err)
	}
	up, err := upgrade.New(upgrade.Options{Dir: db, Program: filepath.Join(dir, "wapt-get.exe"), Version: "1.2.0", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := up.Begin(); err != nil {
		t.Fatal(err)
	}
	was := version
	t.Cleanup(func() { version = was })
	a := &app{stdout: io.Discard, stderr: io.Discard, now: time.Now, config: filepath.Join(dir, "wapt-get.ini")}
	for v, want := range map[string]error{"1.1.0": waptwua.ErrStale, "1.2.0": nil, "1.3.0": nil, "dev": nil} {
		version = v
		if err := a.configure(configureFlags{server: "https://wapt.example.org/" + v}); !errors.Is(err, want) {
			t.Errorf("version %s: %v, want %v", v, err, want)
		}
		text, err := os.ReadFile(a.config)
		if written := err == nil && len(text) > 0; v == "1.1.0" && written {
			t.Errorf("version %s wrote settings", v)
		}
		_ = os.Remove(a.config)
	}
}
