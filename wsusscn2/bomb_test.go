package wsusscn2

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"waptwua"
)

// TestNestedBomb: what inner cabinets expand to is bounded for each and for
// all of them, before anything of it is decoded.
func TestNestedBomb(t *testing.T) {
	big := cabinet(t, entry{`c\10`, `<UpdateIdentity UpdateID="` + testGUID + `3" RevisionNumber="1"/>` + strings.Repeat(" ", 200_000)})
	archive := smallArchive(t, entry{"package3.cab", big})
	tests := map[string]struct {
		limits Limits
		says   string // a pattern; "" when it is read
	}{
		"within":     {Limits{ContentBytes: 210_000, TotalBytes: 220_000}, ""},
		"one":        {Limits{ContentBytes: 150_000}, `^package3.cab: an inner cabinet \(at offset [1-9]\d* of its folder\) that decodes to 200`},
		"all of one": {Limits{TotalBytes: 200_200}, `^package3.cab: with this cabinet \(at offset [1-9]\d* of its folder\) the archive decodes to 200`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := readAll(t, archive, Options{Limits: tt.limits})
			if tt.says == "" && err == nil {
				return
			}
			if tt.says == "" || !errors.Is(err, waptwua.ErrLimit) || !regexp.MustCompile(tt.says).MatchString(err.Error()) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

// TestXMLBombs are documents that are small or cheap to make and would be
// dear to read.
func TestXMLBombs(t *testing.T) {
	core := func(inside string) string { return `<UpdateIdentity UpdateID="` + testGUID + `1"/>` + inside }
	tests := map[string]struct {
		fragment string
		want     error
		says     string
	}{
		"entities that grow":    {core(`<!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><x>&b;</x>`), ErrFormat, "document type"},
		"an entity from a file": {core(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>`), ErrFormat, "document type"},
		"depth":                 {core(strings.Repeat("<a>", 100_000)), waptwua.ErrLimit, "nested more than 256 deep"},
		"attributes":            {core(`<a ` + numbered(`a%="" `, 400) + `/>`), waptwua.ErrLimit, "more than 256 attributes"},
		"prerequisites": {core(`<Relationships><Prerequisites>` + strings.Repeat(`<UpdateIdentity UpdateID="`+testGUID+`1"/>`, 70_000) + `</Prerequisites></Relationships>`),
			waptwua.ErrLimit, "more than 65536 prerequisites"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseCore([]byte(tt.fragment))
			var fe *FormatError
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || !errors.As(err, &fe) || fe.Offset < 0 {
				t.Errorf("got %v, want %q with an offset", err, tt.says)
			}
		})
	}
}

// TestTextInPieces: a text that comes in very many pieces costs no more than
// its bytes, and counts as one.
func TestTextInPieces(t *testing.T) {
	title := func(n int) []byte {
		return []byte(`<LocalizedProperties><Title>` + strings.Repeat("ab<!---->", n) + `</Title></LocalizedProperties>`)
	}
	l, err := ParseLocalized(title(400_000))
	if err != nil || l.Title != strings.Repeat("ab", 400_000) {
		t.Fatalf("%d bytes, %v", len(l.Title), err)
	}
	if _, err := ParseLocalized(title(600_000)); !errors.Is(err, waptwua.ErrLimit) || !strings.Contains(err.Error(), "text of more than") {
		t.Errorf("a text of more than a megabyte: %v", err)
	}
}
