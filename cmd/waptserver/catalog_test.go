package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua"
	"waptwua/internal/fixture"
	"waptwua/internal/machines"
)

// catalogCommand runs `catalog` with args and returns what it printed.
func catalogCommand(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := newRootCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(append([]string{"catalog"}, args...))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// factsFile writes a recorded machine to a file.
func factsFile(t *testing.T, name string) string {
	t.Helper()
	b, err := machines.JSON(name)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "FACTS.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCatalogEvaluate(t *testing.T) {
	archive := fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
	for name, c := range map[string]struct {
		machine string
		args    []string
		want    []string
		without string
	}{
		"table":      {"win7-sp1-x64", nil, []string{"KB958830", "Important", "251.7 MB", "applicable", "1 applicable, 0 installed"}, "{"},
		"installed":  {"win7-sp1-x64-rsat", nil, []string{"KB958830", "1 installed"}, "{"},
		"not listed": {"winxp-sp3-x86", nil, []string{"1 not applicable"}, "KB958830"},
		"listed":     {"winxp-sp3-x86", []string{"--all"}, []string{"KB958830", `needs "AMD64"`}, "{"},
		"unknown":    {"server2008r2-sp1-x64", nil, []string{"unknown", "CbsPackageInstallable", "1 unknown (only Windows can tell: 1)"}, "1 applicable"},
		"explained":  {"win7-sp1-x64", []string{"--explain", "kb958830"}, []string{"b.FileExists", "rsatclient.dll absent", `Data="Professional": true`}, "{"},
		"explained by ID": {"win7-sp1-x64", []string{"--explain", "59653007-E2E9-4F71-8525-2FF588527978"},
			[]string{`b.Processor Architecture="9": true (machine: architecture 9`}, "KB958830"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"evaluate", "--archive", archive, "--machine", factsFile(t, c.machine)}, c.args...)
			out, err := catalogCommand(t, args...)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
			if strings.Contains(out, c.without) {
				t.Errorf("%q in:\n%s", c.without, out)
			}
		})
	}
}

func TestCatalogEvaluateJSON(t *testing.T) {
	archive := fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
	out, err := catalogCommand(t, "evaluate", "--archive", archive, "--machine", factsFile(t, "win7-sp1-x64"), "--json")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Machine string         `json:"machine"`
		Counts  map[string]int `json:"counts"`
		Updates []struct {
			ID      waptwua.UpdateID `json:"id"`
			Verdict string           `json:"verdict"`
			KBs     []waptwua.KB     `json:"kbs"`
		} `json:"updates"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if got.Machine != "win7-sp1-x64" || got.Counts["applicable"] != 1 || len(got.Updates) != 1 ||
		got.Updates[0].Verdict != "applicable" || got.Updates[0].KBs[0] != 958830 {
		t.Errorf("got %+v", got)
	}
}

// A machine whose recording has no name is called by its file.
func TestCatalogEvaluateUnnamed(t *testing.T) {
	b, err := machines.JSON("winxp-sp3-x86")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pc7.json")
	if err := os.WriteFile(file, bytes.Replace(b, []byte(`"winxp-sp3-x86"`), []byte(`""`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := catalogCommand(t, "evaluate", "--archive", fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"), "--machine", file)
	if err != nil || !strings.HasPrefix(out, "pc7.json against the archive of 2011-03-25") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestCatalogEvaluateErrors(t *testing.T) {
	facts := factsFile(t, "win7-sp1-x64")
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"facts": 9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no archive flag":  {[]string{"--machine", facts}, "--catalogue FILE"},
		"no archive":       {[]string{"--machine", facts, "--archive", "/nowhere/x.cab"}, "/nowhere/x.cab"},
		"not a cabinet":    {[]string{"--machine", facts, "--archive", facts}, "FACTS.json"},
		"no machine":       {[]string{"--machine", "/nowhere/f.json", "--archive", facts}, "--machine names a FACTS.json"},
		"not a machine":    {[]string{"--machine", bad, "--archive", facts}, "format 9"},
		"superfluous word": {[]string{"--machine", facts, "--archive", facts, "now"}, "now"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := catalogCommand(t, append([]string{"evaluate"}, c.args...)...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that names %q", err, c.want)
			}
		})
	}
	archive := fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
	_, err := catalogCommand(t, "evaluate", "--archive", archive, "--machine", facts, "--explain", "KB1")
	if !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("explaining an update that is not there: %v, want ErrNotFound", err)
	}
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "", 999: "999 B", 1000: "1.0 kB", 999_499: "999.5 kB", 999_950: "1.0 MB", 251_675_346: "251.7 MB", 14_800_000_000: "14.8 GB",
	} {
		if got := byteSize(n); got != want {
			t.Errorf("byteSize(%d) = %q, want %q", n, got, want)
		}
	}
}
