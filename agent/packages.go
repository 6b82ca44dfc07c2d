package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/wua"
)

// errNoPackager says that this agent was made without Options.Packages.
var errNoPackager = errors.New("this agent cannot install packages: neither dism.exe nor wusa.exe is at hand")

// packagesDir holds, during an installation, the packages of one update.
const packagesDir = "packages"

// installPackages installs one update beside the Windows Update Agent. Its
// failure is the update's, not the operation's.
func (op *operation) installPackages(ctx context.Context, f *found, id waptwua.UpdateID, way waptwua.Way) (restart bool, err error) {
	defer op.sweepPackages()
	set, err := op.packageSet(ctx, f, id, way)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		op.noteFailure(id, func(n int) waptwua.Failure { return wua.FailureOf(err, op.now(), n) })
		return false, nil
	}
	if err := op.beginInstall(ctx, fmt.Sprintf("%s, because: %s; target %s", way.Tool, way.Why, set.Target), id); err != nil {
		return false, err
	}
	r, err := op.opt.Packages.AddPackages(ctx, set, func(p wua.Progress) {
		op.opt.Progress(Progress{Operation: "install", Name: id.String(), Done: int64(p.Percent), Total: 100})
	})
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		op.noteFailure(id, func(n int) waptwua.Failure { return wua.FailureOf(err, op.now(), n) })
		return false, op.endInstall(err.Error(), id)
	}
	op.opt.Reached("install answered")
	op.noteResults([]waptwua.UpdateID{id}, resultOf(id, r))
	return r.RebootRequired, op.endInstall(r.String(), id)
}

// resultOf puts the result of a tool in the form of the Windows Update
// Agent's.
func resultOf(id waptwua.UpdateID, r *wua.PackageResult) *wua.Result {
	return &wua.Result{Code: r.Code, RebootRequired: r.RebootRequired, Updates: []wua.UpdateResult{
		{ID: id, Code: r.Code, HResult: r.Exit, RebootRequired: r.RebootRequired}}}
}

// packageSet puts the packages of an update, verified once more, into a
// folder of their own. It costs no room where the volume knows hard links.
func (op *operation) packageSet(ctx context.Context, f *found, id waptwua.UpdateID, way waptwua.Way) (wua.PackageSet, error) {
	set := wua.PackageSet{Tool: wua.Tool(way.Tool)}
	if op.opt.Packages == nil {
		return set, errNoPackager
	}
	if err := f.updates[id].Incomplete; err != nil {
		return set, err
	}
	st, err := op.keptStatement(id, f.archive)
	if err != nil {
		return set, err
	}
	if set.Folder, err = packageFolder(op.path(packagesDir), id); err != nil {
		return set, fmt.Errorf("preparing the packages: %w", err)
	}
	var files []waptwua.File
	for _, l := range parts(st, f.updates[id]) {
		files = append(files, l.Files...)
	}
	paths, err := op.checked(ctx, files)
	if err != nil {
		return set, err
	}
	var names []string
	for _, p := range paths {
		name, err := place(set.Folder, p)
		if err != nil {
			return set, fmt.Errorf("preparing the packages: %w", err)
		}
		names = append(names, name)
	}
	set.Target = targetOf(names, f.updates[id].KBs)
	return set, nil
}

// packageFolder makes a folder that has never been used: one that could not
// be removed, because something still reads in it, must neither keep an update
// from being tried again nor add its files to the next set.
func packageFolder(parent string, id waptwua.UpdateID) (string, error) {
	parent, err := filepath.Abs(parent)
	if err == nil {
		err = os.MkdirAll(parent, 0o700)
	}
	if err != nil {
		return "", err
	}
	return os.MkdirTemp(parent, id.String()+"-")
}

// place links or copies a file of the cache into folder under its own name,
// without the digest that is before it in the cache. Of two files of one name the
// second keeps its digest.
func place(folder, from string) (name string, err error) {
	stored := filepath.Base(from)
	_, name, _ = strings.Cut(stored, "_")
	if name == "" {
		name = stored
	}
	if _, err := os.Lstat(filepath.Join(folder, name)); err == nil {
		name = stored
	}
	to := filepath.Join(folder, name)
	if os.Link(from, to) == nil {
		return name, nil
	}
	return name, copyTo(to, from)
}

func copyTo(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// sweepPackages removes the folders of packages: after an installation, and
// what a killed agent has left. What cannot be removed is tried again by the
// next operation.
func (op *operation) sweepPackages() {
	if err := os.RemoveAll(op.path(packagesDir)); err != nil {
		op.log.Warn("folder of packages cannot be removed", "error", err)
	}
}

// beginInstall notes, durably, that the updates are about to be given to an
// installer, and tells the server.
func (op *operation) beginInstall(ctx context.Context, note string, ids ...waptwua.UpdateID) error {
	for _, id := range ids {
		op.reach(id, waptwua.PhaseInstalling, "")
	}
	if err := op.announce(ctx, waptwua.HostInstalling); err != nil {
		return err
	}
	if err := op.step(journal.Staged, note, ids...); err != nil {
		return err
	}
	return op.step(journal.Installing, note, ids...)
}

// endInstall notes, durably, that the installer has answered.
func (op *operation) endInstall(note string, ids ...waptwua.UpdateID) error {
	if err := op.save(); err != nil {
		return err
	}
	return op.step(journal.Installed, note, ids...)
}

// reach notes that an update has come to a phase now.
func (op *operation) reach(id waptwua.UpdateID, p waptwua.Phase, note string) {
	u := op.mem.State.Updates[id]
	u.Reach(p, op.now(), note)
	op.mem.State.Updates[id] = u
}
