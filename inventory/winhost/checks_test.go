package winhost

import (
	"errors"
	"testing"
)

func TestSplitKey(t *testing.T) {
	for path, want := range map[string]struct {
		hive, rest string
		narrow     bool
	}{
		`HKLM\SOFTWARE\A`:               {"HKLM", `SOFTWARE\A`, false},
		`hklm\software\wow6432node\A\B`: {"HKLM", `SOFTWARE\A\B`, true},
		`HKLM\SOFTWARE\Wow6432Node`:     {"HKLM", `SOFTWARE`, true},
		`HKLM\SOFTWARE\Wow6432NodeX\A`:  {"HKLM", `SOFTWARE\Wow6432NodeX\A`, false},
		`HKCU\A`:                        {"HKCU", "A", false},
		`HKU`:                           {"HKU", "", false},
	} {
		hive, rest, narrow := splitKey(path)
		if hive != want.hive || rest != want.rest || narrow != want.narrow {
			t.Errorf("splitKey(%s) = %s, %s, %t; want %v", path, hive, rest, narrow, want)
		}
	}
}

// TestChecks holds what an archive must not be able to make a host do.
func TestChecks(t *testing.T) {
	for name, c := range map[string]struct{ got, want error }{
		"file":                {checkFile(`C:\Windows\a b.dll`), nil},
		"file elsewhere":      {checkFile(`\\server\share\a.dll`), errRemote},
		"device":              {checkFile(`\\.\PhysicalDrive0`), errRemote},
		"stream":              {checkFile(`C:\a.dll:stream`), errForm},
		"relative":            {checkFile(`a.dll`), errForm},
		"without a drive":     {checkFile(`\a.dll`), errForm},
		"pattern":             {checkFile(`C:\*.dll`), errForm},
		"drive only":          {checkFile(`C:\`), errForm},
		"digit for a drive":   {checkFile(`1:\a.dll`), errForm},
		"namespace":           {checkNamespace(`root\cimv2`), nil},
		"other computer":      {checkNamespace(`\\server\root\cimv2`), errRemote},
		"other computer, //":  {checkNamespace(`//server/root/cimv2`), errRemote},
		"moniker":             {checkNamespace(`root\cimv2:Win32_Process`), errForm},
		"query":               {checkQuery("select * from Win32_BIOS"), nil},
		"no query":            {checkQuery("ASSOCIATORS OF {X}"), errForm},
		"empty":               {checkQuery(" "), errForm},
		"Windows":             {checkFolder(36), nil},
		"a user's documents":  {checkFolder(5), errUser},
		"no folder's number":  {checkFolder(-1), errUser},
		"Program Files (x86)": {checkFolder(42), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if !errors.Is(c.got, c.want) || (c.want == nil) != (c.got == nil) {
				t.Errorf("got %v, want %v", c.got, c.want)
			}
		})
	}
}
