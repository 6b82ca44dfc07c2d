// Package machines holds recorded machines for tests, demonstrations and
// simulated fleets: plausible computers of spring 2011, the time of the
// oldest published offline scan archive, as FACTS.json.
//
// The facts are composed, not taken from real computers: operating system,
// files and products have the versions that Microsoft shipped, everything
// personal is neutral. Every section is complete, except where a machine's
// comment says otherwise, so that each question of that archive's rules has
// an answer.
package machines

import (
	"embed"
	"fmt"
	"strings"

	"waptwua"
	"waptwua/applicability"
)

//go:embed *.json
var recorded embed.FS

// Names lists the recorded machines, sorted.
func Names() []string {
	entries, err := recorded.ReadDir(".")
	if err != nil {
		return nil // an embedded folder is always readable
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// JSON is a machine's FACTS.json, or waptwua.ErrNotFound.
func JSON(name string) ([]byte, error) {
	b, err := recorded.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("recorded machine %q: %w; there are %s", name, waptwua.ErrNotFound, strings.Join(Names(), ", "))
	}
	return b, nil
}

// Facts is a fresh copy of a machine's facts, which the caller may change;
// waptwua.ErrNotFound when there is no machine of that name.
func Facts(name string) (*applicability.Facts, error) {
	b, err := JSON(name)
	if err != nil {
		return nil, err
	}
	return applicability.ParseFacts(b)
}
