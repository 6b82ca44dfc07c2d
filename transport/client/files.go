package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FileRequest asks for a file or the rest of one.
type FileRequest struct {
	Name string // below the repository's folder

	// ETag and LastModified of the complete copy that the caller holds; the
	// answer is waptwua.ErrUnchanged while it is current.
	ETag         string
	LastModified string

	// Offset is where to go on, and IfRange the validator of what was got so
	// far: if the file has changed since, it comes from its beginning.
	Offset  int64
	IfRange string
}

// FileResponse is a file on its way. Close the Body.
type FileResponse struct {
	Body         io.ReadCloser
	Offset       int64 // where the body starts in the file
	Size         int64 // of the whole file in bytes; -1: not said
	ETag         string
	LastModified string

	// Reject says that the content was not the right one: its repository is
	// asked after the others from now on. It tells whether there are others.
	// nil: there is one source only.
	Reject func() bool
}

var errStalled = errors.New("nothing arrived for too long")

// File opens a file of the nearest repository that has it. When its body
// breaks, that repository is asked after the others from now on: asking again
// for the rest goes to the next.
func (c *Client) File(ctx context.Context, req FileRequest) (*FileResponse, error) {
	var f *FileResponse
	err := c.fromAny(ctx, func(u *url.URL) (err error) {
		f, err = fetch(ctx, c.do, u.JoinPath(url.PathEscape(req.Name)), req, c.cfg.Stall)
		if err == nil {
			f.Reject = func() bool { return c.failed(u) }
			f.Body = &judged{ReadCloser: f.Body, broken: func() {
				if ctx.Err() == nil { // otherwise the caller has broken it
					c.failed(u)
				}
			}}
		}
		return err
	})
	return f, err
}

// HasFile asks whether a repository holds the file now.
func (c *Client) HasFile(ctx context.Context, name string) (bool, error) {
	err := c.fromAny(ctx, func(u *url.URL) error {
		r, err := http.NewRequest(http.MethodHead, u.JoinPath(url.PathEscape(name)).String(), nil)
		if err != nil {
			return fmt.Errorf("looking for %s: %w", name, err)
		}
		return c.call(ctx, r, func(*http.Response) error { return nil })
	})
	var status *StatusError
	if errors.As(err, &status) && status.Code == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

// ReadFile reads a small file of the repository as a whole.
func (c *Client) ReadFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	f, err := c.File(ctx, FileRequest{Name: name})
	if err != nil {
		return nil, err
	}
	defer f.Body.Close()
	b, err := readAll(f.Body, limit)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", name, err)
	}
	return b, nil
}

// fetch makes the conditional request and guards the body against silence.
func fetch(ctx context.Context, do func(*http.Request) (*http.Response, error), u *url.URL, req FileRequest, stall time.Duration) (*FileResponse, error) {
	r, err := http.NewRequest(http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", req.Name, err)
	}
	setConditions(r.Header, req)
	ctx, cancel := context.WithCancelCause(ctx)
	resp, err := do(r.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("fetching %s: %w", req.Name, err)
	}
	out, err := fileResponse(resp, req.Offset)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("fetching %s: %w", req.Name, errors.Join(err, resp.Body.Close()))
	}
	out.Body = guard(resp.Body, stall, cancel)
	return out, nil
}

func setConditions(h http.Header, req FileRequest) {
	h.Set("Accept-Encoding", "identity") // digests and offsets are of the file itself
	if req.ETag != "" {
		h.Set("If-None-Match", req.ETag)
	}
	if req.LastModified != "" {
		h.Set("If-Modified-Since", req.LastModified)
	}
	if req.Offset > 0 && req.IfRange != "" {
		h.Set("Range", "bytes="+strconv.FormatInt(req.Offset, 10)+"-")
		h.Set("If-Range", req.IfRange)
	}
}

func fileResponse(resp *http.Response, asked int64) (*FileResponse, error) {
	out := &FileResponse{Size: resp.ContentLength, ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified")}
	if resp.Header.Get("Content-Encoding") != "" {
		return nil, fmt.Errorf("the repository sends the file with Content-Encoding %q although identity was asked for", resp.Header.Get("Content-Encoding"))
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return out, nil
	case http.StatusPartialContent:
		start, size, err := contentRange(resp.Header.Get("Content-Range"))
		if err != nil {
			return nil, err
		}
		if start != asked {
			return nil, fmt.Errorf("asked for the file from byte %d, got it from byte %d", asked, start)
		}
		out.Offset, out.Size = start, size
		return out, nil
	}
	return nil, fmt.Errorf("unexpected answer %s", resp.Status)
}

// contentRange reads "bytes FIRST-LAST/SIZE" (RFC 9110 §14.4).
func contentRange(s string) (start, size int64, err error) {
	spec, ok := strings.CutPrefix(s, "bytes ")
	positions, total, ok2 := strings.Cut(spec, "/")
	first, last, ok3 := strings.Cut(positions, "-")
	if !ok || !ok2 || !ok3 {
		return 0, 0, fmt.Errorf("Content-Range %.60q: want bytes FIRST-LAST/SIZE", s)
	}
	a, err1 := strconv.ParseUint(first, 10, 62)
	b, err2 := strconv.ParseUint(last, 10, 62)
	n, err3 := strconv.ParseUint(total, 10, 62)
	if err1 != nil || err2 != nil || err3 != nil || a > b || b >= n {
		return 0, 0, fmt.Errorf("Content-Range %.60q: not a range of a file of known size", s)
	}
	return int64(a), int64(n), nil
}

// StrongValidator gives the validator with which a download can be resumed:
// a strong ETag, else the modification time, else nothing.
func (f *FileResponse) StrongValidator() string {
	if f.ETag != "" && !strings.HasPrefix(f.ETag, "W/") {
		return f.ETag
	}
	return f.LastModified
}

// guard ends a body's request when no byte comes for stall.
func guard(body io.ReadCloser, stall time.Duration, cancel context.CancelCauseFunc) io.ReadCloser {
	g := &guarded{body: body, stall: stall, cancel: cancel}
	g.timer = time.AfterFunc(stall, func() { cancel(errStalled) })
	return g
}

type guarded struct {
	body   io.ReadCloser
	stall  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
	close  sync.Once
}

// Read resets the guard after each piece; time spent by the caller between
// two reads (a bandwidth limit) does not count as silence.
func (g *guarded) Read(p []byte) (int, error) {
	g.timer.Reset(g.stall)
	n, err := g.body.Read(p)
	g.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return n, err
}

// judged tells when a body breaks.
type judged struct {
	io.ReadCloser
	broken func()
}

func (j *judged) Read(p []byte) (int, error) {
	n, err := j.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		j.broken()
	}
	return n, err
}

func (g *guarded) Close() error {
	var err error
	g.close.Do(func() {
		g.timer.Stop()
		g.cancel(nil)
		err = g.body.Close()
	})
	return err
}
