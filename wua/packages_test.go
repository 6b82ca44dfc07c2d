package wua

import (
	"strings"
	"testing"
)

func TestOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		exit    uint32
		code    Code
		result  ResultCode
		restart bool
	}{
		"done":                  {0, OK, Succeeded, false},
		"restart required":      {3010, RebootRequiredOK, Succeeded, true},
		"restart begun":         {1641, RebootRequiredOK, Succeeded, true},
		"stopped after work":    {0x240001, 0x240001, Succeeded, false},
		"some errors":           {0x240003, 0x240003, SucceededWithErrors, false},
		"restart, as HRESULT":   {0x240005, RebootRequiredOK, Succeeded, true},
		"already installed":     {2359302, AlreadyInstalled, Succeeded, false},
		"already removed":       {0x240007, AlreadyRemoved, Succeeded, false},
		"still pending":         {0x242015, RebootRequiredOK, Succeeded, true},
		"servicing stack first": {0x800f0823, 0x800f0823, Failed, false},
		"not applicable, CBS":   {0x800f081e, NotInstallable, Failed, false},
		"not applicable, WUA":   {0x80240017, NotApplicable, Failed, false},
		"wrong argument":        {87, 0x80070057, Failed, false},
		"access denied":         {5, 0x80070005, Failed, false},
		"killed":                {1, 0x80070001, Failed, false},
		"crashed":               {0xC0000005, 0xC0000005, Failed, false},
	} {
		t.Run(name, func(t *testing.T) {
			code, result, restart := Outcome(c.exit)
			if code != c.code || result != c.result || restart != c.restart {
				t.Errorf("exit code %#x means %s, %d, restart %v; want %s, %d, %v", c.exit, code, result, restart, c.code, c.result, c.restart)
			}
			if Lookup(code).Sentence == "" || result == Failed != code.Failed() {
				t.Errorf("%s is not explained, or is failed=%v although the result is %d", code, code.Failed(), result)
			}
		})
	}
}

func TestPackageResultInAJournal(t *testing.T) {
	r := NewPackageResult(ToolDISM, 3010, "")
	for range 7 {
		r.Packages = append(r.Packages, Package{Identity: "Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.8875.1.14", State: PackageInstallPending})
	}
	s := r.String()
	for _, want := range []string{"dism ended with 0x00240005", "restart required", "26100.8875.1.14: Install Pending", "and 2 more"} {
		if !strings.Contains(s, want) {
			t.Errorf("%q lacks %q", s, want)
		}
	}
}
