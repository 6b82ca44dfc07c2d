package server_test

import (
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/server"
	"waptwua/signing"
	"waptwua/store"
	"waptwua/transport"
)

// needing is a rig with a catalogue of three updates and a host that may
// install the first, must not install the second and may install the third later.
func needing(t *testing.T, change ...func(*server.Parts)) *rig {
	t.Helper()
	r := newRig(t, change...)
	r.archive.publish(1, 3)
	check(t, r.Upkeep.LoadCatalogue(t.Context()))
	r.enrolled(t, uuidA)
	r.report(t, nil, r.state(uuidA, onHost(1, waptwua.StatusMissing, waptwua.Allowed),
		onHost(2, waptwua.StatusDiscarded, waptwua.Denied), onHost(3, waptwua.StatusDiscarded, waptwua.Held)), 1)
	return r
}

func (r *rig) fetch(t *testing.T, n int) error {
	t.Helper()
	return r.Upkeep.FetchFile(t.Context(), payload(n).StoredName(), func() time.Time { return r.now.Add(time.Minute) })
}

func (r *rig) plan(t *testing.T) server.FilesPlan {
	t.Helper()
	check(t, r.Upkeep.MissingFiles(t.Context(), "test"))
	var p server.FilesPlan
	check(t, json.Unmarshal(r.lastRun(t, server.JobFiles).Result, &p))
	return p
}

func (r *rig) lastRun(t *testing.T, job server.Job) server.RunView {
	t.Helper()
	runs := must(r.Fleet.Runs(t.Context(), job, server.Part{}))(t).Items
	if len(runs) == 0 {
		t.Fatalf("no run of %s", job)
	}
	return runs[0]
}

func TestMissingToPending(t *testing.T) {
	r := needing(t)
	if r.queue.soon == 0 {
		t.Error("the report asked for no look at missing files")
	}
	if p := r.plan(t); p.Needed != 1 || p.Queued != 1 || p.Statements != 1 || p.Described != 3 {
		t.Errorf("plan: %+v", p)
	}
	if d := cmp.Diff([]string{payload(1).StoredName()}, r.queue.take()); d != "" {
		t.Errorf("only what a host may install now is fetched (-want +got):\n%s", d)
	}
	expectUpdates(t, r, uuidA, map[waptwua.UpdateID]waptwua.Status{id(1): waptwua.StatusMissing, id(2): waptwua.StatusDiscarded, id(3): waptwua.StatusDiscarded})
	check(t, r.fetch(t, 1))
	expectUpdates(t, r, uuidA, map[waptwua.UpdateID]waptwua.Status{id(1): waptwua.StatusPending, id(2): waptwua.StatusDiscarded, id(3): waptwua.StatusDiscarded})
	u := must(r.Fleet.Update(t.Context(), id(1)))(t)
	if u.DownloadedOn.IsZero() || u.NeededBy != 1 || u.Title != "Update 1" {
		t.Errorf("update: %+v", u)
	}
	tasks := must(r.Fleet.Downloads(t.Context(), "", server.Part{}))(t)
	if tasks.Total != 1 || tasks.Items[0].State != store.Finished || tasks.Items[0].Updates != "KB5000001" {
		t.Errorf("tasks: %+v", tasks)
	}
	if p := r.plan(t); p.Queued != 0 || p.Statements != 0 {
		t.Errorf("a second plan finds work: %+v", p)
	}
}

func TestStatementIsSigned(t *testing.T) {
	r := needing(t)
	r.plan(t)
	st := r.statement(t, 1)
	want := transport.FilesStatement{Update: id(1), Archive: waptwua.SHA256{1}, Created: r.now, Title: "Update 1", Leaves: catalogue{known: 3}.Leaves(id(1))}
	if d := cmp.Diff(want, st); d != "" {
		t.Errorf("statement (-want +got):\n%s", d)
	}
	r.archive.publish(2, 3)
	check(t, r.Upkeep.RefreshArchive(t.Context(), "test", false))
	r.plan(t)
	if got := r.statement(t, 1).Archive; got != (waptwua.SHA256{2}) {
		t.Errorf("after a new archive the statement names %s", got)
	}
}

// statement reads and verifies the statement of update n.
func (r *rig) statement(t *testing.T, n int) transport.FilesStatement {
	t.Helper()
	f, info, err := r.Shelf.Open(t.Context(), id(n).String()+".json")
	check(t, err)
	defer f.Close()
	if len(info.ETag) != 66 {
		t.Errorf("entity tag %s", info.ETag)
	}
	env := must(signing.Decode(must(io.ReadAll(f))(t)))(t)
	v := must(signing.NewTrust(r.signer.Certificate()).Verify(env, signing.TypeFiles, r.now))(t)
	var st transport.FilesStatement
	check(t, json.Unmarshal(v.Payload, &st))
	return st
}

