package agent_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/agent/cache"
)

// payloads counts the requests for payload files by their names, and lets
// each pass through gate.
type payloads struct {
	mu   sync.Mutex
	asks []string // names as in the statements, in order
	gate func(name string, r *http.Request) int
}

// watch counts from now on.
func (r *rig) watch(gate func(name string, r *http.Request) int) *payloads {
	p := &payloads{gate: gate}
	r.server.Refuse(func(_ http.ResponseWriter, req *http.Request) int {
		_, name, ok := strings.Cut(req.URL.Path, "_")
		if req.Method != http.MethodGet || !ok || !strings.HasSuffix(name, ".msu") {
			return 0
		}
		p.mu.Lock()
		p.asks = append(p.asks, name)
		p.mu.Unlock()
		if p.gate == nil {
			return 0
		}
		return p.gate(name, req)
	})
	return p
}

func (p *payloads) want(t *testing.T, names ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if got, want := strings.Join(p.asks, " "), strings.Join(names, " "); got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
}

// offerFiles offers an update of the files NAME.msu, all of which the
// repository has; what a file is depends on its name only.
func (r *rig) offerFiles(n int, about waptwua.Update, names ...string) waptwua.UpdateID {
	r.t.Helper()
	id := r.offerOnly(n, about)
	var files []waptwua.File
	for _, name := range names {
		f := msu(name)
		r.server.SetFile(f.StoredName(), []byte(name))
		files = append(files, f)
	}
	r.server.State(r.t, id, files...)
	return id
}

func msu(name string) waptwua.File { return agenttest.FileOf(name+".msu", []byte(name)) }

func (r *rig) downloaded(id waptwua.UpdateID, want bool) {
	r.t.Helper()
	if u := r.held().Updates[id]; u.Downloaded != want {
		r.t.Errorf("%s downloaded: %v, want %v (%s)", id, u.Downloaded, want, u.Status)
	}
}

// together answers when the requests of both names are there, or the client
// has given up.
func together(a, b string) func(string, *http.Request) int {
	here := map[string]chan struct{}{a: make(chan struct{}), b: make(chan struct{})}
	var once sync.Map
	return func(name string, r *http.Request) int {
		if _, again := once.LoadOrStore(name, true); !again && here[name] != nil {
			close(here[name])
		}
		for _, c := range here {
			select {
			case <-c:
			case <-r.Context().Done():
			}
		}
		return 0
	}
}

func TestUpdatesAreFetchedTogether(t *testing.T) {
	r := newRig(t)
	r.register()
	one, two := r.offerFiles(1, waptwua.Update{}, "one"), r.offerFiles(2, waptwua.Update{}, "two")
	r.watch(together("one.msu", "two.msu"))
	r.download()
	r.downloaded(one, true)
	r.downloaded(two, true)
}

// The shared file is answered only when the second update's own is asked for,
// so the second update waits for what the first one loads.
func TestSharedFileIsFetchedOnce(t *testing.T) {
	r := newRig(t)
	r.register()
	one, two := r.offerFiles(1, waptwua.Update{}, "shared"), r.offerFiles(2, waptwua.Update{}, "shared", "own")
	p := r.watch(together("shared.msu", "own.msu"))
	r.download()
	r.downloaded(one, true)
	r.downloaded(two, true)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.asks) != 2 {
		t.Errorf("asked for %q", p.asks)
	}
}

func TestFailureIsThatOfItsUpdates(t *testing.T) {
	r := newRig(t)
	r.change = func(o *agent.Options) { o.Parallel = 1 } // so that the order is known
	r.register()
	one, two := r.offerFiles(1, waptwua.Update{}, "bad", "of no use"), r.offerFiles(2, waptwua.Update{}, "bad", "other")
	three, four := r.offerFiles(3, waptwua.Update{}, "fine"), r.offerFiles(4, waptwua.Update{}, "gone")
	bad, gone := msu("bad"), msu("gone")
	r.server.SetFile(bad.StoredName(), []byte("BAD"))
	p := r.watch(func(name string, _ *http.Request) int {
		if name == "gone.msu" {
			r.server.SetFile(gone.StoredName(), nil)
		}
		return 0
	})
	if err := r.agent().Download(t.Context(), agent.ScanOptions{}); !errors.Is(err, waptwua.ErrDigest) {
		t.Errorf("got %v", err)
	}
	p.want(t, "bad.msu", "fine.msu", "gone.msu")
	for _, id := range []waptwua.UpdateID{one, two, four} {
		r.wantStatus(id, waptwua.StatusMissing)
		r.downloaded(id, false)
	}
	r.wantStatus(three, waptwua.StatusPending)
	r.downloaded(three, true)
}

