package wua

import "fmt"

// Code is an HRESULT.
type Code uint32

// The codes that the program itself acts on or sets.
const (
	OK                  Code = 0
	OperationInProgress Code = 0x80240009
	ItemNotFound        Code = 0x80240034
	InstallNotAllowed   Code = 0x80240016
	InvalidScanFile     Code = 0x80247001
	IncorrectFileHash   Code = 0x80246002
	NotDownloaded       Code = 0x80246007
	ServiceDisabled     Code = 0x80070422
	OutOfMemory         Code = 0x8007000E
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
	return fmt.Sprintf("%s: %s (%s)", e.Op, Lookup(e.Code).Sentence, e.Code)
}
