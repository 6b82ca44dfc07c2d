package comtest

import (
	"context"
	"errors"
	"sync"

	"waptwua"
	"waptwua/wua"
)

// running is an operation in the background.
type running[T any] struct {
	abort context.CancelFunc
	done  chan struct{}

	mu       sync.Mutex
	progress wua.Progress
	value    T
	err      error
}

// start begins an operation, and returns when the host has taken it up or
// refused it; callback is called when it gets further and when it has ended.
func start[T any](d *Double, callback Callback, f func(context.Context, func(wua.Progress)) (T, error)) *running[T] {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running[T]{abort: cancel, done: make(chan struct{})}
	callback.Hold()
	taken := make(chan struct{})
	var once sync.Once
	d.operations.Go(func() {
		defer cancel()
		r.value, r.err = f(ctx, func(p wua.Progress) {
			once.Do(func() { close(taken) })
			r.mu.Lock()
			r.progress = p
			r.mu.Unlock()
			callback.Call()
		})
		close(r.done)
		callback.Call()
		callback.Release()
	})
	select {
	case <-taken:
	case <-r.done:
	}
	return r
}

// Wait waits until no operation runs, those that nobody waits for included.
func (d *Double) Wait() { d.operations.Wait() }

func (r *running[T]) wait() (T, error) {
	<-r.done
	return r.value, r.err
}

// completed tells whether the operation has ended.
func (r *running[T]) completed() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// operation is what runs behind a job.
type operation interface {
	completed() bool
	stop()
	at() wua.Progress
}

// job is ISearchJob, which tells no progress, or with further members
// IInstallationJob.
func (d *Double) job(class string, r operation, further ...member) *Object {
	return d.object(class, append(further,
		property("IsCompleted", func() any { return r.completed() }),
		member{name: "RequestAbort", call: func([]any) (any, error) { r.stop(); return nil, nil }},
		member{name: "CleanUp", call: func([]any) (any, error) { return nil, nil }})...)
}

// installationJob is IInstallationJob.
func (d *Double) installationJob(r operation) *Object {
	return d.job("InstallationJob", r, member{name: "GetProgress", call: func([]any) (any, error) {
		p := r.at()
		return d.object("Progress", constant("CurrentUpdateIndex", max(0, min(p.Index, p.Count-1))), constant("PercentComplete", p.Percent)), nil
	}})
}

func (r *running[T]) stop() { r.abort() }

func (r *running[T]) at() wua.Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.progress
}

// ended is how an operation that was aborted raises it.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return &Exception{Code: uint32(wua.CallCancelled)}
	}
	return err
}

type changer func(context.Context, []waptwua.UpdateID, func(wua.Progress)) (*wua.Result, error)

// installer is IUpdateInstaller2.
func (d *Double) installer() *Object {
	updates, quiet := new(*Object), new(bool)
	jobs := map[*Object]*running[*wua.Result]{}
	begin := func(name string, change changer) member {
		return member{name: name, call: func(args []any) (any, error) {
			callback, err := argument[Callback](args, 0)
			if err != nil {
				return nil, err
			}
			ids, err := identities(*updates)
			if err != nil {
				return nil, err
			}
			r := start(d, callback, func(ctx context.Context, progress func(wua.Progress)) (*wua.Result, error) {
				return change(ctx, ids, progress)
			})
			o := d.installationJob(r)
			jobs[o] = r
			return o, nil
		}}
	}
	end := func(name string) member {
		return member{name: name, call: func(args []any) (any, error) {
			o, err := argument[*Object](args, 0)
			if err != nil {
				return nil, err
			}
			r := jobs[o]
			if r == nil {
				return nil, &Exception{Code: 0x80070057}
			}
			delete(jobs, o)
			res, err := r.wait()
			if res == nil {
				return nil, ended(err)
			}
			return d.result(res), nil
		}}
	}
	return d.object("Installer", variable("Updates", updates), variable("ForceQuiet", quiet),
		begin("BeginInstall", d.host.Install), end("EndInstall"),
		begin("BeginUninstall", d.host.Uninstall), end("EndUninstall"))
}

// identities reads an UpdateCollection.
func identities(list *Object) ([]waptwua.UpdateID, error) {
	if list == nil {
		return nil, &Exception{Code: uint32(wua.NoUpdate)}
	}
	updates, err := elements[*Object](list)
	if err != nil {
		return nil, err
	}
	ids := make([]waptwua.UpdateID, len(updates))
	for i, u := range updates {
		identity, err := u.Invoke(0, Get, "Identity", nil)
		if err != nil {
			return nil, err
		}
		guid, err := identity.(*Object).Invoke(0, Get, "UpdateID", nil)
		if err != nil {
			return nil, err
		}
		revision, err := identity.(*Object).Invoke(0, Get, "RevisionNumber", nil)
		if err != nil {
			return nil, err
		}
		ids[i] = waptwua.UpdateID{GUID: guid.(string), Revision: revision.(int)}
	}
	return ids, nil
}

// result is IInstallationResult.
func (d *Double) result(res *wua.Result) *Object {
	return d.object("InstallationResult",
		constant("ResultCode", int(res.Code)), constant("RebootRequired", res.RebootRequired),
		member{name: "GetUpdateResult", call: func(args []any) (any, error) {
			i, err := argument[int](args, 0)
			if err != nil {
				return nil, err
			}
			if i < 0 || i >= len(res.Updates) {
				return nil, &Exception{Code: InvalidIndex}
			}
			u := res.Updates[i]
			return d.object("UpdateResult", constant("ResultCode", int(u.Code)), constant("HResult", int(int32(u.HResult))),
				constant("RebootRequired", u.RebootRequired)), nil
		}})
}
