package wua

import (
	"fmt"
	"strconv"
	"strings"
)

// Code is an HRESULT.
type Code uint32

// The codes that the program itself acts on or sets.
const (
	OK                  Code = 0
	RebootRequiredOK    Code = 0x00240005
	UnknownID           Code = 0x80240003
	ItemNotFound        Code = 0x80240008
	OperationInProgress Code = 0x80240009
	CallCancelled       Code = 0x8024000B
	InstallNotAllowed   Code = 0x80240016
	NotApplicable       Code = 0x80240017
	ExclusiveConflict   Code = 0x80240019
	AllUpdatesFailed    Code = 0x80240022
	EulasDeclined       Code = 0x80240023
	NoUpdate            Code = 0x80240024
	UninstallNotAllowed Code = 0x80240028
	InvalidCriteria     Code = 0x80240032
	InvalidOperation    Code = 0x80240036
	InvalidScanFile     Code = 0x80247001
	InstallerHung       Code = 0x80242007 // longer than it may
	InstallerFailure    Code = 0x8024200B
	IncorrectFileHash   Code = 0x80246002
	NotDownloaded       Code = 0x80246007
	DownloadFileMissing Code = 0x80246012
	NotFound            Code = 0x80070002 // Win32: no such file
	InvalidName         Code = 0x8007007B // Win32: a path that WUA does not take, such as a UNC path
	ServiceDisabled     Code = 0x80070422
	OutOfMemory         Code = 0x8007000E
	ServerUnavailable   Code = 0x800706BA // Win32: the RPC server, that is WUA, is gone
	ServicingReverted   Code = 0x800F0922 // CBS: the changes were rolled back at the restart
	SourceMissing       Code = 0x800F081F
	NotInstallable      Code = 0x800F081E
)

// Failed tells whether the code is a failure: its highest bit is set.
func (c Code) Failed() bool { return c&0x80000000 != 0 }

// String is the code as Windows writes it, e.g. 0x80240009.
func (c Code) String() string { return fmt.Sprintf("0x%08X", uint32(c)) }

// Error is a failure that WUA reported.
type Error struct {
	Op   string // what was being done, e.g. "search"
	Code Code
	Text string // WUA's own words, if it gave any
}

// Error names the operation, the code and, where known, its meaning.
func (e *Error) Error() string {
	if e.Text != "" {
		return fmt.Sprintf("%s: %s (%s)", e.Op, e.Text, e.Code)
	}
	return fmt.Sprintf("%s: %s (%s)", e.Op, strings.TrimSuffix(Lookup(e.Code).Sentence, "."), e.Code)
}

// Is tells whether target is an *Error of the same code with neither
// operation nor text, so that errors.Is(err, &Error{Code: c}) asks for c.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Op == "" && t.Text == ""
}

// ParseCode reads a code in the form of String, the prefix and leading zeros
// left out or not.
func ParseCode(s string) (Code, error) {
	digits := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "0x")
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("code %q: want up to eight hexadecimal digits, such as 0x80240009", s)
	}
	return Code(n), nil
}
