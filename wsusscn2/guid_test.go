package wsusscn2

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waptwua"
)

func guid(t *testing.T, s string) GUID {
	t.Helper()
	g, err := ParseGUID(s)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGUIDs: whatever waptwua.NormalizeGUID takes is taken, in the same form,
// and nothing else; as text and as bytes alike.
func TestGUIDs(t *testing.T) {
	text := rapid.OneOf(
		rapid.StringMatching(`\{?[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\}?`),
		rapid.StringMatching(`[0-9a-gA-G]{8}-[0-9a-f]{4}[-0][0-9a-f]{4}-[0-9a-f]{4}-[0-9@G/:\x60a-f]{12}`),
		rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		want, wantErr := waptwua.NormalizeGUID(s)
		got, err := ParseGUID(s)
		if (err == nil) != (wantErr == nil) || err == nil && got.String() != want {
			t.Fatalf("ParseGUID(%q) = %s, %v; want %s, %v", s, got, err, want, wantErr)
		}
		if fromBytes, ok := hexGUID([]byte(s)); ok && (err != nil || fromBytes != got) {
			t.Fatalf("the bytes of %q give %s", s, fromBytes)
		}
	})
}

// TestIdentity: an identity has the form of waptwua.UpdateID.
func TestIdentity(t *testing.T) {
	id := Identity{guid(t, strings.ToUpper(testGUID)+"1"), 203}
	if got, want := id.String(), strings.ToLower(testGUID)+"1_203"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
