package waptwua

import "errors"

// The sentinel errors that cross package borders. Test with errors.Is.
var (
	// ErrUnchanged says that there is nothing new; it is an outcome, not a failure.
	ErrUnchanged = errors.New("unchanged")
	// ErrNotFound says that the thing asked for does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that the thing exists already, or was changed meanwhile.
	ErrConflict = errors.New("conflict")
	// ErrNotTrusted says that a signature is missing, wrong, or by an unknown key.
	ErrNotTrusted = errors.New("not trusted")
	// ErrDigest says that bytes do not have the digest they should have.
	ErrDigest = errors.New("digest mismatch")
	// ErrStale says that something older than what is already held was offered.
	ErrStale = errors.New("older than what is held")
	// ErrLimit says that an input exceeds a limit that protects the program.
	ErrLimit = errors.New("limit exceeded")
	// ErrForbidden says that the caller may not do this.
	ErrForbidden = errors.New("forbidden")
)
