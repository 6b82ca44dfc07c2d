package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/time/rate"

	"waptwua"
	"waptwua/blob"
	"waptwua/blob/file"
	"waptwua/catalog"
	"waptwua/mirror"
	"waptwua/server"
	"waptwua/transport"
	"waptwua/wsusscn2"
)

// origin is everything between the server and Microsoft.
type origin struct {
	shelf    *file.Store
	archive  *mirror.Archive
	payloads *mirror.Payloads
	loader   *graphLoader
}

// openOrigin prepares the shelf and the ways to fill it.
func (s *site) openOrigin(ctx context.Context, now func() time.Time) (*origin, error) {
	roots, err := s.roots()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.path("staging"), 0o755); err != nil {
		return nil, fmt.Errorf("folder for downloads on their way: %w", err)
	}
	shelf, err := file.Open(s.folder)
	if err != nil {
		return nil, err
	}
	d := s.downloader()
	o := &origin{
		shelf:    shelf,
		payloads: &mirror.Payloads{Download: d, Store: shelf},
		archive:  &mirror.Archive{Download: d, Store: shelf, URL: s.archiveURL, Inspect: mirror.Trust{Roots: roots, AllowSHA1: s.allowSHA1, Now: now}.Inspect, Now: now},
	}
	o.loader = &graphLoader{archive: o.archive, shelf: shelf, spool: diskSpool{s.path("staging")}}
	if err := o.archive.Recover(ctx); err != nil {
		return nil, errors.Join(err, shelf.Close())
	}
	return o, nil
}

func (s *site) roots() ([]*x509.Certificate, error) {
	if s.archiveRoots == "" {
		return nil, nil
	}
	return loadCertificates(s.archiveRoots)
}

func (s *site) downloader() *mirror.Downloader {
	from := mirror.Origin{Hosts: mirror.MicrosoftHosts(), Upstream: s.upstream}
	d := &mirror.Downloader{Client: mirror.NewClient(from, s.proxy), Origin: from, Staging: s.path("staging")}
	if s.bandwidth > 0 {
		perSecond := s.bandwidth * 1e6 / 8
		d.Rate = rate.NewLimiter(rate.Limit(perSecond), max(int(perSecond), 64<<10))
	}
	return d
}

// graphLoader reads the catalogue of the archive on the shelf.
type graphLoader struct {
	archive *mirror.Archive
	shelf   blob.Opener
	spool   wsusscn2.Spool
}

// Load implements server.Loader.
func (l *graphLoader) Load(ctx context.Context) (server.Catalogue, error) {
	info, err := l.archive.Published(ctx)
	if err != nil {
		return nil, err
	}
	f, stored, err := l.shelf.Open(ctx, mirror.ArchiveName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := wsusscn2.Open(f, stored.Size, wsusscn2.Options{Spool: l.spool})
	if err != nil {
		return nil, err
	}
	g, err := catalog.Load(ctx, a, catalog.Options{SkipRules: true})
	if err != nil {
		return nil, err
	}
	return &graph{g, info.SHA256}, nil
}

// graph is a catalog.Graph as the server asks it.
type graph struct {
	*catalog.Graph
	archive waptwua.SHA256
}

// Archive implements server.Catalogue.
func (g *graph) Archive() waptwua.SHA256 { return g.archive }

// Leaves implements server.Catalogue: it chooses how the files of each part
// reach the host's installer.
func (g *graph) Leaves(id waptwua.UpdateID) []transport.LeafFiles {
	leaves := g.Graph.Leaves(id)
	out := make([]transport.LeafFiles, len(leaves))
	for i, l := range leaves {
		out[i] = transport.LeafFiles{ID: l.ID, Handler: l.Handler, Route: transport.RouteWUA, Files: l.Files}
		switch {
		case len(l.Packages) > 0:
			out[i].Route, out[i].Files = transport.RouteDISM, l.Packages
		case len(l.Files) == 0:
			out[i].Route = transport.RouteNone
		}
	}
	return out
}

// diskSpool keeps inner cabinets that are too large for memory in a folder.
type diskSpool struct{ dir string }

// Create implements wsusscn2.Spool.
func (d diskSpool) Create(string, int64) (wsusscn2.SpoolFile, error) {
	f, err := os.CreateTemp(d.dir, "inner-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("making room for an inner cabinet: %w", err)
	}
	return &spoolFile{f}, nil
}

// spoolFile is removed when it is closed.
type spoolFile struct{ *os.File }

// Close implements io.Closer.
func (f *spoolFile) Close() error {
	return errors.Join(f.File.Close(), os.Remove(f.Name()))
}
