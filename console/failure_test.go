package console

import (
	"strings"
	"testing"

	"waptwua"
	"waptwua/console/text"
)

// TestFailureInTheLanguageOfThePage: hosts report in English.
func TestFailureInTheLanguageOfThePage(t *testing.T) {
	reported := &waptwua.Failure{HResult: 0x8007000E, Name: "E_OUTOFMEMORY", Sentence: "The host ran out of memory.", Remedy: "Restart the host, then scan again."}
	for language, want := range map[text.Language][]string{
		text.English: {"The host ran out of memory.", "What to do: Restart the host, then scan again."},
		text.French:  {"La machine a manqué de mémoire.", "Redémarrez la machine, puis relancez une analyse."},
	} {
		var page strings.Builder
		if err := (frame{Texts: text.In(language)}).failure(reported).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		for _, w := range append(want, "0x8007000E") {
			if !strings.Contains(page.String(), w) {
				t.Errorf("%s: the page has no %q:\n%s", language.Name(), w, page.String())
			}
		}
	}
}
