package repair_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/native"
	"waptwua/wua/native/nativesim"
	"waptwua/wua/repair"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func run(t *testing.T, dryRun bool, steps ...repair.Step) []repair.Result {
	return repair.Run(t.Context(), noon, dryRun, steps).Results
}

func outcomes(results []repair.Result) (list []repair.Outcome) {
	for _, r := range results {
		list = append(list, r.Outcome)
	}
	return list
}

// TestRun: each step stands alone.
func TestRun(t *testing.T) {
	mended := map[string]bool{}
	step := func(name string, sound bool, mend error) repair.Step {
		return repair.Step{Name: name,
			Look: func(context.Context) (repair.Finding, error) {
				return repair.Finding{Text: "seen", Sound: sound || mended[name]}, nil
			},
			Mend: func(context.Context) (int64, error) { mended[name] = mend == nil; return 5, mend },
		}
	}
	refused := &wua.Error{Op: "x", Code: wua.ServiceDisabled}
	blind := repair.Step{Name: "blind", Look: func(context.Context) (repair.Finding, error) { return repair.Finding{}, refused }}
	wait := step("wait", false, nil)
	wait.Look = func(context.Context) (repair.Finding, error) { return repair.Finding{Text: "seen", Skip: "later"}, nil }
	useless := step("useless", false, nil)
	useless.Mend = func(context.Context) (int64, error) { return 0, nil }
	lame := step("lame", true, nil)
	lame.Try = func(context.Context) error { return errors.New("it does not start") }
	steps := []repair.Step{blind, step("broken", false, nil), step("well", true, nil), step("stuck", false, refused), wait, useless, lame, step("last", false, nil)}

	dry := []repair.Outcome{repair.Failed, repair.WouldMend, repair.Sound, repair.WouldMend, repair.Skipped, repair.WouldMend, repair.Sound, repair.WouldMend}
	if diff := cmp.Diff(dry, outcomes(run(t, true, steps...))); diff != "" || len(mended) > 0 {
		t.Errorf("dry run mended %v (-want +got):\n%s", mended, diff)
	}
	got := run(t, false, steps...)
	want := []repair.Outcome{repair.Failed, repair.Mended, repair.Sound, repair.Failed, repair.Skipped, repair.Failed, repair.Failed, repair.Mended}
	if diff := cmp.Diff(want, outcomes(got)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if got[0].Remedy == "" || got[3].Remedy == "" || got[1].Freed != 5 || got[1].After != "seen" || got[4].Error != "later" || got[6].Error == "" {
		t.Errorf("results: %+v", got)
	}
	again := run(t, false, steps[1])
	if again[0].Outcome != repair.Sound {
		t.Errorf("a second time: %+v", again)
	}
	if r := (&repair.Report{Results: got}); !r.Failed() || (&repair.Report{Results: again}).Failed() {
		t.Error("Failed does not tell whether a step failed")
	}
}

func TestRunStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	first := repair.Step{Name: "first", Look: func(context.Context) (repair.Finding, error) {
		cancel()
		return repair.Finding{Sound: true}, nil
	}}
	got := repair.Run(ctx, noon, false, []repair.Step{first, first}).Results
	if got[0].Outcome != repair.Sound || got[1].Outcome != repair.Skipped || got[1].Error == "" {
		t.Errorf("results: %+v", got)
	}
}

