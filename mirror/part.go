package mirror

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"waptwua/internal/atomicfile"
)

// part is a file on its way, in the staging folder.
type part struct{ path string }

// origin is what the peer said about the file whose bytes a part holds.
type origin struct {
	URL          string `json:"url"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Size         int64  `json:"size"` // of the whole file; -1: not said
}

func newPart(dir, name string) part { return part{filepath.Join(dir, name+".part")} }

func (p part) metaPath() string { return p.path + ".json" }

// resume returns how many bytes are there and the If-Range validator for
// them; 0 when the transfer has to start anew.
func (p part) resume(url string) (offset int64, validator string) {
	var o origin
	b, err := os.ReadFile(p.metaPath())
	if err != nil || json.Unmarshal(b, &o) != nil || o.URL != url {
		return 0, ""
	}
	fi, err := os.Stat(p.path)
	if err != nil || o.Size >= 0 && fi.Size() > o.Size {
		return 0, ""
	}
	if v := o.validator(); v != "" {
		return fi.Size(), v
	}
	return 0, ""
}

// validator is what If-Range may hold: a weak ETag may not.
func (o origin) validator() string {
	if o.ETag != "" && !strings.HasPrefix(o.ETag, "W/") {
		return o.ETag
	}
	return o.LastModified
}

func originOf(url string, h http.Header, size int64) origin {
	return origin{URL: url, ETag: h.Get("ETag"), LastModified: h.Get("Last-Modified"), Size: size}
}

// open opens the part for writing at offset; what lies behind is cut off.
func (p part) open(offset int64, o origin) (*os.File, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	if err := f.Truncate(offset); err != nil {
		return nil, errors.Join(fmt.Errorf("staging: %w", err), f.Close())
	}
	// The description goes last: with an older one a resume would fail the
	// size check or the peer's If-Range, never join two contents unseen.
	if err := atomicfile.WriteFile(p.metaPath(), b, 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("staging: %w", err), f.Close())
	}
	if _, err := f.Seek(offset, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("staging: %w", err), f.Close())
	}
	return f, nil
}

// discard throws the bytes away.
func (p part) discard() error {
	err := os.Remove(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, p.forget())
}

// forget removes the description of a part that has been moved away.
func (p part) forget() error {
	if err := os.Remove(p.metaPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
