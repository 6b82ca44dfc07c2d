package catalog_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waptwua/catalog"
	"waptwua/wsusscn2"
)

// TestSearchText: a title is searched by its words in lower case, whatever
// alphabet and blanks it has.
func TestSearchText(t *testing.T) {
	text := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9 \t\r\n\v\f(),-]{0,60}`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		title := text.Draw(t, "title")
		want := strings.Join(strings.Fields(strings.ToLower(title)), " ")
		if want != "" {
			want = " " + want + " "
		}
		r := catalog.Record{Texts: []wsusscn2.Localized{{Title: title}}}
		if got := r.SearchText(); got != want {
			t.Fatalf("of %q: %q, want %q", title, got, want)
		}
	})
}
