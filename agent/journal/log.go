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
	"time"

	"waptwua"
	"waptwua/internal/atomicfile"
)

// MaxLog is the size in bytes from which a log is shortened when opened,
// and keepEntries what is then left.
const (
	MaxLog      = 256 << 10
	keepEntries = 200
)

// Step is a point that an operation has reached.
type Step string

// The steps of operations.
const (
	Begin      Step = "begin"
	Downloaded Step = "downloaded" // all files of the updates are verified in the cache
	Staged     Step = "staged"     // the files were handed to the installer
	Installing Step = "installing" // the installer was called
	Installed  Step = "installed"  // the installer has answered; not verified yet
	Removing   Step = "removing"   // a removal was begun
	Removed    Step = "removed"    // the removal has been answered; not verified yet
	End        Step = "end"
)

// Entry is one line of the log.
type Entry struct {
	N       uint64             `json:"n"` // rising by one; set by Append
	At      time.Time          `json:"at"`
	Kind    string             `json:"kind"` // scan, download, install …
	Step    Step               `json:"step"`
	Updates []waptwua.UpdateID `json:"updates,omitempty"`
	Note    string             `json:"note,omitempty"` // a way chosen, a result code, an error
}

// Log is an open log. It is not safe for concurrent use: an agent does one
// thing at a time.
type Log struct {
	path string
	last Entry
	torn bool // the file does not end with a line feed
}

// OpenLog reads the log at path, which need not exist.
func OpenLog(path string) (*Log, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Log{path: path}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	entries := parse(text)
	l := &Log{path: path, torn: len(text) > 0 && text[len(text)-1] != '\n'}
	if n := len(entries); n > 0 {
		l.last = entries[n-1]
	}
	if len(text) > MaxLog || l.torn {
		return l, l.rewrite(entries)
	}
	return l, nil
}

// Append adds e and returns when it is on the disk.
func (l *Log) Append(e Entry) error {
	e.N = l.last.N + 1
	line, err := encodeLine(e)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if err := appendSync(l.path, line); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	l.last = e
	return nil
}

// Unfinished returns the last step of an operation that has no end.
func (l *Log) Unfinished() (Entry, bool) {
	return l.last, l.last.N > 0 && l.last.Step != End
}

// Entries reads the log from the disk, oldest first.
func (l *Log) Entries() ([]Entry, error) {
	text, err := os.ReadFile(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	return parse(text), nil
}

func (l *Log) rewrite(entries []Entry) error {
	var out []byte
	for _, e := range entries[max(0, len(entries)-keepEntries):] {
		line, err := encodeLine(e)
		if err != nil {
			return fmt.Errorf("shortening the journal: %w", err)
		}
		out = append(out, line...)
	}
	return atomicfile.WriteFile(l.path, out, 0o600)
}

// lineDigest is the number of hexadecimal digits that guard a line.
const lineDigest = 16

// encodeLine writes "DIGEST JSON\n".
func encodeLine(e Entry) ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return append(append([]byte(digestOf(b)+" "), b...), '\n'), nil
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:lineDigest]
}

// parse returns the lines that are whole.
func parse(text []byte) []Entry {
	var entries []Entry
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if len(line) <= lineDigest || string(line[:lineDigest]) != digestOf(line[lineDigest+1:]) {
			continue
		}
		var e Entry
		if json.Unmarshal(line[lineDigest+1:], &e) == nil {
			entries = append(entries, e)
		}
	}
	return entries
}

func appendSync(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(line); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}
