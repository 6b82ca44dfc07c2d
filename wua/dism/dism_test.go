package dism_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/dism"
)

// TestMain makes this program dism.exe or wusa.exe when it is started under
// such a name.
func TestMain(m *testing.M) {
	if name := filepath.Base(os.Args[0]); name == "dism.exe" || name == "wusa.exe" {
		os.Exit(play(name))
	}
	goleak.VerifyTestMain(m)
}

// scene is what the program does when its arguments contain a text.
type scene struct {
	When  string // empty: always
	Print string
	Exit  int
	Hang  bool // after printing, with a child
	Once  bool // the scene is used up
}

const sceneFile = "scenes.json"

// play is the double: it writes its command line to the journal and does
// what the first fitting scene says.
func play(name string) int {
	dir := filepath.Dir(os.Args[0])
	journal, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(journal, name, strings.Join(os.Args[1:], " "))
	}
	var scenes []scene
	text, rerr := os.ReadFile(filepath.Join(dir, sceneFile))
	if err = errors.Join(err, rerr, json.Unmarshal(text, &scenes)); err != nil {
		fmt.Println(err)
		return 99
	}
	for i, s := range scenes {
		if !strings.Contains(strings.Join(os.Args[1:], " "), s.When) {
			continue
		}
		if s.Once {
			scenes = append(scenes[:i:i], scenes[i+1:]...)
			text, _ := json.Marshal(scenes)
			_ = os.WriteFile(filepath.Join(dir, sceneFile), text, 0o600)
		}
		fmt.Print(s.Print)
		if s.Hang {
			hang()
		}
		return s.Exit
	}
	fmt.Println("no scene fits")
	return 99
}

// hang starts a child that holds the output open, and never ends.
func hang() {
	if len(os.Args) > 1 && os.Args[1] != "child" {
		c := exec.Command(os.Args[0], "child")
		c.Stdout = os.Stdout
		_ = c.Start()
	}
	r, w, _ := os.Pipe()
	_, _ = r.Read(make([]byte, 1)) // for ever: w stays open
	_ = w.Close()
}

// stage is a System32 with the doubles, and a folder of packages.
type stage struct {
	t       *testing.T
	dir     string
	folder  string
	service *dism.Servicing
}

func newStage(t *testing.T, limit time.Duration, scenes ...scene) *stage {
	t.Helper()
	s := &stage{t: t, dir: filepath.Join(t.TempDir(), "Windows Folder", "System32"), folder: filepath.Join(t.TempDir(), "some packages")}
	for _, dir := range []string{s.dir, s.folder} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"dism.exe", "wusa.exe"} {
		install(t, filepath.Join(s.dir, name))
	}
	for _, name := range []string{"windows11.0-kb5043080-x64.msu", "windows11.0-kb5101650-x64.msu"} {
		if err := os.WriteFile(filepath.Join(s.folder, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(scenes)
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, sceneFile), text, 0o600)
	}
	if err == nil {
		s.service, err = dism.New(dism.Options{System32: s.dir, Limit: limit})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// install puts this program at path.
func install(t *testing.T, path string) {
	t.Helper()
	exe, err := os.Executable()
	if err == nil && runtime.GOOS != "windows" {
		err = os.Symlink(exe, path)
	} else if err == nil {
		err = copyFile(path, exe)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(dst, src string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// calls is the journal of the doubles, with the stage's paths left out.
func (s *stage) calls() string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "journal"))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), s.folder+string(filepath.Separator), "FOLDER/")
}

const heading = `
Deployment Image Servicing and Management tool
Version: 10.0.26100.1150

Image Version: 10.0.26100.1742

Packages listing:

Package Identity                                                          | State           | Release Type    | Install Time
------------------------------------------------------------------------- | --------------- | --------------- | ------------------
`

const (
	baseRow    = "Microsoft-Windows-Client-LanguagePack-Package~31bf3856ad364e35~amd64~en-US~10.0.26100.1742 | Installed | Language Pack | 9/6/2024 4:11 AM\r\n"
	netRow     = "Package_for_DotNetRollup_481~31bf3856ad364e35~amd64~~10.0.9277.2 | Installed | Update | 9/6/2024 4:11 AM\r\n"
	rollupRow  = "Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.8875.1.14 | Install Pending | Security Update | 11/10/2026 8:00 PM\r\n"
	standalone = "Package_for_KB5042098~31bf3856ad364e35~amd64~~26100.1738.1.1 | Installed | Update | 11/10/2026 8:00 PM\r\n"
)

