package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"waptwua"
	"waptwua/applicability"
	"waptwua/internal/atomicfile"
	"waptwua/wua"
)

// The files in a host's directory.
const (
	stateFile = "state.json"
	logFile   = "install.log"
)

// stateFormat is the version of state.json.
const stateFormat = 1

// maxHistory is how many events state.json keeps; install.log keeps all.
const maxHistory = 1000

// state is everything that a host remembers.
type state struct {
	Format   int                                 `json:"format"`
	Boots    int                                 `json:"boots"`           // restarts so far
	Booted   time.Time                           `json:"booted,omitzero"` // the last restart
	Seq      int64                               `json:"seq"`             // of the last event
	Hidden   map[waptwua.UpdateID]bool           `json:"hidden,omitempty"`
	Vanished map[waptwua.UpdateID]bool           `json:"vanished,omitempty"` // not offered any more, by script
	Staged   map[waptwua.UpdateID][]waptwua.SHA1 `json:"staged,omitempty"`   // by leaf
	Changes  []change                            `json:"changes,omitempty"`  // in order
	Events   []Event                             `json:"events,omitempty"`   // the newest last
	Met      map[string]int                      `json:"met,omitempty"`      // how often a fault of the script was met
}

// phase is how far a change is.
type phase string

const (
	installed  phase = "installed"
	installing phase = "installing" // takes effect at the restart
	removing   phase = "removing"   // is gone after the restart
)

// change is what installing one update did to the machine.
type change struct {
	ID       waptwua.UpdateID `json:"id"`
	Title    string           `json:"title,omitempty"`
	Handler  string           `json:"handler,omitempty"`
	Phase    phase            `json:"phase"`
	Edits    []edit           `json:"edits"`
	Rollback wua.Code         `json:"rollback,omitempty"` // fails at the restart
}

func newState() *state {
	return &state{
		Format: stateFormat, Hidden: map[waptwua.UpdateID]bool{}, Vanished: map[waptwua.UpdateID]bool{},
		Staged: map[waptwua.UpdateID][]waptwua.SHA1{}, Met: map[string]int{},
	}
}

// load reads the state and brings the log up to it.
func (h *Host) load() (*state, error) {
	s := newState()
	path := filepath.Join(h.opt.Dir, stateFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if s.Format != stateFormat {
		return nil, fmt.Errorf("read %s: format %d, this program reads format %d", path, s.Format, stateFormat)
	}
	return s, nil
}

// save makes the state durable, and then tells the log.
func (c *call) save() error {
	b, err := json.Marshal(c.state)
	if err != nil {
		return fmt.Errorf("save the state of the simulated host: %w", err)
	}
	if err := atomicfile.WriteFile(filepath.Join(c.opt.Dir, stateFile), b, 0o600); err != nil {
		return fmt.Errorf("save the state of the simulated host: %w", err)
	}
	c.dirty = false
	return appendLog(c.opt.Dir, c.state.Events)
}

// record appends an event to the history.
func (c *call) record(e Event) {
	c.dirty = true
	s := c.state
	s.Seq++
	e.Seq, e.At, e.Boot = s.Seq, c.opt.Now().UTC(), s.Boots
	s.Events = append(s.Events, e)
	if n := len(s.Events) - maxHistory; n > 0 {
		s.Events = slices.Delete(s.Events, 0, n)
	}
}

func (s *state) setHidden(id waptwua.UpdateID, hidden bool) {
	if hidden {
		s.Hidden[id] = true
	} else {
		delete(s.Hidden, id)
	}
}

// view says which changes count.
type view int

const (
	effective    view = iota // what holds now
	afterRestart             // what will hold
)

// facts is the machine with the changes that count.
func (s *state) facts(base *applicability.Facts, v view) *applicability.Facts {
	var edits []edit
	for i := range s.Changes {
		if c := &s.Changes[i]; c.Phase == installed || c.Phase == removing && v == effective || c.Phase == installing && v == afterRestart {
			edits = append(edits, c.Edits...)
		}
	}
	return apply(base, edits)
}

// change is the last change that installed id; nil: none.
func (s *state) change(id waptwua.UpdateID) *change {
	for i := len(s.Changes) - 1; i >= 0; i-- {
		if s.Changes[i].ID == id {
			return &s.Changes[i]
		}
	}
	return nil
}

func (s *state) drop(id waptwua.UpdateID) {
	s.Changes = slices.DeleteFunc(s.Changes, func(c change) bool { return c.ID == id })
}

func (s *state) reboot() wua.Reboot {
	var r wua.Reboot
	add := func(reason string) {
		if !slices.Contains(r.Reasons, reason) {
			r.Reasons = append(r.Reasons, reason)
		}
	}
	for i := range s.Changes {
		c := &s.Changes[i]
		if c.Phase == installed {
			continue
		}
		r.Required = true
		add("WUA")
		if c.Handler == "Cbs" || c.Handler == handlerOSInstaller {
			add("CBS")
		}
	}
	return r
}

func (s *state) history(max int, client string) []wua.HistoryEntry {
	var out []wua.HistoryEntry
	for i := len(s.Events) - 1; i >= 0 && len(out) < max; i-- {
		e := &s.Events[i]
		if e.Operation == OpRestart {
			continue
		}
		operation := e.Operation
		if operation == OpRollback {
			operation = OpInstall
		}
		out = append(out, wua.HistoryEntry{
			ID: e.ID, Title: e.Title, Operation: operation, Code: e.Code, HResult: e.HResult, At: e.At, ClientID: client,
		})
	}
	return out
}

// Event is one line of install.log.
type Event struct {
	Seq       int64            `json:"seq"` // 1, 2, 3 …
	At        time.Time        `json:"at"`
	Boot      int              `json:"boot"` // restarts before it
	Operation string           `json:"operation"`
	ID        waptwua.UpdateID `json:"id,omitzero"`
	Title     string           `json:"title,omitempty"`
	Code      wua.ResultCode   `json:"code"`
	HResult   wua.Code         `json:"hresult,omitempty"` // AlreadyInstalled: the update was there, nothing was done
	Lie       bool             `json:"lie,omitempty"`     // said to have succeeded, by script, and did nothing
}

// The operations of events.
const (
	OpInstall   = "install"
	OpUninstall = "uninstall"
	OpRestart   = "restart"
	OpRollback  = "rollback" // an installation failed at the restart
)
