package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/transport"
	"waptwua/transport/client"
)

// archive brings the scan archive up to date and returns the one in use,
// with the reason when a newer one could not be had.
func (op *operation) archive(ctx context.Context) (cache.Archive, error) {
	a, err := op.archiveFromRepository(ctx)
	if errors.Is(err, client.ErrUnreachable) && op.settings.AllowDirect && op.opt.CheckArchive != nil {
		op.log.Warn("repository cannot be reached, asking Microsoft", "error", err)
		a, err = op.archiveFromMicrosoft(ctx)
	}
	if errors.Is(err, waptwua.ErrUnchanged) {
		return a, nil
	}
	if err != nil && a.Size == 0 {
		err = fmt.Errorf("%w: %w", ErrNoArchive, err)
	}
	return a, err
}

func (op *operation) archiveFromRepository(ctx context.Context) (cache.Archive, error) {
	c, err := op.server()
	if err != nil {
		a, _ := op.cache.Archive() // none: the error says why
		return a, err
	}
	return op.cache.RefreshArchive(ctx, transport.ArchiveName, cache.Source{
		Open:   op.watched(c.File),
		Expect: func(ctx context.Context) (cache.Expect, error) { return expectArchive(ctx, c) },
	})
}

func (op *operation) archiveFromMicrosoft(ctx context.Context) (cache.Archive, error) {
	d := op.direct()
	defer d.Close()
	return op.cache.RefreshArchive(ctx, transport.ArchiveName, cache.Source{
		Open: op.watched(func(ctx context.Context, req client.FileRequest) (*client.FileResponse, error) {
			return d.File(ctx, client.ArchiveURL, req)
		}),
		Expect: func(context.Context) (cache.Expect, error) { return cache.Expect{}, nil },
		Direct: true,
	})
}

// maxSidecar bounds a file that holds one digest, in bytes.
const maxSidecar = 1 << 10

// expectArchive reads the digests beside the archive. WAPT's repositories
// have only .sha1.
func expectArchive(ctx context.Context, c *client.Client) (cache.Expect, error) {
	var e cache.Expect
	err256 := sidecar(ctx, c, ".sha256", &e.SHA256)
	if err256 == nil {
		return e, nil
	}
	if !errors.Is(err256, waptwua.ErrNotFound) {
		return e, err256
	}
	return e, sidecar(ctx, c, ".sha1", &e.SHA1)
}

// sidecar reads "DIGEST" or, as sha256sum writes it, "DIGEST  NAME".
func sidecar(ctx context.Context, c *client.Client, suffix string, into interface{ UnmarshalText([]byte) error }) error {
	text, err := c.ReadFile(ctx, transport.ArchiveName+suffix, maxSidecar)
	if err != nil {
		return err
	}
	digest, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if err := into.UnmarshalText([]byte(strings.ToLower(digest))); err != nil {
		return fmt.Errorf("%s%s in the repository: %w", transport.ArchiveName, suffix, err)
	}
	return nil
}
