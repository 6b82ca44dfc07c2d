package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/agent/journal"
	"waptwua/agent/settings"
	"waptwua/internal/atomicfile"
	"waptwua/transport"
)

// memory is what an agent knows between two operations (state.json).
type memory struct {
	State transport.State `json:"state"`
	Seq   uint64          `json:"seq"`   // of State
	Basis basis           `json:"basis"` // what the last search was made from
	// Cut are updates in whose installation the agent was killed, until a
	// search tells what became of them; CutAt is the journal's entry about it
	// and Stopped counts such ends by update.
	Cut     []waptwua.UpdateID `json:"cut,omitempty"`
	CutAt   uint64             `json:"cut_at,omitempty"`
	Stopped map[string]int     `json:"stopped,omitempty"`

	// Boot is when the host was started, as of the last look; Futile counts
	// the restarts since then that did not clear the wish for one. Waits holds,
	// by update, the start of the host under which it began to wait for a
	// restart; RolledBack counts the restarts that took an update back; Removing
	// are updates whose removal waits for a restart.
	Boot       time.Time            `json:"boot,omitzero"`
	Futile     int                  `json:"futile,omitempty"`
	Waits      map[string]time.Time `json:"waits,omitempty"`
	RolledBack map[string]int       `json:"rolled_back,omitempty"`
	Removing   map[string]bool      `json:"removing,omitempty"`

	LastUpdate   time.Time `json:"last_update,omitzero"`   // end of the last attempt
	LastDownload time.Time `json:"last_download,omitzero"` // end of the last attempt
	LastInstall  time.Time `json:"last_install,omitzero"`  // end of the last attempt
	MissingTries int       `json:"missing_tries,omitempty"`
	Windows      windows   `json:"windows,omitzero"`

	Restart restarting `json:"restart,omitzero"` // see reboot.go
}

// operation is one run of something, with all that it works on. It lives
// as long as the run; between operations nothing stays in memory.
type operation struct {
	*Agent
	kind     string
	settings *settings.Settings
	log      *slog.Logger
	journal  *journal.Log
	cache    *cache.Cache
	mem      memory
	saved    string // digest of mem.State on the disk
	killed   bool   // the operation before this one has no end in the journal
	begun    bool   // the journal has this operation's beginning
	cutOff   bool   // the server did not answer: files at hand must do
	unsure   bool   // it was stopped in the middle: the next one searches first
}

// do runs f as the operation kind, alone in the folder. What f has changed
// in the state is saved even when f fails.
func (a *Agent) do(kind string, f func(*operation) error) error {
	if !a.busy.TryLock() {
		return ErrBusy
	}
	defer a.busy.Unlock()
	if err := os.MkdirAll(a.path("private"), 0o700); err != nil {
		return fmt.Errorf("preparing the agent's folder: %w", err)
	}
	return Alone(a.opt.Dir, func() error {
		op, err := a.open(kind)
		if err != nil {
			return err
		}
		op.settle()
		defer op.rest()
		return f(op)
	})
}

// open reads what the operation needs. A damaged state counts as none: a
// scan and a whole report bring it back.
func (a *Agent) open(kind string) (*operation, error) {
	s, err := a.opt.Settings()
	if err != nil {
		return nil, err
	}
	op := &operation{Agent: a, kind: kind, settings: s, log: a.opt.Log.With("operation", kind)}
	if err := atomicfile.Sweep(a.opt.Dir); err != nil {
		return nil, err
	}
	if op.journal, err = journal.OpenLog(a.path("journal.log")); err != nil {
		return nil, err
	}
	if op.cache, err = a.openCache(s); err != nil {
		return nil, err
	}
	err = journal.Load(a.path("state.json"), &op.mem)
	if errors.Is(err, waptwua.ErrDigest) {
		op.log.Warn("state is damaged, starting anew", "error", err)
	} else if err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return nil, err
	}
	op.interrupted()
	op.sweepPackages()
	op.saved, err = op.mem.State.Digest()
	if err != nil {
		return nil, err
	}
	op.mem.Windows = op.mem.Windows.under(s, op.now())
	op.mem.State.NextWindow = op.nextWindow()
	op.mem.State.Restart = op.restartState()
	op.mem.State.Settings = s.Effective()
	op.mem.State.Problems = problems(s)
	if a.opt.Notices != nil {
		op.mem.State.Problems = append(op.mem.State.Problems, a.opt.Notices()...)
	}
	return op, nil
}

