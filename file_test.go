package waptwua

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestStoredNameIsOneSafeElement(t *testing.T) {
	names := []string{"windows10.0-kb1-x64.msu", "..", ".", "", "a/b", `..\..\x.cab`, "x:y", "é.cab", strings.Repeat("n", 400), ".hidden", "a\x00b", "CON"}
	for _, n := range names {
		got := File{Name: n}.StoredName()
		if got != filepath.Base(got) || !filepath.IsLocal(got) || len(got) > 200 {
			t.Errorf("StoredName of %q = %q: not one safe path element", n, got)
		}
		if strings.ContainsAny(got, "/\\:\x00") {
			t.Errorf("StoredName of %q = %q holds an unsafe character", n, got)
		}
	}
}

func TestStoredNameTellsContentsApart(t *testing.T) {
	a := File{Name: "x.cab", SHA1: SHA1{1}}
	b := File{Name: "x.cab", SHA1: SHA1{2}}
	if a.StoredName() == b.StoredName() {
		t.Fatalf("two contents share the name %s", a.StoredName())
	}
}

func TestFileJSON(t *testing.T) {
	in := File{Name: "x.cab", Size: 3, SHA1: SHA1{0xab}, URL: "http://example.test/x.cab"}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "sha256") {
		t.Errorf("an unknown SHA-256 is written: %s", b)
	}
	var out File
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Fatalf("after the round trip: %+v, %v; want %+v", out, err, in)
	}
	if err := json.Unmarshal([]byte(`{"sha1":"ab"}`), &out); err == nil {
		t.Error("a short digest was accepted")
	}
}
