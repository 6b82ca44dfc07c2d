package client

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waptwua"
	"waptwua/transport"
)

// replicas are repositories below folders of one server; a handler by folder.
type replicas struct {
	world
	mu    sync.Mutex
	asked []string // "METHOD /folder/name", without the measuring ones
}

func startReplicas(t *testing.T, folders map[string]http.HandlerFunc) *replicas {
	t.Helper()
	r := &replicas{}
	r.world = start(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		folder, name, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/"), "/")
		if name != transport.ArchiveName {
			r.mu.Lock()
			r.asked = append(r.asked, q.Method+" "+q.URL.Path)
			r.mu.Unlock()
		}
		folders[folder](w, q)
	}))
	return r
}

func (r *replicas) client(t *testing.T, folders ...string) *Client {
	t.Helper()
	return r.world.client(t, func(c *Config) {
		for _, f := range folders {
			c.Repositories = append(c.Repositories, c.Server.JoinPath(f, "/"))
		}
	})
}

// content reads a file, and what was asked for it.
func (r *replicas) content(t *testing.T, c *Client, name string) (content string, asked []string, err error) {
	t.Helper()
	r.mu.Lock()
	r.asked = nil
	r.mu.Unlock()
	f, err := c.File(t.Context(), FileRequest{Name: name})
	if err == nil {
		b, rerr := io.ReadAll(f.Body)
		content, err = string(b), errors.Join(rerr, f.Body.Close())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return content, slices.Clone(r.asked), err
}

func busy(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "down", http.StatusServiceUnavailable)
}

// silent answers when the other side has lost its patience.
func silent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestNearestRepositoryIsAskedFirst(t *testing.T) {
	slow := func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, transport.ArchiveName) {
			silent(w, q)
			return
		}
		shelf("far")(w, q)
	}
	r := startReplicas(t, map[string]http.HandlerFunc{"far": slow, "near": shelf("near")})
	c := r.client(t, "far", "near")
	for range 2 { // measured once
		if content, asked, err := r.content(t, c, "f"); err != nil || content != "near" || len(asked) != 1 {
			t.Errorf("%q, %v after %v", content, err, asked)
		}
	}
}

func TestRepositoriesTakeOverFromEachOther(t *testing.T) {
	for _, tc := range []struct {
		name       string
		near       http.HandlerFunc
		far        http.HandlerFunc
		content    string
		err        error
		first, two string // what is asked for the first file, and for the second
	}{
		{"lacks the file", http.NotFound, shelf("far"), "far", nil, "near far", "near far"},
		{"fails", busy, shelf("far"), "far", nil, "near far", "far"},
		{"lacks it, the other fails", http.NotFound, busy, "", waptwua.ErrNotFound, "near far", "near far"},
		{"both lack it", http.NotFound, http.NotFound, "", waptwua.ErrNotFound, "near far", "near far"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := startReplicas(t, map[string]http.HandlerFunc{"near": tc.near, "far": tc.far})
			c := r.client(t, "near", "far")
			c.repos.measured = time.Now() // as listed
			for i, want := range []string{tc.first, tc.two} {
				content, asked, err := r.content(t, c, "f")
				if content != tc.content || !errors.Is(err, tc.err) {
					t.Errorf("%d: %q, %v", i, content, err)
				}
				if got := folders(asked); got != want {
					t.Errorf("%d: asked %s, want %s", i, got, want)
				}
			}
			if has, err := c.HasFile(t.Context(), "f"); has != (tc.content != "") || err != nil {
				t.Errorf("HasFile = %v, %v", has, err)
			}
		})
	}
}

// cutOff promises more than it sends.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "near")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func TestRepositoryThatBreaksIsAskedLast(t *testing.T) {
	r := startReplicas(t, map[string]http.HandlerFunc{"near": cutOff, "far": shelf("far")})
	c := r.client(t, "near", "far")
	c.repos.measured = time.Now()
	if _, asked, err := r.content(t, c, "f"); !errors.Is(err, ErrUnreachable) || folders(asked) != "near" {
		t.Errorf("first: %v after %v", err, asked)
	}
	if content, asked, err := r.content(t, c, "f"); err != nil || content != "far" || folders(asked) != "far" {
		t.Errorf("then: %q, %v after %v", content, err, asked)
	}
}

