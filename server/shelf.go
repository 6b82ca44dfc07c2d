package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"waptwua"
	"waptwua/blob"
	"waptwua/transport"
)

// Shelf hands out the files that hosts fetch: the archive, its digests,
// payloads and statements.
type Shelf struct {
	*base
	files    blob.Opener
	archiver Archiver
}

// Open opens a file, which the caller closes, or returns waptwua.ErrNotFound.
// The entity tag follows from the content: the SHA-256 of the archive and of
// small files, the SHA-1 that names a payload.
func (s *Shelf) Open(ctx context.Context, name string) (io.ReadSeekCloser, FileInfo, error) {
	f, info, err := s.files.Open(ctx, name)
	if err != nil {
		return nil, FileInfo{}, err
	}
	tag, err := s.tag(ctx, f, info)
	if err != nil {
		f.Close()
		return nil, FileInfo{}, err
	}
	return f, FileInfo{Size: info.Size, Modified: info.Modified, ETag: tag}, nil
}

func (s *Shelf) tag(ctx context.Context, f blob.File, info blob.Info) (string, error) {
	switch {
	case info.Name == transport.ArchiveName:
		a, err := s.archiver.Published(ctx)
		if err != nil || a.Size != info.Size {
			return "", nil // just being replaced: no tag rather than a wrong one
		}
		return quote(a.SHA256.String()), nil
	case isPayload(info.Name):
		return quote(info.Name[:2*len(waptwua.SHA1{})]), nil
	case info.Size > transport.MaxFiles:
		return "", nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, info.Size)); err != nil {
		return "", fmt.Errorf("digest of %s: %w", info.Name, err)
	}
	return quote(hex.EncodeToString(h.Sum(nil))), nil
}

func quote(s string) string { return `"` + s + `"` }
