package winrestart_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waptwua/internal/winrestart"
)

// The test's own program plays shutdown.exe: it notes how it was called.
const journal = "WINRESTART_TEST_JOURNAL"

func TestMain(m *testing.M) {
	path := os.Getenv(journal)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := os.WriteFile(path, []byte(strings.Join(os.Args[1:], "\n")), 0o600); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if filepath.Base(path) == "refused" {
		fmt.Println("Access is denied.(5)")
		os.Exit(5)
	}
	os.Exit(0)
}

func fake(t *testing.T, name string) (s winrestart.Shutdown, called func() []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	t.Setenv(journal, path)
	return winrestart.Shutdown(self), func() []string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(b), "\n")
	}
}

func TestRestart(t *testing.T) {
	s, called := fake(t, "journal")
	if err := s.Restart(t.Context(), "Updates were installed; \"restart\" & go on."); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(called(), " | ")
	if want := `/r | /t | 60 | /c | Updates were installed; "restart" & go on. | /d | p:2:17`; got != want {
		t.Errorf("called with %s", got)
	}
}

func TestLongReasonIsCut(t *testing.T) {
	s, called := fake(t, "journal")
	if err := s.Restart(t.Context(), strings.Repeat("é", 600)); err != nil {
		t.Fatal(err)
	}
	if got := len([]rune(called()[4])); got != 512 {
		t.Errorf("a reason of %d characters", got)
	}
}

func TestRefused(t *testing.T) {
	s, _ := fake(t, "refused")
	if err := s.Restart(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "Access is denied") {
		t.Errorf("got %v", err)
	}
	if err := winrestart.Shutdown(filepath.Join(t.TempDir(), "shutdown.exe")).Restart(t.Context(), "x"); err == nil {
		t.Error("a program that is not there was run")
	}
}
