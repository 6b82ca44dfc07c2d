package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"waptwua"
	"waptwua/notify"
	"waptwua/store"
)

// FilesPlan is the outcome of a run of JobFiles.
type FilesPlan struct {
	Described  int   `json:"described"`  // updates looked up in the catalogue
	Needed     int   `json:"needed"`     // updates that some host may install and lacks
	Unknown    int   `json:"unknown"`    // of those, not in the catalogue: their files cannot be known
	Statements int   `json:"statements"` // signed and published
	Queued     int   `json:"queued"`     // files to fetch
	Bytes      int64 `json:"bytes"`      // their sizes
	Arrived    int   `json:"arrived"`    // files that lay on the shelf already
	Lost       int   `json:"lost"`       // files that are gone from the shelf
}

// idle tells whether nothing changed that people follow: descriptions alone
// come with many reports.
func (p FilesPlan) idle() bool {
	return p.Statements == 0 && p.Queued == 0 && p.Arrived == 0 && p.Lost == 0
}

func (p FilesPlan) sentence() string {
	s := fmt.Sprintf("%d updates needed, %d files to fetch", p.Needed, p.Queued)
	if p.Unknown > 0 {
		s += fmt.Sprintf("; %d updates are not in the archive, so their files are unknown", p.Unknown)
	}
	return s
}

// ReasonReport is the reason of runs that reports cause. Such a run is
// written down only when it finds something to do.
const ReasonReport = "after a report"

// MissingFiles looks up what hosts reported in the catalogue, publishes which
// files each needed update consists of, and queues the download of those that
// the shelf lacks.
func (u *Upkeep) MissingFiles(ctx context.Context, reason string) error {
	if reason != ReasonReport {
		return u.run(ctx, JobFiles, reason, func(ctx context.Context, _ *recorder) (string, any, error) { return u.plan(ctx) })
	}
	message, result, err := u.plan(ctx)
	if errors.Is(err, waptwua.ErrUnchanged) {
		return nil
	}
	return u.run(ctx, JobFiles, reason, func(context.Context, *recorder) (string, any, error) { return message, result, err })
}

func (u *Upkeep) plan(ctx context.Context) (string, any, error) {
	cat := u.catalogues.current()
	if cat == nil {
		return "there is no catalogue yet: it is loaded when a scan archive is published", nil, waptwua.ErrUnchanged
	}
	var p FilesPlan
	var err error
	if p.Described, err = u.catalogues.describe(ctx, cat); err != nil {
		return "", p, err
	}
	if err := u.state(ctx, cat, &p); err != nil {
		return "", p, err
	}
	if err := u.fetchMissing(ctx, &p); err != nil {
		return "", p, err
	}
	if p.idle() {
		return p.sentence(), p, waptwua.ErrUnchanged
	}
	u.changed(ctx, notify.Files)
	return p.sentence(), p, nil
}

// state publishes the statements of needed updates.
func (u *Upkeep) state(ctx context.Context, cat Catalogue, p *FilesPlan) error {
	needs, err := u.store.NeededUpdates(ctx)
	if err != nil {
		return err
	}
	for _, n := range needs {
		if n.Allowed == 0 {
			continue
		}
		p.Needed++
		if _, ok := cat.Update(n.ID()); !ok {
			p.Unknown++
		}
		wrote, err := u.catalogues.publishStatement(ctx, cat, n.ID())
		if err != nil {
			return err
		}
		if wrote {
			p.Statements++
		}
	}
	return nil
}

// fetchMissing compares needed files with the shelf and queues what it lacks.
func (u *Upkeep) fetchMissing(ctx context.Context, p *FilesPlan) error {
	files, err := u.store.NeededFiles(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		there := u.catalogues.onShelf(ctx, f.File)
		switch known := !f.PresentAt.IsZero(); {
		case there && !known:
			p.Arrived++
			err = u.store.SetPresence(ctx, f.StoredName, u.now())
		case !there && known:
			p.Lost++
			err = u.store.SetPresence(ctx, f.StoredName, time.Time{})
		}
		if err != nil {
			return err
		}
		if there {
			continue
		}
		added, err := u.request(ctx, f)
		if err != nil {
			return err
		}
		if added {
			p.Queued++
			p.Bytes += f.Size
		}
	}
	return nil
}

// request queues the download of a file and makes its row, unless there is
// one. Queueing comes first and may be repeated: a kill between the two
// leaves a job, which makes its own row.
func (u *Upkeep) request(ctx context.Context, f store.File) (bool, error) {
	if err := u.queue.Download(ctx, f.StoredName); err != nil {
		return false, err
	}
	err := u.store.Update(ctx, func(tx store.Records) error {
		_, err := tx.PendingDownload(ctx, f.StoredName)
		if err == nil {
			return waptwua.ErrConflict
		}
		if !errors.Is(err, waptwua.ErrNotFound) {
			return err
		}
		if now, err := tx.FindFile(ctx, f.StoredName); err != nil || !now.NextAttempt.IsZero() || !now.PresentAt.IsZero() {
			return errors.Join(err, waptwua.ErrConflict) // it waits after a failure, or has just arrived
		}
		_, err = tx.AddDownload(ctx, u.newDownload(f, store.Pending))
		return err
	})
	if errors.Is(err, waptwua.ErrConflict) {
		return false, nil
	}
	u.changed(ctx, notify.Downloads)
	return err == nil, err
}

func (u *Upkeep) newDownload(f store.File, s store.State) store.Download {
	return store.Download{StoredName: f.StoredName, URL: f.File.URL, State: s, Attempt: f.Attempts + 1, Total: f.Size, CreatedAt: u.now()}
}

// FetchFile downloads one file. next is when the queue would try again after
// a failure. A file that no host needs any more is not fetched.
func (u *Upkeep) FetchFile(ctx context.Context, storedName string, next func() time.Time) error {
	f, err := u.store.FindFile(ctx, storedName)
	if errors.Is(err, waptwua.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := u.startDownload(ctx, f)
	if err != nil {
		return err
	}
	t := &tracker{u: u, ctx: ctx, row: d}
	err = u.fetcher.Fetch(ctx, f.File, t.progress)
	if err == nil {
		err = u.store.SetPresence(ctx, storedName, u.now())
	} else if ctx.Err() == nil {
		err = errors.Join(err, u.store.FailedFile(ctx, storedName, clean(err.Error(), 1000), next()))
	}
	err = errors.Join(err, t.finish(err))
	u.changed(ctx, notify.Downloads, notify.Files, notify.Hosts)
	return err
}

// startDownload takes over the pending row of the file, or makes one. Both
// this and request look and write in one transaction: together they leave
// one row, whoever comes first.
func (u *Upkeep) startDownload(ctx context.Context, f store.File) (d store.Download, err error) {
	names, err := u.updatesOf(ctx, f.StoredName)
	if err != nil {
		return d, err
	}
	err = u.store.Update(ctx, func(tx store.Records) error {
		d, err = tx.PendingDownload(ctx, f.StoredName)
		if errors.Is(err, waptwua.ErrNotFound) {
			d = u.newDownload(f, store.Running)
			d.ID, err = tx.AddDownload(ctx, d)
		}
		if err != nil {
			return err
		}
		d.State, d.StartedAt, d.Updates = store.Running, u.now(), names
		return tx.PutDownload(ctx, d)
	})
	u.changed(ctx, notify.Downloads)
	return d, err
}

// updatesOf names the updates of a file, for people.
func (u *Upkeep) updatesOf(ctx context.Context, storedName string) (string, error) {
	us, err := u.store.UpdatesOfFile(ctx, storedName)
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(us))
	for _, x := range us {
		name := strings.TrimSpace(x.KBs)
		if name == "" {
			name = x.Title
		}
		names = append(names, name)
	}
	return clean(strings.Join(names, ", "), 500), nil
}

// tracker keeps the row of a download up to date.
type tracker struct {
	u     *Upkeep
	ctx   context.Context //nolint:containedctx // lives for one download
	row   store.Download
	first int64 // bytes held when the first progress came
	since time.Time
	last  time.Time
}

// progress notes bytes that arrived, at most once a second.
func (t *tracker) progress(done int64) {
	now := t.u.now()
	if t.since.IsZero() {
		t.since, t.first = now, done
	}
	t.row.Done, t.row.Speed = done, speed(done-t.first, now.Sub(t.since))
	if now.Sub(t.last) < progressEvery {
		return
	}
	t.last = now
	if err := t.u.store.PutDownload(t.ctx, t.row); err != nil {
		t.u.log.DebugContext(t.ctx, "progress not written", "err", err)
	}
	t.u.changed(t.ctx, notify.Downloads)
}

// finish writes the outcome, also when the context has ended.
func (t *tracker) finish(cause error) error {
	t.row.FinishedAt = t.u.now()
	switch {
	case cause == nil:
		t.row.State, t.row.Done = store.Finished, t.row.Total
	case t.ctx.Err() != nil:
		t.row.State, t.row.Error = store.Broken, "the server stopped meanwhile"
	default:
		t.row.State, t.row.Error = store.Failed, clean(cause.Error(), 2000)
	}
	return t.u.store.PutDownload(context.WithoutCancel(t.ctx), t.row)
}
