package signing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"waptwua"
)

func aRelease() Release {
	at := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	return Release{Product: ProductAgent, Version: "1.4.0", Created: at, NotAfter: at.AddDate(0, 3, 0), MinVersion: "1.0.0",
		Files: []ReleaseFile{{Platform: "windows/amd64", Name: "wapt-get-1.4.0-amd64.exe", Size: 10, SHA256: waptwua.SHA256{1}}}}
}

func TestReleaseRoundTrip(t *testing.T) {
	text, err := aRelease().Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseRelease(text)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(aRelease(), back); d != "" {
		t.Error(d)
	}
	if _, err := back.For("windows/arm64"); err == nil {
		t.Error("a program for a platform that it does not hold")
	}
}

func TestReleaseRefused(t *testing.T) {
	for name, change := range map[string]func(*Release){
		"product":      func(r *Release) { r.Product = "waptserver" },
		"version":      func(r *Release) { r.Version = "1.4" },
		"latest":       func(r *Release) { r.Version = "latest" },
		"min version":  func(r *Release) { r.MinVersion = "1" },
		"no time":      func(r *Release) { r.Created = time.Time{} },
		"ends before":  func(r *Release) { r.NotAfter = r.Created },
		"no files":     func(r *Release) { r.Files = nil },
		"twice":        func(r *Release) { r.Files = append(r.Files, r.Files[0]) },
		"path as name": func(r *Release) { r.Files[0].Name = "../wapt-get.exe" },
		"hidden name":  func(r *Release) { r.Files[0].Name = ".exe" },
		"empty file":   func(r *Release) { r.Files[0].Size = 0 },
		"huge file":    func(r *Release) { r.Files[0].Size = maxReleaseSize + 1 },
		"no digest":    func(r *Release) { r.Files[0].SHA256 = waptwua.SHA256{} },
	} {
		t.Run(name, func(t *testing.T) {
			r := aRelease()
			change(&r)
			if _, err := r.Encode(); err == nil {
				t.Error("written")
			}
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ParseRelease(text); err == nil {
				t.Error("read")
			}
		})
	}
	text, err := aRelease().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseRelease(bytes.Replace(text, []byte(`{`), []byte(`{"only_on":"fridays",`), 1)); err == nil || !strings.Contains(err.Error(), "only_on") {
		t.Errorf("a condition that this program does not know: %v", err)
	}
	if _, err := ParseRelease(append(text, " {}"...)); err == nil {
		t.Error("more text after the end was read")
	}
}

func TestCompareVersions(t *testing.T) {
	rising := []string{"dev", "0.9.9", "1.0.0-rc1", "v1.0.0", "1.0.1-3-gabcdef0", "1.0.1", "1.0.10", "1.1.0", "2.0.0"}
	for i, a := range rising {
		for j, b := range rising {
			if got, want := CompareVersions(a, b), cmp.Compare(i, j); got != want {
				t.Errorf("CompareVersions(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
	if CompareVersions("v1.2.3", "1.2.3") != 0 {
		t.Error("a leading v makes a difference")
	}
	for v, want := range map[string]bool{"1.2.3": true, "v1.2.3": true, "1.2.3-rc1": true, "1.2": false, "": false, "dev": false, "1.2.3.4": false, "vv1.2.3": false} {
		if ValidVersion(v) != want {
			t.Errorf("ValidVersion(%q) = %v", v, !want)
		}
	}
}

// FuzzParseRelease: whatever is read without an error can be written and
// read again, and keeps its meaning.
func FuzzParseRelease(f *testing.F) {
	text, err := aRelease().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRelease(text)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil {
			t.Fatalf("read, but cannot be written: %v", err)
		}
		back, err := ParseRelease(again)
		if err != nil {
			t.Fatalf("written, but cannot be read: %v", err)
		}
		if !back.Created.Equal(r.Created) || back.Version != r.Version || len(back.Files) != len(r.Files) {
			t.Fatalf("%+v became %+v", r, back)
		}
	})
}
