package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/blob/file"
	"waptwua/internal/pki"
	"waptwua/server"
	"waptwua/signing"
)

// publisher signs releases, which the server does not check.
type publisher struct {
	t    *testing.T
	r    *rig
	key  *signing.Signer
	have map[string][]byte
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	shelf, err := file.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, shelf.Close()) })
	r := newRig(t, func(p *server.Parts) { p.Releases = shelf })
	id, err := pki.NewAdministrator("releases", pki.ECDSAP256, 365*24*time.Hour, r.now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := signing.NewSigner(id)
	if err != nil {
		t.Fatal(err)
	}
	return &publisher{t: t, r: r, key: s, have: map[string][]byte{}}
}

// release signs a version whose program lies at hand.
func (p *publisher) release(version string, change ...func(*signing.Release)) []byte {
	p.t.Helper()
	name, content := "wapt-get-"+version+".exe", []byte("program "+version)
	p.have[name] = content
	rel := signing.Release{Product: signing.ProductAgent, Version: version, Created: p.r.now, NotAfter: p.r.now.AddDate(0, 1, 0),
		Files: []signing.ReleaseFile{{Platform: "windows/amd64", Name: name, Size: int64(len(content)), SHA256: sha256.Sum256(content)}}}
	for _, c := range change {
		c(&rel)
	}
	payload, err := rel.Encode()
	if err != nil {
		p.t.Fatal(err)
	}
	return p.sign(signing.TypeRelease, payload)
}

func (p *publisher) sign(kind string, payload []byte) []byte {
	p.t.Helper()
	env, err := signing.Sign(kind, payload, p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := env.Encode()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

func (p *publisher) open(name string) (io.ReadCloser, error) {
	b, ok := p.have[name]
	if !ok {
		return nil, waptwua.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (p *publisher) publish(envelope []byte) error {
	_, err := p.r.Releases.Publish(server.WithActor(p.t.Context(), server.CommandLine()), envelope, p.open)
	return err
}

func (p *publisher) current() string {
	p.t.Helper()
	list, err := p.r.Releases.List(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	if len(list) == 0 || !list[0].Current {
		return ""
	}
	return list[0].Version
}

func TestReleases(t *testing.T) {
	p := newPublisher(t)
	if _, _, err := p.r.Releases.Current(t.Context()); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("before the first release: %v", err)
	}
	nine, ten := p.release("1.9.0"), p.release("1.10.0")
	for _, envelope := range [][]byte{nine, ten} {
		if err := p.publish(envelope); err != nil {
			t.Fatal(err)
		}
	}
	text, digest, err := p.r.Releases.Current(t.Context())
	if err != nil || !bytes.Equal(text, ten) || digest == "" {
		t.Errorf("offered %s, %v; want 1.10.0, byte for byte", text, err)
	}
	f, info, err := p.r.Releases.Open(t.Context(), "wapt-get-1.10.0.exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	sum := waptwua.SHA256(sha256.Sum256(content))
	if err != nil || string(content) != "program 1.10.0" || info.ETag != `"`+sum.String()+`"` {
		t.Errorf("program %q, %+v, %v", content, info, err)
	}
	if err := p.r.Releases.Withdraw(t.Context(), "1.10.0"); err != nil {
		t.Fatal(err)
	}
	if p.current() != "1.9.0" {
		t.Errorf("after the withdrawal %q is offered", p.current())
	}
	if _, _, err := p.r.Releases.Open(t.Context(), "wapt-get-1.10.0.exe"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("its program: %v, want ErrNotFound", err)
	}
	if err := p.r.Releases.Withdraw(t.Context(), "1.10.0"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("withdrawn twice: %v", err)
	}
}

func TestReleasesOnlyHandOutPrograms(t *testing.T) {
	p := newPublisher(t)
	if err := p.publish(p.release("1.0.0")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"release-1.0.0.json", "", "..", "../server.db", "wapt-get-1.0.0.EXE", "wapt-get-9.9.9.exe", strings.Repeat("x", 5000)} {
		if _, _, err := p.r.Releases.Open(t.Context(), name); !errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("%.40q: %v, want ErrNotFound", name, err)
		}
	}
}

func TestReleaseRefused(t *testing.T) {
	p := newPublisher(t)
	if err := p.publish(p.release("1.5.0")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		envelope []byte
		want     error
	}{
		"no envelope":         {[]byte("{}"), server.ErrInvalid},
		"rules":               {p.sign(signing.TypeRules, []byte(`{}`)), server.ErrInvalid},
		"no release":          {p.sign(signing.TypeRelease, []byte(`{}`)), server.ErrInvalid},
		"ended":               {p.release("1.6.0", func(r *signing.Release) { r.Created, r.NotAfter = r.Created.AddDate(-1, 0, 0), r.Created }), server.ErrInvalid},
		"lower":               {p.release("1.4.9"), waptwua.ErrStale},
		"the same":            {p.release("1.5.0"), waptwua.ErrStale},
		"another program":     {p.release("1.6.0", func(r *signing.Release) { r.Files[0].SHA256[0]++ }), waptwua.ErrDigest},
		"a longer program":    {p.release("1.6.0", func(r *signing.Release) { r.Files[0].Size-- }), waptwua.ErrDigest},
		"program not at hand": {p.release("1.6.0", func(r *signing.Release) { r.Files[0].Name = "other.exe" }), waptwua.ErrNotFound},
		"name of a release":   {p.release("1.6.0", func(r *signing.Release) { r.Files[0].Name = "release-9.9.9.json" }), server.ErrInvalid},
		"too large":           {bytes.Repeat([]byte(" "), 100<<10), waptwua.ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			if err := p.publish(c.envelope); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if p.current() != "1.5.0" {
				t.Errorf("%s is offered", p.current())
			}
		})
	}
}

func TestServerWithoutReleases(t *testing.T) {
	r := newRig(t)
	if _, _, err := r.Releases.Current(context.Background()); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("Current: %v", err)
	}
}
