package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
)

var at = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	var got map[string]int
	if err := Load(path, &got); !errors.Is(err, waptwua.ErrNotFound) {
		t.Fatalf("missing: %v", err)
	}
	want := map[string]int{"a": 1}
	if err := Save(path, want); err != nil {
		t.Fatal(err)
	}
	if err := Load(path, &got); err != nil || !cmp.Equal(got, want) {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestDamagedDocumentCountsAsAbsent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if err := Save(path, map[string]string{"key": "value"}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) - 1 { // the last line feed may go
		cut := whole[:n]
		flipped := bytes.Clone(whole)
		flipped[n] ^= 1
		for _, text := range [][]byte{cut, flipped} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			var got map[string]string
			if err := Load(path, &got); !errors.Is(err, waptwua.ErrDigest) || got != nil {
				t.Fatalf("damaged at byte %d: %v, %v", n, got, err)
			}
		}
	}
}

func TestLogFindsWhatWasNotFinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.log")
	steps := []Step{Begin, Staged, Installing, Installed, End}
	for i, s := range steps {
		l := open(t, path)
		id := waptwua.UpdateID{GUID: "6c209660-aaaa-4bbb-8ccc-0123456789ab", Revision: i}
		if err := l.Append(Entry{At: at, Kind: "install", Step: s, Updates: []waptwua.UpdateID{id}}); err != nil {
			t.Fatal(err)
		}
		got, unfinished := open(t, path).Unfinished()
		if got.Step != s || got.N != uint64(i+1) || got.Updates[0] != id || unfinished != (s != End) {
			t.Fatalf("after %s: %+v, %v", s, got, unfinished)
		}
	}
}

func TestTornLineIsPassedOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.log")
	l := open(t, path)
	for _, s := range []Step{Begin, Installing, End} {
		if err := l.Append(Entry{At: at, Kind: "install", Step: s}); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lastLine := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for n := lastLine; n < len(whole)-1; n++ {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, path)
		if e, unfinished := l.Unfinished(); !unfinished || e.Step != Installing {
			t.Fatalf("cut at %d: %+v, %v", n, e, unfinished)
		}
		if err := l.Append(Entry{At: at, Kind: "install", Step: End}); err != nil {
			t.Fatal(err)
		}
		if _, unfinished := open(t, path).Unfinished(); unfinished {
			t.Fatalf("cut at %d: the end that was added is lost", n)
		}
	}
}

func TestLogIsShortened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.log")
	var text []byte
	for n := range uint64(2000) {
		line, err := encodeLine(Entry{N: n + 1, At: at, Kind: "scan", Step: End, Note: strings.Repeat("x", 100)})
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, line...)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, path)
	entries, err := l.Entries()
	if err != nil || len(entries) != keepEntries || entries[keepEntries-1].N != 2000 {
		t.Fatalf("%d entries, %v; want the newest %d", len(entries), err, keepEntries)
	}
}

func open(t *testing.T, path string) *Log {
	t.Helper()
	l, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
