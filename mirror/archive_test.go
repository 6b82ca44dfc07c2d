package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/blob"
)

// The archives of these tests are texts: "good DATE" is signed and of DATE,
// everything else has no right signature. What a real signature is, package
// authenticode tests, and the wiring is tested with real archives end to end.
func inspect(_ context.Context, r io.ReaderAt, size int64) (waptwua.Archive, error) {
	b := make([]byte, size)
	if _, err := r.ReadAt(b, 0); err != nil {
		return waptwua.Archive{}, err
	}
	date, ok := strings.CutPrefix(string(b), "good ")
	created, err := time.Parse(time.DateOnly, date)
	if !ok || err != nil {
		return waptwua.Archive{}, fmt.Errorf("signature of %q: %w", b, waptwua.ErrNotTrusted)
	}
	return waptwua.Archive{Created: created, Signer: "test"}, nil
}

func archive(t *testing.T, m *microsoft) *Archive {
	p, s := shelf(t, m)
	return &Archive{Download: p.Download, Store: s, URL: m.URL + "/" + ArchiveName, Inspect: inspect,
		Now: func() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }}
}

func offer(m *microsoft, content, etag string) {
	m.put(ArchiveName, []byte(content))
	m.etag = etag
}

func TestRefresh(t *testing.T) {
	ctx := context.Background()
	m := newMicrosoft(t)
	a := archive(t, m)
	offer(m, "good 2026-10-13", `"1"`)
	first := refresh(t, a, false, nil)
	if want := time.Date(2026, 10, 13, 0, 0, 0, 0, time.UTC); !first.Created.Equal(want) {
		t.Errorf("created %v, want %v", first.Created, want)
	}
	beside(t, a, first)

	refresh(t, a, false, waptwua.ErrUnchanged)
	if m.gets != 1 {
		t.Errorf("%d downloads; unchanged headers should need none", m.gets)
	}
	m.etag = `W/"touched"`
	refresh(t, a, false, waptwua.ErrUnchanged)
	if m.gets != 2 {
		t.Errorf("%d downloads; changed headers need one", m.gets)
	}
	refresh(t, a, false, waptwua.ErrUnchanged)
	if m.gets != 2 {
		t.Errorf("%d downloads; the new headers were not remembered", m.gets)
	}

	offer(m, "good 2026-11-10", `"2"`)
	second := refresh(t, a, false, nil)
	beside(t, a, second)
	if got, err := a.Published(ctx); err != nil || got.SHA256 != second.SHA256 {
		t.Errorf("published %v, %v", got, err)
	}
	left(t, a.Download.Staging)
}

func TestRefreshKeepsTheLastGoodOne(t *testing.T) {
	tests := map[string]struct {
		content string
		want    error
	}{
		"wrong signature": {"evil 2026-11-10", waptwua.ErrNotTrusted},
		"one byte off":    {"goof 2026-11-10", waptwua.ErrNotTrusted},
		"older":           {"good 2026-09-08", waptwua.ErrStale},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMicrosoft(t)
			a := archive(t, m)
			offer(m, "good 2026-10-13", `"1"`)
			good := refresh(t, a, false, nil)
			offer(m, tt.content, `"2"`)
			if got := refresh(t, a, false, tt.want); got.SHA256 != good.SHA256 {
				t.Errorf("Refresh says %v is published", got)
			}
			beside(t, a, good)
			left(t, a.Download.Staging)

			offer(m, "good 2026-11-10", `"3"`)
			beside(t, a, refresh(t, a, false, nil))
		})
	}
}

func TestRefreshRetriesACorruptNode(t *testing.T) {
	m := newMicrosoft(t)
	a := archive(t, m)
	offer(m, "good 2026-11-10", `"1"`)
	m.before = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n > 0 {
			return false
		}
		w.Write([]byte("gooe 2026-11-10"))
		return true
	}
	beside(t, a, refresh(t, a, false, nil))
}

func TestForceTakesAnOlderButNeverAnUnsignedOne(t *testing.T) {
	m := newMicrosoft(t)
	a := archive(t, m)
	offer(m, "good 2026-10-13", `"1"`)
	refresh(t, a, false, nil)
	offer(m, "evil 2026-11-10", `"2"`)
	refresh(t, a, true, waptwua.ErrNotTrusted)
	offer(m, "good 2026-09-08", `"3"`)
	older := refresh(t, a, true, nil)
	beside(t, a, older)
}

func TestFirstRefreshWithoutAnArchive(t *testing.T) {
	a := archive(t, newMicrosoft(t))
	if got := refresh(t, a, false, waptwua.ErrNotFound); got != (waptwua.Archive{}) {
		t.Errorf("Refresh says %v is published", got)
	}
	if _, err := a.Published(context.Background()); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("Published: %v", err)
	}
}

// crash is a store whose process dies before the n-th change.
type crash struct {
	blob.Store
	left int
}

var errDied = errors.New("the process died here")

func (c *crash) step() error {
	if c.left == 0 {
		return errDied
	}
	c.left--
	return nil
}

func (c *crash) Take(ctx context.Context, name, path string) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.Store.Take(ctx, name, path)
}

func (c *crash) Put(ctx context.Context, name string, b []byte) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.Store.Put(ctx, name, b)
}

func (c *crash) Remove(ctx context.Context, name string) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.Store.Remove(ctx, name)
}

func TestRecoverAfterEveryStep(t *testing.T) {
	ctx := context.Background()
	for steps := range 7 {
		t.Run(itoa(steps), func(t *testing.T) {
			m := newMicrosoft(t)
			a := archive(t, m)
			offer(m, "good 2026-10-13", `"1"`)
			refresh(t, a, false, nil)
			offer(m, "good 2026-11-10", `"2"`)
			sound := a.Store
			a.Store = &crash{sound, steps}
			_, err := a.Refresh(ctx, false, nil)
			if (steps < 6) != errors.Is(err, errDied) {
				t.Fatalf("after %d changes: %v", steps, err)
			}
			a.Store = sound
			for range 2 {
				if err := a.Recover(ctx); err != nil {
					t.Fatal(err)
				}
			}
			now, err := a.Published(ctx)
			if err != nil {
				t.Fatal(err)
			}
			beside(t, a, now)
			if _, err := a.Refresh(ctx, false, nil); err != nil && !errors.Is(err, waptwua.ErrUnchanged) {
				t.Fatal(err)
			}
			now, _ = a.Published(ctx)
			beside(t, a, now)
			if got := string(stored(t, sound, ArchiveName)); got != "good 2026-11-10" {
				t.Errorf("in the end %q is published", got)
			}
		})
	}
}

func refresh(t *testing.T, a *Archive, force bool, want error) waptwua.Archive {
	t.Helper()
	got, err := a.Refresh(context.Background(), force, nil)
	if !errors.Is(err, want) {
		t.Fatalf("Refresh: %v, want %v", err, want)
	}
	return got
}

// beside fails unless the archive and all that stands beside it agree.
func beside(t *testing.T, a *Archive, want waptwua.Archive) {
	t.Helper()
	b := stored(t, a.Store, ArchiveName)
	_, d1, d256, err := digests(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	if d256 != want.SHA256 || int64(len(b)) != want.Size {
		t.Errorf("the archive in the store is not the one published")
	}
	if got := string(stored(t, a.Store, sumSHA1)); got != d1.String()+"\n" {
		t.Errorf(".sha1 holds %q, the archive has %s", got, d1)
	}
	if got := string(stored(t, a.Store, sumSHA256)); got != d256.String()+"\n" {
		t.Errorf(".sha256 holds %q, the archive has %s", got, d256)
	}
}