func TestAddPackagesOfACumulativeUpdate(t *testing.T) {
	s := newStage(t, 0,
		scene{When: "/Get-Packages", Print: heading + baseRow, Once: true},
		scene{When: "/Get-Packages", Print: heading + baseRow + rollupRow},
		scene{When: "/Add-Package", Exit: 3010 % 256, Print: "Processing 1 of 1\r\n[====     5.8%      ]\r\n[====  20.0%  ]\r\n[====100.0%====]\r\nThe operation completed successfully.\r\n"})
	var percents []int
	r, err := s.service.AddPackages(t.Context(), wua.PackageSet{Tool: wua.ToolDISM, Folder: s.folder, Target: "windows11.0-kb5101650-x64.msu"},
		func(p wua.Progress) { percents = append(percents, p.Percent) })
	if err != nil {
		t.Fatal(err)
	}
	want := "dism.exe /Online /Get-Packages /Format:Table /English\n" +
		"dism.exe /Online /Add-Package /PackagePath:FOLDER/windows11.0-kb5101650-x64.msu /NoRestart /English\n" +
		"dism.exe /Online /Get-Packages /Format:Table /English\n"
	if diff := cmp.Diff(want, s.calls()); diff != "" {
		t.Error(diff)
	}
	pending := wua.Package{Identity: "Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.8875.1.14", State: wua.PackageInstallPending}
	if diff := cmp.Diff([]wua.Package{pending}, r.Packages); diff != "" {
		t.Error(diff)
	}
	if len(percents) == 0 || percents[len(percents)-1] != 100 {
		t.Errorf("progress %v, want it to end at 100", percents)
	}
	if strings.Contains(r.Output, "[=") || !strings.Contains(r.Output, "completed successfully") {
		t.Errorf("output %q", r.Output)
	}
}

// On Linux a program has only eight bits of exit code; the whole table is
// wua.Outcome's.
func TestExitCodesAndStates(t *testing.T) {
	for name, c := range map[string]struct {
		scenes  []scene
		code    wua.ResultCode
		exit    wua.Code
		restart bool
	}{
		"done":           {[]scene{{When: "/Get", Print: heading + baseRow}, {}}, wua.Succeeded, wua.OK, false},
		"wrong argument": {[]scene{{When: "/Get", Print: heading + baseRow}, {Exit: 87}}, wua.Failed, 0x80070057, false},
		"pending, although it says 0": {[]scene{{When: "/Get", Print: heading + baseRow, Once: true}, {When: "/Get", Print: heading + baseRow + rollupRow}, {}},
			wua.Succeeded, wua.OK, true},
		"failed, although something else is pending": {[]scene{{When: "/Get", Print: heading + baseRow, Once: true}, {When: "/Get", Print: heading + baseRow + rollupRow}, {Exit: 5}},
			wua.Failed, 0x80070005, false},
		"packages cannot be listed": {[]scene{{When: "/Get", Exit: 2}, {}}, wua.Succeeded, wua.OK, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 0, c.scenes...)
			r, err := s.service.AddPackages(t.Context(), wua.PackageSet{Tool: wua.ToolDISM, Folder: s.folder}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Code != c.code || r.Exit != c.exit || r.RebootRequired != c.restart {
				t.Errorf("result %s, code %d; want %s, %d, restart %v", r, r.Code, c.exit, c.code, c.restart)
			}
		})
	}
}

func TestWusaForASinglePackage(t *testing.T) {
	s := newStage(t, 0, scene{When: "/Get-Packages", Print: heading}, scene{When: "/quiet"})
	r, err := s.service.AddPackages(t.Context(), wua.PackageSet{Tool: wua.ToolWUSA, Folder: s.folder, Target: "windows11.0-kb5043080-x64.msu"}, nil)
	if err != nil || r.Code != wua.Succeeded {
		t.Fatalf("%v, %v", r, err)
	}
	if want := "wusa.exe FOLDER/windows11.0-kb5043080-x64.msu /quiet /norestart\n"; !strings.Contains(s.calls(), want) {
		t.Errorf("calls %s, want %s", s.calls(), want)
	}
}

