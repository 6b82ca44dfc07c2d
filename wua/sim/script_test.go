package sim

import (
	"strings"
	"testing"

	"waptwua"
	"waptwua/wua"
)

func TestParseScript(t *testing.T) {
	s, err := ParseScript([]byte(`{"faults": [
		{"call": "search", "code": "0x8007000E", "last": 2},
		{"call": "install", "update": "KB5000001", "code": "80070643", "delay": "1.5s"},
		{"call": "install", "update": "*", "effect": "lie", "rate": 0.25}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Faults) != 3 || s.Faults[0].code != wua.OutOfMemory || s.Faults[1].delay.Seconds() != 1.5 || s.Faults[2].Effect != Lie {
		t.Errorf("got %+v", s.Faults)
	}
}

func TestParseScriptRefuses(t *testing.T) {
	tests := map[string]struct{ in, says string }{
		"no JSON":                  {`faults`, "read the script"},
		"unknown key":              {`{"faults": [{"call": "search", "kode": "1"}]}`, "kode"},
		"unknown call":             {`{"faults": [{"call": "reboot", "code": "0x80070422"}]}`, `call "reboot"`},
		"unknown effect":           {`{"faults": [{"call": "install", "effect": "explode"}]}`, `effect "explode"`},
		"no code":                  {`{"faults": [{"call": "search"}]}`, "code is missing"},
		"not a code":               {`{"faults": [{"call": "search", "code": "E_FAIL"}]}`, "hexadecimal"},
		"not a duration":           {`{"faults": [{"call": "search", "delay": "soon"}]}`, "soon"},
		"lie of a search":          {`{"faults": [{"call": "search", "effect": "lie"}]}`, "want call install"},
		"lie of the whole":         {`{"faults": [{"call": "install", "effect": "lie"}]}`, "and an update"},
		"rollback without failure": {`{"faults": [{"call": "install", "update": "*", "effect": "rollback"}]}`, "code is missing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if s, err := ParseScript([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %+v, %v; want an error about %q", s, err, tt.says)
			}
		})
	}
}

func callWith(t *testing.T, seed uint64, faults ...Fault) *call {
	t.Helper()
	s, err := NewScript(faults...)
	if err != nil {
		t.Fatal(err)
	}
	return &call{Host: &Host{opt: Options{Script: s, Seed: seed}}, state: newState()}
}

func TestScriptedCountsAttemptsByUpdate(t *testing.T) {
	c := callWith(t, 0, Fault{Call: "install", Update: "*", Code: "0x80070643", First: 2, Last: 3})
	for _, guid := range []string{"a", "b"} {
		u := &waptwua.Update{ID: waptwua.UpdateID{GUID: guid, Revision: 1}}
		for attempt := 1; attempt <= 5; attempt++ {
			if got, want := c.scripted("install", u) != nil, attempt == 2 || attempt == 3; got != want {
				t.Errorf("attempt %d of %s: fails %v, want %v", attempt, guid, got, want)
			}
		}
	}
}

func TestScriptedFindsUpdates(t *testing.T) {
	u := &waptwua.Update{ID: waptwua.UpdateID{GUID: "6c209660-aaaa-4bbb-8ccc-0123456789ab", Revision: 7}, KBs: []waptwua.KB{5000001}}
	for name, want := range map[string]bool{
		"*": true, "KB5000001": true, "5000001": true, "KB5000002": false, u.ID.GUID: true, strings.ToUpper(u.ID.GUID): true,
		u.ID.String(): true, u.ID.GUID + "_8": false, "": false,
	} {
		f := Fault{Call: "install", Update: name, Code: "0x80070643"}
		if got := callWith(t, 0, f).scripted("install", u) != nil; got != want {
			t.Errorf("a fault of %q: %v, want %v", name, got, want)
		}
	}
	whole := callWith(t, 0, Fault{Call: "*", Code: "0x80070422"})
	if whole.scripted("search", nil) == nil || whole.scripted("install", u) != nil || whole.scripted("restart", nil) != nil {
		t.Error("* is not every call as a whole, and nothing else")
	}
}

func TestRateFollowsTheSeed(t *testing.T) {
	count := func(seed uint64) (n int, which string) {
		c := callWith(t, seed, Fault{Call: "search", Code: "0x8007000E", Rate: 0.2})
		for range 1000 {
			if c.scripted("search", nil) != nil {
				n++
				which += "x"
			} else {
				which += "."
			}
		}
		return n, which
	}
	n, first := count(1)
	_, again := count(1)
	_, other := count(2)
	if n < 150 || n > 250 {
		t.Errorf("%d of 1000 fail at a rate of 0.2", n)
	}
	if first != again || first == other {
		t.Error("the failures do not follow the seed")
	}
}
