package fault

import (
	"fmt"
	"io"
	"net/http"
	"sync"
)

// holder is an origin that stops in the middle of one answer: it sends half
// of it and then nothing until the connection is closed.
type holder struct {
	next http.Handler

	mu     sync.Mutex
	wanted func(r *http.Request, size int64) bool // the answer to stop in; nil: none
	held   chan hold                              // capacity 1
	asked  []request
}

// hold is an answer that was stopped.
type hold struct {
	path string
	sent int64
}

// request is what a download asked for.
type request struct{ path, span, ifRange string }

func newHolder(next http.Handler) *holder { return &holder{next: next, held: make(chan hold, 1)} }

// stopIn makes the holder stop in the next answer that is wanted.
func (h *holder) stopIn(wanted func(r *http.Request, size int64) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wanted = wanted
}

// requests are those for path.
func (h *holder) requests(path string) []request {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []request
	for _, r := range h.asked {
		if r.path == path {
			out = append(out, r)
		}
	}
	return out
}

func (h *holder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		h.mu.Lock()
		h.asked = append(h.asked, request{r.URL.Path, r.Header.Get("Range"), r.Header.Get("If-Range")})
		h.mu.Unlock()
	}
	h.next.ServeHTTP(&halfWriter{ResponseWriter: w, holder: h, request: r}, r)
}

// take tells whether to stop in this answer, once.
func (h *holder) take(r *http.Request, size int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wanted == nil || r.Method != http.MethodGet || !h.wanted(r, size) {
		return false
	}
	h.wanted = nil
	return true
}

// halfWriter sends half of an answer that is to be stopped.
type halfWriter struct {
	http.ResponseWriter
	holder  *holder
	request *http.Request
	sent    int64
	limit   int64 // 0: all
}

func (w *halfWriter) WriteHeader(code int) {
	var size int64
	if _, err := fmt.Sscan(w.Header().Get("Content-Length"), &size); err == nil && w.holder.take(w.request, size) {
		w.limit = size / 2
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *halfWriter) Write(b []byte) (int, error) {
	if w.limit == 0 || w.sent+int64(len(b)) < w.limit {
		n, err := w.ResponseWriter.Write(b)
		w.sent += int64(n)
		return n, err
	}
	n, err := w.ResponseWriter.Write(b[:w.limit-w.sent])
	w.sent += int64(n)
	if err != nil {
		return n, err
	}
	if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
		return n, err
	}
	w.holder.held <- hold{w.request.URL.Path, w.sent}
	<-w.request.Context().Done()
	return n, io.ErrClosedPipe
}
