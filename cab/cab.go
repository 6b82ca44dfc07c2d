// Package cab reads cabinet files (.cab), the archives in which Microsoft
// publishes updates and their metadata.
//
// # What it reads
//
// A cabinet is a header, a list of folders (runs of data compressed as one),
// a list of files (each a range of a folder's content) and the folders' data
// in CFDATA blocks of at most 32,768 bytes of content. The package reads
// cabinets of version 1.3 whose folders are stored, MSZIP or LZX (windows of
// 15 to 21 bits), with header, folder and data reserves, any number of
// folders, block checksums, and names in UTF-8 or in a code page.
//
// # How to read it
//
// [NewReader] reads the lists. A folder can be decoded only from its start,
// so there are two ways to its files:
//
//   - [Folder.Open] is one sequential pass, shaped like archive/tar: it hands
//     out the folder's files in order and decodes everything once. Use it to
//     read more than one file: a folder may hold 65,535 of them.
//   - [File.Open], and the [fs.FS] that a Reader is, open one file by
//     decoding the folder up to it; reading all files in this way takes
//     quadratic time.
//
// Each pass has its own state: passes over one Reader may run at the same
// time, in different goroutines, over the same or different folders.
//
// # What it does not read
//
// Folders compressed with Quantum, and files that begin in the previous or
// end in the next cabinet of a set, give [ErrUnsupported]; the other folders
// and files of such a cabinet stay readable. A cabinet must begin at the
// first byte; it is not searched for within an executable. Nothing is
// written to disk here, and nothing is written into cabinets.
//
// # Hostile input
//
// The package takes input from strangers. Whatever the bytes, it does not
// panic, and it uses memory in proportion to the cabinet's lists (at most
// 65,535 entries) plus, for each pass, one window and two block buffers.
// [Limits] bound the work of a pass. Folders share no data, so that a whole
// cabinet never expands more than the methods can: some 2,000 times its size.
// Nothing beyond the header's cbCabinet is read:
// what follows there (an Authenticode signature, say) is not covered by the
// cabinet's signature either. Names are data: [File.Path] tells which are
// safe relative paths, and the fs.FS reaches only those.
//
// Faults give a [*FormatError], which has the offset and matches one of
// [ErrFormat], [ErrChecksum], [ErrLimit] and [ErrUnsupported].
//
// # Compatibility
//
// The package imports the standard library and package lzx, and needs the Go
// version that go.mod names. What is exported, the bytes that a well-formed
// cabinet gives, and which of the four kinds a fault has, stay as they are; new
// fields may come to Limits, Header, Folder and File, so use their names in
// literals. The wording of errors and the default limits may change, the limits
// only upwards.
//
// The format is published as [MS-CAB]; where that leaves a case open the package does what
// cabextract (libmspack) does. docs/formats/cab.md lists these cases and
// those in which it is deliberately stricter.
//
// [MS-CAB]: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-cab
package cab

import (
	"errors"
	"fmt"
	"time"
)

// What a FormatError can match, with errors.Is.
var (
	// ErrFormat says that the bytes are not a well-formed cabinet.
	ErrFormat = errors.New("malformed cabinet")
	// ErrChecksum says that a block does not have its checksum.
	ErrChecksum = errors.New("checksum mismatch")
	// ErrLimit says that reading on would exceed one of the Limits.
	ErrLimit = errors.New("limit exceeded")
	// ErrUnsupported says that the cabinet may be well-formed but uses what
	// this package does not read: Quantum, or another cabinet of its set.
	ErrUnsupported = errors.New("unsupported")
)

// A FormatError says where in a cabinet, and why, reading failed.
type FormatError struct {
	Offset int64  // byte of the cabinet where the faulty structure begins
	Msg    string // what is wrong with it
	Err    error  // ErrFormat, ErrChecksum, ErrLimit, ErrUnsupported, or what wraps one
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("cab: %v at offset %d: %s", e.Err, e.Offset, e.Msg)
}

// Unwrap returns e.Err.
func (e *FormatError) Unwrap() error { return e.Err }

func fault(kind error, offset int64, format string, args ...any) error {
	return &FormatError{Offset: offset, Err: kind, Msg: fmt.Sprintf(format, args...)}
}

// Flags are the header's flags.
type Flags uint16

// The flags there are.
const (
	HasPrevious Flags = 1 << iota // the set has a cabinet before this one
	HasNext                       // the set has a cabinet after this one
	HasReserve                    // there are reserve fields
)

// Header is a cabinet's header (CFHEADER).
type Header struct {
	Size         int64 // cbCabinet: bytes of the cabinet, without what follows it
	FilesOffset  int64 // coffFiles: where the list of files begins
	MinorVersion uint8
	MajorVersion uint8
	Flags        Flags
	SetID, Index uint16 // which set the cabinet belongs to, and its place there
	Reserve      []byte // abReserve, often room for a signature; nil if there is none

	FolderReserve int // bytes reserved in each folder's entry
	DataReserve   int // bytes reserved in each CFDATA block

	// The file and disk names of the set's neighbours, as stored.
	PreviousCabinet, PreviousDisk string
	NextCabinet, NextDisk         string
}

// Compression is how a folder is compressed.
type Compression uint8

// The methods there are. Quantum is recognized, not read.
const (
	None Compression = iota
	MSZIP
	Quantum
	LZX
)

func (c Compression) String() string {
	switch c {
	case None:
		return "none"
	case MSZIP:
		return "MSZIP"
	case Quantum:
		return "Quantum"
	case LZX:
		return "LZX"
	}
	return fmt.Sprintf("method %d", uint8(c))
}

// A Folder is a run of files compressed as one (CFFOLDER).
type Folder struct {
	Compression Compression
	Window      int     // LZX and Quantum: the window size in bits
	Blocks      int     // cCFData: number of CFDATA blocks in this cabinet
	Reserve     []byte  // the entry's reserve; nil if there is none
	Files       []*File // in stored order; every file is in one folder's list

	reader *Reader
	index  int
	entry  int64 // where the folder's entry is, for errors
	start  int64 // coffCabStart: where its first block is
	end    int64 // where another folder's blocks begin, or the cabinet ends
	shared bool  // an earlier folder begins at the same block
	ahead  bool  // begins in the set's previous cabinet
}

// Attributes are a file's attributes.
type Attributes uint16

// The attributes there are. NameIsUTF8 says how the name is coded, and
// Executable that the file is to be run after extraction.
const (
	ReadOnly   Attributes = 0x01
	Hidden     Attributes = 0x02
	System     Attributes = 0x04
	Archive    Attributes = 0x20
	Executable Attributes = 0x40
	NameIsUTF8 Attributes = 0x80
)

// A File is a range of a folder's content with a name (CFFILE).
type File struct {
	// Name is the name as stored, with '\' turned into '/', decoded as UTF-8
	// if it is flagged as or happens to be valid UTF-8, else as ISO 8859-1.
	// It may be anything: use Path for a name to open or create.
	Name string
	// RawName holds the stored bytes of a name that is not ASCII, for
	// callers who know its code page; otherwise it is nil.
	RawName []byte

	Size       int64     // bytes of content
	Modified   time.Time // to two seconds, in UTC though stored without a zone; zero if not a date
	Attributes Attributes
	Folder     *Folder
	Offset     int64 // where in the folder's content the file begins

	entry    int64 // where the file's entry is, for errors
	previous bool  // begins in the set's previous cabinet
	next     bool  // ends in the set's next cabinet
}
