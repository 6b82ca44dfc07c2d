package wuatest

import (
	"bytes"
	"testing"
)

func (w *World) sign(t testing.TB, unsigned []byte) {
	t.Helper()
	t.Skip("test archives cannot be signed yet")
	write(t, w.Archive, unsigned)
	damaged := bytes.Clone(unsigned)
	damaged[len(damaged)/2] ^= 1
	write(t, w.Damaged, damaged)
	write(t, w.Foreign, damaged)
}
