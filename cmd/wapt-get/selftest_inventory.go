package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"waptwua"
	"waptwua/agent/selftest"
	"waptwua/applicability"
	"waptwua/inventory"
)

// tools are the programs of Windows that answers are compared with.
type tools interface {
	// Output is what the program in system32 writes to its standard output.
	Output(ctx context.Context, program string, args ...string) (string, error)
}

// systemTools runs the programs below the Windows folder; only Windows has
// them.
type systemTools struct{ windows string }

// maxToolOutput bounds what is read of a program's answer, in bytes.
const maxToolOutput = 16 << 20

func (t systemTools) Output(ctx context.Context, program string, args ...string) (string, error) {
	if runtime.GOOS != "windows" {
		return "", fmt.Errorf("there is no %s here: %w", program, selftest.ErrLeftOut)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(t.windows, "System32", filepath.FromSlash(program)), args...)
	var out strings.Builder
	cmd.Stdout = &limitedWriter{w: &out, left: maxToolOutput}
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w", program, err)
	}
	return out.String(), nil
}

// limitedWriter takes everything and keeps the beginning.
type limitedWriter struct {
	w    io.Writer
	left int
}

func (l *limitedWriter) Write(b []byte) (int, error) {
	n := min(len(b), l.left)
	l.left -= n
	if _, err := l.w.Write(b[:n]); err != nil {
		return 0, err
	}
	return len(b), nil
}

// inventoryChecks look at the host's answers as docs/design/windows.md
// assumes them, beside those of Windows' own programs.
func inventoryChecks(h inventory.Host, t tools) []selftest.Check {
	c := inventoryCheck{h, t}
	return []selftest.Check{
		{Name: "inventory/identity", Expect: "the version that `ver` shows, processor and language of this Windows", Run: c.identity},
		{Name: "inventory/view32", Expect: "a question about Wow6432Node sees what `reg query /reg:32` sees", Run: c.view32},
		{Name: "inventory/packages", Expect: "every package that `dism /online /get-packages` lists is known, and none that does not exist", Limit: packagesLimit, Run: c.packages},
		{Name: "inventory/wmi", Expect: "one row of Win32_OperatingSystem; no rows, and no error, for a class and a namespace that do not exist", Run: c.wmi},
		{Name: "inventory/licence", Expect: "a licence value that does not exist is absent, not an error", Run: c.licence},
		{Name: "inventory/file", Expect: "notepad.exe has the version that PowerShell shows as FileVersionRaw", Run: c.file},
	}
}

// packagesLimit is the time for dism to list all packages.
const packagesLimit = 5 * time.Minute

// ofRecording makes checks of a recorded machine: what it does not tell is
// left out.
func ofRecording(checks []selftest.Check) []selftest.Check {
	for i, c := range checks {
		checks[i].Run = func(ctx context.Context) (string, error) {
			found, err := c.Run(ctx)
			if err != nil && !errors.Is(err, selftest.ErrLeftOut) {
				err = fmt.Errorf("the recorded machine does not tell (%w): %w", err, selftest.ErrLeftOut)
			}
			return found, err
		}
	}
	return checks
}

type inventoryCheck struct {
	host  inventory.Host
	tools tools
}

func (c inventoryCheck) identity(ctx context.Context) (string, error) {
	i, err := c.host.Platform.Identity(ctx)
	if err != nil {
		return "", err
	}
	if i.OS == nil {
		return "", errors.New("the version is not known")
	}
	version := fmt.Sprintf("%d.%d.%d", i.OS.Major, i.OS.Minor, i.OS.Build)
	found := version
	if i.Processor != nil {
		found += fmt.Sprintf(", processor architecture %d", i.Processor.Architecture)
	}
	if i.Language != nil {
		found += fmt.Sprintf(", language %+v", *i.Language)
	}
	shown, err := c.tools.Output(ctx, "cmd.exe", "/d", "/c", "ver")
	if err != nil {
		return found, err
	}
	if !strings.Contains(shown, version) {
		return found, fmt.Errorf("ver shows %q", strings.TrimSpace(shown))
	}
	return found, nil
}

// The value that both views of the registry have, each its own.
const (
	viewKey   = `SOFTWARE\Microsoft\Windows\CurrentVersion`
	viewKey32 = `HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion`
	viewValue = "ProgramFilesDir"
)

