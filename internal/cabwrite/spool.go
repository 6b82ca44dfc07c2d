package cabwrite

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"waptwua"
)

// spoolMemory is how much of the compressed content is kept in memory before
// it goes to a file.
const spoolMemory = 1 << 20

// spool holds the data records until the cabinet's head is known.
type spool struct {
	dir  string
	size int64
	mem  bytes.Buffer
	file *os.File
	buf  *bufio.Writer // before file
}

func newSpool(dir string) *spool { return &spool{dir: dir} }

// write appends p.
func (s *spool) write(p []byte) error {
	s.size += int64(len(p))
	if s.size > maxSize {
		return fmt.Errorf("cabinet of more than 4 GiB: %w", waptwua.ErrLimit)
	}
	if s.file == nil && s.mem.Len()+len(p) > spoolMemory {
		if err := s.spill(); err != nil {
			return err
		}
	}
	var err error
	if s.file == nil {
		_, err = s.mem.Write(p)
	} else {
		_, err = s.buf.Write(p)
	}
	return err
}

// spill moves what is in memory to a new file.
func (s *spool) spill() error {
	f, err := os.CreateTemp(s.dir, "cabinet-*.spool")
	if err != nil {
		return fmt.Errorf("spool of the cabinet: %w", err)
	}
	s.file, s.buf = f, bufio.NewWriterSize(f, 256<<10)
	_, err = s.mem.WriteTo(s.buf)
	s.mem = bytes.Buffer{}
	return err
}

// copyTo writes everything to w.
func (s *spool) copyTo(w io.Writer) error {
	if s.file == nil {
		_, err := w.Write(s.mem.Bytes())
		return err
	}
	if err := s.buf.Flush(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.file)
	return err
}

// close removes the file, if there is one.
func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Close(), os.Remove(s.file.Name()))
	s.file = nil
	return err
}
