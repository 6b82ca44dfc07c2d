package sim

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"waptwua"
	"waptwua/authenticode"
	"waptwua/catalog"
	"waptwua/wsusscn2"
)

// GraphsOptions say which archives are accepted and how many are kept.
type GraphsOptions struct {
	Roots     []*x509.Certificate // of the archives' signatures; none: Microsoft's
	AllowSHA1 bool                // for archives before 2020
	Now       func() time.Time    // must be set
	Keep      int                 // parsed archives; 0: 4
}

// Graphs opens scan archives for hosts: each content is verified and parsed
// once, whatever file it is read from, and the graph shared. It is safe for
// use by several goroutines.
type Graphs struct {
	opt GraphsOptions

	mu    sync.Mutex
	kept  []*loading       // the least recently used first
	files map[string]stamp // by path
}

// stamp is what a file looked like when its digest was computed.
type stamp struct {
	size     int64
	modified time.Time
	digest   waptwua.SHA256
}

// loading is an archive that is being opened, or was.
type loading struct {
	digest waptwua.SHA256
	done   chan struct{} // closed when graph or err is there
	graph  *catalog.Graph
	err    error
}

// maxFiles bounds the remembered digests of files.
const maxFiles = 20_000

// NewGraphs returns an empty cache.
func NewGraphs(o GraphsOptions) *Graphs {
	if o.Keep == 0 {
		o.Keep = 4
	}
	return &Graphs{opt: o, files: map[string]stamp{}}
}

// Open returns the graph of the archive at path. A file that is not such an
// archive or whose signature is not trusted is an error; os.ErrNotExist when
// there is no file.
func (g *Graphs) Open(ctx context.Context, path string) (*catalog.Graph, error) {
	digest, err := g.digest(ctx, path)
	if err != nil {
		return nil, err
	}
	l, first := g.find(digest)
	if first {
		go g.load(context.WithoutCancel(ctx), l, path)
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.done:
		return l.graph, l.err
	}
}

// find returns the entry of a content, and whether the caller is the one to
// load it.
func (g *Graphs) find(digest waptwua.SHA256) (l *loading, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.kept, func(l *loading) bool { return l.digest == digest })
	if i >= 0 {
		l = g.kept[i]
		g.kept = slices.Delete(g.kept, i, i+1)
	} else {
		l, first = &loading{digest: digest, done: make(chan struct{})}, true
	}
	g.kept = append(g.kept, l)
	if n := len(g.kept) - g.opt.Keep; n > 0 {
		g.kept = slices.Delete(g.kept, 0, n)
	}
	return l, first
}

func (g *Graphs) load(ctx context.Context, l *loading, path string) {
	defer close(l.done)
	if l.graph, l.err = g.read(ctx, path); l.err == nil {
		return
	}
	l.err = fmt.Errorf("scan archive %s: %w", path, l.err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kept = slices.DeleteFunc(g.kept, func(k *loading) bool { return k == l }) // to be tried again
}

func (g *Graphs) read(ctx context.Context, path string) (graph *catalog.Graph, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	o := authenticode.Options{Roots: g.opt.Roots, AllowSHA1: g.opt.AllowSHA1, At: g.opt.Now()}
	if _, err := authenticode.Verify(f, info.Size(), o); err != nil {
		return nil, err
	}
	archive, err := wsusscn2.Open(f, info.Size(), wsusscn2.Options{})
	if err != nil {
		return nil, err
	}
	return catalog.Load(ctx, archive, catalog.Options{})
}

// digest is that of the file, computed anew when size or time changed.
func (g *Graphs) digest(ctx context.Context, path string) (waptwua.SHA256, error) {
	info, err := os.Stat(path)
	if err != nil {
		return waptwua.SHA256{}, err
	}
	g.mu.Lock()
	s, ok := g.files[path]
	g.mu.Unlock()
	if ok && s.size == info.Size() && s.modified.Equal(info.ModTime()) {
		return s.digest, nil
	}
	s = stamp{size: info.Size(), modified: info.ModTime()}
	if s.digest, err = sum(ctx, path); err != nil {
		return waptwua.SHA256{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.files) >= maxFiles {
		clear(g.files)
	}
	g.files[path] = s
	return s.digest, nil
}

func sum(ctx context.Context, path string) (digest waptwua.SHA256, err error) {
	f, err := os.Open(path)
	if err != nil {
		return digest, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, contextReader{ctx, f}); err != nil {
		return digest, err
	}
	return waptwua.SHA256(h.Sum(nil)), nil
}

// contextReader ends reading with its context. It lives for one copy only.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
