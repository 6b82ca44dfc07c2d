package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/agent/journal"
	"waptwua/transport"
	"waptwua/transport/client"
)

// fetching loads the files of several updates, Options.Parallel at a time,
// whichever update they belong to. One goroutine plans, notes and saves; the
// others only load, and tell it what became of a file.
type fetching struct {
	*operation
	archive cache.Archive
	todo    []*fetched       // not planned yet, the most urgent first
	queue   []*load          // planned, not begun
	loads   map[string]*load // by stored name: planned, begun or failed
	ended   chan *load
	running int // loads begun and not ended
	updates int // to be fetched, in all
	noted   int // updates of which the result is known
	loaded  int // updates whose files are complete now
	stopped bool
	errs    []error
}

// fetched is an update whose files are loaded.
type fetched struct {
	id     waptwua.UpdateID
	st     *transport.FilesStatement // nil: not read yet
	cutOff bool                      // the server did not answer when it was read
	left   int                       // files to come
	failed bool
}

// load is one file on its way, for all the updates that need it.
type load struct {
	file  waptwua.File
	users []*fetched
	over  bool
	err   error
}

// fetch loads the files of the updates and notes what became of each. The
// error is that of what went wrong beyond a missing file; loaded counts the
// updates whose files are complete now.
func (op *operation) fetch(ctx context.Context, a cache.Archive, ids []waptwua.UpdateID) (loaded int, err error) {
	f := &fetching{operation: op, archive: a, updates: len(ids), loads: map[string]*load{}, ended: make(chan *load, op.opt.Parallel)}
	if op.settings.CacheQuota > 0 {
		f.errs = append(f.errs, op.clean()) // what is not needed any more makes room
	}
	for _, id := range op.byUrgency(ids) {
		f.todo = append(f.todo, &fetched{id: id})
	}
	f.run(ctx)
	if ctx.Err() != nil {
		return f.loaded, ctx.Err()
	}
	if f.loaded > 0 {
		f.errs = append(f.errs, op.step(journal.Downloaded, fmt.Sprintf("%d of %d updates", f.loaded, len(ids))))
	}
	return f.loaded, errors.Join(f.errs...)
}

// byUrgency puts first what Microsoft calls most severe: it gets the room and
// the time that there are.
func (op *operation) byUrgency(ids []waptwua.UpdateID) []waptwua.UpdateID {
	var about map[waptwua.UpdateID]waptwua.Update
	if err := journal.Load(op.path("updates.json"), &about); err != nil && !absent(err) {
		op.log.Debug("updates are fetched in no particular order", "error", err)
	}
	ranks := []waptwua.Severity{waptwua.Low, waptwua.Moderate, waptwua.Important, waptwua.Critical}
	rank := func(id waptwua.UpdateID) int { return slices.Index(ranks, about[id].Severity) }
	return slices.SortedFunc(slices.Values(ids), func(a, b waptwua.UpdateID) int {
		return cmp.Or(cmp.Compare(rank(b), rank(a)), compareIDs(a, b))
	})
}

// run begins and ends loads until nothing is left to do or ctx ends. Whatever
// ends it, nothing is loaded afterwards.
func (f *fetching) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		for ; f.running > 0; f.running-- {
			<-f.ended
		}
	}()
	for {
		for f.running < f.opt.Parallel && f.begin(ctx) {
		}
		if f.running == 0 {
			return
		}
		l := <-f.ended
		f.running--
		if ctx.Err() != nil {
			return
		}
		f.end(l)
	}
}

// begin begins to load the next file; false: there is none at the moment.
func (f *fetching) begin(ctx context.Context) bool {
	for ctx.Err() == nil && !f.stopped {
		if len(f.queue) == 0 {
			if !f.plan(ctx) {
				return false
			}
			continue
		}
		l := f.queue[0]
		f.queue = f.queue[1:]
		if !slices.ContainsFunc(l.users, func(u *fetched) bool { return !u.failed }) {
			delete(f.loads, l.file.StoredName()) // of no use without the file that failed
			continue
		}
		f.running++
		go func() {
			l.err = f.payload(ctx, l.file)
			f.ended <- l
		}()
		return true
	}
	return false
}

// plan takes the next update and queues its files; false: there is none, or
// it has no room beside what is being loaded, which may fail and leave some.
func (f *fetching) plan(ctx context.Context) bool {
	if len(f.todo) == 0 {
		return false
	}
	u := f.todo[0]
	err := f.read(ctx, u)
	if err == nil {
		err = f.fits(u)
	}
	if ctx.Err() != nil || f.running > 0 && hasToWait(err) {
		return false
	}
	f.todo = f.todo[1:]
	if err == nil {
		err = f.enqueue(u)
	}
	if err != nil || u.left == 0 {
		f.note(u, err)
	}
	return true
}

