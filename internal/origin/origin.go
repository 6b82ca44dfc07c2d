// Package origin stands in for Microsoft's download servers: it serves a
// scan archive and payload files over HTTP on the loopback interface, with
// the headers and the faults of the real ones.
//
// The real ones are many nodes behind one name. They answer HEAD and GET with
// ETag, Last-Modified, Accept-Ranges, Content-Length; they resume with Range
// and If-Range; the stable link redirects. Now and then a node hands out weak
// ETags and ignores If-None-Match, has other bytes of the same size, or drops
// the connection. Options.Faults says how often each happens here; the draws
// follow from a seed.
//
// For tests and for waptsim only.
package origin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"waptwua/internal/world"
)

// The paths of the archive, as Microsoft has them.
const (
	ArchivePath = "/microsoftupdate/v6/wsusscan/wsusscn2.cab"
	StableLink  = "/fwlink/" // redirects to ArchivePath
)

// Faults are the shares of answers, 0 to 1, that come from a bad node.
type Faults struct {
	Corrupt float64 // one byte is different
	Torn    float64 // the connection ends half-way
	Weak    float64 // weak ETag, conditions ignored
}

// Usual is about what happens out there, a little more often.
func Usual() Faults { return Faults{Corrupt: 0.03, Torn: 0.03, Weak: 0.1} }

// Options of an Origin.
type Options struct {
	Payloads []world.Payload
	Faults   Faults
	Seed     uint64
}

// Origin is an http.Handler. Its methods may be called from any goroutine.
type Origin struct {
	mu       sync.Mutex
	rand     *rand.Rand
	faults   Faults
	archive  string // path of the file
	payloads map[string]world.Payload
	stats    Stats
}

// Stats counts what was asked and how it was answered.
type Stats struct {
	Requests int
	Hits     map[string]int // GETs that began at the first byte, by path
	Corrupt  int
	Torn     int
	Weak     int
}

// New returns an origin without an archive.
func New(opt Options) (*Origin, error) {
	o := &Origin{rand: rand.New(rand.NewPCG(opt.Seed, 0x6f72)), faults: opt.Faults, payloads: map[string]world.Payload{}, stats: Stats{Hits: map[string]int{}}}
	for _, p := range opt.Payloads {
		u, err := url.Parse(p.URL)
		if err != nil {
			return nil, fmt.Errorf("payload %s: %w", p.Name, err)
		}
		o.payloads[u.Path] = p
	}
	return o, nil
}

// SetArchive makes the file at path the one served at ArchivePath.
func (o *Origin) SetArchive(path string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.archive = path
}

// SetFaults changes how often bad nodes answer.
func (o *Origin) SetFaults(f Faults) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults = f
}

// Stats returns the counts so far.
func (o *Origin) Stats() Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.stats
	s.Hits = make(map[string]int, len(o.stats.Hits))
	for k, v := range o.stats.Hits {
		s.Hits[k] = v
	}
	return s
}

// node is the server that answers one request.
type node struct {
	corrupt, torn, weak bool
	at                  float64 // where in the file the fault lies, 0 to 1
}

func (o *Origin) node(r *http.Request) node {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := node{
		corrupt: o.rand.Float64() < o.faults.Corrupt,
		torn:    o.rand.Float64() < o.faults.Torn,
		weak:    o.rand.Float64() < o.faults.Weak,
		at:      o.rand.Float64(),
	}
	o.stats.Requests++
	if r.Method != http.MethodGet {
		return n
	}
	if r.Header.Get("Range") == "" {
		o.stats.Hits[r.URL.Path]++
	}
	count(&o.stats.Corrupt, n.corrupt)
	count(&o.stats.Torn, n.torn)
	count(&o.stats.Weak, n.weak)
	return n
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

// ServeHTTP implements http.Handler.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == StableLink {
		http.Redirect(w, r, ArchivePath, http.StatusFound)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	content, modified, err := o.open(r.URL.Path)
	if errors.Is(err, os.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer content.Close()
	o.node(r).serve(w, r, content, modified)
}

type file interface {
	io.ReadSeeker
	io.Closer
}

func (o *Origin) open(path string) (file, time.Time, error) {
	if path == ArchivePath {
		return o.openArchive()
	}
	p, ok := o.payloads[path]
	if !ok {
		return nil, time.Time{}, os.ErrNotExist
	}
	b, err := io.ReadAll(p.Open())
	if err != nil {
		return nil, time.Time{}, err
	}
	return memory{bytes.NewReader(b)}, time.Date(2026, 11, 10, 17, 0, 0, 0, time.UTC), nil
}

func (o *Origin) openArchive() (file, time.Time, error) {
	o.mu.Lock()
	path := o.archive
	o.mu.Unlock()
	if path == "" {
		return nil, time.Time{}, os.ErrNotExist
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, time.Time{}, err
	}
	return f, fi.ModTime(), nil
}

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }
