package wsusscn2

import (
	"errors"
	"fmt"
	"strconv"

	"waptwua"
	"waptwua/cab"
)

// ErrFormat is wrapped by every error that says: this is not a scan archive,
// or it is damaged. Errors about limits wrap waptwua.ErrLimit instead.
var ErrFormat = errors.New("not a valid scan archive")

// FormatError says where in the archive the reader could not go on.
type FormatError struct {
	Path   string // inside the archive, e.g. "package.cab/package.xml"; empty when only bytes were given
	Offset int64  // bytes from the start of the document; -1 when the error is about Path as a whole
	Msg    string // what was found
	Err    error  // ErrFormat, waptwua.ErrLimit or the cause
}

// Error names the place, what was found and the kind of the error.
func (e *FormatError) Error() string {
	s := e.Path
	if e.Offset >= 0 {
		if s != "" {
			s += " "
		}
		s += "at offset " + strconv.FormatInt(e.Offset, 10)
	}
	if s != "" {
		s += ": "
	}
	if e.Msg != "" {
		s += e.Msg + ": "
	}
	return s + e.Err.Error()
}

// Unwrap gives the kind of the error.
func (e *FormatError) Unwrap() error { return e.Err }

func formatError(path, format string, args ...any) error {
	return &FormatError{Path: path, Offset: -1, Msg: fmt.Sprintf(format, args...), Err: ErrFormat}
}

func limitError(path, format string, args ...any) error {
	return &FormatError{Path: path, Offset: -1, Msg: fmt.Sprintf(format, args...), Err: waptwua.ErrLimit}
}

// tooLarge says that the file f of a cabinet is larger than the limit for what
// it is, and where the cabinet has it.
func tooLarge(path, what string, f *cab.File, limit int64) error {
	return limitError(path, "%s of %d bytes (at offset %d of its folder), more than %d", what, f.Size, f.Offset, limit)
}

// at gives an error about a document the path of the document.
func at(path string, err error) error {
	if err == nil {
		return nil
	}
	var fe *FormatError
	if !errors.As(err, &fe) {
		return inCabinet(path, err)
	}
	if fe.Path == "" {
		fe.Path = path
	}
	return err
}

// inCabinet translates the errors of package cab into those of this one.
func inCabinet(path string, err error) error {
	var ce *cab.FormatError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, cab.ErrLimit):
		return fmt.Errorf("%s: %w", path, kindOf{err, waptwua.ErrLimit})
	case errors.As(err, &ce), errors.Is(err, cab.ErrFormat), errors.Is(err, cab.ErrChecksum):
		return fmt.Errorf("%s: %w: %w", path, err, ErrFormat)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// kindOf gives an error another kind, which its text has already.
type kindOf struct {
	error
	kind error
}

// Unwrap gives the error and its kind.
func (e kindOf) Unwrap() []error { return []error{e.error, e.kind} }
