package sim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua/wua"
)

func events(from, to int64) []Event {
	var list []Event
	for i := from; i <= to; i++ {
		list = append(list, Event{Seq: i, Operation: OpInstall, Code: wua.Succeeded, Title: strings.Repeat("x", int(i%300))})
	}
	return list
}

func TestLogTakesEachEventOnce(t *testing.T) {
	dir := t.TempDir()
	if got, err := ReadLog(dir); err != nil || got != nil {
		t.Fatalf("a log that is not there reads as %v, %v", got, err)
	}
	for _, batch := range [][]Event{nil, events(1, 3), events(1, 3), events(2, 5), events(1, 900), events(800, 901)} {
		if err := appendLog(dir, batch); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(events(1, 901), got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestLogAfterATornLine(t *testing.T) {
	dir := t.TempDir()
	if err := appendLog(dir, events(1, 4)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, logFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(whole); cut += 7 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := appendLog(dir, events(1, 5)); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if got, err := ReadLog(dir); err != nil || !cmp.Equal(got, events(1, 5)) {
			t.Fatalf("cut at %d: %v, %v", cut, got, err)
		}
	}
}

func TestLogThatIsNone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, logFile), []byte("not a log\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLog(dir); err == nil || !strings.Contains(err.Error(), "offset 0") {
		t.Errorf("got %v, want an error that names the offset", err)
	}
	if err := appendLog(dir, events(1, 1)); err == nil {
		t.Error("an event was appended to it")
	}
}
