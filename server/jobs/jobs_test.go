package jobs_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"waptwua"
	"waptwua/server"
	"waptwua/server/jobs"
	"waptwua/store/sqlite"
)

func TestMain(m *testing.M) {
	// database/sql and its driver end their goroutines after Close returned.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// work plays server.Upkeep: it tells what was asked of it.
type work struct {
	done chan string // what ran

	mu      sync.Mutex
	block   chan struct{} // while not nil, runs wait for it, or for their end
	fail    error         // of the next call
	last    time.Time
	loaded  int
	stopped int
}

func newWork() *work { return &work{done: make(chan string, 100), last: time.Now()} }

func (w *work) run(ctx context.Context, what string) error {
	w.mu.Lock()
	block, fail := w.block, w.fail
	w.fail = nil
	w.mu.Unlock()
	w.done <- what
	if block == nil {
		return fail
	}
	select {
	case <-block:
		return fail
	case <-ctx.Done():
		w.mu.Lock()
		w.stopped++
		w.mu.Unlock()
		return ctx.Err()
	}
}

func (w *work) Do(ctx context.Context, job server.Job, reason string, _ bool) error {
	if job == server.JobExpiry { // runs at every start
		return nil
	}
	return w.run(ctx, string(job)+": "+reason)
}

func (w *work) FetchFile(ctx context.Context, name string, next func() time.Time) error {
	if !next().After(time.Now()) {
		return errors.New("the next attempt lies in the past")
	}
	return w.run(ctx, "file "+name)
}

func (w *work) LoadCatalogue(context.Context) error { w.loaded++; return nil }

func (w *work) LastRun(context.Context, server.Job) (time.Time, error) { return w.last, nil }

func (w *work) expect(t *testing.T, want string) {
	t.Helper()
	if got := <-w.done; got != want {
		t.Fatalf("ran %q, want %q", got, want)
	}
}

func open(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// start runs w over a queue in db; the first missing-files run, which every
// start causes, is awaited.
func start(t *testing.T, db *sqlite.DB, w *work) (*jobs.Queue, func()) {
	return startLogging(t, db, w, slog.New(slog.DiscardHandler))
}

func startLogging(t *testing.T, db *sqlite.DB, w *work, log *slog.Logger) (*jobs.Queue, func()) {
	t.Helper()
	q, err := jobs.NewQueue(db.Queue(), log)
	if err != nil {
		t.Fatal(err)
	}
	plan := jobs.Plan{FilesEvery: time.Hour, Downloads: 2}
	r, err := jobs.NewRunner(db.Queue(), q, w, plan, log, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	stop := func() {
		once.Do(func() {
			if err := r.Stop(context.Background()); err != nil {
				t.Errorf("stopping: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return q, stop
}

const afterReport = "missing-files: " + server.ReasonReport

func TestRunsOnDemandAndSoon(t *testing.T) {
	w := newWork()
	q, _ := start(t, open(t, filepath.Join(t.TempDir(), "q.db")), w)
	w.expect(t, afterReport)
	if err := q.Run(t.Context(), server.JobArchive, "on demand", true); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "refresh-archive: on demand")
	if err := q.Download(t.Context(), "a_file"); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "file a_file")
	for range 100 {
		q.Soon()
	}
	w.expect(t, afterReport)
}

func TestOneRunAtATime(t *testing.T) {
	w := newWork()
	q, _ := start(t, open(t, filepath.Join(t.TempDir(), "q.db")), w)
	w.expect(t, afterReport)
	release := make(chan struct{})
	w.mu.Lock()
	w.block = release
	w.mu.Unlock()
	// The queue writes the end of the run at the start down after the call returned.
	err := q.Run(t.Context(), server.JobFiles, "first", false)
	for ; errors.Is(err, waptwua.ErrConflict); err = q.Run(t.Context(), server.JobFiles, "first", false) {
		runtime.Gosched()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.expect(t, "missing-files: first")
	if err := q.Run(t.Context(), server.JobFiles, "second", false); !errors.Is(err, waptwua.ErrConflict) {
		t.Errorf("a second run beside the first: %v, want ErrConflict", err)
	}
	q.Soon() // while the run is running: must cause one afterwards
	close(release)
	w.expect(t, afterReport)
}

func TestFailedDownloadIsTriedNow(t *testing.T) {
	w := newWork()
	q, _ := start(t, open(t, filepath.Join(t.TempDir(), "q.db")), w)
	w.expect(t, afterReport)
	w.mu.Lock()
	w.fail = errors.New("connection refused")
	w.mu.Unlock()
	if err := q.Download(t.Context(), "a_file"); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "file a_file")
	for got := ""; got == ""; { // the queue writes the failure down after the call returned
		if err := q.RetryNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case got = <-w.done:
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A failure is told once in the log, with its reason and what comes next; work
// that Stop cut short is no failure.
func TestFailuresAreLogged(t *testing.T) {
	w := newWork()
	var out bytes.Buffer
	q, stop := startLogging(t, open(t, filepath.Join(t.TempDir(), "q.db")), w, slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})))
	w.expect(t, afterReport)
	fail := func(what error) {
		w.mu.Lock()
		w.fail = what
		w.mu.Unlock()
	}
	fail(errors.New("port 18999: forbidden"))
	if err := q.Run(t.Context(), server.JobArchive, "on demand of ada", false); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "refresh-archive: on demand of ada")
	fail(errors.New("connection refused"))
	if err := q.Download(t.Context(), "a_file"); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "file a_file")
	w.mu.Lock()
	w.block = make(chan struct{})
	w.mu.Unlock()
	if err := q.Download(t.Context(), "another_file"); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "file another_file")
	stop()
	said := out.String()
	for _, want := range []string{
		`level=WARN msg="job failed" job=refresh-archive reason="on demand of ada" err="port 18999: forbidden" next=`,
		`level=WARN msg="job failed" job=download file=a_file attempt=1 err="connection refused" next=`,
	} {
		if strings.Count(said, want) != 1 {
			t.Errorf("no line, or several, of %s in\n%s", want, said)
		}
	}
	if n := strings.Count(said, "job failed"); n != 2 {
		t.Errorf("%d failures:\n%s", n, said)
	}
}

func TestStopGivesWorkBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	db := open(t, path)
	w := newWork()
	q, stop := start(t, db, w)
	w.expect(t, afterReport)
	w.mu.Lock()
	w.block = make(chan struct{})
	w.mu.Unlock()
	if err := q.Download(t.Context(), "a_file"); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "file a_file")
	stop()
	if w.stopped != 1 {
		t.Fatalf("%d calls were interrupted, want 1", w.stopped)
	}
	next := newWork()
	start(t, db, next)
	got := map[string]bool{<-next.done: true, <-next.done: true}
	if !got["file a_file"] || !got[afterReport] {
		t.Errorf("after the next start: %v", got)
	}
}

