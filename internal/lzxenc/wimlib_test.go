package lzxenc

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// The aim: within 15% of what wimlib's LZX makes of the same bytes. A WIM
// compresses chunks on their own, so the encoder is reset at each; both use
// the window that the chunk needs.
func TestRatioIsNearWimlib(t *testing.T) {
	src := fragments(rand.New(rand.NewPCG(1, 2)), 2<<20)
	for _, c := range []struct {
		name          string
		window, chunk int
	}{{"32 KiB chunks", 15, 32 << 10}, {"2 MiB chunks", 21, 2 << 20}} {
		t.Run(c.name, func(t *testing.T) {
			want := wimlibSize(t, src, c.chunk)
			e, got := NewEncoder(c.window, Options{}), 0
			for rest := src; len(rest) > 0; {
				n := min(len(rest), c.chunk)
				got += compressed(t, e, rest[:n])
				rest = rest[n:]
			}
			t.Logf("%d bytes, wimlib %d: %+.1f%%", got, want, 100*float64(got-want)/float64(want))
			if got*100 > want*115 {
				t.Errorf("%d bytes are more than 15%% above wimlib's %d", got, want)
			}
		})
	}
}

// wimlibSize returns how many bytes wimlib compresses src to at its default
// level.
func wimlibSize(t *testing.T, src []byte, chunk int) int {
	t.Helper()
	program, err := exec.LookPath("wimlib-imagex")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("wimlib-imagex is not installed: %v", err)
		}
		t.Skip("wimlib-imagex is not installed; on Debian: apt-get install wimtools")
	}
	dir, wim := t.TempDir(), filepath.Join(t.TempDir(), "test.wim")
	if err := os.WriteFile(filepath.Join(dir, "content"), src, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, program, "capture", dir, wim, "--compress=LZX", "--threads=1", "--chunk-size="+strconv.Itoa(chunk))
	largest := 0 // the other blob is the folder's metadata
	for _, m := range compressedSize.FindAllSubmatch(run(t, program, "info", wim, "--blobs"), -1) {
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, n)
	}
	if largest == 0 {
		t.Fatal("wimlib-imagex tells no compressed size")
	}
	return largest
}

var compressedSize = regexp.MustCompile(`Compressed size\s*[=:]\s*(\d+)`)

func run(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return out
}
