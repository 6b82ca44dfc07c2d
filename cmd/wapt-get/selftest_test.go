package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/agent/selftest"
	"waptwua/applicability"
	"waptwua/inventory"
)

func TestChosen(t *testing.T) {
	all := []selftest.Check{{Name: "wua/info"}, {Name: "wua/infos"}, {Name: "inventory/file"}}
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, "wua/info wua/infos inventory/file"},
		{[]string{"wua"}, "wua/info wua/infos"},
		{[]string{"wua/"}, "wua/info wua/infos"},
		{[]string{"wua/info"}, "wua/info"},
		{[]string{"inventory/file", "wua/info"}, "wua/info inventory/file"},
		{[]string{"w"}, ""},
	} {
		var got []string
		for _, check := range chosen(all, c.names) {
			got = append(got, check.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v chose %v, want %s", c.names, got, c.want)
		}
	}
}

// cannedTools answers by program.
type cannedTools map[string]string

func (c cannedTools) Output(_ context.Context, program string, _ ...string) (string, error) {
	text, ok := c[program]
	if !ok {
		return "", fmt.Errorf("%s: %w", program, selftest.ErrLeftOut)
	}
	return text, nil
}

// fixedServicing knows some packages.
type fixedServicing struct {
	inventory.Servicing
	known map[string]int
}

func (f fixedServicing) Package(_ context.Context, identity string) (*applicability.Package, error) {
	if state, ok := f.known[identity]; ok {
		return &applicability.Package{State: state}, nil
	}
	return nil, waptwua.ErrNotFound
}

const dismOutput = "\r\nPackages listing:\r\n\r\nPackage Identity : Package_for_KB1~1.0\r\nState : Installed\r\n\r\nPackage Identity : Package_for_KB2~1.0\r\nState : Staged\r\n\r\nThe operation completed successfully.\r\n"

func TestPackagesCheck(t *testing.T) {
	if diff := cmp.Diff([]string{"Package_for_KB1~1.0", "Package_for_KB2~1.0"}, packageNames(dismOutput)); diff != "" {
		t.Error(diff)
	}
	both := map[string]int{"Package_for_KB1~1.0": 112, "Package_for_KB2~1.0": 64}
	for name, c := range map[string]struct {
		known map[string]int
		dism  string
		found string
		err   string
	}{
		"all":              {both, dismOutput, "2 of 2 known", ""},
		"one is missing":   {map[string]int{"Package_for_KB2~1.0": 64}, dismOutput, "1 of 2 known", "not known, for example: Package_for_KB1~1.0"},
		"one has no state": {map[string]int{"Package_for_KB1~1.0": 0, "Package_for_KB2~1.0": 64}, dismOutput, "1 of 2 known", "not known, for example: Package_for_KB1~1.0"},
		"knows too much":   {map[string]int{"Package_for_KB1~1.0": 112, "Package_for_KB2~1.0": 64, noPackage: 112}, dismOutput, "2 of 2 known", "does not exist"},
		"empty list":       {both, "", "dism lists no package", "nothing to compare"},
	} {
		t.Run(name, func(t *testing.T) {
			check := inventoryCheck{inventory.Host{Servicing: fixedServicing{known: c.known}}, cannedTools{"dism.exe": c.dism}}
			found, err := check.packages(t.Context())
			if found != c.found || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("found %q, error %v", found, err)
			}
		})
	}
	check := inventoryCheck{inventory.Host{}, cannedTools{}}
	if _, err := check.packages(t.Context()); !errors.Is(err, selftest.ErrLeftOut) {
		t.Errorf("without dism: %v", err)
	}
}

// fixedPlatform is Windows 11 23H2.
type fixedPlatform struct{}

func (fixedPlatform) Identity(context.Context) (inventory.Identity, error) {
	return inventory.Identity{OS: &applicability.OS{Major: 10, Build: 22631}, Processor: &applicability.Processor{Architecture: 9}}, nil
}

func TestIdentityCheck(t *testing.T) {
	for shown, ok := range map[string]bool{"\r\nMicrosoft Windows [Version 10.0.22631.4317]\r\n": true, "\r\nMicrosoft Windows [Version 10.0.19045.1]\r\n": false} {
		check := inventoryCheck{inventory.Host{Platform: fixedPlatform{}}, cannedTools{"cmd.exe": shown}}
		if found, err := check.identity(t.Context()); (err == nil) != ok || !strings.HasPrefix(found, "10.0.22631") {
			t.Errorf("%q: found %q, %v", shown, found, err)
		}
	}
}

func TestLimitedWriter(t *testing.T) {
	var b strings.Builder
	w := &limitedWriter{w: &b, left: 5}
	for range 3 {
		if n, err := w.Write([]byte("abc")); n != 3 || err != nil {
			t.Fatal(n, err)
		}
	}
	if b.String() != "abcab" {
		t.Errorf("%q", b.String())
	}
}
