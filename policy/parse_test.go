package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
)

func TestParseRules(t *testing.T) {
	no, week := false, 7*24*time.Hour
	got, err := ParseRules("pkg", []byte("\ufeff"+`{
		"allowed_kbs": ["KB1", "2"], "forbidden_updates": ["6C209660-AAAA-4bbb-8ccc-0123456789ab_3"],
		"allowed_products": [" Windows 11 ", "{0FA1201D-4330-4FA8-8AE9-B877473B6441}"],
		"forbidden_severities": ["none", "CRITICAL"], "default_allow": false, "install_delay": "7",
		"clauses": [{"kbs": ["KB3"], "allow": false}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Rules{
		Name:         "pkg",
		Allowed:      Lists{KBs: []waptwua.KB{1, 2}, Products: []string{"Windows 11", "0fa1201d-4330-4fa8-8ae9-b877473b6441"}},
		Forbidden:    Lists{Updates: []Revision{{ID: waptwua.UpdateID{GUID: "6c209660-aaaa-4bbb-8ccc-0123456789ab", Revision: 3}}}, Severities: []waptwua.Severity{waptwua.Unrated, waptwua.Critical}},
		Clauses:      []Clause{{KBs: []waptwua.KB{3}}},
		DefaultAllow: &no, InstallDelay: &week,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestParseRulesRefuses(t *testing.T) {
	tests := map[string]struct{ in, names string }{
		"nothing":                   {``, "want a JSON object"},
		"a list":                    {`[]`, "want a JSON object"},
		"torn":                      {`{"default_allow": true`, "end of the object"},
		"trailing text":             {`{} {}`, "follows"},
		"unknown key":               {`{"allow_kbs": []}`, "allow_kbs: unknown key"},
		"unknown list":              {`{"forbidden_kb": []}`, "forbidden_kb: unknown key"},
		"key in another case":       {`{"Allowed_kbs": []}`, "Allowed_kbs: unknown key"},
		"key twice":                 {`{"allowed_kbs": ["KB1"], "allowed_kbs": []}`, "allowed_kbs: the key stands twice"},
		"escaped key twice":         {`{"default_allow": false, "default\u005fallow": true}`, "stands twice"},
		"text for a list":           {`{"allowed_kbs": "KB1"}`, "allowed_kbs: want a list"},
		"number in a list":          {`{"allowed_kbs": [1]}`, "allowed_kbs: want a list of texts"},
		"null list":                 {`{"forbidden_kbs": null}`, "forbidden_kbs: "},
		"null entry":                {`{"forbidden_kbs": ["KB1", null]}`, "forbidden_kbs: entry 2"},
		"text for a boolean":        {`{"default_allow": "true"}`, "default_allow: want true or false"},
		"null boolean":              {`{"default_allow": null}`, "default_allow: want true or false"},
		"not a KB":                  {`{"forbidden_kbs": ["MS11-025"]}`, `forbidden_kbs: entry 1: KB "MS11-025"`},
		"not an update":             {`{"forbidden_updates": ["KB1"]}`, "forbidden_updates: entry 1"},
		"empty product":             {`{"allowed_products": [" "]}`, "allowed_products: entry 1: the name is empty"},
		"unknown severity":          {`{"allowed_severities": ["Crtical"]}`, "Crtical"},
		"bad delay":                 {`{"install_delay": "soon"}`, "install_delay: duration"},
		"delay as a number":         {`{"install_delay": 7}`, "install_delay: want a text"},
		"clause without allow":      {`{"clauses": [{"kbs": ["KB1"]}]}`, `clauses: clause 1: "allow" is missing`},
		"clause that matches all":   {`{"clauses": [{"allow": true}]}`, "default_allow speaks"},
		"clause with empty list":    {`{"clauses": [{"allow": true, "kbs": ["KB1"], "products": [ ]}]}`, "products: the list is empty"},
		"clause with unknown key":   {`{"clauses": [{"allow": true, "product": ["x"]}]}`, "product: unknown key"},
		"clause with updates":       {`{"clauses": [{"allow": true, "updates": []}]}`, "updates:"},
		"clause with a key twice":   {`{"clauses": [{"allow": false, "kbs": ["KB1"], "allow": true}]}`, "stands twice"},
		"null clause":               {`{"clauses": [null]}`, "clause 1: want a JSON object"},
		"comment":                   {`{/* all */}`, "invalid character"},
		"name as long as a message": {`{"allowed_products": ["` + strings.Repeat("x", 300) + `"]}`, "limit exceeded"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := ParseRules("pkg", []byte(tt.in))
			if err == nil {
				t.Fatalf("accepted as %+v", r)
			}
			if !strings.Contains(err.Error(), tt.names) || !strings.Contains(err.Error(), `rules "pkg"`) {
				t.Errorf("the error %q does not say %q", err, tt.names)
			}
		})
	}
}

func TestParseRulesLimits(t *testing.T) {
	var many strings.Builder
	for i := range maxEntries + 1 {
		fmt.Fprintf(&many, `,"%d"`, i+1)
	}
	tests := map[string]string{
		"entries": `{"allowed_kbs": [` + many.String()[1:] + `]}`,
		"bytes":   `{"allowed_kbs": []` + strings.Repeat(" ", maxFile) + `}`,
	}
	for name, in := range tests {
		if _, err := ParseRules("pkg", []byte(in)); !errors.Is(err, waptwua.ErrLimit) {
			t.Errorf("%s: got %v, want waptwua.ErrLimit", name, err)
		}
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add([]byte(`{"allowed_kbs":["KB1"],"clauses":[{"products":["a"],"allow":true}],"install_delay":"7d","default_allow":false}`))
	f.Add([]byte(`{"forbidden_updates":["6c209660-aaaa-4bbb-8ccc-0123456789ab_3","6c209660-aaaa-4bbb-8ccc-0123456789ab"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRules("pkg", b)
		if err != nil {
			return
		}
		p := Merge(Settings{}, r)
		if q := Merge(Settings{}, r, r); q.Decide(waptwua.Update{}, caseNow) != p.Decide(waptwua.Update{}, caseNow) {
			t.Fatalf("the same rules twice decide otherwise: %s", b)
		}
	})
}
