package wua

import (
	"context"
	"fmt"

	"waptwua"
)

// Tool is the program that puts an update on the host.
type Tool string

// The tools. WUA is the Windows Update Agent; the others install packages
// (.msu, .cab) without it, behind a Packager.
const (
	ToolWUA  Tool = "wua"
	ToolDISM Tool = "dism"
	ToolWUSA Tool = "wusa"
)

// Packager installs and removes packages of Windows without the Windows
// Update Agent: wua/dism by dism.exe and wusa.exe, wua/sim by its evaluator.
//
//   - One call at a time, like the other calls of a host.
//   - What the tool says is not yet the truth: only a later search that does
//     not offer the update says that it is installed.
//   - A call ends soon after its context does, with the context's error. What
//     Windows servicing had begun by then it may still finish or take back.
type Packager interface {
	// AddPackages installs a set. A tool that ran and refused is a result
	// whose Code is Failed, not an error; an error says that it could not run
	// (waptwua.ErrNotFound: there is no such tool or folder).
	AddPackages(ctx context.Context, set PackageSet, progress func(Progress)) (*PackageResult, error)
	// RemovePackage takes the packages of a KB off the host. Without such a
	// package the result's Exit is AlreadyRemoved.
	RemovePackage(ctx context.Context, kb waptwua.KB, progress func(Progress)) (*PackageResult, error)
}

// PackageSet is what one call installs: a folder of its own on a local disk,
// whose files the caller has verified.
type PackageSet struct {
	Tool   Tool   // ToolDISM, or ToolWUSA for a single .msu
	Folder string // absolute path; holds the packages of the set and nothing else
	// Target is the name of the file to install. The others in the folder are
	// what it builds upon, such as the checkpoint updates of a cumulative one.
	// Empty (DISM only): everything in the folder is installed.
	Target string
}

// PackageResult is what a tool did.
type PackageResult struct {
	Tool           Tool
	Exit           Code       // the exit code as HRESULT, see Outcome
	Code           ResultCode // Succeeded, SucceededWithErrors or Failed
	RebootRequired bool
	// Packages are those whose state the call has changed, as far as the tool
	// tells; nil: it does not tell.
	Packages []Package
	Output   string // the end of what the tool printed, for people; at most some kilobytes
}

// PackageState is the state of a package in component based servicing (CBS).
type PackageState string

// The states that matter here. In the registry (CurrentState of
// HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based
// Servicing\Packages) they are numbers.
const (
	PackageInstalled        PackageState = "Installed"         // 112
	PackageInstallPending   PackageState = "Install Pending"   // 96: at the restart
	PackageStaged           PackageState = "Staged"            // 64
	PackageSuperseded       PackageState = "Superseded"        // 80
	PackageUninstallPending PackageState = "Uninstall Pending" // 5: at the restart
)

// Package is a package of Windows and its state.
type Package struct {
	Identity string // e.g. Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.8875.1.14
	State    PackageState
}

// Pending tells whether the package waits for a restart.
func (p Package) Pending() bool {
	return p.State == PackageInstallPending || p.State == PackageUninstallPending
}

// The exit codes of dism.exe and wusa.exe that are no HRESULT.
const (
	exitRebootRequired  = 3010 // ERROR_SUCCESS_REBOOT_REQUIRED
	exitRebootInitiated = 1641 // ERROR_SUCCESS_REBOOT_INITIATED
)

// Outcome reads the exit code of a tool, which is unsigned on Windows:
//
//   - 0 succeeded; 3010 and 1641 succeeded and want a restart.
//   - 0x0024xxxx are WUA's successes with a remark: 0x00240005 (as a number
//     2359301) wants a restart, 0x00240006 (2359302) was installed already,
//     0x00240003 succeeded with errors.
//   - Codes with the highest bit are failures, such as 0x80240017 and
//     0x800F081E (not applicable), 0x800F0823 (newer servicing stack first).
//   - All others are Win32 errors and come back as 0x8007xxxx.
//
// code is what Lookup explains.
func Outcome(exit uint32) (code Code, result ResultCode, restart bool) {
	code = Code(exit)
	switch {
	case exit == 0:
		return OK, Succeeded, false
	case exit == exitRebootRequired, exit == exitRebootInitiated, code == RebootRequiredOK, code == installStillPending:
		return RebootRequiredOK, Succeeded, true
	case code == updateError:
		return code, SucceededWithErrors, false
	case code>>16 == 0x0024:
		return code, Succeeded, false
	case code.Failed():
		return code, Failed, false
	}
	return 0x80070000 | code&0xFFFF, Failed, false
}

// AlreadyInstalled and AlreadyRemoved are remarks on what succeeded without
// doing anything.
const (
	AlreadyInstalled    Code = 0x00240006
	AlreadyRemoved      Code = 0x00240007
	updateError         Code = 0x00240003
	installStillPending Code = 0x00242015
)

// NewPackageResult is the result of a tool that ended with exit.
func NewPackageResult(tool Tool, exit uint32, output string) *PackageResult {
	r := &PackageResult{Tool: tool, Output: output}
	r.Exit, r.Code, r.RebootRequired = Outcome(exit)
	return r
}

// String says in short what the tool did, for a journal.
func (r *PackageResult) String() string {
	s := fmt.Sprintf("%s ended with %s", r.Tool, r.Exit)
	if r.RebootRequired {
		s += ", restart required"
	}
	for i, p := range r.Packages {
		if i == maxNamed {
			return s + fmt.Sprintf(", and %d more", len(r.Packages)-i)
		}
		s += fmt.Sprintf(", %s: %s", p.Identity, p.State)
	}
	return s
}

// maxNamed is how many packages a journal names.
const maxNamed = 5
