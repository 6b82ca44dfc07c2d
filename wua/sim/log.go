package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ReadLog returns the events of the host in dir, oldest first: every attempt
// to install or uninstall, and every restart. It tells for example whether an
// update was ever installed twice. A last line that was torn by a kill is
// left out; it is written again by the next call.
func ReadLog(dir string) ([]Event, error) {
	b, err := os.ReadFile(filepath.Join(dir, logFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	events, _, err := parseLog(b)
	return events, err
}

// parseLog returns the events and the length of the whole lines.
func parseLog(b []byte) (events []Event, whole int, err error) {
	for whole < len(b) {
		n := bytes.IndexByte(b[whole:], '\n')
		if n < 0 {
			break
		}
		var e Event
		if err := json.Unmarshal(b[whole:whole+n], &e); err != nil {
			return nil, 0, fmt.Errorf("%s, offset %d: %w", logFile, whole, err)
		}
		events = append(events, e)
		whole += n + 1
	}
	return events, whole, nil
}

// appendLog appends the events that the log does not hold yet.
func appendLog(dir string, events []Event) (err error) {
	if len(events) == 0 {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(dir, logFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	last, end, err := lastEvent(f)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	for _, e := range events {
		if e.Seq <= last {
			continue
		}
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		lines.Write(append(b, '\n'))
	}
	if lines.Len() == 0 {
		return nil
	}
	return writeAt(f, end, lines.Bytes())
}

// lastEvent is the number of the last whole line and where it ends. It reads
// the end of the file only.
func lastEvent(f *os.File) (last, end int64, err error) {
	const tail = 64 << 10
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, 0, err
	}
	from := max(0, size-tail)
	b := make([]byte, size-from)
	if _, err := f.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	if from > 0 {
		n := bytes.IndexByte(b, '\n') + 1
		b, from = b[n:], from+int64(n)
	}
	events, whole, err := parseLog(b)
	if err != nil || len(events) == 0 {
		return 0, from, err
	}
	return events[len(events)-1].Seq, from + int64(whole), nil
}

// writeAt overwrites what a killed writer left behind end.
func writeAt(f *os.File, end int64, b []byte) error {
	if err := f.Truncate(end); err != nil {
		return err
	}
	if _, err := f.WriteAt(b, end); err != nil {
		return err
	}
	return f.Sync()
}
