//go:build !windows

package native_test

import (
	"testing"

	"waptwua/internal/winetest"
)

// TestUnderWine runs the tests of this package under Wine.
func TestUnderWine(t *testing.T) {
	prefix := winetest.Prefix(t)
	winetest.Tests(t, prefix, winetest.Build(t))
}
