package dialog

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each language has every text, with the same verbs.
func TestLanguagesAreWhole(t *testing.T) {
	verb := regexp.MustCompile(`%(\[\d\])?0?\d*[sdv%]`)
	index := regexp.MustCompile(`\[\d\]|0\d`)
	verbs := func(s string) []string {
		found := verb.FindAllString(index.ReplaceAllString(s, ""), -1)
		slices.Sort(found)
		return found
	}
	en, fr := reflect.ValueOf(english), reflect.ValueOf(french)
	for i := range en.NumField() {
		if en.Field(i).Kind() != reflect.String {
			continue
		}
		a, b, name := en.Field(i).String(), fr.Field(i).String(), en.Type().Field(i).Name
		if a == "" || b == "" || a == b {
			t.Errorf("%s: %q, %q", name, a, b)
		}
		if !slices.Equal(verbs(a), verbs(b)) {
			t.Errorf("%s: other verbs: %q, %q", name, a, b)
		}
	}
	for _, w := range languages {
		if len(strings.Fields(w.dayNames)) != 7 || len(strings.Fields(w.monthNames)) != 12 {
			t.Errorf("%d days, %d months", len(strings.Fields(w.dayNames)), len(strings.Fields(w.monthNames)))
		}
	}
}

func TestLanguageOf(t *testing.T) {
	for locale, want := range map[string]Language{"fr": French, "fr-CA": French, "fr_FR.UTF-8": French, "FR@euro": French, "": English, "C": English, "de-DE": English, "fry": English, "en-FR": English} {
		if got := LanguageOf(locale); got != want {
			t.Errorf("%q: %d", locale, got)
		}
	}
	if Language(7).words() != &english {
		t.Error("an unknown language has no texts")
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 seconds", time.Second: "1 second", time.Minute: "60 seconds", 2 * time.Minute: "2 minutes",
		90 * time.Minute: "90 minutes", time.Hour: "1 hour", 72 * time.Hour: "3 days", 3*time.Minute + 59*time.Second: "3 minutes",
	} {
		if got := english.span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
