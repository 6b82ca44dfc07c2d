//go:build !windows

package hostzone

import (
	"testing"

	"waptwua/internal/winetest"
)

// TestUnderWine runs the tests of this package under Wine: the zone that Windows
// gives now is the one that package time found.
func TestUnderWine(t *testing.T) {
	prefix := winetest.Prefix(t)
	exe := winetest.Build(t)
	for _, zone := range []string{"Europe/Paris", "Australia/Lord_Howe", "Asia/Tokyo"} {
		t.Run(zone, func(t *testing.T) { winetest.Tests(t, prefix, exe, "TZ="+zone) })
	}
}