func TestService(t *testing.T) {
	sys := nativesim.Open("")
	step := repair.Service(sys, "bits", "", repair.Use(sys, "bits", time.Second))
	must(t, sys.SetStart(t.Context(), "bits", native.Disabled))
	if got := run(t, true, step); got[0].Outcome != repair.WouldMend {
		t.Errorf("dry run: %+v", got)
	}
	got := run(t, false, step)
	want := []repair.Result{{Step: "bits", Outcome: repair.Mended, Before: "disabled, stopped", After: "manual, stopped"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if s, err := sys.Service(t.Context(), "bits"); err != nil || s != (native.Service{Start: native.Manual}) {
		t.Errorf("afterwards: %+v, %v", s, err)
	}
	if got := run(t, false, repair.Service(sys, "none", "", repair.Use(sys, "none", time.Second))); got[0].Outcome != repair.Failed || !strings.Contains(got[0].Error, "RestoreHealth") {
		t.Errorf("a service that does not exist: %+v", got)
	}
	must(t, sys.SetStart(t.Context(), "bits", native.Disabled))
	sys.Refuse = func(string) error { return &wua.Error{Op: "start mode", Code: 0x80070005} }
	if got := run(t, false, step); got[0].Outcome != repair.Failed || got[0].Remedy == "" {
		t.Errorf("a protected service: %+v", got)
	}
}

func TestNative(t *testing.T) {
	sys, rec := nativesim.Open(""), &records{}
	control := func() *native.Control {
		return native.New(native.Options{System: sys, Records: rec, Now: func() time.Time { return noon }})
	}
	plan := native.Plan{Want: native.TakeOver}
	step := func() repair.Step { return repair.Native(control(), plan) }
	check := func(want repair.Outcome) {
		t.Helper()
		if got := run(t, false, step()); got[0].Outcome != want {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
	check(repair.Mended) // taken over
	check(repair.Sound)
	_, err := control().Hold(t.Context())
	must(t, err)
	check(repair.Mended) // the hold of a process that is gone
	must(t, sys.SetStart(t.Context(), native.UpdateService, native.Automatic))
	check(repair.Mended)
	must(t, sys.SetValue(t.Context(), `SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU`, "UseWUServer", native.Number(1)))
	check(repair.Sound) // it is somebody else's
	plan.Want = native.GiveBack
	check(repair.Mended)
	rec.err = waptwua.ErrDigest
	if got := run(t, false, step()); got[0].Outcome != repair.Failed || !strings.Contains(got[0].Error, "remove the file") {
		t.Errorf("a damaged record: %+v", got)
	}
}

func TestScanServices(t *testing.T) {
	s := &scanner{n: 2}
	if got := run(t, false, repair.ScanServices(s)); got[0].Outcome != repair.Mended || got[0].Before != "2 registered" || got[0].After != "0 registered" {
		t.Errorf("got %+v", got)
	}
	s.err = &wua.Error{Op: "list", Code: wua.ServiceDisabled}
	if got := run(t, false, repair.ScanServices(s)); got[0].Outcome != repair.Failed || got[0].Remedy == "" {
		t.Errorf("got %+v", got)
	}
}

type scanner struct {
	n   int
	err error
}

func (s *scanner) ScanServices(context.Context) (int, error) { return s.n, s.err }
func (s *scanner) RemoveScanServices(context.Context) error  { s.n = 0; return s.err }

func TestSpace(t *testing.T) {
	free := uint64(1 << 30)
	o := repair.SpaceOptions{Name: "space", Dir: "x", Want: 3 << 30, Free: func(string) (uint64, error) { return free, nil }}
	if got := run(t, false, repair.Space(o)); got[0].Outcome != repair.Failed || got[0].Before != "1.0 GiB free of the 3.0 GiB that should be" {
		t.Errorf("nothing to clean: %+v", got)
	}
	o.Clean = func(context.Context) (int64, error) { free += 2 << 30; return 2 << 30, nil }
	if got := run(t, false, repair.Space(o)); got[0].Outcome != repair.Mended || got[0].Freed != 2<<30 {
		t.Errorf("cleaned: %+v", got)
	}
	o.Free = func(string) (uint64, error) { return 0, fs.ErrPermission }
	if got := run(t, false, repair.Space(o)); got[0].Outcome != repair.Failed {
		t.Errorf("not to be told: %+v", got)
	}
}

// records keep a native record in memory.
type records struct {
	v   []byte
	err error
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// windows makes a Windows folder with these files of 10 bytes each.
func windows(t *testing.T, files ...string) string {
	dir, err := os.MkdirTemp("", "repair")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // Wine cannot remove every tree; the folder is a temporary one
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f))
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte("0123456789"), 0o600))
	}
	return dir
}

// tree lists the files below dir.
func tree(t *testing.T, dir string) (list []string) {
	must(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			list = append(list, path)
		}
		return err
	}))
	return list
}
