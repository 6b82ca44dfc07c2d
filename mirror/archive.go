package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"waptwua"
	"waptwua/blob"
)

// The names in the store.
const (
	ArchiveName = "wsusscn2.cab"
	sumSHA1     = ArchiveName + ".sha1"
	sumSHA256   = ArchiveName + ".sha256"
	stateName   = ArchiveName + ".json"      // a record of what is there
	nextName    = ArchiveName + ".next.json" // a record of what is being put there
)

// record is what is kept about the published archive.
type record struct {
	waptwua.Archive
	Hints Hints `json:"hints"`
}

// Hints are the origin's headers. They say when asking again is idle; what is
// true is decided by the content.
type Hints struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Length       int64  `json:"length,omitempty"`
}

func (h Hints) same(other Hints) bool {
	return h == other && h.Length > 0 && (h.ETag != "" || h.LastModified != "")
}

// date is the Last-Modified date, or zero.
func (h Hints) date() time.Time {
	t, err := http.ParseTime(h.LastModified)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// Archive keeps the scan archive.
type Archive struct {
	Download *Downloader
	Store    blob.Store
	URL      string
	// Inspect checks the signature and reads the head: it fills PackageID,
	// Created, Signer and Signed. It returns waptwua.ErrNotTrusted when the
	// archive must not be published.
	Inspect func(ctx context.Context, r io.ReaderAt, size int64) (waptwua.Archive, error)
	Max     int64 // bytes; 0: 8 GiB
	Now     func() time.Time
}

const defaultMaxArchive = 8 << 30

// Refresh publishes the origin's archive if it is newer than the one held.
// It returns ErrUnchanged when it is the same, ErrStale when it is older
// (force publishes it nevertheless), ErrNotTrusted when its signature is not
// right. Whatever the error, what was published stays.
func (a *Archive) Refresh(ctx context.Context, force bool, progress func(done, total int64)) (waptwua.Archive, error) {
	held, err := a.get(ctx, stateName)
	if err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return waptwua.Archive{}, err
	}
	now, err := a.refresh(ctx, held, force, progress)
	if now == nil {
		return waptwua.Archive{}, err
	}
	return now.Archive, err
}

// refresh returns the record of what is published afterwards; nil: nothing.
func (a *Archive) refresh(ctx context.Context, held *record, force bool, progress func(done, total int64)) (*record, error) {
	u, err := a.Download.Origin.Resolve(a.URL)
	if err != nil {
		return held, err
	}
	hints, err := a.head(ctx, u)
	if err != nil {
		return held, fmt.Errorf("asking for the scan archive: %w", err)
	}
	if held != nil && !force && held.Hints.same(hints) {
		return held, fmt.Errorf("scan archive: %w", waptwua.ErrUnchanged)
	}
	return a.fetch(ctx, u, held, hints, force, progress)
}

func (a *Archive) fetch(ctx context.Context, u *url.URL, held *record, hints Hints, force bool, progress func(done, total int64)) (*record, error) {
	limit := a.Max
	if limit <= 0 {
		limit = defaultMaxArchive
	}
	var next *record
	t := transfer{
		url: u, part: newPart(a.Download.Staging, ArchiveName), size: -1, max: limit, progress: progress,
		check: func(path string) (err error) {
			next, err = a.inspect(ctx, path)
			return err
		},
	}
	if err := a.Download.run(ctx, t); err != nil {
		return held, fmt.Errorf("fetching the scan archive: %w", err)
	}
	next.Hints, next.Modified = hints, hints.date()
	switch {
	case held != nil && next.SHA256 == held.SHA256:
		return a.touch(ctx, t.part, held, hints)
	case held != nil && !force && next.Created.Before(held.Created):
		return held, errors.Join(t.part.discard(), fmt.Errorf("the origin's scan archive is of %s, the one held of %s; the older one is not published unless forced: %w",
			next.Created.Format(time.RFC3339), held.Created.Format(time.RFC3339), waptwua.ErrStale))
	}
	if err := a.publish(ctx, t.part, next); err != nil {
		return held, fmt.Errorf("publishing the scan archive: %w", err)
	}
	return next, nil
}

