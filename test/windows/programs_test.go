package windows

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"waptwua/test/rig"
)

func TestMain(m *testing.M) {
	if template() == "" {
		os.Exit(m.Run()) // all of them say why they are left out
	}
	code := rig.Main(m)
	if dir, err := build(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// template is the prefix of which each test works in a copy.
func template() string { return os.Getenv("WAPTWUA_WINE") }

// needsWine skips the test where there is no prefix.
func needsWine(t testing.TB) {
	t.Helper()
	if template() == "" {
		t.Skip("left out: WAPTWUA_WINE does not name a Wine prefix (make test-windows makes one)")
	}
}

// version is what the programs under test call themselves, as those that rig
// builds do.
const version = "dev"

// programs builds the Windows programs once and returns their folder.
func programs(t testing.TB) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatalf("building the Windows programs: %v", err)
	}
	return dir
}

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "waptwua-windows-")
	if err != nil {
		return "", err
	}
	err = buildAgent(filepath.Join(dir, "wapt-get.exe"), version)
	if err == nil {
		err = goBuild("1", "-ldflags", "-s -w", "-buildmode=c-shared", "-o", filepath.Join(dir, "double.dll"), "waptwua/test/windows/double")
	}
	if err == nil {
		err = goBuild("0", "-ldflags", "-s -w", "-o", filepath.Join(dir, "tool.exe"), "waptwua/test/windows/tool")
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
})

// buildAgent builds wapt-get.exe as `make build-all` does.
func buildAgent(path, version string) error {
	return goBuild("0", "-ldflags", "-s -w -X main.version="+version, "-o", path, "waptwua/cmd/wapt-get")
}

// goBuild builds for Windows.
func goBuild(cgo string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-trimpath"}, args...)...)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED="+cgo, "CC=x86_64-w64-mingw32-gcc")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// copyFile copies a file.
func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	put(t, to, b)
}

// put writes a file and the folders above it.
func put(t testing.TB, path string, b []byte) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		os.Remove(path) // never through a link into what others use
		err = os.WriteFile(path, b, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
}
