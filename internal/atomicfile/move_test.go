package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMoveReplaces(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for path, content := range map[string]string{from: "new", to: "old"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Move(from, to); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(to); err != nil || string(b) != "new" {
		t.Fatalf("after Move: %q, %v", b, err)
	}
	if _, err := os.Stat(from); !os.IsNotExist(err) {
		t.Fatalf("the source is still there: %v", err)
	}
}

func TestMoveOfNothingLeavesTheTarget(t *testing.T) {
	to := filepath.Join(t.TempDir(), "to")
	if err := os.WriteFile(to, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Move(to+".missing", to); err == nil {
		t.Fatal("moving what is not there gave no error")
	}
	if b, _ := os.ReadFile(to); string(b) != "old" {
		t.Fatalf("the target changed to %q", b)
	}
}

func TestRemoveTwice(t *testing.T) {
	p := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(p, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Remove(p); err != nil {
			t.Fatal(err)
		}
	}
}
