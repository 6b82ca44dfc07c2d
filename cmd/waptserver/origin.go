package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/time/rate"

	"waptwua/blob/file"
	"waptwua/mirror"
	"waptwua/wsusscn2"
)

// origin is everything between the server and Microsoft.
type origin struct {
	shelf    *file.Store
	archive  *mirror.Archive
	payloads *mirror.Payloads
	loader   *catalogueLoader
}

// openOrigin prepares the shelf and the ways to fill it.
func (s *site) openOrigin(ctx context.Context, log *slog.Logger, now func() time.Time) (*origin, error) {
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
		archive:  &mirror.Archive{Download: d, Store: shelf, URL: s.archiveURL, Inspect: mirror.Trust{Roots: roots, AllowSHA1: s.allowSHA1, Now: now, Signature: s.limits.signature, Archive: s.limits.archive}.Inspect, Now: now},
	}
	o.loader = &catalogueLoader{archive: o.archive, shelf: shelf, dir: s.path("catalogue"), spool: diskSpool{s.path("staging")}, limits: *s.limits, log: log}
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
	from := s.downloadFrom()
	d := &mirror.Downloader{Client: mirror.NewClient(from, s.proxy), Origin: from, Staging: s.path("staging")}
	if s.bandwidth > 0 {
		perSecond := s.bandwidth * 1e6 / 8
		d.Rate = rate.NewLimiter(rate.Limit(perSecond), max(int(perSecond), 64<<10))
	}
	return d
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