// After the first refusal no more is begun, and it is told once.
func TestServerThatStopsAnswering(t *testing.T) {
	r := newRig(t)
	r.change = func(o *agent.Options) { o.Parallel = 2 }
	r.register()
	for n, name := range []string{"one", "two", "three", "four"} {
		r.offerFiles(n+1, waptwua.Update{}, name)
	}
	both := together("one.msu", "two.msu")
	p := r.watch(func(name string, req *http.Request) int {
		both(name, req)
		return http.StatusServiceUnavailable
	})
	err := r.agent().Download(t.Context(), agent.ScanOptions{})
	if err == nil || strings.Count(err.Error(), "503") != 1 {
		t.Errorf("got %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := strings.Join(p.asks, " "); strings.Contains(s, "three") || strings.Contains(s, "four") {
		t.Errorf("asked for %q", s)
	}
}

func TestCancelledDownloadsEnd(t *testing.T) {
	r := newRig(t)
	r.register()
	one, two := r.offerFiles(1, waptwua.Update{}, "one"), r.offerFiles(2, waptwua.Update{}, "two")
	ctx, cancel := context.WithCancel(t.Context())
	both := together("one.msu", "two.msu")
	r.watch(func(name string, req *http.Request) int {
		both(name, req)
		cancel()
		<-req.Context().Done()
		return 0
	})
	if err := r.agent().Download(ctx, agent.ScanOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	r.server.Refuse(nil)
	r.download()
	r.downloaded(one, true)
	r.downloaded(two, true)
}

// The volume has room for one of two.
func TestMostSevereUpdateGetsTheRoom(t *testing.T) {
	r := newRig(t)
	r.register()
	r.scan() // the archive is here
	files := filepath.Join(r.dir, "cache", "files")
	r.change = func(o *agent.Options) {
		o.Reserve = 1000
		o.Free = func(string) (uint64, error) { return 1000 + 12 - size(t, files), nil }
	}
	low := r.offerFiles(1, waptwua.Update{Severity: waptwua.Low}, "10 bytes A")
	critical := r.offerFiles(2, waptwua.Update{Severity: waptwua.Critical}, "10 bytes B")
	p := r.watch(nil)
	err := r.agent().Download(t.Context(), agent.ScanOptions{Force: true})
	if !errors.Is(err, cache.ErrNoRoom) {
		t.Errorf("got %v", err)
	}
	p.want(t, "10_bytes_B.msu")
	r.downloaded(low, false)
	r.downloaded(critical, true)
	r.wantStatus(low, waptwua.StatusPending)
}

func size(t *testing.T, dir string) (n uint64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if fi, err := e.Info(); err == nil {
			n += uint64(fi.Size())
		}
	}
	return n
}

// The quota has room for one of two, and the first one's file does not come.
func TestRoomOfAFailedUpdateIsLeftToTheNext(t *testing.T) {
	r := newRig(t)
	r.global = "cache_quota = 0.012 kB"
	r.register()
	one, two := r.offerFiles(1, waptwua.Update{}, "10 bytes A"), r.offerFiles(2, waptwua.Update{}, "10 bytes B")
	gone := msu("10 bytes A")
	r.watch(func(name string, _ *http.Request) int {
		if name == "10_bytes_A.msu" {
			r.server.SetFile(gone.StoredName(), nil)
		}
		return 0
	})
	r.download()
	r.wantStatus(one, waptwua.StatusMissing)
	r.downloaded(two, true)
}
