// Package text holds every word that the console says, in every language it
// speaks, and writes numbers, sizes, times and ages as these languages do.
//
// # The catalogue
//
// A [Key] names one text. The catalogue is one table with a column for each
// language, so that a change of one is made beside the other. Texts may have
// the verbs of package fmt, the same ones in the same order in all languages.
// A text with two forms separates them by "|": the first for one, the second
// for several; see [Texts.Count].
//
// WAPT's own words (OK, PENDING, MISSING …, names of settings and of rule
// keys, product names) are not translated: people search for them.
//
// # Times
//
// Absolute times are written YYYY-MM-DD HH:MM:SS and the zone, in every
// language; ages in the largest unit that fits, rounded down.
package text

import (
	"fmt"
	"strings"

	"golang.org/x/text/language"
)

// Language is a language of the console.
type Language int

// The languages, in the order of the catalogue's columns.
const (
	English Language = iota
	French
	languages
)

// Languages lists them all.
func Languages() []Language { return []Language{English, French} }

// Tag is the language's BCP 47 tag, for HTML and cookies.
func (l Language) Tag() string { return [languages]string{"en", "fr"}[l] }

// Name is the language's name in itself.
func (l Language) Name() string { return [languages]string{"English", "Français"}[l] }

// Parse reads a tag that Tag wrote.
func Parse(tag string) (Language, bool) {
	for _, l := range Languages() {
		if l.Tag() == tag {
			return l, true
		}
	}
	return English, false
}

// Negotiate picks the language that a browser's Accept-Language likes best;
// English when it likes none of ours, or cannot be read.
func Negotiate(accept string) Language {
	want, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(want) == 0 {
		return English
	}
	_, i, confidence := language.NewMatcher([]language.Tag{language.English, language.French}).Match(want...)
	if confidence == language.No {
		return English
	}
	return Language(i)
}

// Texts speaks one language. The zero value speaks English.
type Texts struct{ lang Language }

// In returns the texts of a language.
func In(l Language) Texts { return Texts{lang: l} }

// Language is the language spoken.
func (t Texts) Language() Language { return t.lang }

// Say returns the text of k with its verbs filled in.
func (t Texts) Say(k Key, args ...any) string {
	s := catalogue[k][t.lang]
	if len(args) == 0 {
		return s
	}
	return fmt.Sprintf(s, args...)
}

// Count returns the form of k that goes with n. Its one verb, if any, is %s
// and gets the number as the language writes it.
func (t Texts) Count(k Key, n int) string {
	one, many, _ := strings.Cut(catalogue[k][t.lang], "|")
	form := many
	if n == 1 || n == 0 && t.lang == French {
		form = one
	}
	if !strings.Contains(form, "%s") {
		return form
	}
	return fmt.Sprintf(form, t.Number(int64(n)))
}