// hasToWait tells whether something does not fit now and may later.
func hasToWait(err error) bool {
	return errors.Is(err, cache.ErrNoRoom) || errors.Is(err, cache.ErrQuota) && !errors.Is(err, waptwua.ErrLimit)
}

// read learns which files an update has.
func (f *fetching) read(ctx context.Context, u *fetched) (err error) {
	if u.st != nil {
		return nil
	}
	f.opt.Progress(Progress{Operation: f.kind, Name: u.id.String(), Done: int64(f.noted * 100 / f.updates), Total: 100})
	u.st, err = f.statement(ctx, u.id, f.archive)
	u.cutOff = f.cutOff
	if err == nil {
		_, err = f.server() // made here: the loads share it
	}
	return err
}

// fits tells whether there is room for an update beside what is being loaded.
func (f *fetching) fits(u *fetched) error {
	if err := f.cache.Fits(files(u.st), f.coming()); err != nil {
		return fmt.Errorf("update %s: %w", u.id, err)
	}
	return nil
}

// coming are the files that are being loaded.
func (f *fetching) coming() []waptwua.File {
	var out []waptwua.File
	for _, l := range f.loads {
		if !l.over {
			out = append(out, l.file)
		}
	}
	return out
}

// enqueue queues those files of an update that nobody has loaded yet. One
// that failed for another update has failed for this one, too.
func (f *fetching) enqueue(u *fetched) error {
	need := slices.DeleteFunc(files(u.st), f.cache.Has)
	for _, file := range need {
		if l := f.loads[file.StoredName()]; l != nil && l.over {
			return l.err
		}
	}
	if len(need) == 0 {
		return nil
	}
	f.reach(u.id, waptwua.PhaseDownloading, "")
	if err := f.save(); err != nil {
		return err
	}
	u.left = len(need)
	for _, file := range need {
		l := f.loads[file.StoredName()]
		if l == nil {
			l = &load{file: file}
			f.loads[file.StoredName()], f.queue = l, append(f.queue, l)
		}
		l.users = append(l.users, u)
	}
	return nil
}

// end notes the updates for which this file was the last one, or has failed.
// Their other files that are being loaded are loaded to the end.
func (f *fetching) end(l *load) {
	l.over = true
	if l.err == nil {
		delete(f.loads, l.file.StoredName())
	}
	for _, u := range l.users {
		u.left--
		if !u.failed && (l.err != nil || u.left == 0) {
			f.note(u, l.err)
		}
	}
}

// note keeps the result of one update. After a failure that the others would
// share nothing more is begun, and it is told once.
func (f *fetching) note(u *fetched, err error) {
	f.noted++
	u.failed = err != nil
	f.noteFetch(u, err)
	shared := errors.Is(err, cache.ErrNoRoom) || client.Temporary(err) && !f.settings.AllowDirect
	switch {
	case err == nil:
		f.loaded++
		f.opt.Reached("download file")
	case errors.Is(err, cache.ErrQuota) && !errors.Is(err, waptwua.ErrLimit):
		f.log.Info("update waits for room in the cache", "update", u.id, "reason", err)
	case !errors.Is(err, waptwua.ErrNotFound) && !(shared && f.stopped):
		f.errs = append(f.errs, err)
	}
	f.stopped = f.stopped || shared
}

// noteFetch notes what became of an update's files. The status ERROR stays:
// it is about the installation.
func (op *operation) noteFetch(of *fetched, err error) {
	u := op.mem.State.Updates[of.id]
	u.Downloaded = err == nil
	if err == nil {
		u.Reach(waptwua.PhaseDownloaded, op.now(), "")
	} else if errors.Is(err, waptwua.ErrNotFound) {
		u.Leave(waptwua.PhaseDownloading) // nothing came
	}
	if u.Status != waptwua.StatusError {
		u.Status, u.Failure = waptwua.StatusPending, nil
		if err != nil && !of.cutOff && !client.Temporary(err) && !errors.Is(err, cache.ErrNoRoom) && !errors.Is(err, cache.ErrQuota) {
			u.Status = waptwua.StatusMissing
		}
	}
	op.mem.State.Updates[of.id] = u
}

// payload loads one file from the repository, or from Microsoft when the
// repository cannot be reached and the settings allow it. The digests that
// the server has signed count either way.
func (op *operation) payload(ctx context.Context, f waptwua.File) error {
	if op.cache.Has(f) {
		return nil
	}
	c, err := op.server()
	if err != nil {
		return err
	}
	err = op.cache.Payload(ctx, f, op.watched(c.File))
	if !errors.Is(err, client.ErrUnreachable) || !op.settings.AllowDirect || f.URL == "" {
		return err
	}
	op.log.Warn("repository cannot be reached, asking Microsoft", "file", f.Name, "error", err)
	d := op.direct()
	defer d.Close()
	return op.cache.Payload(ctx, f, op.watched(func(ctx context.Context, req client.FileRequest) (*client.FileResponse, error) {
		return d.File(ctx, f.URL, req)
	}))
}
