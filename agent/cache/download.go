package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/transport/client"
)

const (
	partSuffix   = ".part"
	sourceSuffix = ".source" // beside the part: where its bytes come from
)

// tries is how often one call goes on after a broken connection, and how
// often it loads a file anew that proved wrong.
const tries = 3

// download is a file on its way to path. size is -1 while unknown.
type download struct {
	cache *Cache
	path  string // final
	part  string
	name  string // at the source
	size  int64
	max   int64 // more bytes than this are refused
	last  *client.FileResponse
}

// source remembers which version of a file a part belongs to.
type source struct {
	Validator string `json:"validator"`
	Size      int64  `json:"size"`
}

func (c *Cache) download(path, name string, size int64) *download {
	return &download{cache: c, path: path, part: path + partSuffix, name: name, size: size, max: size}
}

// load fills the part and has accept check and keep it, or discard it. What
// proves wrong is loaded again as long as the source has other places for it.
func (d *download) load(ctx context.Context, open Opener, req client.FileRequest, accept func() error) error {
	for n := 1; ; n++ {
		err := d.run(ctx, open, req)
		if err == nil {
			err = accept()
		}
		if wrong := errors.Is(err, waptwua.ErrDigest) || errors.Is(err, waptwua.ErrLimit); !wrong || n == tries || !d.reject() {
			return err
		}
	}
}

// reject tells the source that its content was wrong, and returns whether
// asking again can make it better.
func (d *download) reject() bool {
	return d.last != nil && d.last.Reject != nil && d.last.Reject()
}

// run fills the part until it is complete. The conditions of req are those
// of the whole file; a part that is complete already is left as it is. A body
// that breaks is gone on with: the source may have another place for it.
func (d *download) run(ctx context.Context, open Opener, req client.FileRequest) error {
	req.Name = d.name
	for n := 1; ; n++ {
		d.last = nil
		err := d.attempt(ctx, open, req)
		if err == nil || ctx.Err() != nil || d.last == nil || n == tries || !errors.Is(err, client.ErrUnreachable) {
			return err
		}
	}
}

// attempt makes one request for what is missing.
func (d *download) attempt(ctx context.Context, open Opener, req client.FileRequest) error {
	var src source
	if have := d.have(); have > 0 && journal.Load(d.part+sourceSuffix, &src) == nil {
		if have == d.size {
			return nil
		}
		req.Offset, req.IfRange = have, src.Validator
	}
	res, err := open(ctx, req)
	if beyondEnd(err) { // nothing is missing, or the file has become shorter: from the beginning
		if err := d.discard(); err != nil {
			return err
		}
		req.Offset, req.IfRange = 0, ""
		res, err = open(ctx, req)
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	d.last = res
	if err := d.check(res); err != nil {
		return err
	}
	room, err := d.cache.reserve(d.name, max(res.Size, d.size, res.Offset)-res.Offset)
	if err != nil {
		return err
	}
	defer room.release()
	return d.receive(ctx, res, room)
}

func beyondEnd(err error) bool {
	var status *client.StatusError
	return errors.As(err, &status) && status.Code == http.StatusRequestedRangeNotSatisfiable
}

// check refuses a file of a wrong size.
func (d *download) check(res *client.FileResponse) error {
	if d.size >= 0 && res.Size >= 0 && res.Size != d.size {
		return fmt.Errorf("file %s: the repository has %d bytes, %d are right: %w", d.name, res.Size, d.size, waptwua.ErrDigest)
	}
	if res.Size > d.max {
		return fmt.Errorf("file %s: %d bytes, at most %d: %w", d.name, res.Size, d.max, waptwua.ErrLimit)
	}
	return nil
}

// receive writes the body to the part. The validator is remembered before
// the first byte, so that no byte is ever taken for another version's.
func (d *download) receive(ctx context.Context, res *client.FileResponse, room *promise) error {
	f, err := os.OpenFile(d.part, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("downloading %s: %w", d.name, err)
	}
	defer f.Close()
	if err := f.Truncate(res.Offset); err != nil {
		return fmt.Errorf("downloading %s: %w", d.name, err)
	}
	if err := journal.Save(d.part+sourceSuffix, source{Validator: res.StrongValidator(), Size: res.Size}); err != nil {
		return fmt.Errorf("downloading %s: %w", d.name, err)
	}
	if _, err := f.Seek(res.Offset, io.SeekStart); err != nil {
		return fmt.Errorf("downloading %s: %w", d.name, err)
	}
	n, err := io.Copy(room.writer(f), Limited(ctx, io.LimitReader(res.Body, d.max-res.Offset+1), d.cache.Limit))
	if err != nil {
		return fmt.Errorf("downloading %s: %w", d.name, err)
	}
	if res.Offset+n > d.max {
		return errors.Join(fmt.Errorf("downloading %s: more than %d bytes arrive: %w", d.name, d.max, waptwua.ErrLimit), d.discard())
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("downloading %s: %w", d.name, err)
	}
	return f.Close()
}

func (d *download) have() int64 {
	fi, err := os.Stat(d.part)
	if err != nil {
		return 0
	}
	return fi.Size()
}

// discard removes the part.
func (d *download) discard() error {
	return errors.Join(remove(d.part), remove(d.part+sourceSuffix))
}

// commit gives the checked part its name.
func (d *download) commit(path string) error {
	if err := os.Rename(d.part, path); err != nil {
		return fmt.Errorf("keeping %s: %w", d.name, err)
	}
	return remove(d.part + sourceSuffix)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Limited reads from r no faster than limit allows (nil: as fast as it can), and
// not after ctx.
func Limited(ctx context.Context, r io.Reader, limit Limiter) io.Reader {
	return &limited{ctx: ctx, r: r, limit: limit}
}

// limited reads no faster than its limiter allows, and not after ctx.
type limited struct {
	ctx   context.Context // for the length of one copy: an io.Reader cannot be given one
	r     io.Reader
	limit Limiter
}

func (l *limited) Read(p []byte) (int, error) {
	if l.limit != nil {
		p = p[:min(len(p), l.limit.Burst())]
	}
	n, err := l.r.Read(p)
	if l.limit != nil && n > 0 {
		if werr := l.limit.WaitN(l.ctx, n); werr != nil {
			return n, werr
		}
	}
	if err == nil && l.ctx.Err() != nil {
		err = l.ctx.Err()
	}
	return n, err
}
