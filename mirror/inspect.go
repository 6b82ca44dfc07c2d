package mirror

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"waptwua"
	"waptwua/authenticode"
	"waptwua/wsusscn2"
)

// Trust says whose signature on a scan archive counts.
type Trust struct {
	Roots     []*x509.Certificate // none: Microsoft's, as package authenticode pins them
	AllowSHA1 bool                // for archives from before 2020
	Now       func() time.Time
	Signature authenticode.Limits
	Archive   wsusscn2.Limits
}

// Inspect checks the signature of the archive in r and reads its head; it is
// what Archive.Inspect wants.
func (t Trust) Inspect(ctx context.Context, r io.ReaderAt, size int64) (waptwua.Archive, error) {
	res, err := authenticode.Verify(r, size, authenticode.Options{Roots: t.Roots, AllowSHA1: t.AllowSHA1, At: t.Now(), Limits: t.Signature})
	if errors.Is(err, authenticode.ErrSHA1) {
		err = fmt.Errorf("%w; for an archive from before 2020 set archive_allow_sha1", err)
	}
	if err != nil {
		return waptwua.Archive{}, fmt.Errorf("the scan archive is not published: %w", err)
	}
	a, err := wsusscn2.Open(r, size, wsusscn2.Options{Limits: t.Archive})
	if err != nil {
		return waptwua.Archive{}, fmt.Errorf("the signed file is not a scan archive: %w: %w", waptwua.ErrNotTrusted, err)
	}
	head, err := a.Head(ctx)
	if err != nil {
		return waptwua.Archive{}, fmt.Errorf("reading the scan archive: %w: %w", waptwua.ErrNotTrusted, err)
	}
	return waptwua.Archive{PackageID: head.ID, Created: head.Created, Signer: res.Signer.Subject.CommonName, Signed: res.SignedAt()}, nil
}