func TestRepositoryWithWrongContentIsAskedLast(t *testing.T) {
	r := startReplicas(t, map[string]http.HandlerFunc{"near": shelf("near"), "far": shelf("far")})
	for _, several := range []bool{false, true} {
		c := r.client(t, []string{"near", "far"}[:map[bool]int{false: 1, true: 2}[several]]...)
		c.repos.measured = time.Now()
		f, err := c.File(t.Context(), FileRequest{Name: "f"})
		if err != nil {
			t.Fatal(err)
		}
		f.Body.Close()
		if f.Reject() != several {
			t.Errorf("of several %v: rejecting says there are others: %v", several, !several)
		}
		want := map[bool]string{false: "near", true: "far"}[several]
		if content, _, err := r.content(t, c, "f"); err != nil || content != want {
			t.Errorf("afterwards %q, %v, want %q", content, err, want)
		}
	}
}

// TestNearestIsFoundAnew: a failure does not put a repository last for good.
func TestNearestIsFoundAnew(t *testing.T) {
	down := true
	measured := make(chan struct{})
	near := func(w http.ResponseWriter, q *http.Request) {
		if down {
			busy(w, q)
			return
		}
		if strings.HasSuffix(q.URL.Path, transport.ArchiveName) {
			defer close(measured)
		}
		shelf("near")(w, q)
	}
	far := func(w http.ResponseWriter, q *http.Request) {
		if !down && strings.HasSuffix(q.URL.Path, transport.ArchiveName) {
			silent(w, q)
			return
		}
		shelf("far")(w, q)
	}
	r := startReplicas(t, map[string]http.HandlerFunc{"near": near, "far": far})
	c := r.client(t, "near", "far")
	now := time.Now()
	c.repos.now = func() time.Time { return now }
	wantContent := func(want string) {
		t.Helper()
		if content, _, err := r.content(t, c, "f"); err != nil || content != want {
			t.Errorf("got %q, %v, want %q", content, err, want)
		}
	}
	wantContent("far")
	down = false
	now = now.Add(measureAgain - 1)
	wantContent("far")
	now = now.Add(1)
	wantContent("near")
	<-measured
}

func TestNearestIsFoundAnewWhenAllFailed(t *testing.T) {
	r := startReplicas(t, map[string]http.HandlerFunc{"near": busy, "far": busy})
	c := r.client(t, "near", "far")
	c.repos.measured = time.Now()
	if _, _, err := r.content(t, c, "f"); err == nil || !c.repos.measured.IsZero() {
		t.Errorf("%v; the order of %v still holds", err, c.repos.measured)
	}
}

func TestUnreachableRepository(t *testing.T) {
	r := startReplicas(t, map[string]http.HandlerFunc{"here": shelf("here")})
	gone := start(t, http.NotFoundHandler())
	gone.Close()
	c := r.world.client(t, func(c *Config) {
		u, err := url.Parse(gone.URL)
		if err != nil {
			t.Fatal(err)
		}
		c.Repositories = []*url.URL{u, c.Server.JoinPath("here", "/")}
	})
	if content, asked, err := r.content(t, c, "f"); err != nil || content != "here" || len(asked) != 1 {
		t.Errorf("%q, %v after %v", content, err, asked)
	}
	r.Close()
	if _, _, err := r.content(t, c, "f"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("without any repository: %v", err)
	}
}

func TestTooManyRepositories(t *testing.T) {
	u, err := url.Parse("https://wapt.example.org")
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(Config{Server: u, Repositories: slices.Repeat([]*url.URL{u}, MaxRepositories+1)})
	if !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("got %v", err)
	}
}

func folders(asked []string) string {
	var list []string
	for _, a := range asked {
		list = append(list, strings.Split(a, "/")[1])
	}
	return strings.Join(list, " ")
}