// touch notes new hints for content that is the same.
func (a *Archive) touch(ctx context.Context, p part, held *record, hints Hints) (*record, error) {
	held.Hints = hints
	if err := errors.Join(p.discard(), a.put(ctx, stateName, held)); err != nil {
		return held, err
	}
	return held, fmt.Errorf("scan archive: the origin's headers changed, the content did not: %w", waptwua.ErrUnchanged)
}

func (a *Archive) inspect(ctx context.Context, path string) (*record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, d1, d256, err := digests(f)
	if err != nil {
		return nil, fmt.Errorf("reading the downloaded archive: %w", err)
	}
	in, err := a.Inspect(ctx, f, size)
	if err != nil {
		return nil, err
	}
	in.Size, in.SHA1, in.SHA256, in.Published = size, d1, d256, a.Now().UTC()
	return &record{Archive: in}, nil
}

// publish moves the archive into the store and writes what stands beside it.
// What it is about to do is noted first, so that Recover can finish it.
func (a *Archive) publish(ctx context.Context, p part, next *record) error {
	if err := a.put(ctx, nextName, next); err != nil {
		return err
	}
	if err := a.Store.Take(ctx, ArchiveName, p.path); err != nil {
		return err
	}
	return errors.Join(a.finish(ctx, next), p.forget())
}

func (a *Archive) finish(ctx context.Context, next *record) error {
	if err := a.Store.Put(ctx, sumSHA256, []byte(next.SHA256.String()+"\n")); err != nil {
		return err
	}
	if err := a.Store.Put(ctx, sumSHA1, []byte(next.SHA1.String()+"\n")); err != nil {
		return err
	}
	if err := a.put(ctx, stateName, next); err != nil {
		return err
	}
	return a.Store.Remove(ctx, nextName)
}

// Recover finishes or forgets a publication that was interrupted. Call it
// before the store is served.
func (a *Archive) Recover(ctx context.Context) error {
	next, err := a.get(ctx, nextName)
	if errors.Is(err, waptwua.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	f, _, err := a.Store.Open(ctx, ArchiveName)
	if errors.Is(err, waptwua.ErrNotFound) {
		return a.Store.Remove(ctx, nextName)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	_, _, got, err := digests(f)
	if err != nil {
		return fmt.Errorf("reading the scan archive: %w", err)
	}
	if got == next.SHA256 {
		return a.finish(ctx, next)
	}
	return a.Store.Remove(ctx, nextName)
}

// Published describes the archive in the store, or returns ErrNotFound.
func (a *Archive) Published(ctx context.Context) (waptwua.Archive, error) {
	r, err := a.get(ctx, stateName)
	if err != nil {
		return waptwua.Archive{}, err
	}
	return r.Archive, nil
}

func (a *Archive) get(ctx context.Context, name string) (*record, error) {
	f, _, err := a.Store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var p record
	if err := json.NewDecoder(io.LimitReader(f, 64<<10)).Decode(&p); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &p, nil
}

func (a *Archive) put(ctx context.Context, name string, p *record) error {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return a.Store.Put(ctx, name, append(b, '\n'))
}

// head asks for the headers. An origin that does not answer HEAD gives no
// hints, which is no error.
func (a *Archive) head(ctx context.Context, u *url.URL) (Hints, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err != nil {
		return Hints{}, err
	}
	req.Header.Set("User-Agent", "waptwua")
	resp, err := a.Download.Client.Do(req)
	if err != nil {
		return Hints{}, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return Hints{ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified"), Length: resp.ContentLength}, nil
	case http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusForbidden:
		return Hints{}, nil
	case http.StatusNotFound:
		return Hints{}, fmt.Errorf("%s: the origin answered %s: %w", u.Redacted(), resp.Status, waptwua.ErrNotFound)
	}
	return Hints{}, fmt.Errorf("%s: the origin answered %s", u.Redacted(), resp.Status)
}