func TestKilledWorkIsRescued(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	db := open(t, path)
	w := newWork()
	q, stop := start(t, db, w)
	w.expect(t, afterReport)
	if err := q.Download(t.Context(), "a_file"); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "file a_file")
	stop()
	if err := q.Download(t.Context(), "b_file"); err != nil {
		t.Fatal(err)
	}
	leaveRunning(t, path)
	if err := db.RescueJobs(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := newWork()
	start(t, db, next)
	got := map[string]bool{<-next.done: true, <-next.done: true}
	if !got["file b_file"] {
		t.Errorf("after the rescue: %v", got)
	}
}

// leaveRunning makes jobs look as a kill leaves them: running, with nobody behind them.
func leaveRunning(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	res, err := db.Exec(`UPDATE river_job SET state = 'running', attempt = 1, attempted_by = '["gone"]' WHERE state = 'available'`)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%d jobs left running, want 1 (%v)", n, err)
	}
}

func TestMissedDailyRuns(t *testing.T) {
	w := newWork()
	w.last = time.Now().Add(-48 * time.Hour)
	start(t, open(t, filepath.Join(t.TempDir(), "q.db")), w)
	got := map[string]bool{}
	for range 3 {
		got[<-w.done] = true
	}
	for _, want := range []string{"refresh-archive: at the start: none for a day", "clean-up: at the start: none for a day", afterReport} {
		if !got[want] {
			t.Errorf("no %q among %v", want, got)
		}
	}
}

func TestClock(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skipf("no time zones on this machine: %v", err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, paris)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ name, now, want string }{
		{"later today", "2026-11-23 01:00", "2026-11-23 03:30"},
		{"at the very minute: tomorrow", "2026-11-23 03:30", "2026-11-24 03:30"},
		{"tomorrow", "2026-11-23 12:00", "2026-11-24 03:30"},
		{"end of the year", "2026-12-31 12:00", "2027-01-01 03:30"},
		{"the night of summer time", "2026-03-28 12:00", "2026-03-29 03:30"},
		{"the night of winter time", "2026-10-24 12:00", "2026-10-25 03:30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (jobs.Clock{Hour: 3, Minute: 30}).Next(at(c.now)); !got.Equal(at(c.want)) {
				t.Errorf("after %s: %s, want %s", c.now, got, c.want)
			}
		})
	}
}
