package cache

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"waptwua"
)

// digests are both digests of a file.
type digests struct {
	size   int64
	sha1   waptwua.SHA1
	sha256 waptwua.SHA256
}

// digestFile reads the file once for both digests.
func digestFile(ctx context.Context, path string) (digests, error) {
	var d digests
	f, err := os.Open(path)
	if err != nil {
		return d, fmt.Errorf("checking a file: %w", err)
	}
	defer f.Close()
	h1, h2 := sha1.New(), sha256.New()
	d.size, err = io.Copy(io.MultiWriter(h1, h2), Limited(ctx, f, nil))
	if err != nil {
		return d, fmt.Errorf("checking %s: %w", path, err)
	}
	h1.Sum(d.sha1[:0])
	h2.Sum(d.sha256[:0])
	return d, nil
}

// checkFile compares size, SHA-1 and, where known, SHA-256.
func checkFile(ctx context.Context, path string, want waptwua.File) error {
	got, err := digestFile(ctx, path)
	if err != nil {
		return err
	}
	switch {
	case got.size != want.Size:
		return fmt.Errorf("%d bytes instead of %d: %w", got.size, want.Size, waptwua.ErrDigest)
	case got.sha1 != want.SHA1:
		return fmt.Errorf("SHA-1 %s instead of %s: %w", got.sha1, want.SHA1, waptwua.ErrDigest)
	case !want.SHA256.IsZero() && got.sha256 != want.SHA256:
		return fmt.Errorf("SHA-256 %s instead of %s: %w", got.sha256, want.SHA256, waptwua.ErrDigest)
	}
	return nil
}
