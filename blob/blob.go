// Package blob keeps whole files under flat names: the scan archive, its
// digests, payloads and the signed statements beside them. blob/file keeps
// them in a folder; blob/blobtest is the contract of every implementation.
//
// # Promises of every implementation
//
//   - A name is visible only with its whole content: Take appears at once or
//     not at all, also across a kill or a loss of power.
//   - Taking a name that exists replaces it; readers that have the old file
//     open keep reading the old content.
//   - Nothing but the names that ValidName accepts can be reached.
package blob

import (
	"context"
	"fmt"
	"io"
	"time"

	"waptwua"
)

// Info describes a stored file.
type Info struct {
	Name     string
	Size     int64
	Modified time.Time
}

// File is an open stored file. The caller closes it.
type File interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

// Opener finds and reads files. Both methods return waptwua.ErrNotFound for
// a name that is not stored.
type Opener interface {
	Stat(ctx context.Context, name string) (Info, error)
	Open(ctx context.Context, name string) (File, Info, error)
}

// Keeper changes what is stored.
type Keeper interface {
	// Take moves the complete local file at path into the store under name.
	// On success path is gone; on failure it is untouched.
	Take(ctx context.Context, name, path string) error
	// Put stores content under name; for small files.
	Put(ctx context.Context, name string, content []byte) error
	// Remove removes name. Removing what is not there is no error.
	Remove(ctx context.Context, name string) error
}

// Lister goes through everything stored, in the order of names.
type Lister interface {
	// List calls visit until it returns an error, which List then returns.
	List(ctx context.Context, visit func(Info) error) error
}

// Store is all of it.
type Store interface {
	Opener
	Keeper
	Lister
}

const maxName = 255

// ValidName returns an error when name cannot name a stored file: one path
// element of letters, digits, '.', '-' and '_' that does not begin with '.'.
func ValidName(name string) error {
	if name == "" || len(name) > maxName || name[0] == '.' {
		return fmt.Errorf("file name %q: want 1 to %d characters, the first not a dot: %w", name, maxName, waptwua.ErrNotFound)
	}
	for i := range len(name) {
		if !validByte(name[i]) {
			return fmt.Errorf("file name %q: character %q is not allowed: %w", name, name[i], waptwua.ErrNotFound)
		}
	}
	return nil
}

func validByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_'
}
