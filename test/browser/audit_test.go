package browser

import (
	_ "embed"
)

// auditScript returns what is wrong with the page that is shown, as sentences.
//
//go:embed testdata/audit.js
var auditScript string

// audit checks what makes a page usable for everybody: its language, title,
// headings, names of fields, links, buttons and tables, contrast of text,
// and that nothing is wider than the window.
func (b *browser) audit(language string) {
	b.t.Helper()
	if got := eval[string](b, `document.documentElement.lang`); got != language {
		b.t.Errorf("%s: the page says it is in %q, want %q", b.path(), got, language)
	}
	for _, fault := range eval[[]string](b, auditScript) {
		b.t.Errorf("%s: %s", b.path(), fault)
	}
}
