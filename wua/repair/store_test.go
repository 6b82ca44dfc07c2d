package repair_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
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

func (r *records) Load(v any) error {
	if r.err != nil {
		return r.err
	}
	if r.v == nil {
		return waptwua.ErrNotFound
	}
	return json.Unmarshal(r.v, v)
}

func (r *records) Save(v any) (err error) {
	r.v, err = json.Marshal(v)
	return err
}

func storeStep(dir string, sys native.Services) repair.StoreOptions {
	return repair.StoreOptions{Why: "damaged", Windows: dir, Services: sys, Now: func() time.Time { return noon }, Limit: time.Second}
}

func TestStore(t *testing.T) {
	dir := windows(t, "SoftwareDistribution/Download/a/b.cab", "SoftwareDistribution/Download/c", "SoftwareDistribution/DataStore/DataStore.edb",
		"SoftwareDistribution/ReportingEvents.log", "SoftwareDistribution/Download.waptwua-20260101T000000Z/old", "SoftwareDistribution/Download.waptwua-20260202T000000Z/old", "System32/x")
	sys := nativesim.Open("")
	must(t, sys.SetRunning(t.Context(), native.UpdateService, true))
	step := repair.Store(storeStep(dir, sys))

	before := tree(t, dir)
	got := run(t, true, step)
	if got[0].Outcome != repair.WouldMend || !strings.HasPrefix(got[0].Before, "Download 20 bytes, DataStore 10 bytes, Download.waptwua-2026") || !strings.HasSuffix(got[0].Before, "; damaged") {
		t.Errorf("dry run: %+v", got)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("a dry run changes files:\n%s", diff)
	}

	got = run(t, false, step)
	if got[0].Outcome != repair.Mended || got[0].Freed != 20 {
		t.Errorf("got %+v", got)
	}
	want := []string{
		"SoftwareDistribution/DataStore.waptwua-20261123T120000Z/DataStore.edb", "SoftwareDistribution/Download.waptwua-20261123T120000Z/a/b.cab",
		"SoftwareDistribution/Download.waptwua-20261123T120000Z/c", "SoftwareDistribution/ReportingEvents.log", "System32/x",
	}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if s, err := sys.Service(t.Context(), native.UpdateService); err != nil || !s.Running {
		t.Errorf("the service that ran: %+v, %v", s, err)
	}
	if s, err := sys.Service(t.Context(), "bits"); err != nil || s.Running {
		t.Errorf("the service that did not run: %+v, %v", s, err)
	}
	if again := run(t, false, step); again[0].Outcome != repair.Sound {
		t.Errorf("a second time: %+v", again)
	}
}

// filling is a Windows that fills a new store as soon as its service starts.
type filling struct {
	native.Services
	file string
}

func (f filling) SetRunning(ctx context.Context, name string, run bool) error {
	err := f.Services.SetRunning(ctx, name, run)
	if err == nil && run {
		err = errors.Join(os.MkdirAll(filepath.Dir(f.file), 0o700), os.WriteFile(f.file, []byte("a new database"), 0o600))
	}
	return err
}

// TestStoreIsFilledAgain: a new store is no failure.
func TestStoreIsFilledAgain(t *testing.T) {
	dir := windows(t, "SoftwareDistribution/DataStore/DataStore.edb")
	sys := nativesim.Open("")
	must(t, sys.SetRunning(t.Context(), native.UpdateService, true))
	got := run(t, false, repair.Store(storeStep(dir, filling{sys, filepath.Join(dir, "SoftwareDistribution", "DataStore", "DataStore.edb")})))
	if got[0].Outcome != repair.Mended || !strings.Contains(got[0].After, "DataStore 14 bytes, DataStore.waptwua-") {
		t.Errorf("got %+v", got)
	}
}

// TestStoreWithoutDamage stays as it is.
func TestStoreWithoutDamage(t *testing.T) {
	dir := windows(t, "SoftwareDistribution/DataStore/DataStore.edb")
	o := storeStep(dir, nativesim.Open(""))
	o.Why = ""
	before := tree(t, dir)
	if got := run(t, false, repair.Store(o)); got[0].Outcome != repair.Sound || !strings.HasSuffix(got[0].Before, "no sign of damage") {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestStoreAbsent(t *testing.T) {
	if got := run(t, false, repair.Store(storeStep(windows(t), nativesim.Open("")))); got[0].Outcome != repair.Sound {
		t.Errorf("got %+v", got)
	}
}

func TestStoreRestartDue(t *testing.T) {
	dir := windows(t, "SoftwareDistribution/Download/a")
	o := storeStep(dir, nativesim.Open(""))
	o.RestartDue = func(context.Context) (bool, error) { return true, nil }
	if got := run(t, false, repair.Store(o)); got[0].Outcome != repair.Skipped || !strings.Contains(got[0].Error, "--force") {
		t.Errorf("a restart is due: %+v", got)
	}
	o.RestartDue = func(context.Context) (bool, error) { return false, errors.New("WUA is broken") }
	if got := run(t, false, repair.Store(o)); got[0].Outcome != repair.Mended || !strings.Contains(got[0].Before, "could not be told") {
		t.Errorf("WUA does not say: %+v", got)
	}
}

// TestStoreServiceStays: while the service runs nothing is renamed.
func TestStoreServiceStays(t *testing.T) {
	dir := windows(t, "SoftwareDistribution/Download/a")
	sys := nativesim.Open("")
	must(t, sys.SetRunning(t.Context(), "bits", true))
	must(t, sys.SetRunning(t.Context(), native.UpdateService, true))
	sys.Refuse = func(what string) error {
		if what == native.UpdateService {
			return &wua.Error{Op: "stopping wuauserv", Code: 0x8007041D}
		}
		return nil
	}
	before := tree(t, dir)
	if got := run(t, false, repair.Store(storeStep(dir, sys))); got[0].Outcome != repair.Failed || !strings.Contains(got[0].Error, "0x8007041D") {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if s, err := sys.Service(t.Context(), "bits"); err != nil || !s.Running {
		t.Errorf("bits, which could be stopped: %+v, %v", s, err)
	}
}

// TestStoreLinks: a link is renamed or removed itself; what it leads to stays.
func TestStoreLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making links needs rights")
	}
	outside := windows(t, "precious")
	dir := windows(t, "SoftwareDistribution/Download/a")
	must(t, os.Symlink(outside, filepath.Join(dir, "SoftwareDistribution", "DataStore")))
	must(t, os.Symlink(outside, filepath.Join(dir, "SoftwareDistribution", "DataStore.waptwua-20260101T000000Z")))
	must(t, os.Symlink(outside, filepath.Join(dir, "SoftwareDistribution", "Download", "link")))
	got := run(t, false, repair.Store(storeStep(dir, nativesim.Open(""))))
	if got[0].Outcome != repair.Mended || got[0].Freed != 0 {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff([]string{"precious"}, tree(t, outside)); diff != "" {
		t.Errorf("what the links lead to (-want +got):\n%s", diff)
	}
}
