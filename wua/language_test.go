package wua

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"waptwua"
)

// TestFrench: every sentence that a code can have is known in French.
func TestFrench(t *testing.T) {
	for _, c := range append(Known(), 0x80242ABC, 0x80071234, 0x80D0FF01, 0x87654321, 0x00990000, 0x00240999) {
		english, french := Lookup(c), LookupIn(French, c)
		if french.Name != english.Name {
			t.Errorf("%v is called %q in French", c, french.Name)
		}
		for _, pair := range [][2]string{{english.Sentence, french.Sentence}, {english.Remedy, french.Remedy}} {
			if pair[0] == "" && pair[1] == "" {
				continue
			}
			if pair[1] == "" || pair[0] == pair[1] || strings.Count(pair[0], sentenceEnd) != strings.Count(pair[1], sentenceEnd) {
				t.Errorf("%v: %q is %q in French", c, pair[0], pair[1])
			}
		}
		if LookupIn(English, c) != english {
			t.Errorf("%v: English differs from the tables", c)
		}
	}
	for english, french := range frenchSentences() {
		if !strings.HasSuffix(english, ".") || !strings.HasSuffix(french, ".") || strings.ContainsAny(french, "'\"") {
			t.Errorf("%q -> %q: want sentences, with typographic quotes", english, french)
		}
	}
}

// TestFrenchIsUsed: no translation is left of a sentence that has gone.
func TestFrenchIsUsed(t *testing.T) {
	used := map[string]bool{}
	note := func(text string) {
		for _, s := range strings.SplitAfter(text, sentenceEnd) {
			used[strings.TrimSuffix(s, " ")] = true
		}
	}
	for _, codes := range tables() {
		for _, e := range codes {
			note(e.sentence)
			note(e.remedy)
		}
	}
	for _, f := range families() {
		note(f.sentence)
		note(f.remedy)
	}
	for _, c := range []Code{0x87654321, 0x00990000} {
		note(Lookup(c).Sentence)
		note(Lookup(c).Remedy)
	}
	ours, _, found := strings.Cut(frenchText, "# What the agent itself says")
	if !found {
		t.Fatal("french.txt has no section of the agent's own sentences")
	}
	for english := range readPairs(ours) {
		if !used[english] {
			t.Errorf("no code has the sentence %q", english)
		}
	}
}

func TestFailureIn(t *testing.T) {
	at := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	f := FailureOf(fmt.Errorf("scan: %w", &Error{Op: "search", Code: OutOfMemory, Text: "No memory. Really."}), at, 1)
	got := FailureIn(French, f)
	want := "La machine a manqué de mémoire. Windows dit\u00a0: No memory. Really."
	if got.Sentence != want || got.Remedy == f.Remedy || got.HResult != f.HResult || !got.At.Equal(at) {
		t.Errorf("FailureIn = %+v", got)
	}
	foreign := waptwua.Failure{Sentence: "dial tcp: refused. Try later"}
	if got := FailureIn(French, foreign); got != foreign {
		t.Errorf("words that are not ours: %+v", got)
	}
	if got := FailureIn(English, f); got != f {
		t.Errorf("English: %+v", got)
	}
}

func TestParseLanguage(t *testing.T) {
	for tag, want := range map[string]Language{"en": English, "fr": French, "FR-ca": French, "en-GB": English} {
		if l, ok := ParseLanguage(tag); !ok || l != want {
			t.Errorf("ParseLanguage(%q) = %v, %v", tag, l, ok)
		}
	}
	if _, ok := ParseLanguage("de"); ok {
		t.Error("German is known")
	}
}
