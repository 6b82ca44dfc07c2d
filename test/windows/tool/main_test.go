package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua/internal/machines"
	"waptwua/test/windows/machine"
)

// TestWhatItDoesNotUnderstand is refused, and in the journal all the same.
func TestWhatItDoesNotUnderstand(t *testing.T) {
	c, config := configured(t)
	for _, args := range [][]string{{"dism.exe"}, {"dism.exe", "/Online", "/Add-Package", "/Other:x"}, {"wusa.exe"}, {"wusa.exe", "/uninstall", "/kb:x"}, {"format.exe", "C:"}} {
		if exit, err := run(t.Context(), config, args, new(bytes.Buffer)); exit != notUnderstood || err != nil {
			t.Errorf("%v: exit %d, %v; want %d", args, exit, err, notUnderstood)
		}
	}
	calls, err := c.ToolCalls()
	if err != nil || len(calls) != 5 || calls[4].Program != "format" || calls[4].Exit != notUnderstood {
		t.Errorf("journal %+v, %v", calls, err)
	}
}

func TestShutdown(t *testing.T) {
	c, config := configured(t)
	if exit, err := run(t.Context(), config, []string{`C:\windows\system32\Shutdown.exe`, "/r", "/t", "0"}, new(bytes.Buffer)); exit != 0 || err != nil {
		t.Fatalf("exit %d, %v", exit, err)
	}
	if b, err := os.ReadFile(filepath.Join(c.Dir, machine.RestartFile)); err != nil || strings.TrimSpace(string(b)) != "/r /t 0" {
		t.Errorf("the note says %q, %v", b, err)
	}
}

// TestNoArchive says what is wrong instead of installing nothing.
func TestNoArchive(t *testing.T) {
	_, config := configured(t)
	package1 := filepath.Join(t.TempDir(), "a.msu")
	if err := os.WriteFile(package1, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	exit, err := run(t.Context(), config, []string{"wusa.exe", package1, "/quiet"}, new(bytes.Buffer))
	if exit != broken || err == nil || !strings.Contains(err.Error(), "scan archive") {
		t.Errorf("exit %d, %v", exit, err)
	}
	if exit, err := run(t.Context(), config, []string{"wusa.exe", package1 + "2"}, new(bytes.Buffer)); exit != 2 || err != nil {
		t.Errorf("no file: exit %d, %v", exit, err)
	}
}

func TestEmptyTable(t *testing.T) {
	_, config := configured(t)
	var out bytes.Buffer
	if exit, err := run(t.Context(), config, []string{"dism.exe", "/Online", "/Get-Packages", "/Format:Table", "/English"}, &out); exit != 0 || err != nil || !strings.Contains(out.String(), "Package Identity") {
		t.Errorf("exit %d, %v: %s", exit, err, &out)
	}
}

// configured is a machine that nothing was done to.
func configured(t *testing.T) (*machine.Config, string) {
	t.Helper()
	dir := t.TempDir()
	facts, err := machines.JSON(machines.Names()[0])
	c := &machine.Config{Dir: dir, Facts: filepath.Join(dir, "facts.json")}
	config := filepath.Join(dir, "config.json")
	if err == nil {
		err = os.WriteFile(c.Facts, facts, 0o600)
	}
	if err == nil {
		err = c.Write(config)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, config
}

// TestConfig refuses a description that says too little.
func TestConfig(t *testing.T) {
	for _, v := range []any{map[string]any{}, map[string]any{"dir": "x"}, "text"} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if exit, err := run(t.Context(), path, []string{"dism.exe"}, new(bytes.Buffer)); exit != broken || err == nil {
			t.Errorf("%s: exit %d, %v", b, exit, err)
		}
	}
}
