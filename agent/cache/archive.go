package cache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/transport/client"
)

// MaxArchive bounds the scan archive, in bytes; that of 2026 has 658 MB.
const MaxArchive = 8 << 30

// Archive is the scan archive in use.
type Archive struct {
	SHA256       waptwua.SHA256 `json:"sha256"`
	SHA1         waptwua.SHA1   `json:"sha1"`
	Size         int64          `json:"size"`
	ETag         string         `json:"etag,omitempty"`
	LastModified time.Time      `json:"last_modified,omitzero"` // as the source gives it
	Direct       bool           `json:"direct,omitempty"`       // from Microsoft, not from the repository

	// Before is the repository's last archive, when this one is Direct: what
	// the server has signed so far speaks about that one.
	Before waptwua.SHA256 `json:"before,omitzero"`
}

// Expect is what a new archive must be. At least one digest is set, unless
// the source is Microsoft itself and Options.Check stands in for it.
type Expect struct {
	SHA256 waptwua.SHA256
	SHA1   waptwua.SHA1
}

func (e Expect) known() bool { return !e.SHA256.IsZero() || !e.SHA1.IsZero() }

func (e Expect) check(d digests) error {
	if !e.SHA256.IsZero() && e.SHA256 != d.sha256 {
		return fmt.Errorf("SHA-256 %s instead of %s: %w", d.sha256, e.SHA256, waptwua.ErrDigest)
	}
	if !e.SHA1.IsZero() && e.SHA1 != d.sha1 {
		return fmt.Errorf("SHA-1 %s instead of %s: %w", d.sha1, e.SHA1, waptwua.ErrDigest)
	}
	return nil
}

// Source is where archives come from.
type Source struct {
	Open   Opener
	Expect func(context.Context) (Expect, error) // asked only when there is something new
	Direct bool
}

// Archive returns the archive in use, or waptwua.ErrNotFound.
func (c *Cache) Archive() (Archive, error) {
	var a Archive
	if err := journal.Load(c.current(), &a); err != nil {
		return Archive{}, fmt.Errorf("scan archive: %w", errors.Join(waptwua.ErrNotFound, err))
	}
	fi, err := os.Stat(c.ArchivePath(a))
	if err != nil || fi.Size() != a.Size {
		return Archive{}, fmt.Errorf("scan archive: the file is missing or cut: %w", waptwua.ErrNotFound)
	}
	return a, nil
}

// ArchivePath is where the archive lies.
func (c *Cache) ArchivePath(a Archive) string {
	return filepath.Join(c.dir, dirArchive, a.SHA256.String()+".cab")
}

func (c *Cache) current() string { return filepath.Join(c.dir, dirArchive, "current.json") }

// RefreshArchive brings the archive up to date. It returns the archive in
// use with waptwua.ErrUnchanged when the source has nothing new. After any
// other error the old archive, if there is one, is still in use.
func (c *Cache) RefreshArchive(ctx context.Context, name string, s Source) (Archive, error) {
	old, err := c.Archive()
	if err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return old, err
	}
	if old.Direct && !s.Direct {
		if same, err := c.isRepositorys(ctx, old, s); err == nil {
			return same, waptwua.ErrUnchanged
		}
	}
	d := c.download(filepath.Join(c.dir, dirArchive, "next"), name, -1)
	d.max = MaxArchive
	a := Archive{Direct: s.Direct}
	if s.Direct {
		a.Before = old.SHA256
		if old.Direct {
			a.Before = old.Before
		}
	}
	err = d.load(ctx, noting(s.Open, &a), conditions(old, s.Direct), func() error {
		err := c.accept(ctx, d, s, &a)
		if errors.Is(err, waptwua.ErrDigest) || errors.Is(err, waptwua.ErrNotTrusted) {
			err = errors.Join(err, d.discard())
		}
		if err != nil {
			err = refused(old, err)
		}
		return err
	})
	if err != nil {
		return old, fmt.Errorf("scan archive: %w", err)
	}
	return a, c.drop(a)
}

// refused says what becomes of the archive in use when a new one is not
// accepted.
func refused(old Archive, err error) error {
	if old.Size == 0 {
		return fmt.Errorf("the one that came is refused, and there is no older one: %w", err)
	}
	return fmt.Errorf("the new one is refused, the old one stays in use: %w", err)
}

// isRepositorys tells whether the archive that came from Microsoft is the one
// that the repository has now, and notes that: an outage should not cost the
// whole archive a second time. The repository's digest is small.
func (c *Cache) isRepositorys(ctx context.Context, old Archive, s Source) (Archive, error) {
	want, err := s.Expect(ctx)
	if err == nil && !want.known() {
		err = waptwua.ErrNotFound
	}
	if err == nil {
		err = want.check(digests{sha1: old.SHA1, sha256: old.SHA256})
	}
	if err != nil {
		return old, err
	}
	same := Archive{SHA256: old.SHA256, SHA1: old.SHA1, Size: old.Size}
	return same, journal.Save(c.current(), same)
}

// conditions asks only for an archive that differs from old. The repository's
// ETag means nothing to Microsoft and the other way round; a date does to
// Microsoft, who made the archive before the repository had it.
func conditions(old Archive, direct bool) client.FileRequest {
	if old.Size == 0 || old.Direct && !direct {
		return client.FileRequest{}
	}
	var req client.FileRequest
	if old.Direct == direct {
		req.ETag = old.ETag
	}
	if req.ETag == "" && !old.LastModified.IsZero() {
		req.LastModified = old.LastModified.UTC().Format(http.TimeFormat)
	}
	return req
}

// noting keeps the validators of the last answer.
func noting(open Opener, a *Archive) Opener {
	return func(ctx context.Context, req client.FileRequest) (*client.FileResponse, error) {
		res, err := open(ctx, req)
		if err == nil {
			a.ETag = res.ETag
			a.LastModified, _ = http.ParseTime(res.LastModified) // zero when absent: no condition next time
		}
		return res, err
	}
}

// accept checks the complete part and puts it in use: first the file under
// its digest, then the note that names it.
func (c *Cache) accept(ctx context.Context, d *download, s Source, a *Archive) error {
	want, err := s.Expect(ctx)
	if err != nil {
		return err
	}
	got, err := digestFile(ctx, d.part)
	if err != nil {
		return err
	}
	if err := want.check(got); err != nil {
		return err
	}
	if !want.known() && c.Check == nil {
		return fmt.Errorf("nothing gives its digest, and this agent cannot check Microsoft's signature: %w", waptwua.ErrNotTrusted)
	}
	if c.Check != nil {
		if err := c.Check(ctx, d.part); err != nil {
			return err
		}
	}
	a.SHA256, a.SHA1, a.Size = got.sha256, got.sha1, got.size
	if err := d.commit(c.ArchivePath(*a)); err != nil {
		return err
	}
	return journal.Save(c.current(), *a)
}

// drop removes archives other than a.
func (c *Cache) drop(a Archive) error {
	dir := filepath.Join(c.dir, dirArchive)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("removing old archives: %w", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".cab") && e.Name() != filepath.Base(c.ArchivePath(a)) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
