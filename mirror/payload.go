package mirror

import (
	"context"
	"crypto/sha1" // the archive names files by SHA-1; SHA-256 is checked beside it where the archive gives it
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"waptwua"
	"waptwua/blob"
)

// Payloads brings payload files into the store.
type Payloads struct {
	Download *Downloader
	Store    blob.Store

	mu   sync.Mutex
	busy map[string]bool
}

// Has tells whether the file is in the store with its size.
func (p *Payloads) Has(ctx context.Context, f waptwua.File) (bool, error) {
	bi, err := p.Store.Stat(ctx, f.StoredName())
	if errors.Is(err, waptwua.ErrNotFound) {
		return false, nil
	}
	return err == nil && bi.Size == f.Size, err
}

// Fetch downloads f, whose digests the signed archive gives, checks it and
// stores it. It returns nil when the file is there already, ErrConflict when
// another call is fetching it, ErrDigest when the origin keeps answering
// other bytes. progress may be nil; done counts what earlier
// attempts left, too.
func (p *Payloads) Fetch(ctx context.Context, f waptwua.File, progress func(done int64)) error {
	if have, err := p.Has(ctx, f); have || err != nil {
		return err
	}
	if !p.begin(f.StoredName()) {
		return fmt.Errorf("%s is being downloaded already: %w", f.Name, waptwua.ErrConflict)
	}
	defer p.end(f.StoredName())
	u, err := p.Download.Origin.Resolve(f.URL)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	t := transfer{
		url: u, part: newPart(p.Download.Staging, f.StoredName()), size: f.Size, max: f.Size,
		check: func(path string) error { return Verify(path, f) },
	}
	if progress != nil {
		t.progress = func(done, _ int64) { progress(done) }
	}
	if err := p.Download.run(ctx, t); err != nil {
		return fmt.Errorf("fetching %s: %w", f.Name, err)
	}
	if err := p.Store.Take(ctx, f.StoredName(), t.part.path); err != nil {
		return err
	}
	return t.part.forget()
}

func (p *Payloads) begin(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[name] {
		return false
	}
	if p.busy == nil {
		p.busy = make(map[string]bool)
	}
	p.busy[name] = true
	return true
}

func (p *Payloads) end(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, name)
}

// Verify checks the file at path against what the archive says of it.
func Verify(path string, f waptwua.File) error {
	r, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("checking %s: %w", f.Name, err)
	}
	defer r.Close()
	size, d1, d256, err := digests(r)
	if err != nil {
		return fmt.Errorf("checking %s: %w", f.Name, err)
	}
	switch {
	case size != f.Size:
		return fmt.Errorf("%s has %d bytes instead of %d: %w", f.Name, size, f.Size, waptwua.ErrDigest)
	case d1 != f.SHA1:
		return fmt.Errorf("%s has SHA-1 %s instead of %s: %w", f.Name, d1, f.SHA1, waptwua.ErrDigest)
	case !f.SHA256.IsZero() && d256 != f.SHA256:
		return fmt.Errorf("%s has SHA-256 %s instead of %s: %w", f.Name, d256, f.SHA256, waptwua.ErrDigest)
	}
	return nil
}

func digests(r io.Reader) (size int64, d1 waptwua.SHA1, d256 waptwua.SHA256, err error) {
	h1, h256 := sha1.New(), sha256.New()
	size, err = io.Copy(io.MultiWriter(h1, h256), r)
	h1.Sum(d1[:0])
	h256.Sum(d256[:0])
	return size, d1, d256, err
}
