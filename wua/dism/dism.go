// Package dism installs and removes Windows packages (.msu, .cab) without
// the Windows Update Agent, by the two programs that every Windows has:
// dism.exe and wusa.exe. It is what updates of the handler OSInstaller need
// (Windows 11 22H2 and later, Windows Server 2025), whose files the Windows
// Update Agent takes from nobody.
//
// # What is run
//
// The programs are started by their absolute path in System32, without a
// shell, with these arguments and no others:
//
//	dism.exe /Online /Add-Package /PackagePath:FILE-OR-FOLDER /NoRestart /English
//	dism.exe /Online /Get-Packages /Format:Table /English
//	dism.exe /Online /Get-PackageInfo /PackageName:IDENTITY /English
//	dism.exe /Online /Remove-Package /PackageName:IDENTITY… /NoRestart /English
//	wusa.exe FILE.msu /quiet /norestart
//	wusa.exe /uninstall /kb:NUMBER /quiet /norestart
//
// DISM takes a cumulative update as PackagePath and finds the checkpoint
// updates that it builds upon in the same folder ("Checkpoint cumulative
// updates and Microsoft Update Catalog usage", learn.microsoft.com). /Quiet
// is left out on purpose: it turns the progress off; /NoRestart and an empty
// standard input leave nothing to ask.
//
// # What is read
//
// The exit code, as wua.Outcome reads it; the percentages that DISM prints;
// and, before and after, the table of packages: those whose state has changed
// are in the result, and one that waits for a restart asks for it whatever
// the exit code says. Output is kept up to a limit.
//
// # Ends
//
// A call ends when its context does, or after Options.Limit: the program is
// then killed with its children. Windows servicing (TrustedInstaller) is a
// service and no child: what it had begun it finishes or takes back by
// itself, and a later search tells which.
//
// # Limits
//
// Only the running Windows, no images. The programs' own logs are
// %SystemRoot%\Logs\DISM\dism.log, %SystemRoot%\Logs\CBS\CBS.log and, for
// wusa.exe, the event log Setup. On other systems the package works with any
// programs of these names (Options.System32), which is how it is tested.
package dism

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"waptwua"
	"waptwua/wua"
)

// DefaultLimit is the longest that one program may run.
const DefaultLimit = 3 * time.Hour

// listLimit is the longest that a question to DISM may take.
const listLimit = 10 * time.Minute

// Options say where the programs are.
type Options struct {
	System32 string        // absolute path; empty: System32 of %SystemRoot%
	Limit    time.Duration // of one installation or removal; 0: DefaultLimit
}

// Servicing runs the programs, one at a time.
type Servicing struct {
	dir   string
	limit time.Duration
	busy  sync.Mutex
}

var _ wua.Packager = (*Servicing)(nil)

// New finds the programs. It does not run them.
func New(o Options) (*Servicing, error) {
	if o.System32 == "" {
		root := os.Getenv("SystemRoot")
		if root == "" {
			return nil, fmt.Errorf("looking for dism.exe: %%SystemRoot%% is not set: %w", waptwua.ErrNotFound)
		}
		o.System32 = filepath.Join(root, "System32")
	}
	if !filepath.IsAbs(o.System32) {
		return nil, fmt.Errorf("looking for dism.exe: the path %q is not absolute", o.System32)
	}
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	return &Servicing{dir: o.System32, limit: o.Limit}, nil
}

// AddPackages implements wua.Packager.
func (s *Servicing) AddPackages(ctx context.Context, set wua.PackageSet, progress func(wua.Progress)) (*wua.PackageResult, error) {
	path, err := target(set)
	if err != nil {
		return nil, fmt.Errorf("installing packages: %w", err)
	}
	return s.alone(func() (*wua.PackageResult, error) {
		before, unlisted := s.list(ctx)
		c := command{tool: wua.ToolDISM, args: []string{"/Online", "/Add-Package", "/PackagePath:" + path, "/NoRestart", "/English"}}
		if set.Tool == wua.ToolWUSA {
			c = command{tool: wua.ToolWUSA, args: []string{path, "/quiet", "/norestart"}}
		}
		r, err := s.install(ctx, c, progress)
		if err != nil || unlisted != nil {
			return r, err
		}
		s.compare(ctx, r, before)
		return r, nil
	})
}

// target checks the set and returns the path to install.
func target(set wua.PackageSet) (string, error) {
	if !filepath.IsAbs(set.Folder) {
		return "", fmt.Errorf("the folder %q is not an absolute path", set.Folder)
	}
	switch {
	case set.Tool != wua.ToolDISM && set.Tool != wua.ToolWUSA:
		return "", fmt.Errorf("packages are installed by dism or wusa, not by %q", set.Tool)
	case set.Target == "" && set.Tool == wua.ToolWUSA:
		return "", errors.New("wusa takes a single file, and none is named")
	case set.Target != filepath.Base(set.Target) && set.Target != "":
		return "", fmt.Errorf("the target %q is not the name of a file in the folder", set.Target)
	}
	path := filepath.Join(set.Folder, set.Target)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: %w", waptwua.ErrNotFound, err)
	}
	return path, nil
}

// alone runs f, or refuses while another call runs.
func (s *Servicing) alone(f func() (*wua.PackageResult, error)) (*wua.PackageResult, error) {
	if !s.busy.TryLock() {
		return nil, &wua.Error{Op: "servicing", Code: wua.OperationInProgress}
	}
	defer s.busy.Unlock()
	return f()
}

// install runs a program that changes the host. One that takes too long is
// a failed result.
func (s *Servicing) install(ctx context.Context, c command, progress func(wua.Progress)) (*wua.PackageResult, error) {
	limited, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	out := &tail{progress: progress}
	exit, err := s.run(limited, c, out)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		r := wua.NewPackageResult(c.tool, uint32(wua.InstallerHung), out.String())
		return r, nil
	case err != nil:
		return nil, err
	}
	return wua.NewPackageResult(c.tool, exit, out.String()), nil
}

// compare notes the packages whose state has changed. That the second list
// cannot be had changes nothing about what was done.
func (s *Servicing) compare(ctx context.Context, r *wua.PackageResult, before []wua.Package) {
	after, err := s.list(ctx)
	if err != nil {
		return
	}
	for _, p := range after {
		if slices.Contains(before, p) {
			continue
		}
		r.Packages = append(r.Packages, p)
		r.RebootRequired = r.RebootRequired || r.Code != wua.Failed && p.Pending()
	}
}
