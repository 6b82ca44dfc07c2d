package wsusscn2

import (
	"fmt"
	"strings"
	"testing"
)

// TestAbridge: of large fragments the caller may refuse the middle; others
// are never asked about.
func TestAbridge(t *testing.T) {
	long := `<UpdateIdentity UpdateID="` + testGUID + `2"/>` + strings.Repeat("0123456789", AbridgedFrom/10)
	short := long[:AbridgedFrom-1]
	a := openString(t, smallArchive(t, entry{"package2.cab", cabinet(t,
		entry{`c\1`, long}, entry{`c\2`, short}, entry{`x\3`, long}, entry{`c\4`, "end"},
	)}), Options{})
	var asked []string
	sel := Selection{Kinds: []Kind{KindCore, KindExtended}, Abridge: func(k Kind, head []byte) bool {
		asked = append(asked, fmt.Sprintf("%c", k))
		if string(head) != long[:AbridgedHead] {
			t.Errorf("the head has %d bytes, or others", len(head))
		}
		return k == KindCore
	}}
	got := map[string]string{}
	err := a.Fragments(t.Context(), sel, func(f Fragment) error {
		got[f.Path()] = string(f.Data)
		if (f.Cut != 0) != (f.Name == `c/1`) {
			t.Errorf("%s is cut at %d", f.Name, f.Cut)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"package2.cab/c/1": long[:AbridgedHead] + long[len(long)-AbridgedTail:], "package2.cab/c/2": short, "package2.cab/x/3": long, "package2.cab/c/4": "end",
	} {
		if got[path] != want {
			t.Errorf("%s has %d bytes, want %d, or has others", path, len(got[path]), len(want))
		}
	}
	if fmt.Sprint(asked) != "[c x]" {
		t.Errorf("asked about %v", asked)
	}
}
