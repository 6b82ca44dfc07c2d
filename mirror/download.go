package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"waptwua"
)

// Downloader fetches files into a staging folder.
type Downloader struct {
	Client  *http.Client // see NewClient
	Origin  Origin
	Staging string        // a folder on the store's file system
	Rate    *rate.Limiter // bytes a second; nil: no limit
	Silence time.Duration // how long the peer may send nothing; 0: one minute
	// Attempts is how often one file is tried before giving up; 0: 4.
	Attempts int
	// Wait is called between attempts; nil: wait by the clock.
	Wait func(ctx context.Context, d time.Duration) error
}

// NewClient returns an HTTP client that goes through proxy (nil: directly)
// whatever the environment says, and follows redirects only where origin
// allows.
func NewClient(origin Origin, proxy *url.URL) *http.Client {
	t := &http.Transport{
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   8,
		DisableCompression:    true, // sizes and ranges are those of the file
		ForceAttemptHTTP2:     true,
	}
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	return &http.Client{Transport: t, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) >= 8 {
			return errors.New("more than 8 redirects")
		}
		return origin.allow(req.URL)
	}}
}

// errRestart says that the bytes at hand do not fit what the peer has now.
var errRestart = errors.New("the file changed at its origin")

// transfer is one file to bring in.
type transfer struct {
	url      *url.URL
	part     part
	max      int64 // refuse more bytes than this
	size     int64 // expected; -1: not known
	check    func(path string) error
	progress func(done, total int64)
}

// run tries the transfer until the file is complete and passes its check.
func (d *Downloader) run(ctx context.Context, t transfer) error {
	var err error
	fresh := false
	for n := range d.attempts() {
		if n > 0 {
			if werr := d.wait(ctx, time.Second<<min(n, 6)); werr != nil {
				return errors.Join(werr, err)
			}
		}
		if err = d.attempt(ctx, t, fresh); err == nil || ctx.Err() != nil || final(err) {
			return err
		}
		fresh = fresh || errors.Is(err, waptwua.ErrDigest) || errors.Is(err, waptwua.ErrNotTrusted)
	}
	return fmt.Errorf("after %d attempts: %w", d.attempts(), err)
}

// final tells errors that another attempt would only repeat.
func final(err error) bool {
	return errors.Is(err, waptwua.ErrForbidden) || errors.Is(err, waptwua.ErrNotFound) ||
		errors.Is(err, waptwua.ErrStale) || errors.Is(err, waptwua.ErrLimit) || errors.Is(err, waptwua.ErrUnchanged)
}

func (d *Downloader) attempts() int {
	if d.Attempts > 0 {
		return d.Attempts
	}
	return 4
}

func (d *Downloader) wait(ctx context.Context, dur time.Duration) error {
	if d.Wait != nil {
		return d.Wait(ctx, dur)
	}
	timer := time.NewTimer(dur)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// attempt brings the rest of the file and checks the whole.
func (d *Downloader) attempt(ctx context.Context, t transfer, fresh bool) error {
	offset, validator := t.part.resume(t.url.String())
	if t.size < 0 || offset != t.size || offset == 0 {
		if err := d.receive(ctx, t, offset, validator, fresh); err != nil {
			return errors.Join(err, t.discardIf(errors.Is(err, errRestart)))
		}
	}
	if err := t.check(t.part.path); err != nil {
		return errors.Join(err, t.part.discard())
	}
	return nil
}

func (t transfer) discardIf(yes bool) error {
	if !yes {
		return nil
	}
	return t.part.discard()
}

func (d *Downloader) receive(ctx context.Context, t transfer, offset int64, validator string, fresh bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := d.Silence
	if silence <= 0 {
		silence = time.Minute
	}
	watchdog := time.AfterFunc(silence+time.Minute, func() { cancel(fmt.Errorf("nothing came for %s", silence)) })
	defer watchdog.Stop()

	resp, err := d.get(ctx, t.url, offset, validator, fresh)
	if err != nil {
		return cause(ctx, err)
	}
	defer resp.Body.Close()
	start, total, err := span(resp, offset)
	if err != nil {
		return err
	}
	if err := t.fits(total); err != nil {
		return err
	}
	f, err := t.part.open(start, originOf(t.url.String(), resp.Header, total))
	if err != nil {
		return err
	}
	defer f.Close()
	alive := func() { watchdog.Reset(silence) }
	if err := d.copy(ctx, f, resp.Body, start, total, t, alive); err != nil {
		return cause(ctx, err)
	}
	return f.Close()
}

// cause prefers the reason a context was cancelled for to "cancelled".
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

func (d *Downloader) get(ctx context.Context, u *url.URL, offset int64, validator string, fresh bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("address %s: %w", u.Redacted(), err)
	}
	req.Header.Set("User-Agent", "waptwua")
	if offset > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
		req.Header.Set("If-Range", validator)
	}
	if fresh {
		req.Header.Set("Cache-Control", "no-cache")
	}
	return d.Client.Do(req)
}

