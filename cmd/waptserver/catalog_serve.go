package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"waptwua"
	"waptwua/blob"
	"waptwua/mirror"
	"waptwua/server"
	"waptwua/store/catalogdb"
	"waptwua/transport"
	"waptwua/wsusscn2"
)

// catalogueLoader keeps the catalogue of the archive on the shelf in a folder:
// one file for each archive, named after its digest. A catalogue that a
// restarted server finds there is not built again, and one of last month's
// archive is what the next is built on.
type catalogueLoader struct {
	archive interface {
		Published(ctx context.Context) (waptwua.Archive, error)
	}
	shelf  blob.Opener
	dir    string
	spool  wsusscn2.Spool
	limits limits
	log    *slog.Logger

	mu   sync.Mutex
	open []*catalogdb.Catalogue // the newest last
}

// Load implements server.Loader. The catalogue of the load before stays open,
// because it may be in use; the one before that is closed and removed.
func (l *catalogueLoader) Load(ctx context.Context) (server.Catalogue, error) {
	info, err := l.archive.Published(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	path := filepath.Join(l.dir, info.SHA256.String()[:16]+".sqlite")
	c, err := l.limits.openBuilt(ctx, path)
	if err != nil || c.Archive() != info.SHA256 {
		if c, err = l.build(ctx, path, info.SHA256); err != nil {
			return nil, err
		}
	}
	l.open = append(l.open, c)
	l.retire(ctx, path)
	return &servedCatalogue{c, l.log}, nil
}

// build makes the catalogue at path.
func (l *catalogueLoader) build(ctx context.Context, path string, digest waptwua.SHA256) (*catalogdb.Catalogue, error) {
	f, stored, err := l.shelf.Open(ctx, mirror.ArchiveName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := wsusscn2.Open(f, stored.Size, wsusscn2.Options{Spool: l.spool, Limits: l.limits.archive})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return nil, fmt.Errorf("folder for catalogues: %w", err)
	}
	defer boundMemory()()
	r, err := catalogdb.Build(ctx, a, path, catalogdb.BuildOptions{Archive: digest, Base: l.newest()})
	if err != nil {
		return nil, err
	}
	l.log.InfoContext(ctx, "catalogue built", "archive", digest, "updates", r.Revisions, "shards", r.Shards, "kept", r.Kept)
	return l.limits.openBuilt(ctx, path)
}

// files are the catalogues in the folder.
func (l *catalogueLoader) files() []string {
	names, _ := filepath.Glob(filepath.Join(l.dir, "*.sqlite")) // the pattern is well-formed
	return names
}

// newest is the catalogue that was built last; "" when there is none.
func (l *catalogueLoader) newest() (path string) {
	var best os.FileInfo
	for _, name := range l.files() {
		if info, err := os.Stat(name); err == nil && (best == nil || info.ModTime().After(best.ModTime())) {
			best, path = info, name
		}
	}
	return path
}

// retire closes all catalogues but the last two and removes all files but the
// one at path. A file that is open cannot be removed on Windows; a later load
// does it.
func (l *catalogueLoader) retire(ctx context.Context, path string) {
	for len(l.open) > 2 {
		if err := l.open[0].Close(); err != nil {
			l.log.WarnContext(ctx, "old catalogue not closed", "err", err)
		}
		l.open = l.open[1:]
	}
	for _, name := range l.files() {
		if name != path {
			_ = catalogdb.Remove(name)
		}
	}
}

// Close closes all catalogues.
func (l *catalogueLoader) Close() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.open {
		err = errors.Join(err, c.Close())
	}
	l.open = nil
	return err
}

// servedCatalogue is a catalogue as the server asks it. An answer that could
// not be read is logged and given as if the archive lacked the update.
type servedCatalogue struct {
	*catalogdb.Catalogue
	log *slog.Logger
}

// Update implements server.Catalogue.
func (c *servedCatalogue) Update(id waptwua.UpdateID) (waptwua.Update, bool) {
	v := c.View()
	u, ok := v.Update(id)
	if err := v.Err(); err != nil {
		c.log.Warn("catalogue not readable", "update", id, "err", err)
		return waptwua.Update{}, false
	}
	return u, ok
}

// Leaves implements server.Catalogue: it chooses how the files of each part
// reach the host's installer.
func (c *servedCatalogue) Leaves(id waptwua.UpdateID) []transport.LeafFiles {
	v := c.View()
	leaves := routed(v.Leaves(id))
	if err := v.Err(); err != nil {
		c.log.Warn("catalogue not readable", "update", id, "err", err)
		return nil
	}
	return leaves
}