// interrupted notes in which installation the operation before this one was
// killed, and counts it against the updates, once.
func (op *operation) interrupted() {
	e, unfinished := op.journal.Unfinished()
	op.killed = unfinished
	if !unfinished || e.Step != journal.Installing || e.N == op.mem.CutAt {
		return
	}
	op.mem.CutAt = e.N
	if op.mem.Stopped == nil {
		op.mem.Stopped = map[string]int{}
	}
	for _, id := range e.Updates {
		op.mem.Stopped[id.String()]++
		if !slices.Contains(op.mem.Cut, id) {
			op.mem.Cut = append(op.mem.Cut, id)
		}
	}
}

func (a *Agent) openCache(s *settings.Settings) (*cache.Cache, error) {
	return cache.Open(a.path("cache"), cache.Options{Reserve: a.opt.Reserve, Free: a.opt.Free, Quota: s.CacheQuota, Limit: a.throttle(s), Check: a.opt.CheckArchive})
}

func problems(s *settings.Settings) []string {
	var out []string
	for _, p := range s.Problems {
		out = append(out, p.String())
	}
	return out
}

// save writes the state. Seq grows when the state has changed; it follows
// the clock, so that it grows even after state.json was lost.
func (op *operation) save() error {
	if err := op.mem.State.Normalize(); err != nil {
		return err
	}
	digest, err := op.mem.State.Digest()
	if err != nil {
		return err
	}
	if digest != op.saved || op.mem.Seq == 0 {
		op.mem.Seq = max(op.mem.Seq+1, uint64(max(op.now().UnixMilli(), 0)))
	}
	if err := journal.Save(op.path("state.json"), &op.mem); err != nil {
		return err
	}
	op.saved = digest
	op.remember()
	op.opt.Reached("saved")
	return nil
}

// step notes in the journal that the operation has reached step.
func (op *operation) step(step journal.Step, note string, updates ...waptwua.UpdateID) error {
	op.begun = true
	err := op.journal.Append(journal.Entry{At: op.now(), Kind: op.kind, Step: step, Updates: updates, Note: note})
	if err == nil {
		op.opt.Reached(op.kind + " " + string(step))
	}
	return err
}

func (op *operation) now() time.Time { return op.opt.Clock.Now().UTC() }

// finish notes what was done, saves, and reports. A report that fails does
// not make the operation fail: the error wraps ErrNotReported. Of an operation
// that failed, that is the error.
func (op *operation) finish(ctx context.Context, opErr error) error {
	op.mem.State.LastAction = transport.Action{Kind: op.kind, At: op.now()}
	if opErr != nil {
		op.mem.State.LastAction.Error = opErr.Error()
	}
	op.mem.State.Status = op.hostStatus()
	err := op.save()
	if err == nil && op.begun && !op.unsure {
		err = op.step(journal.End, "")
	}
	if err != nil {
		return errors.Join(opErr, err)
	}
	reportErr := op.report(ctx)
	if opErr != nil && reportErr != nil {
		op.log.Warn("a failure is not reported yet", "error", reportErr)
		return opErr
	}
	return errors.Join(opErr, reportErr)
}

// hostStatus sums up the updates.
func (op *operation) hostStatus() waptwua.HostStatus {
	s := op.mem.State
	count := map[waptwua.Status]int{}
	for _, u := range s.Updates {
		count[u.Status]++
	}
	switch {
	case s.Scan.Error != nil || s.RestartLoop != nil || count[waptwua.StatusError] > 0:
		return waptwua.HostError
	case s.Scan.At.IsZero():
		return waptwua.HostUnknown
	case len(s.Reboot) > 0 || count[waptwua.StatusReboot] > 0:
		return waptwua.HostReboot
	case count[waptwua.StatusPending]+count[waptwua.StatusMissing] > 0:
		return waptwua.HostPending
	}
	return waptwua.HostOK
}
