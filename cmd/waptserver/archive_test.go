package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua/internal/fixture"
)

const real2011 = "offline-scan-2011/WSUSSCAN.cab"

// cli runs waptserver and returns its exit status and output.
func cli(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(context.Background(), args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

func TestArchiveInfo(t *testing.T) {
	status, out, stderr := cli(t, "archive", "info", "--json", fixture.Path(t, real2011))
	if status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	var got archiveInfo
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Updates != 766 || got.RuleSets != 766 && got.RuleSets != 765 || got.PackageID == "" || got.CreationDate.Year() != 2011 || !got.Signature {
		t.Errorf("info: %s", out)
	}
	if got.SHA256 != "6b302224d035b1d62d22705d6c349207ef47b7f058f3151db8e1e38e59bbbdfc" {
		t.Errorf("sha256 %s", got.SHA256)
	}
	if status, out, _ := cli(t, "archive", "info", fixture.Path(t, real2011)); status != 0 || !strings.Contains(out, "updates      766") {
		t.Errorf("for people: %d %s", status, out)
	}
}

// What an archive does not give is not made up.
func TestArchiveInfoNotGiven(t *testing.T) {
	status, out, stderr := cli(t, "archive", "info", fixture.Path(t, "offline-scan-vuls/wsusscn2.cab"))
	if status != 0 || !strings.Contains(out, "package id   not given\ncreated      not given\n") {
		t.Errorf("exit status %d: %s%s", status, out, stderr)
	}
}

func TestArchiveVerify(t *testing.T) {
	path := fixture.Path(t, real2011)
	status, out, stderr := cli(t, "archive", "verify", "--allow-sha1", path)
	if status != 0 {
		t.Fatalf("exit status %d: %s%s", status, out, stderr)
	}
	for _, want := range []string{"Microsoft Corporation", "2011-03-25 03:27:42 UTC", "the one that was signed", "SHA-1 was accepted", "result       verified"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	if status, _, _ := cli(t, "archive", "verify", filepath.Join(t.TempDir(), "missing.cab")); status != 1 {
		t.Errorf("a missing file: exit status %d", status)
	}
}

// What was not checked, because SHA-1 was refused at once, is not said to be
// wrong.
func TestArchiveVerifyRefusesSHA1(t *testing.T) {
	path := fixture.Path(t, real2011)
	status, out, _ := cli(t, "archive", "verify", "--json", path)
	if status != statusNotTrusted || !strings.Contains(out, `"verified":false`) || !strings.Contains(out, `"signed_digest":"18f5eac3`) ||
		strings.Contains(out, "digest_ok") || strings.Contains(out, "signature_ok") || strings.Contains(out, "anchored") {
		t.Errorf("exit status %d, %s", status, out)
	}
	_, out, _ = cli(t, "archive", "verify", path)
	for _, want := range []string{"digest       not checked; SHA-1 18f5eac3", "signature    not checked", "chain        not checked", "signed at    not checked", "NOT verified"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}

func TestArchiveVerifyRefusesOneByte(t *testing.T) {
	b := fixture.Read(t, real2011)
	b[len(b)/2] ^= 1
	path := filepath.Join(t.TempDir(), "altered.cab")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, stderr := cli(t, "archive", "verify", "--allow-sha1", path)
	if status != statusNotTrusted || !strings.Contains(out, "NOT the signed one") || !strings.Contains(out, "signature    not checked") {
		t.Errorf("exit status %d\n%s%s", status, out, stderr)
	}
}

func TestArchiveList(t *testing.T) {
	path := fixture.Path(t, real2011)
	if status, out, _ := cli(t, "archive", "list", path); status != 0 || !strings.Contains(out, `"package.cab"`) {
		t.Errorf("list: %d %s", status, out)
	}
	status, out, _ := cli(t, "archive", "list", "--nested", "--json", path)
	if n := strings.Count(out, "\n"); status != 0 || n < 5000 || !strings.Contains(out, `"name":"package.cab/package.xml","size":242892`) {
		t.Errorf("list --nested: %d, %d lines", status, n)
	}
}