func TestFailedDownload(t *testing.T) {
	r := needing(t)
	r.plan(t)
	r.fetcher.err = errors.Join(errors.New("the origin answers other bytes"), waptwua.ErrDigest)
	wantError(t, "download", r.fetch(t, 1), waptwua.ErrDigest)
	tasks := must(r.Fleet.Downloads(t.Context(), store.Failed, server.Part{}))(t)
	if tasks.Total != 1 || tasks.Items[0].Error == "" {
		t.Errorf("failed tasks: %+v", tasks)
	}
	files := must(r.Fleet.Files(t.Context(), id(1)))(t)
	if f := files[0]; f.Attempts != 1 || f.Error == "" || !f.NextAttempt.Equal(r.now.Add(time.Minute)) {
		t.Errorf("file: %+v", f)
	}
	if p := r.plan(t); p.Queued != 0 {
		t.Errorf("a file that waits for its next attempt got another task: %+v", p)
	}
	r.fetcher.err = nil
	check(t, r.fetch(t, 1))
	if f := must(r.Fleet.Files(t.Context(), id(1)))(t)[0]; f.PresentAt.IsZero() || f.Attempts != 0 {
		t.Errorf("file after success: %+v", f)
	}
}

func TestShelfAndRecordsAgree(t *testing.T) {
	r := needing(t)
	r.plan(t)
	check(t, r.shelf.Put(t.Context(), payload(1).StoredName(), content(1)))
	if p := r.plan(t); p.Arrived != 1 || p.Queued != 0 {
		t.Errorf("a file that lies there already: %+v", p)
	}
	check(t, r.fetch(t, 1)) // the queue's job finds it done
	check(t, r.shelf.Remove(t.Context(), payload(1).StoredName()))
	if p := r.plan(t); p.Lost != 1 || p.Queued != 1 {
		t.Errorf("a file that somebody removed: %+v", p)
	}
	expectUpdates(t, r, uuidA, map[waptwua.UpdateID]waptwua.Status{id(1): waptwua.StatusMissing, id(2): waptwua.StatusDiscarded, id(3): waptwua.StatusDiscarded})
}

func TestReportBeforeArchive(t *testing.T) {
	r := newRig(t)
	r.enrolled(t, uuidA)
	if ack := r.report(t, nil, r.state(uuidA, onHost(1, waptwua.StatusMissing, waptwua.Allowed)), 1); len(ack.Describe) != 0 {
		t.Errorf("without a catalogue the server asks the host: %+v", ack)
	}
	check(t, r.Upkeep.MissingFiles(t.Context(), "test"))
	if run := r.lastRun(t, server.JobFiles); run.State != store.Skipped {
		t.Errorf("run without a catalogue: %+v", run)
	}
	r.archive.publish(1, 1)
	check(t, r.Upkeep.RefreshArchive(t.Context(), "test", false))
	if p := r.plan(t); p.Queued != 1 {
		t.Errorf("after the first archive: %+v", p)
	}
}

func TestRefreshIsWrittenDown(t *testing.T) {
	r := newRig(t)
	r.archive.publish(1, 1)
	for _, c := range []struct {
		name string
		err  error
		want store.State
	}{
		{"published", nil, store.Finished},
		{"nothing new", waptwua.ErrUnchanged, store.Skipped},
		{"not trusted", waptwua.ErrNotTrusted, store.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.archive.err = c.err
			err := r.Upkeep.RefreshArchive(t.Context(), "test", false)
			if (err != nil) != (c.want == store.Failed) {
				t.Errorf("error %v", err)
			}
			if run := r.lastRun(t, server.JobArchive); run.State != c.want || run.Finished.IsZero() {
				t.Errorf("run: %+v", run)
			}
		})
	}
	v := must(r.Fleet.Archive(t.Context()))(t)
	if v.LastError == "" || v.SHA256 != (waptwua.SHA256{1}) || v.Checked.IsZero() || !v.Loaded {
		t.Errorf("after a failure the last good archive stays, and the failure shows: %+v", v)
	}
}

