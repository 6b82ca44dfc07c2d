// Package cache keeps the files that an agent has loaded: the scan archive,
// payload files of updates, and the signed statements that name them.
//
// # Promises
//
//   - A file appears under its name only after its size and digests have
//     been checked; until then it is NAME.part. A file with wrong bytes is
//     deleted and what was there before stays.
//   - An interrupted download goes on where it stopped, within the call and
//     after a restart, as long as the server still has the same file
//     (Range with If-Range).
//   - Before bytes arrive the volume must have room for them, for what the
//     other downloads of the cache have yet to write, and for a reserve.
//   - Options.Limit slows all downloads of the cache down together; whoever
//     downloads asks [Cache.Fits] whether files are within the quota and find
//     room.
//
// # Layout
//
//	archive/current.json       which archive is in use, with its validators
//	archive/SHA256.cab         the archive itself
//	files/SHA1_NAME            payload files, by waptwua.File.StoredName
//	statements/UPDATEID.json   envelopes of transport.FilesStatement
//
// Several goroutines may load different files at once; [Cache.Payload] of
// the same file must not run twice at a time.
package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"waptwua"
	"waptwua/internal/atomicfile"
	"waptwua/transport/client"
)

// DefaultReserve is the room, in bytes, that a download leaves on the volume.
const DefaultReserve = 1 << 30

// ErrNoRoom says that the volume is too full.
var ErrNoRoom = errors.New("not enough room on the disk")

// Opener opens a file at its source, from the beginning or from an offset;
// *client.Client and *client.Direct have such methods.
type Opener func(context.Context, client.FileRequest) (*client.FileResponse, error)

// ErrQuota says that files would make the cache larger than its quota.
var ErrQuota = errors.New("the quota of the cache (cache_quota)")

// Limiter slows downloads down; *rate.Limiter is one. WaitN waits until n
// bytes more may be read, at most Burst.
type Limiter interface {
	WaitN(ctx context.Context, n int) error
	Burst() int
}

// Options of a cache.
type Options struct {
	Reserve int64                               // bytes to leave free; 0: DefaultReserve
	Free    func(dir string) (uint64, error)    // bytes free on the volume of dir
	Quota   int64                               // bytes of payload files; 0: no quota
	Limit   Limiter                             // of all downloads together; nil: no limit
	Check   func(context.Context, string) error // Microsoft's signature of the archive at a path; nil: left to WUA
}

// Cache is a folder of loaded files.
type Cache struct {
	dir string
	Options
	promised promises
}

// The folders of a cache.
const (
	dirArchive    = "archive"
	dirFiles      = "files"
	dirStatements = "statements"
)

// Open makes the folders below dir and removes what killed writers left.
func Open(dir string, o Options) (*Cache, error) {
	if o.Reserve == 0 {
		o.Reserve = DefaultReserve
	}
	c := &Cache{dir: dir, Options: o}
	for _, d := range []string{dirArchive, dirFiles, dirStatements} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("opening the cache: %w", err)
		}
		if err := atomicfile.Sweep(filepath.Join(dir, d)); err != nil {
			return nil, fmt.Errorf("opening the cache: %w", err)
		}
	}
	return c, nil
}

// Path is where a payload file lies, or will.
func (c *Cache) Path(f waptwua.File) string {
	return filepath.Join(c.dir, dirFiles, f.StoredName())
}

// Fits tells whether those of the files that the cache lacks keep it within
// its quota and find room on the volume, beside others that are coming. If
// not, the error wraps ErrQuota, and waptwua.ErrLimit as well when they would
// not fit into an empty cache either, or ErrNoRoom.
func (c *Cache) Fits(files, coming []waptwua.File) error {
	var all int64
	for _, f := range files {
		all += f.Size
	}
	if c.Quota > 0 && all > c.Quota {
		return fmt.Errorf("files of %d bytes are more than %w of %d bytes; raise it: %w", all, ErrQuota, c.Quota, waptwua.ErrLimit)
	}
	if !slices.ContainsFunc(files, c.lacks) {
		return nil
	}
	lacking, begun := c.toLoad(slices.Concat(files, coming))
	if err := c.withinQuota(lacking); err != nil {
		return err
	}
	return c.hasRoom(lacking - begun)
}

