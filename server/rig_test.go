package server_test

import (
	"context"
	"crypto"
	"crypto/sha1"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"waptwua"
	"waptwua/blob/file"
	"waptwua/internal/pki"
	"waptwua/notify/inproc"
	"waptwua/server"
	"waptwua/signing"
	"waptwua/store/sqlite"
	"waptwua/transport"
)

// rig is a server over a real database and folder. Only Microsoft and the
// queue are played: by archive, fetcher, catalogue and queue below.
type rig struct {
	*server.Server
	db      *sqlite.DB
	shelf   *file.Store
	now     time.Time
	queue   *queue
	fetcher *fetcher
	archive *archive
	signer  *signing.Signer
	ctx     context.Context // of an administrator
}

const (
	uuidA = "00000000-0000-0000-0000-00000000000a"
	uuidB = "00000000-0000-0000-0000-00000000000b"
)

// newRig builds a rig; change may alter the parts.
func newRig(t testing.TB, change ...func(*server.Parts)) *rig {
	t.Helper()
	r := &rig{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), queue: &queue{}}
	r.ctx = server.WithActor(t.Context(), server.Actor{Name: "ada", Role: server.Administrator})
	var err error
	if r.db, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "server.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, r.db.Close()) })
	if r.shelf, err = file.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, r.shelf.Close()) })
	r.fetcher, r.archive = &fetcher{shelf: r.shelf}, &archive{}
	p := r.parts(t)
	for _, c := range change {
		c(&p)
	}
	if r.Server, err = server.New(p); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) parts(t testing.TB) server.Parts {
	t.Helper()
	clock := func() time.Time { return r.now }
	ca := must(pki.NewServerAuthority("test", 20*365*24*time.Hour, r.now))(t)
	authority := must(pki.NewAuthority(ca, clock))(t)
	key := newKey(t)
	cert := must(authority.IssueSigner(key.Public(), "statements", 24*365*time.Hour))(t)
	r.signer = must(signing.NewSigner(must(pki.NewIdentity(key, cert))(t)))(t)
	return server.Parts{
		Store: r.db, Shelf: r.shelf, Notify: new(inproc.Notifier), Queue: r.queue,
		Archiver: r.archive, Fetcher: r.fetcher, Scrubber: r.fetcher, Loader: r.archive,
		Authority: authority, Signer: r.signer, Settings: server.DefaultSettings(),
		Log: slog.New(slog.DiscardHandler), Now: clock,
	}
}

// must unwraps a result, or ends the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError expects a kind of error.
func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func newKey(t testing.TB) crypto.Signer { return must(pki.GenerateKey(pki.ECDSAP256))(t) }

// token makes an enrolment token.
func (r *rig) token(t testing.TB, uses int) string {
	t.Helper()
	_, secret, err := r.Accounts.CreateToken(r.ctx, server.NewToken{Kind: server.KindEnrol, Uses: uses})
	check(t, err)
	return secret
}

// request is a wish of host uuid to enrol with key.
func request(t testing.TB, token, uuid string, key crypto.Signer) transport.EnrolRequest {
	t.Helper()
	csr := must(pki.NewHostRequest(uuid, key))(t)
	return transport.EnrolRequest{Version: transport.Version, Token: token, CSR: string(csr), Host: waptwua.Host{UUID: uuid, Name: "pc-" + uuid[35:]}}
}

// enrolled enrols a host.
func (r *rig) enrolled(t testing.TB, uuid string) {
	t.Helper()
	_, err := r.Enrolment.Enrol(t.Context(), request(t, r.token(t, 1), uuid, newKey(t)), "192.0.2.1")
	check(t, err)
}

// report sends next after base as number seq.
func (r *rig) report(t testing.TB, base, next *transport.State, seq uint64) transport.ReportAck {
	t.Helper()
	rep := must(transport.Diff(base, next))(t)
	rep.Seq = seq
	return must(r.Reports.Ingest(t.Context(), next.Host.UUID, rep))(t)
}

// state is what a host reports that has updates.
func (r *rig) state(uuid string, us ...waptwua.OnHost) *transport.State {
	s := &transport.State{Host: waptwua.Host{UUID: uuid, Name: "pc-" + uuid[35:]}, Status: waptwua.HostPending, Scan: waptwua.Scan{At: r.now}}
	for _, u := range us {
		if s.Updates == nil {
			s.Updates = map[waptwua.UpdateID]waptwua.OnHost{}
		}
		s.Updates[u.ID] = u
	}
	return s
}

