package cabwrite

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// member is a file of a cabinet under test.
type member struct {
	name    string
	content []byte
}

// day is the date of all files.
var day = time.Date(2026, 7, 14, 13, 54, 6, 0, time.UTC)

// write returns a cabinet with the given members.
func write(t testing.TB, opt Options, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := newWriter(t, &b, opt)
	for _, m := range members {
		add(t, w, m)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// markup is text like that of update fragments, of n bytes.
func markup(rng *rand.Rand, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `<UpdateIdentity UpdateID="%08x-%04x-4%03x-9%03x-%012x" RevisionNumber="%d" /><b.RegDword Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Microsoft\%s" Value="Release" Comparison="GreaterThanOrEqualTo" Data="%d" />`,
			rng.Uint32(), rng.IntN(65536), rng.IntN(4096), rng.IntN(4096), rng.Uint64N(1<<48), 100+rng.IntN(8),
			[]string{"Windows NT", "Office", "NET Framework Setup", "Internet Explorer"}[rng.IntN(4)], rng.IntN(600000))
	}
	return b.Bytes()[:n]
}

// noise is n bytes that do not compress.
func noise(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// code is n bytes with x86 calls to a few targets.
func code(rng *rand.Rand, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		rel := int32(rng.IntN(16))*4096 - int32(b.Len())
		b.Write([]byte{0x55, 0x8B, 0xEC, 0xE8, byte(rel), byte(rel >> 8), byte(rel >> 16), byte(rel >> 24), 0x83, 0xC4, byte(rng.IntN(32))})
	}
	return b.Bytes()[:n]
}

// mixture has files of all kinds and awkward sizes.
func mixture(seed uint64) []member {
	rng := rand.New(rand.NewPCG(seed, 1))
	return []member{
		{"empty", nil},
		{"one", []byte{'x'}},
		{"c/1", markup(rng, 600)},
		{"frame", markup(rng, 32768)},
		{"c/frames", markup(rng, 300001)},
		{"noise", noise(rng, 70001)},
		{"zero", make([]byte, 200003)},
		{"x/code.exe", code(rng, 150000)},
		{"half", append(markup(rng, 20000), noise(rng, 40001)...)},
		{"l/de/2", markup(rng, 777)},
		{"bytes", []byte(strings.Repeat("\xE8\x00\x10\x00\x00", 20000))},
		{"last", nil},
	}
}

func sums(members []member) map[string]string {
	m := map[string]string{}
	for _, f := range members {
		m[f.name] = fmt.Sprintf("%d %x", len(f.content), sha256.Sum256(f.content))
	}
	return m
}

func newWriter(t testing.TB, out io.Writer, opt Options) *Writer {
	t.Helper()
	w, err := NewWriter(out, opt)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// add adds m to the cabinet.
func add(t testing.TB, w *Writer, m member) {
	t.Helper()
	f, err := w.Create(m.name, day, 0x20)
	if err == nil {
		_, err = f.Write(m.content)
	}
	if err != nil {
		t.Fatal(err)
	}
}
