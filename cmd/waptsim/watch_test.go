package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A demonstration that comes too late tells what the server says of its
// archive, once while it goes on and at the end.
func TestWatchTellsWhyThereIsNoArchive(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/summary", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) })
	mux.HandleFunc("GET /api/v1/archive", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"last_error":"not a cabinet"}`) })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	var out bytes.Buffer
	d := &demo{hosts: 25, within: time.Minute, dir: "run", out: &out, log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		child: &child{Console: srv.URL}, scenario: &scenario{}}
	w := &watcher{demo: d, start: time.Now()}
	for range 2 {
		if reached, err := w.look(t.Context()); reached || err != nil {
			t.Fatal(reached, err)
		}
	}
	if n := strings.Count(out.String(), "the server could not take the archive: not a cabinet\n"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &out)
	}
	w.last = errors.New("no answer")
	err := w.tooLate()
	const want = "not done after 1m0s: 0 of 25 hosts have reported (updates: nothing known yet | files: 0 here, 0 wanted); see the logs in run; the server could not take the archive: not a cabinet\nno answer"
	if err.Error() != want {
		t.Errorf("at the end:\n%v\nwant\n%s", err, want)
	}
}