func id(n int) waptwua.UpdateID {
	return waptwua.UpdateID{GUID: fmt.Sprintf("11111111-0000-0000-0000-%012d", n), Revision: 200}
}

func onHost(n int, s waptwua.Status, d waptwua.Decision) waptwua.OnHost {
	return waptwua.OnHost{ID: id(n), Status: s, Verdict: waptwua.Verdict{Decision: d, Reason: "default_allow", Origin: "built-in"}}
}

func content(n int) []byte { return fmt.Appendf(nil, "payload %d", n) }

func payload(n int) waptwua.File {
	return waptwua.File{Name: fmt.Sprintf("kb%d.cab", n), Size: int64(len(content(n))), SHA1: sha1.Sum(content(n)), URL: fmt.Sprintf("http://download.windowsupdate.com/kb%d.cab", n)}
}

// archive plays the mirror's archive and its catalogue: updates 1 to known,
// each a leaf with the payload of its number.
type archive struct {
	info  waptwua.Archive
	known int
	err   error // of Refresh
}

func (a *archive) publish(n byte, known int) {
	a.info, a.known = waptwua.Archive{SHA256: waptwua.SHA256{n}, Size: 1}, known
}

func (a *archive) Refresh(context.Context, bool, func(done, total int64)) (waptwua.Archive, error) {
	return a.info, a.err
}

func (a *archive) Published(context.Context) (waptwua.Archive, error) {
	if a.info.SHA256.IsZero() {
		return a.info, fmt.Errorf("archive: %w", waptwua.ErrNotFound)
	}
	return a.info, nil
}

func (a *archive) Load(ctx context.Context) (server.Catalogue, error) {
	if _, err := a.Published(ctx); err != nil {
		return nil, err
	}
	return catalogue{a.info.SHA256, a.known}, nil
}

type catalogue struct {
	digest waptwua.SHA256
	known  int
}

func (c catalogue) Archive() waptwua.SHA256 { return c.digest }

func (c catalogue) number(u waptwua.UpdateID) int {
	for n := 1; n <= c.known; n++ {
		if id(n) == u {
			return n
		}
	}
	return 0
}

func (c catalogue) Update(u waptwua.UpdateID) (waptwua.Update, bool) {
	n := c.number(u)
	return waptwua.Update{ID: u, Title: fmt.Sprintf("Update %d", n), KBs: []waptwua.KB{waptwua.KB(5000000 + n)}}, n > 0
}

func (c catalogue) Leaves(u waptwua.UpdateID) []transport.LeafFiles {
	n := c.number(u)
	if n == 0 {
		return nil
	}
	return []transport.LeafFiles{{ID: u, Handler: "Cbs", Route: transport.RouteWUA, Files: []waptwua.File{payload(n)}}}
}

// fetcher plays the mirror's payloads: it puts their content onto the shelf.
type fetcher struct {
	shelf   *file.Store
	err     error    // of Fetch
	damaged []string // what Scrub finds
	fetched int
}

func (f *fetcher) Fetch(ctx context.Context, p waptwua.File, progress func(int64)) error {
	if f.err != nil {
		return f.err
	}
	f.fetched++
	progress(p.Size)
	for n := range 20 {
		if payload(n) == p {
			return f.shelf.Put(ctx, p.StoredName(), content(n))
		}
	}
	return fmt.Errorf("payload %s: %w", p.Name, waptwua.ErrNotFound)
}

func (f *fetcher) Scrub(ctx context.Context) ([]string, error) {
	for _, name := range f.damaged {
		if err := f.shelf.Remove(ctx, name); err != nil {
			return nil, err
		}
	}
	return f.damaged, nil
}

// queue notes what is asked for.
type queue struct {
	mu    sync.Mutex
	runs  []server.Job
	files []string
	soon  int
	err   error
}

func (q *queue) Run(_ context.Context, job server.Job, _ string, _ bool) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.runs = append(q.runs, job)
	return q.err
}

func (q *queue) Download(_ context.Context, name string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.files = append(q.files, name)
	return q.err
}

func (q *queue) RetryNow(context.Context) error { return q.err }

func (q *queue) Soon() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.soon++
}

// take returns the files asked for since the last call.
func (q *queue) take() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.files
	q.files = nil
	return f
}
