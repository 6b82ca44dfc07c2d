//go:build !windows

package local

import (
	"testing"

	"waptwua/internal/winetest"
)

// TestUnderWine runs the tests of this package under Wine: the pipes answer, and
// bear the same hostile requests as the sockets.
func TestUnderWine(t *testing.T) {
	prefix := winetest.Prefix(t)
	winetest.Tests(t, prefix, winetest.Build(t))
}
