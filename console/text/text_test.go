package text

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var verb = regexp.MustCompile(`%[^%]`)

// TestCatalogue holds the languages to each other: no text is missing, the
// verbs are the same in the same order, and so are the two forms.
func TestCatalogue(t *testing.T) {
	for k := range keys {
		en, fr := catalogue[k][English], catalogue[k][French]
		if strings.TrimSpace(en) == "" || strings.TrimSpace(fr) == "" {
			t.Errorf("key %d: English %q, French %q; want both", k, en, fr)
		}
		if strings.Count(en, "|") != strings.Count(fr, "|") {
			t.Errorf("key %d: different forms: %q, %q", k, en, fr)
		}
		if d := cmp.Diff(verb.FindAllString(en, -1), verb.FindAllString(fr, -1)); d != "" {
			t.Errorf("key %d: different verbs: %q, %q\n%s", k, en, fr, d)
		}
		forms := strings.Split(en+"|"+fr, "|")
		for _, f := range forms {
			if strings.TrimSpace(f) != f {
				t.Errorf("key %d: %q has a space at an end", k, f)
			}
		}
	}
}

// TestFrenchSpaces finds punctuation that could begin a line.
func TestFrenchSpaces(t *testing.T) {
	loose := regexp.MustCompile(` [:;?!»]|« `)
	for k := range keys {
		if loose.MatchString(catalogue[k][French]) {
			t.Errorf("%q: want a no-break space there", catalogue[k][French])
		}
	}
}

func TestNegotiate(t *testing.T) {
	for accept, want := range map[string]Language{
		"":                            English,
		"fr":                          French,
		"fr-CA,fr;q=0.8,en;q=0.5":     French,
		"en-GB,en;q=0.9,fr;q=0.8":     English,
		"de,fr;q=0.7,en;q=0.3":        French,
		"de":                          English,
		"*":                           English,
		";;;,,,q=":                    English,
		strings.Repeat("x-a,", 10000): English,
		"en;q=0.1,fr;q=0.9":           French,
	} {
		if got := Negotiate(accept); got != want {
			t.Errorf("Accept-Language %.40q: %s, want %s", accept, got.Tag(), want.Tag())
		}
	}
}

func TestCount(t *testing.T) {
	for _, c := range []struct {
		l    Language
		n    int
		want string
	}{
		{English, 0, "0 hosts"}, {English, 1, "1 host"}, {English, 1234, "1,234 hosts"},
		{French, 0, "0 machine"}, {French, 1, "1 machine"}, {French, 1234, "1\u202f234 machines"},
	} {
		if got := In(c.l).Count(HostsCount, c.n); got != c.want {
			t.Errorf("%s %d: %q, want %q", c.l.Tag(), c.n, got, c.want)
		}
	}
}

func TestFormats(t *testing.T) {
	en, fr := In(English), In(French)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) string { return en.Age(now, now.Add(-d)) }
	for _, c := range []struct{ name, got, want string }{
		{"zero bytes", en.Size(0), "0\u00a0B"},
		{"bytes", en.Size(999), "999\u00a0B"},
		{"one kilobyte", en.Size(1000), "1.0\u00a0kB"},
		{"rounds up to the next unit", en.Size(999_900), "1.0\u00a0MB"},
		{"megabytes in French", fr.Size(4_812_345), "4,8\u00a0Mo"},
		{"gigabytes", en.Size(658_123_456_789), "658\u00a0GB"},
		{"beyond the largest unit", en.Size(5_000_000_000_000_000), "5000\u00a0TB"},
		{"speed", en.Speed(47_500_000), "48\u00a0MB/s"},
		{"percent is rounded down", en.Percent(999, 1000), "99%"},
		{"all", en.Percent(25, 25), "100%"},
		{"of nothing", en.Percent(0, 0), "–"},
		{"negative number", en.Number(-1234567), "-1,234,567"},
		{"milliseconds", en.Duration(94 * time.Millisecond), "94\u00a0ms"},
		{"minutes", en.Duration(94 * time.Second), "1\u00a0min 34\u00a0s"},
		{"whole hours", en.Duration(2 * time.Hour), "2\u00a0h"},
		{"days in French", fr.Duration(50 * time.Hour), "2\u00a0j 2\u00a0h"},
		{"now", ago(0), "just now"},
		{"seconds", ago(59 * time.Second), "59\u00a0s ago"},
		{"minutes ago", ago(119 * time.Second), "1\u00a0min ago"},
		{"hours ago", ago(47 * time.Hour), "47\u00a0h ago"},
		{"days ago", ago(49 * time.Hour), "2 days ago"},
		{"ahead", en.Age(now, now.Add(90*time.Minute)), "in 1\u00a0h"},
		{"ago in French", fr.Age(now, now.Add(-72*time.Hour)), "il y a 3 jours"},
		{"moment with its zone", en.Moment(now), "2026-11-23 12:00:00 UTC"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, l := range Languages() {
		if got, ok := Parse(l.Tag()); !ok || got != l {
			t.Errorf("Parse(%q) = %v, %v", l.Tag(), got, ok)
		}
		if l.Name() == "" {
			t.Errorf("language %s has no name", l.Tag())
		}
	}
	if _, ok := Parse("tlh"); ok {
		t.Error("Parse took a language that is not there")
	}
}