func (c inventoryCheck) view32(ctx context.Context) (string, error) {
	v, err := c.host.Registry.Value(ctx, viewKey32, viewValue)
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%s is %s", viewValue, v.Text)
	for _, args := range [][]string{{"query", `HKLM\` + viewKey, "/v", viewValue, "/reg:32"}, {"query", viewKey32, "/v", viewValue}} {
		shown, err := c.tools.Output(ctx, "reg.exe", args...)
		if err != nil {
			return found, err
		}
		if !strings.Contains(shown, v.Text) {
			return found, fmt.Errorf("reg %s shows %q", strings.Join(args, " "), strings.TrimSpace(shown))
		}
	}
	return found, nil
}

// noPackage is an identity that no package has.
const noPackage = "Waptwua-No-Such-Package~31bf3856ad364e35~amd64~~1.0.0.0"

func (c inventoryCheck) packages(ctx context.Context) (string, error) {
	shown, err := c.tools.Output(ctx, "dism.exe", "/online", "/get-packages", "/english")
	if err != nil {
		return "", err
	}
	names := packageNames(shown)
	if len(names) == 0 {
		return "dism lists no package", errors.New("nothing to compare")
	}
	var unknown []string
	for _, n := range names {
		p, err := c.host.Servicing.Package(ctx, n)
		if err != nil || p.State == 0 {
			unknown = append(unknown, n)
		}
	}
	found := fmt.Sprintf("%d of %d known", len(names)-len(unknown), len(names))
	if len(unknown) > 0 {
		return found, fmt.Errorf("not known, for example: %s", unknown[0])
	}
	if p, err := c.host.Servicing.Package(ctx, noPackage); !errors.Is(err, waptwua.ErrNotFound) && (err != nil || p.State != 0) {
		return found, fmt.Errorf("a package that does not exist: %+v, %w", p, err)
	}
	return found, nil
}

// packageNames are the identities in the output of dism /get-packages.
func packageNames(text string) []string {
	var list []string
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		name, value, ok := strings.Cut(s.Text(), ":")
		if ok && strings.TrimSpace(name) == "Package Identity" {
			list = append(list, strings.TrimSpace(value))
		}
	}
	return list
}

func (c inventoryCheck) wmi(ctx context.Context) (string, error) {
	n, err := c.host.WMI.Count(ctx, `root\cimv2`, "SELECT * FROM Win32_OperatingSystem")
	if err != nil {
		return "", err
	}
	if n != 1 {
		return fmt.Sprintf("%d rows", n), errors.New("not one")
	}
	for _, q := range [][2]string{{`root\cimv2`, "SELECT * FROM Waptwua_NoSuchClass"}, {`root\waptwua`, "SELECT * FROM Win32_OperatingSystem"}} {
		n, err := c.host.WMI.Count(ctx, q[0], q[1])
		if err != nil && !errors.Is(err, waptwua.ErrNotFound) || n != 0 {
			return fmt.Sprintf("%s in %s: %d rows", q[1], q[0], n), errors.Join(err, errors.New("not absent"))
		}
	}
	return "1 row, none, none", nil
}

func (c inventoryCheck) licence(ctx context.Context) (string, error) {
	v, err := c.host.Figures.License(ctx, "Waptwua-NoSuchValue")
	if errors.Is(err, waptwua.ErrNotFound) {
		return "absent", nil
	}
	return fmt.Sprint(v), errors.Join(err, errors.New("not absent"))
}

func (c inventoryCheck) file(ctx context.Context) (string, error) {
	const system = 37 // CSIDL_SYSTEM
	dir, err := c.host.Files.Folder(ctx, system)
	if err != nil {
		return "", err
	}
	f, err := c.host.Files.File(ctx, dir+`\notepad.exe`)
	if err != nil {
		return "", err
	}
	if f.Version == nil {
		return "", errors.New("the version is not known")
	}
	shown, err := c.tools.Output(ctx, "WindowsPowerShell/v1.0/powershell.exe", "-NoProfile", "-NonInteractive", "-Command",
		"(Get-Item $env:SystemRoot\\System32\\notepad.exe).VersionInfo.FileVersionRaw.ToString()")
	if err != nil {
		return *f.Version, err
	}
	want, err := applicability.ParseVersion(strings.TrimSpace(shown))
	if err != nil {
		return *f.Version, err
	}
	if got, err := applicability.ParseVersion(*f.Version); err != nil || got != want {
		return *f.Version, errors.Join(err, fmt.Errorf("PowerShell shows %s", strings.TrimSpace(shown)))
	}
	return *f.Version, nil
}
