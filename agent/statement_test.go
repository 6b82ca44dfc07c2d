package agent

import (
	"errors"
	"testing"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/transport"
)

// TestStatementOfTheArchiveBefore counts while Microsoft's own archive is in
// use, and only then.
func TestStatementOfTheArchiveBefore(t *testing.T) {
	old, other := waptwua.SHA256{1}, waptwua.SHA256{2}
	st := &transport.FilesStatement{Archive: old}
	for name, c := range map[string]struct {
		a    cache.Archive
		want error
	}{
		"the same":                   {cache.Archive{SHA256: old, Size: 1}, nil},
		"Microsoft's, after it":      {cache.Archive{SHA256: other, Size: 1, Direct: true, Before: old}, nil},
		"Microsoft's, after another": {cache.Archive{SHA256: other, Size: 1, Direct: true, Before: waptwua.SHA256{3}}, waptwua.ErrStale},
		"the repository's next":      {cache.Archive{SHA256: other, Size: 1, Before: old}, waptwua.ErrStale},
	} {
		if err := checkStatement(st, st.Update, c.a); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