// span returns where the body starts in the file and how long the file is
// (-1: not said).
func span(resp *http.Response, asked int64) (start, total int64, err error) {
	where := resp.Request.URL.Redacted()
	switch resp.StatusCode {
	case http.StatusOK:
		return 0, resp.ContentLength, nil
	case http.StatusPartialContent:
		return contentRange(resp, asked)
	case http.StatusRequestedRangeNotSatisfiable:
		return 0, 0, fmt.Errorf("%s: %w", where, errRestart)
	case http.StatusNotFound, http.StatusGone:
		return 0, 0, fmt.Errorf("%s: the origin answered %s: %w", where, resp.Status, waptwua.ErrNotFound)
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return 0, 0, fmt.Errorf("%s: the origin or a proxy asks for credentials (%s); none are sent: %w", where, resp.Status, waptwua.ErrForbidden)
	}
	return 0, 0, fmt.Errorf("%s: the origin answered %s", where, resp.Status)
}

func contentRange(resp *http.Response, asked int64) (start, total int64, err error) {
	h := resp.Header.Get("Content-Range")
	rest, ok := strings.CutPrefix(h, "bytes ")
	from, after, ok2 := strings.Cut(rest, "-")
	_, size, ok3 := strings.Cut(after, "/")
	start, err1 := strconv.ParseInt(from, 10, 64)
	total, err2 := strconv.ParseInt(size, 10, 64)
	if !ok || !ok2 || !ok3 || err1 != nil || err2 != nil || start != asked {
		return 0, 0, fmt.Errorf("%s: asked from byte %d, got Content-Range %q: %w", resp.Request.URL.Redacted(), asked, h, errRestart)
	}
	return start, total, nil
}

func (t transfer) fits(total int64) error {
	if t.size >= 0 && total >= 0 && total != t.size {
		return fmt.Errorf("%s: the origin has %d bytes, the archive says %d: %w", t.url.Redacted(), total, t.size, waptwua.ErrDigest)
	}
	if total > t.max {
		return fmt.Errorf("%s: %d bytes are more than the limit of %d: %w", t.url.Redacted(), total, t.max, waptwua.ErrLimit)
	}
	return nil
}

func (d *Downloader) copy(ctx context.Context, f *os.File, body io.Reader, done, total int64, t transfer, alive func()) error {
	buf := make([]byte, 128<<10)
	for {
		n, err := body.Read(buf)
		alive()
		if done += int64(n); done > t.max || total >= 0 && done > total {
			return fmt.Errorf("%s: more bytes than announced: %w", t.url.Redacted(), waptwua.ErrLimit)
		}
		if _, werr := f.Write(buf[:n]); werr != nil {
			return fmt.Errorf("writing to the staging folder (is the disk full?): %w", werr)
		}
		if t.progress != nil {
			t.progress(done, total)
		}
		if errors.Is(err, io.EOF) {
			return short(t, done, total)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.url.Redacted(), err)
		}
		if err := d.throttle(ctx, n); err != nil {
			return err
		}
	}
}

func short(t transfer, done, total int64) error {
	if total >= 0 && done < total {
		return fmt.Errorf("%s: the connection ended after %d of %d bytes: %w", t.url.Redacted(), done, total, io.ErrUnexpectedEOF)
	}
	return nil
}

func (d *Downloader) throttle(ctx context.Context, n int) error {
	if d.Rate == nil {
		return nil
	}
	for burst := d.Rate.Burst(); n > 0; n -= burst {
		if err := d.Rate.WaitN(ctx, min(n, burst)); err != nil {
			return err
		}
	}
	return nil
}