func TestRemovePackage(t *testing.T) {
	info := "Package Identity : Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.8875.1.14\r\nDescription : Fix for KB5101650\r\nSupport Information : https://support.microsoft.com/help/5101650\r\nState : Installed\r\n"
	for name, c := range map[string]struct {
		kb     waptwua.KB
		scenes []scene
		want   string // the last call
	}{
		"by its identity": {5042098, []scene{{When: "/Get-Packages", Print: heading + netRow + standalone}, {}},
			"dism.exe /Online /Remove-Package /PackageName:Package_for_KB5042098~31bf3856ad364e35~amd64~~26100.1738.1.1 /NoRestart /English"},
		"by its description": {5101650, []scene{{When: "/Get-Packages", Print: heading + netRow + rollupRow + standalone}, {When: "/Get-PackageInfo", Print: info}, {}},
			"dism.exe /Online /Remove-Package /PackageName:Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.8875.1.14 /NoRestart /English"},
		"another rollup": {5101651, []scene{{When: "/Get-Packages", Print: heading + rollupRow}, {When: "/Get-PackageInfo", Print: info}, {}},
			"wusa.exe /uninstall /kb:5101651 /quiet /norestart"},
		"a shorter number": {504209, []scene{{When: "/Get-Packages", Print: heading + standalone}, {}},
			"wusa.exe /uninstall /kb:504209 /quiet /norestart"},
		"no list": {5042098, []scene{{When: "/Get-Packages", Exit: 50}, {}},
			"wusa.exe /uninstall /kb:5042098 /quiet /norestart"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 0, c.scenes...)
			r, err := s.service.RemovePackage(t.Context(), c.kb, nil)
			if err != nil || r.Code != wua.Succeeded {
				t.Fatalf("%v, %v", r, err)
			}
			calls := strings.Split(strings.TrimSpace(s.calls()), "\n")
			if got := calls[len(calls)-1]; got != c.want {
				t.Errorf("last call\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestHungProgramIsKilled(t *testing.T) {
	s := newStage(t, 300*time.Millisecond, scene{When: "/Get", Print: heading}, scene{Hang: true})
	r, err := s.service.AddPackages(t.Context(), wua.PackageSet{Tool: wua.ToolDISM, Folder: s.folder}, nil)
	if err != nil || r.Code != wua.Failed || r.Exit != wua.InstallerHung {
		t.Fatalf("%v, %v; want the failure of a hung installer", r, err)
	}
}

func TestCancel(t *testing.T) {
	s := newStage(t, 0, scene{When: "/Get", Print: heading}, scene{Print: "[== 1.0% ==]\n", Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := s.service.AddPackages(ctx, wua.PackageSet{Tool: wua.ToolDISM, Folder: s.folder}, func(wua.Progress) {
		_, again := s.service.RemovePackage(t.Context(), 1, nil)
		if !errors.Is(again, &wua.Error{Code: wua.OperationInProgress}) {
			t.Errorf("a second call at the same time: %v", again)
		}
		cancel()
	})
	if !errors.Is(err, context.Canceled) || r != nil {
		t.Fatalf("%v, %v; want the context's error", r, err)
	}
}

func TestRefusals(t *testing.T) {
	s := newStage(t, 0, scene{})
	for name, set := range map[string]wua.PackageSet{
		"relative folder":   {Tool: wua.ToolDISM, Folder: "packages"},
		"no such target":    {Tool: wua.ToolDISM, Folder: s.folder, Target: "other.msu"},
		"target elsewhere":  {Tool: wua.ToolDISM, Folder: s.folder, Target: filepath.Join("..", "x.msu")},
		"WUA":               {Tool: wua.ToolWUA, Folder: s.folder},
		"wusa for a folder": {Tool: wua.ToolWUSA, Folder: s.folder},
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := s.service.AddPackages(t.Context(), set, nil); err == nil {
				t.Errorf("taken: %v", r)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(s.dir, "journal")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a program was started")
	}
	if _, err := dism.New(dism.Options{System32: "System32"}); err == nil {
		t.Error("a relative System32 was taken")
	}
}

func TestNoSuchProgram(t *testing.T) {
	s := newStage(t, 0, scene{})
	if err := os.Remove(filepath.Join(s.dir, "wusa.exe")); err != nil {
		t.Fatal(err)
	}
	_, err := s.service.AddPackages(t.Context(), wua.PackageSet{Tool: wua.ToolWUSA, Folder: s.folder, Target: "windows11.0-kb5043080-x64.msu"}, nil)
	if !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}