func (c *Cache) lacks(f waptwua.File) bool { return !c.Has(f) }

// toLoad is the size of those files that are lacking, each counted once, and
// how much of it lies in begun downloads.
func (c *Cache) toLoad(files []waptwua.File) (lacking, begun int64) {
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.StoredName()] || c.Has(f) {
			continue
		}
		seen[f.StoredName()] = true
		lacking += f.Size
		if fi, err := os.Stat(c.Path(f) + partSuffix); err == nil {
			begun += min(fi.Size(), f.Size)
		}
	}
	return lacking, begun
}

func (c *Cache) withinQuota(lacking int64) error {
	if c.Quota == 0 {
		return nil
	}
	used, err := c.Used()
	if err != nil {
		return err
	}
	if used+lacking > c.Quota {
		return fmt.Errorf("%d bytes more than the %d that are there exceed %w of %d bytes", lacking, used, ErrQuota, c.Quota)
	}
	return nil
}

// Used is what the complete payload files take, in bytes.
func (c *Cache) Used() (n int64, err error) {
	entries, err := os.ReadDir(filepath.Join(c.dir, dirFiles))
	if err != nil {
		return 0, fmt.Errorf("measuring the cache: %w", err)
	}
	for _, e := range entries {
		if fi, err := e.Info(); err == nil && filepath.Ext(e.Name()) != partSuffix {
			n += fi.Size()
		}
	}
	return n, nil
}

// Has tells whether the file was loaded and checked. It compares the size
// only; Verify reads it again.
func (c *Cache) Has(f waptwua.File) bool {
	fi, err := os.Stat(c.Path(f))
	return err == nil && fi.Mode().IsRegular() && fi.Size() == f.Size
}

// Verify reads a file that was loaded and compares its digests once more:
// between download and installation days may pass. A file that has changed
// is removed and gives waptwua.ErrDigest.
func (c *Cache) Verify(ctx context.Context, f waptwua.File) error {
	err := checkFile(ctx, c.Path(f), f)
	if errors.Is(err, waptwua.ErrDigest) {
		err = errors.Join(err, os.Remove(c.Path(f)))
	}
	return err
}

// Payload loads f unless the cache has it.
func (c *Cache) Payload(ctx context.Context, f waptwua.File, open Opener) error {
	if c.Has(f) {
		return nil
	}
	d := c.download(c.Path(f), f.StoredName(), f.Size)
	return d.load(ctx, open, client.FileRequest{}, func() error {
		if err := checkFile(ctx, d.part, f); err != nil {
			return errors.Join(fmt.Errorf("file %s from the repository: %w", f.Name, err), d.discard())
		}
		return d.commit(d.path)
	})
}

// Statement returns the stored envelope of an update, or waptwua.ErrNotFound.
func (c *Cache) Statement(id waptwua.UpdateID) ([]byte, error) {
	b, err := os.ReadFile(c.statement(id))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("statement of %s: %w", id, waptwua.ErrNotFound)
	}
	return b, err
}

// SetStatement stores an envelope that the caller has verified.
func (c *Cache) SetStatement(id waptwua.UpdateID, envelope []byte) error {
	return atomicfile.WriteFile(c.statement(id), envelope, 0o600)
}

func (c *Cache) statement(id waptwua.UpdateID) string {
	return filepath.Join(c.dir, dirStatements, id.String()+".json")
}

// Keep removes the payload files and statements that are not listed, begun
// downloads included.
func (c *Cache) Keep(ids []waptwua.UpdateID, files []waptwua.File) error {
	names := map[string]bool{}
	for _, f := range files {
		names[f.StoredName()] = true
	}
	statements := map[string]bool{}
	for _, id := range ids {
		statements[id.String()+".json"] = true
	}
	return errors.Join(
		sweep(filepath.Join(c.dir, dirFiles), names),
		sweep(filepath.Join(c.dir, dirStatements), statements))
}

func sweep(dir string, keep map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cleaning the cache: %w", err)
	}
	for _, e := range entries {
		if !keep[strings.TrimSuffix(strings.TrimSuffix(e.Name(), sourceSuffix), partSuffix)] {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
