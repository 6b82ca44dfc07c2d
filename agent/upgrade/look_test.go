package upgrade

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/internal/pki"
	"waptwua/signing"
	"waptwua/transport/client"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fleet is a host in a folder, a server in memory, and the key for releases.
type fleet struct {
	t       *testing.T
	dir     string
	program string
	now     time.Time
	key     pki.Identity
	release []byte            // what the server offers; nil: nothing
	files   map[string][]byte // what it hands out
	asked   []client.FileRequest
	cut     int64 // bytes after which its connection breaks; 0: never
	health  Health
	checked int
	limit   cache.Limiter
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	dir := t.TempDir()
	f := &fleet{t: t, dir: filepath.Join(dir, "db"), program: filepath.Join(dir, "wapt-get.exe"), now: start, key: newKey(t, "releases"),
		files: map[string][]byte{}, health: Health{Version: "1.1.0", Healthy: true}}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f.write(f.program, []byte("program 1.0.0"))
	return f
}

func newKey(t *testing.T, name string) pki.Identity {
	t.Helper()
	id, err := pki.NewAdministrator(name, pki.ECDSAP256, 1000*24*time.Hour, start.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (f *fleet) write(path string, content []byte) {
	f.t.Helper()
	if err := os.WriteFile(path, content, 0o700); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) Release(context.Context) ([]byte, error) {
	if f.release == nil {
		return nil, waptwua.ErrNotFound
	}
	return f.release, nil
}

func (f *fleet) ReleaseFile(_ context.Context, req client.FileRequest) (*client.FileResponse, error) {
	f.asked = append(f.asked, req)
	content, ok := f.files[req.Name]
	if !ok {
		return nil, waptwua.ErrNotFound
	}
	var body io.Reader = bytes.NewReader(content[req.Offset:])
	if f.cut > 0 {
		body = io.MultiReader(io.LimitReader(body, f.cut), broken{})
	}
	return &client.FileResponse{Body: io.NopCloser(body), Offset: req.Offset, Size: int64(len(content))}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, client.ErrUnreachable }

// upgrader is this host's, running version.
func (f *fleet) upgrader(version string) *Upgrader {
	f.t.Helper()
	u, err := New(Options{
		Dir: f.dir, Program: f.program, Version: version, Platform: "windows/amd64", Source: f, Now: func() time.Time { return f.now },
		Trust: func() (*signing.Trust, error) { return signing.NewTrust(f.key.Leaf()), nil },
		Limit: f.limit,
		Check: func(_ context.Context, program string) (Health, error) {
			f.checked++
			_, err := os.Stat(program)
			return f.health, err
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

// draft is a release of version, whose program the server has.
func (f *fleet) draft(version string) signing.Release {
	content := []byte("program " + version)
	name := "wapt-get-" + version + "-amd64.exe"
	f.files[name] = content
	return signing.Release{Product: signing.ProductAgent, Version: version, Created: f.now, NotAfter: f.now.AddDate(0, 3, 0),
		Files: []signing.ReleaseFile{{Platform: "windows/amd64", Name: name, Size: int64(len(content)), SHA256: sha256.Sum256(content)}}}
}

// offer signs a release and has the server offer it.
func (f *fleet) offer(r signing.Release, keys ...pki.Identity) {
	f.t.Helper()
	payload, err := r.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	if len(keys) == 0 {
		keys = []pki.Identity{f.key}
	}
	f.release = f.envelope(signing.TypeRelease, payload, keys...)
}

func (f *fleet) envelope(kind string, payload []byte, keys ...pki.Identity) []byte {
	f.t.Helper()
	env := &signing.Envelope{PayloadType: kind, Payload: payload}
	for _, k := range keys {
		s, err := signing.NewSigner(k)
		if err != nil {
			f.t.Fatal(err)
		}
		if err := env.AddSignature(s); err != nil {
			f.t.Fatal(err)
		}
	}
	text, err := env.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

func (f *fleet) wantLook(u *Upgrader, want error) {
	f.t.Helper()
	o, err := u.Look(f.t.Context())
	if !errors.Is(err, want) {
		f.t.Errorf("Look: %v, want %v", err, want)
	}
	if o != nil && want != nil {
		f.t.Errorf("offered %s although %v", o.Version, err)
	}
}

func TestLook(t *testing.T) {
	f := newFleet(t)
	u := f.upgrader("v1.0.0")
	f.wantLook(u, waptwua.ErrUnchanged) // nothing is published
	f.offer(f.draft("1.0.0"))
	f.wantLook(u, waptwua.ErrUnchanged) // what runs
	f.offer(f.draft("1.1.0"))
	o, err := u.Look(t.Context())
	if err != nil || o.Version != "1.1.0" || o.Signer != "releases" {
		t.Errorf("offered %+v, %v", o, err)
	}
	f.wantLook(u, nil) // the same again
}

func TestLookRefusesWhatIsNotTrusted(t *testing.T) {
	f := newFleet(t)
	stranger, administrator := newKey(t, "stranger"), newKey(t, "alice")
	payload, err := f.draft("1.1.0").Encode()
	if err != nil {
		t.Fatal(err)
	}
	f.offer(f.draft("1.1.0"))
	good := f.release
	altered := bytes.Replace(good, []byte(`"payload":"`), []byte(`"payload":"AAAA`), 1)
	ended := f.draft("1.1.0")
	ended.Created, ended.NotAfter = start.AddDate(-1, 0, 0), start.Add(-time.Minute)
	for name, text := range map[string][]byte{
		"unsigned":                   f.envelope(signing.TypeRelease, payload),
		"by a stranger":              f.envelope(signing.TypeRelease, payload, stranger),
		"by an administrator":        f.envelope(signing.TypeRelease, payload, administrator),
		"signed as rules":            f.envelope(signing.TypeRules, payload, f.key),
		"payload altered":            altered,
		"no envelope":                []byte("MZ"),
		"an envelope of nothing":     []byte("{}"),
		"ended":                      f.signed(ended),
		"the stranger's certificate": bytes.Replace(f.envelope(signing.TypeRelease, payload, stranger), []byte(pki.Fingerprint(stranger.Leaf())), []byte(pki.Fingerprint(f.key.Leaf())), 1),
	} {
		t.Run(name, func(t *testing.T) {
			f.release = text
			f.wantLook(f.upgrader("1.0.0"), waptwua.ErrNotTrusted)
			if h, err := load(f.dir); err != nil || h.Seen.Version != "" {
				t.Errorf("it was noted as seen: %+v, %v", h, err)
			}
		})
	}
	if len(f.asked) > 0 || f.checked > 0 {
		t.Error("a program was fetched or run")
	}
	f.release = good
	f.now = f.key.Leaf().NotAfter.Add(time.Hour) // the certificate itself has ended
	f.wantLook(f.upgrader("1.0.0"), waptwua.ErrNotTrusted)
}

func (f *fleet) signed(r signing.Release) []byte {
	f.offer(r)
	return f.release
}

func TestNeverBack(t *testing.T) {
	f := newFleet(t)
	f.offer(f.draft("1.1.0"))
	old := f.release
	f.offer(f.draft("1.2.0"))
	f.wantLook(f.upgrader("1.0.0"), nil)
	f.release = old // an older release is shown again, although it was never taken
	f.wantLook(f.upgrader("1.0.0"), waptwua.ErrStale)

	f = newFleet(t)
	f.offer(f.draft("1.0.9"))
	f.wantLook(f.upgrader("1.1.0"), waptwua.ErrStale)

	// 1.2.0 was in use once; a lower one that somebody put there by hand does
	// not take 1.1.0.
	f = newFleet(t)
	if _, err := f.upgrader("1.2.0").Begin(); err != nil {
		t.Fatal(err)
	}
	f.offer(f.draft("1.1.0"))
	f.wantLook(f.upgrader("1.0.0"), waptwua.ErrStale)
	if h, err := Highest(f.dir); err != nil || h != "1.2.0" {
		t.Errorf("Highest = %q, %v", h, err)
	}
}

func TestVersionMeansOneRelease(t *testing.T) {
	f := newFleet(t)
	f.offer(f.draft("1.1.0"))
	f.wantLook(f.upgrader("1.0.0"), nil)
	for _, v := range []string{"1.1.0", "v1.1.0", "1.1.0+other"} {
		other := f.draft("1.1.0")
		other.Version, other.NotAfter = v, other.NotAfter.Add(time.Second)
		f.offer(other)
		f.wantLook(f.upgrader("1.0.0"), waptwua.ErrConflict)
	}
}

func TestConditions(t *testing.T) {
	f := newFleet(t)
	r := f.draft("3.0.0")
	r.MinVersion = "2.0.0"
	f.offer(r)
	f.wantLook(f.upgrader("1.9.9"), waptwua.ErrForbidden)
	f.wantLook(f.upgrader("2.0.0"), nil)

	f = newFleet(t)
	r = f.draft("1.1.0")
	r.Files[0].Platform = "windows/arm64"
	f.offer(r)
	f.wantLook(f.upgrader("1.0.0"), waptwua.ErrNotFound)

	if _, err := New(Options{Version: "dev"}); err == nil {
		t.Error("a program without a version would replace itself")
	}
}

func TestPrepare(t *testing.T) {
	f := newFleet(t)
	f.offer(f.draft("1.1.0"))
	u := f.upgrader("1.0.0")
	o, err := u.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	guard, err := u.Prepare(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{guard: "program 1.0.0", beside(f.program, "new"): "program 1.1.0", f.program: "program 1.0.0"} {
		if b, err := os.ReadFile(path); err != nil || string(b) != want {
			t.Errorf("%s holds %q, %v; want %q", filepath.Base(path), b, err, want)
		}
	}
	if r, err := load(f.dir); err != nil || r.Pending == nil || r.Pending.To != "1.1.0" {
		t.Errorf("record %+v, %v", r, err)
	}
}

func TestPrepareRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fleet)
		want   error
		final  bool
	}{
		"another file under the name": {func(f *fleet) { f.files["wapt-get-1.1.0-amd64.exe"] = []byte("program 6.6.6") }, waptwua.ErrDigest, false},
		"a longer file":               {func(f *fleet) { f.files["wapt-get-1.1.0-amd64.exe"] = []byte("program 1.1.0 and more") }, waptwua.ErrDigest, false},
		"no file":                     {func(f *fleet) { clear(f.files) }, waptwua.ErrNotFound, false},
		"another version inside":      {func(f *fleet) { f.health.Version = "1.0.5" }, ErrUnwell, true},
		"unwell":                      {func(f *fleet) { f.health.Healthy = false }, ErrUnwell, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			f.offer(f.draft("1.1.0"))
			c.change(f)
			u := f.upgrader("1.0.0")
			o, err := u.Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.Prepare(t.Context(), o); !errors.Is(err, c.want) {
				t.Errorf("Prepare: %v, want %v", err, c.want)
			}
			if _, err := os.Stat(beside(f.program, "new")); err == nil {
				t.Error("the program lies beside the old one")
			}
			var failed *FailedError
			if _, err := u.Look(t.Context()); !errors.As(err, &failed) || failed.Next.IsZero() != c.final {
				t.Errorf("right after: %v, want a failure, final: %v", err, c.final)
			}
			f.now = f.now.Add(25 * time.Hour)
			if _, err := u.Look(t.Context()); (err != nil) != c.final {
				t.Errorf("a day later: %v, want final: %v", err, c.final)
			}
		})
	}
}

func TestThreeTries(t *testing.T) {
	f := newFleet(t)
	f.offer(f.draft("1.1.0"))
	f.health = Health{Version: "1.1.0", Offline: true, Problems: []string{"no route"}}
	u := f.upgrader("1.0.0")
	for range maxTries {
		o, err := u.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Prepare(t.Context(), o); err == nil || errors.Is(err, ErrUnwell) {
			t.Fatalf("Prepare: %v", err)
		}
		f.now = f.now.Add(25 * time.Hour)
	}
	var failed *FailedError
	if _, err := u.Look(t.Context()); !errors.As(err, &failed) || !failed.Next.IsZero() || !strings.Contains(failed.Error(), "no route") {
		t.Errorf("after three attempts: %v", err)
	}
	f.offer(f.draft("1.1.1")) // a new version is tried
	f.wantLook(u, nil)
}

func TestDownloadGoesOn(t *testing.T) {
	f := newFleet(t)
	f.offer(f.draft("1.1.0"))
	u := f.upgrader("1.0.0")
	o, err := u.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.cut = 5
	if _, err := u.fetch(t.Context(), o.File); err == nil {
		t.Fatal("fetched although the connection broke")
	}
	f.cut = 0
	if _, err := u.fetch(t.Context(), o.File); err != nil {
		t.Fatal(err)
	}
	if last := f.asked[len(f.asked)-1]; last.Offset != 5 || last.IfRange != `"`+o.File.SHA256.String()+`"` {
		t.Errorf("asked for %+v, want the rest from byte 5", last)
	}
	// What is left of another program is not taken for this one's.
	f = newFleet(t)
	f.offer(f.draft("1.1.0"))
	u = f.upgrader("1.0.0")
	if o, err = u.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(f.dir, "upgrade", o.File.SHA256.String()+".part")
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		t.Fatal(err)
	}
	f.write(part, []byte("evil"))
	if _, err := u.fetch(t.Context(), o.File); !errors.Is(err, waptwua.ErrDigest) {
		t.Errorf("with a planted beginning: %v, want ErrDigest", err)
	}
	if _, err := u.fetch(t.Context(), o.File); err != nil {
		t.Errorf("after that: %v, want a fresh download", err)
	}
}

func TestNoRoom(t *testing.T) {
	f := newFleet(t)
	f.offer(f.draft("1.1.0"))
	u := f.upgrader("1.0.0")
	u.opt.Free = func(string) (uint64, error) { return reserve, nil }
	o, err := u.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Prepare(t.Context(), o); err == nil || len(f.asked) > 0 {
		t.Errorf("Prepare: %v, asked %v; want an error and no download", err, f.asked)
	}
}

func TestTrustsNobodyByDefault(t *testing.T) {
	f := newFleet(t)
	f.offer(f.draft("1.1.0"))
	u := f.upgrader("1.0.0")
	u.opt.Trust = func() (*signing.Trust, error) { return signing.NewTrust([]*x509.Certificate{}...), nil }
	f.wantLook(u, waptwua.ErrNotTrusted)
}

// budget lets bytes pass until a limit is reached.
type budget struct{ left int }

func (b *budget) Burst() int { return 4 }

func (b *budget) WaitN(_ context.Context, n int) error {
	if n > b.Burst() {
		return fmt.Errorf("%d bytes at once", n)
	}
	if b.left -= n; b.left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

func TestTheDownloadKeepsToTheBandwidth(t *testing.T) {
	f := newFleet(t)
	f.offer(f.draft("1.1.0"))
	f.limit = &budget{left: 8}
	u := f.upgrader("1.0.0")
	o, err := u.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Prepare(t.Context(), o); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("beyond the budget: %v", err)
	}
	f.limit = &budget{left: 100}
	if _, err := f.upgrader("1.0.0").Prepare(t.Context(), o); err != nil {
		t.Errorf("within the budget: %v", err)
	}
}
