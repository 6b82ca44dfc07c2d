package wua

import (
	"errors"
	"strings"
	"testing"

	"waptwua"
)

const (
	guidA = "10000000-0000-4000-8000-00000000000a"
	guidB = "10000000-0000-4000-8000-00000000000b"
)

func TestCriteria(t *testing.T) {
	needed := Update{Update: waptwua.Update{ID: waptwua.UpdateID{GUID: guidA, Revision: 3}, Type: "Software", CategoryIDs: []string{guidB}}}
	hidden, installed, driver, restart := needed, needed, needed, needed
	hidden.Hidden, installed.Installed, driver.Type = true, true, "Driver"
	restart.Installed, restart.RebootRequired = true, true
	all := map[string]*Update{"needed": &needed, "hidden": &hidden, "installed": &installed, "driver": &driver, "restart": &restart}

	tests := map[string]struct{ criteria, finds string }{
		"default of WAPT":      {DefaultCriteria, "driver hidden installed needed restart"},
		"default of WUA":       {"", "driver needed"},
		"installed":            {"IsInstalled=1", "installed restart"},
		"spaces and case":      {" isinstalled  = 0 AND ISHIDDEN=0 ", "driver needed"},
		"no spaces":            {"(Type='Software')and(IsHidden=0)", "installed needed restart"},
		"parentheses":          {"((Type='driver'))", "driver"},
		"not":                  {"Type!='Driver' and IsHidden=0", "installed needed restart"},
		"or of parentheses":    {"(IsInstalled=1 and RebootRequired=0) or (Type='Driver')", "driver installed"},
		"restart outstanding":  {"RebootRequired=1", "restart"},
		"identity":             {"UpdateID='" + strings.ToUpper(guidA) + "' and RevisionNumber=3 and IsInstalled=0", "driver hidden needed"},
		"other revision":       {"UpdateID='" + guidA + "' and RevisionNumber=2", ""},
		"every other identity": {"UpdateID!='" + guidA + "'", ""},
		"category":             {"CategoryIDs contains '" + guidB + "' and IsInstalled=1", "installed restart"},
		"other category":       {"CategoryIDs contains '" + guidA + "'", ""},
		"to be removed":        {"DeploymentAction='Uninstallation'", ""},
		"assigned":             {"IsAssigned=1 and BrowseOnly=0 and AutoSelectOnWebSites=0 and IsPresent=1", "installed restart"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := ParseCriteria(tt.criteria)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, name := range []string{"driver", "hidden", "installed", "needed", "restart"} {
				if c.Match(all[name]) {
					found = append(found, name)
				}
			}
			if got := strings.Join(found, " "); got != tt.finds {
				t.Errorf("%s finds %q, want %q", tt.criteria, got, tt.finds)
			}
		})
	}
}

func TestCriteriaRefused(t *testing.T) {
	tests := map[string]struct{ criteria, says string }{
		"or inside parentheses":     {"(Type='Software' or Type='Driver') and IsHidden=0", "top level only"},
		"unknown property":          {"Title='x'", `"Title" is no property`},
		"no operator":               {"IsInstalled", `expected "="`},
		"no value":                  {"IsInstalled=", "expected a number"},
		"flag of two":               {"IsInstalled=2", "expected 0 or 1"},
		"not equal to a flag":       {"IsInstalled!=1", `"!=" is possible`},
		"text for a number":         {"IsInstalled='1'", "expected a number"},
		"number for a text":         {"Type=1", "single quotes"},
		"open quote":                {"Type='Software", "not closed"},
		"unknown type":              {"Type='Firmware'", "'Driver'"},
		"not a GUID":                {"UpdateID='KB1'", "GUID"},
		"revision alone":            {"RevisionNumber=1", "needs UpdateID"},
		"revision elsewhere":        {"RevisionNumber=1 or UpdateID='" + guidA + "'", "needs UpdateID"},
		"revision beside not equal": {"RevisionNumber=1 and UpdateID!='" + guidA + "'", "needs UpdateID"},
		"equals for categories":     {"CategoryIDs='" + guidA + "'", "contains"},
		"open parenthesis":          {"(IsHidden=0", `expected ")"`},
		"empty parentheses":         {"()", "no property"},
		"end missing":               {"IsHidden=0 and", "no property"},
		"something behind":          {"IsHidden=0 IsInstalled=0", "the end"},
		"words joined":              {"IsHidden=0 andIsInstalled=0", "the end"},
		"too many terms":            {strings.Repeat("IsHidden=0 or ", 501) + "IsHidden=0", "limit exceeded"},
		"too deep":                  {strings.Repeat("(", 5000) + "IsHidden=0", "limit exceeded"},
		"too long":                  {strings.Repeat(" ", 9000) + "IsHidden=0", "limit exceeded"},
		"huge number":               {"UpdateID='" + guidA + "' and RevisionNumber=99999999999999999999", "expected a number"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseCriteria(tt.criteria)
			if err == nil {
				t.Fatal("accepted")
			}
			var e *Error
			if !errors.As(err, &e) || e.Code != InvalidCriteria || !strings.Contains(e.Text, tt.says) {
				t.Errorf("got %v; want code %v and something about %q", err, InvalidCriteria, tt.says)
			}
		})
	}
}

func TestExcludesHidden(t *testing.T) {
	for s, want := range map[string]bool{"": true, DefaultCriteria: false, "IsHidden=1": false, "IsHidden=0 or IsInstalled=1": false, "(IsHidden=0) or (IsHidden=0 and IsInstalled=1)": true} {
		c, err := ParseCriteria(s)
		if err != nil || c.ExcludesHidden() != want {
			t.Errorf("%q: %v, %v; want %v", s, c, err, want)
		}
	}
}

// FuzzParseCriteria checks that an expression that is read finds the same
// whatever the spaces and the case of its words.
func FuzzParseCriteria(f *testing.F) {
	f.Add(DefaultCriteria)
	f.Add("(UpdateID='" + guidA + "' and RevisionNumber=3) or CategoryIDs contains '" + guidB + "'")
	f.Add("IsInstalled=0 and IsHidden=0 and Type!='Driver'")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCriteria(s)
		if err != nil {
			return
		}
		again, err := ParseCriteria(strings.ToUpper(" " + s))
		if len(s) < maxCriteria && err != nil {
			t.Fatalf("%q is read, in upper case it is not: %v", s, err)
		}
		if again == nil {
			return
		}
		u := Update{Update: waptwua.Update{ID: waptwua.UpdateID{GUID: guidA, Revision: 3}, Type: "Software", CategoryIDs: []string{guidB}}}
		if c.Match(&u) != again.Match(&u) {
			t.Fatalf("%q finds otherwise in upper case", s)
		}
	})
}
