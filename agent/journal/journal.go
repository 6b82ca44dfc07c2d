// Package journal is an agent's durable memory: documents that are replaced
// whole, and a log of what was begun and finished.
//
// # Documents
//
// A document is a file of two lines: the SHA-256 of the second line in
// hexadecimal, and the content as JSON. It is written atomically. What does
// not fit its digest (a torn write, a flipped bit, a hand edit) is reported
// as waptwua.ErrDigest and counts as absent; what a document holds can be
// found out again by a scan and a whole report.
//
// # Log
//
// The log is a file of lines, each with a digest of its own, flushed to the
// disk before [Log.Append] returns. An operation appends "begin", then its
// steps, then "end". An agent that starts and finds an operation without its
// end was killed in it, and [Log.Unfinished] says where. Damaged lines, such
// as the last one after a power cut, are passed over. The log is shortened to
// its newest entries when it is opened and has grown beyond [MaxLog].
package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"waptwua"
	"waptwua/internal/atomicfile"
)

// maxDocument bounds what is read of one document, in bytes.
const maxDocument = 64 << 20

// Save writes v as the document at path.
func Save(path string, v any) error {
	content, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	sum := sha256.Sum256(content)
	text := make([]byte, 0, 2*len(sum)+len(content)+2)
	text = hex.AppendEncode(text, sum[:])
	text = append(text, '\n')
	text = append(text, content...)
	return atomicfile.WriteFile(path, append(text, '\n'), 0o600)
}

// Load reads the document at path into v. A missing one gives
// waptwua.ErrNotFound, a damaged one waptwua.ErrDigest; v is then unchanged.
func Load(path string, v any) error {
	text, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("loading %s: %w", path, waptwua.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("loading %s: %w", path, err)
	}
	digest, content, ok := bytes.Cut(text, []byte("\n"))
	content = bytes.TrimSuffix(content, []byte("\n"))
	sum := sha256.Sum256(content)
	if !ok || hex.EncodeToString(sum[:]) != string(digest) {
		return fmt.Errorf("loading %s: the file is damaged: %w", path, waptwua.ErrDigest)
	}
	if err := json.Unmarshal(content, v); err != nil {
		return fmt.Errorf("loading %s: %w: %w", path, waptwua.ErrDigest, err)
	}
	return nil
}

func read(path string) ([]byte, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if fi.Size() > maxDocument {
		return nil, fmt.Errorf("%d bytes: %w", fi.Size(), waptwua.ErrLimit)
	}
	return os.ReadFile(path)
}