func TestCleanUp(t *testing.T) {
	r := needing(t)
	r.plan(t)
	check(t, r.fetch(t, 1))
	installed := r.state(uuidA, onHost(1, waptwua.StatusOK, waptwua.Allowed))
	r.report(t, nil, installed, 2)
	clean := func() (c server.Cleaned) {
		t.Helper()
		check(t, r.Upkeep.CleanUp(t.Context(), "test"))
		check(t, json.Unmarshal(r.lastRun(t, server.JobCleanUp).Result, &c))
		return c
	}
	if c := clean(); c.Unneeded != 0 {
		t.Errorf("removed within the grace period: %+v", c)
	}
	r.now = r.now.Add(8 * 24 * time.Hour)
	if c := clean(); c.Unneeded != 1 || c.Bytes == 0 {
		t.Errorf("after the grace period: %+v", c)
	}
	if _, err := r.shelf.Stat(t.Context(), payload(1).StoredName()); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("the file still lies there: %v", err)
	}
}

func TestCleanUpKeepsWhatIsNeededAgain(t *testing.T) {
	r := needing(t)
	r.plan(t)
	check(t, r.fetch(t, 1))
	r.report(t, nil, r.state(uuidA, onHost(1, waptwua.StatusOK, waptwua.Allowed)), 2)
	check(t, r.Upkeep.CleanUp(t.Context(), "test"))
	r.now = r.now.Add(8 * 24 * time.Hour)
	r.report(t, nil, r.state(uuidA, onHost(1, waptwua.StatusDiscarded, waptwua.Held)), 3)
	check(t, r.Upkeep.CleanUp(t.Context(), "test"))
	if _, err := r.shelf.Stat(t.Context(), payload(1).StoredName()); err != nil {
		t.Errorf("a file that a host may need later is gone: %v", err)
	}
}

func TestCleanUpSwitchedOff(t *testing.T) {
	r := needing(t, func(p *server.Parts) { p.Settings.CleanUp = false })
	r.plan(t)
	check(t, r.fetch(t, 1))
	r.report(t, nil, r.state(uuidA), 2)
	r.now = r.now.Add(365 * 24 * time.Hour)
	for range 2 {
		check(t, r.Upkeep.CleanUp(t.Context(), "test"))
	}
	if _, err := r.shelf.Stat(t.Context(), payload(1).StoredName()); err != nil {
		t.Errorf("removed although switched off: %v", err)
	}
}

func TestDamagedFileIsFetchedAnew(t *testing.T) {
	r := needing(t)
	r.plan(t)
	check(t, r.fetch(t, 1))
	r.fetcher.damaged = []string{payload(1).StoredName(), payload(9).StoredName()}
	check(t, r.Upkeep.CleanUp(t.Context(), "test"))
	expectUpdates(t, r, uuidA, map[waptwua.UpdateID]waptwua.Status{id(1): waptwua.StatusMissing, id(2): waptwua.StatusDiscarded, id(3): waptwua.StatusDiscarded})
	r.queue.take()
	r.plan(t)
	if got := r.queue.take(); len(got) != 1 {
		t.Errorf("fetched anew: %v", got)
	}
}

func TestBeginMarksInterrupted(t *testing.T) {
	r := needing(t)
	r.plan(t) // leaves a pending download, as a kill would
	check(t, r.Upkeep.Begin(t.Context()))
	if got := must(r.Fleet.Downloads(t.Context(), store.Broken, server.Part{}))(t); got.Total != 1 {
		t.Errorf("interrupted downloads: %+v", got)
	}
	check(t, r.fetch(t, 1)) // the queue's job is still there
	if got := must(r.Fleet.Downloads(t.Context(), store.Finished, server.Part{}))(t); got.Total != 1 {
		t.Errorf("finished downloads: %+v", got)
	}
}

func TestSummary(t *testing.T) {
	r := needing(t)
	r.enrolled(t, uuidB)
	r.plan(t)
	s := must(r.Fleet.Summary(t.Context()))(t)
	if want := (server.HostCounts{Enrolled: 2, Wanting: 1, NeverScanned: 1}); s.Hosts != want {
		t.Errorf("hosts: %+v, want %+v", s.Hosts, want)
	}
	if want := (server.FileCounts{Needed: 1, NeededBytes: 9, Missing: 1, MissingBytes: 9}); s.Files != want {
		t.Errorf("files: %+v, want %+v", s.Files, want)
	}
	if s.Updates[waptwua.StatusMissing] != 1 || s.Archive == nil || !s.Catalogue {
		t.Errorf("summary: %+v", s)
	}
	r.now = r.now.Add(30 * 24 * time.Hour)
	if s := must(r.Fleet.Summary(t.Context()))(t); s.Hosts.Silent != 2 {
		t.Errorf("after a month without a word: %+v", s.Hosts)
	}
}
