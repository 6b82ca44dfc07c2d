package waptwua

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParseUpdateID(t *testing.T) {
	const guid = "6c209660-aaaa-4bbb-8ccc-0123456789ab"
	tests := map[string]struct {
		in   string
		want string // empty: an error
	}{
		"plain":           {guid + "_100", guid + "_100"},
		"upper case":      {strings.ToUpper(guid) + "_1", guid + "_1"},
		"braces":          {"{" + guid + "}_7", guid + "_7"},
		"blanks around":   {"  " + guid + "_7 ", guid + "_7"},
		"no revision":     {guid, ""},
		"empty revision":  {guid + "_", ""},
		"negative":        {guid + "_-1", ""},
		"short GUID":      {"6c209660_1", ""},
		"not hexadecimal": {"6c20966g-aaaa-4bbb-8ccc-0123456789ab_1", ""},
		"hyphen missing":  {"6c209660aaaaa-4bbb-8ccc-0123456789ab_1", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			id, err := ParseUpdateID(tt.in)
			if tt.want == "" {
				if err == nil {
					t.Fatalf("got %v, want an error", id)
				}
				return
			}
			if err != nil || id.String() != tt.want {
				t.Fatalf("got %v, %v; want %s", id, err, tt.want)
			}
		})
	}
}

func TestUpdateIDAsJSONKey(t *testing.T) {
	in := map[UpdateID]KB{{GUID: "6c209660-aaaa-4bbb-8ccc-0123456789ab", Revision: 3}: 5031234}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"6c209660-aaaa-4bbb-8ccc-0123456789ab_3":"KB5031234"}`; string(b) != want {
		t.Fatalf("got %s, want %s", b, want)
	}
	var out map[UpdateID]KB
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	for id, kb := range in {
		if out[id] != kb {
			t.Fatalf("after the round trip: %v, want %v", out, in)
		}
	}
}

func TestParseKB(t *testing.T) {
	for _, s := range []string{"KB5031234", "kb5031234", " 5031234 "} {
		if kb, err := ParseKB(s); err != nil || kb != 5031234 {
			t.Errorf("ParseKB(%q) = %v, %v", s, kb, err)
		}
	}
	for _, s := range []string{"", "KB", "KB0", "KB-1", "KB99999999999", "KB50x"} {
		if kb, err := ParseKB(s); err == nil {
			t.Errorf("ParseKB(%q) = %v, want an error", s, kb)
		}
	}
}

func FuzzParseUpdateID(f *testing.F) {
	f.Add("6c209660-aaaa-4bbb-8ccc-0123456789ab_100")
	f.Add("{6C209660-AAAA-4BBB-8CCC-0123456789AB}_0")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseUpdateID(s)
		if err != nil {
			return
		}
		again, err := ParseUpdateID(id.String())
		if err != nil || again != id {
			t.Fatalf("%q: %v does not survive its own text form: %v, %v", s, id, again, err)
		}
	})
}
