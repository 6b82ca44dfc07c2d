package agenttest

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"waptwua"
	"waptwua/wua"
)

// Host is a Windows Update Agent that offers what it is given. Its state
// lies in a file, so that it outlives a killed process as Windows does.
type Host struct {
	Dir     string
	Updates []wua.Update     // what may be offered
	Reached func(string)     // told "wua installing" and "wua installed" around each update; may be nil
	Now     func() time.Time // nil: the machine's

	Restart map[waptwua.UpdateID]bool      // updates that need a restart
	Lie     map[waptwua.UpdateID]bool      // updates that "succeed" and stay offered
	Fail    map[waptwua.UpdateID]wua.Code  // updates that fail
	StageNo map[waptwua.UpdateID]wua.Code  // leaves whose files are refused
	Reasons []string                       // for an outstanding restart; nil: WUA
	Broken  map[string]error               // by call: search, install, uninstall, history, info, reboot
	Refuse  func([]waptwua.UpdateID) error // why an installation is refused as a whole; nil: it is not

	PackageOf map[string]waptwua.UpdateID   // by target: the update that AddPackages installs
	Exit      map[waptwua.UpdateID]uint32   // exit codes of dism and wusa
	Rollback  map[waptwua.UpdateID]wua.Code // updates that the restart takes back
	Stuck     bool                          // restarts do not clear the wish for one

	mu       sync.Mutex
	searches int
	calls    [][]waptwua.UpdateID // of Install
	sets     []wua.PackageSet
}

// disk is what survives.
type disk struct {
	Installed map[waptwua.UpdateID]bool `json:"installed"`
	Waiting   map[waptwua.UpdateID]bool `json:"waiting"` // for the restart
	Leaving   map[waptwua.UpdateID]bool `json:"leaving"` // removed at the restart
	Hidden    map[waptwua.UpdateID]bool `json:"hidden"`
	Staged    map[waptwua.UpdateID]int  `json:"staged"` // number of files
	History   []wua.HistoryEntry        `json:"history"`
}

// Searches is how often Search was called.
func (h *Host) Searches() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.searches
}

// Calls are the lists given to Install, in order.
func (h *Host) Calls() [][]waptwua.UpdateID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

// Log returns how often each update was installed, over all processes.
func (h *Host) Log() (map[string]int, error) {
	b, err := os.ReadFile(filepath.Join(h.Dir, "install.log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	count := map[string]int{}
	for _, id := range strings.Fields(string(b)) {
		count[id]++
	}
	return count, err
}

// Hidden tells whether the update is hidden.
func (h *Host) Hidden(id waptwua.UpdateID) bool {
	d, err := h.load()
	return err == nil && d.Hidden[id]
}

// Remove uninstalls an update behind the agent's back.
func (h *Host) Remove(id waptwua.UpdateID) error {
	return h.change(func(d *disk) { delete(d.Installed, id) })
}

// Reboot restarts the host.
func (h *Host) Reboot() error {
	return h.change(func(d *disk) {
		for id := range d.Waiting {
			d.Installed[id] = !h.Lie[id] && h.Rollback[id] == 0
			if c := h.Rollback[id]; c != 0 {
				d.History = append([]wua.HistoryEntry{{ID: id, Operation: "install", Code: wua.Failed, HResult: c, At: h.now()}}, d.History...)
			}
		}
		for id := range d.Leaving {
			delete(d.Installed, id)
		}
		clear(d.Leaving)
		clear(d.Waiting)
	})
}

// Search implements wua.Searcher.
func (h *Host) Search(_ context.Context, q wua.Query) (*wua.Found, error) {
	h.mu.Lock()
	h.searches++
	h.mu.Unlock()
	if err := h.Broken["search"]; err != nil {
		return nil, err
	}
	if q.Archive != "" {
		if _, err := os.Stat(q.Archive); err != nil {
			return nil, &wua.Error{Op: "search", Code: wua.InvalidScanFile, Text: err.Error()}
		}
	}
	d, err := h.load()
	if err != nil {
		return nil, err
	}
	f := &wua.Found{}
	for _, u := range h.Updates {
		u.Installed, u.Hidden = d.Installed[u.ID], d.Hidden[u.ID]
		u.RebootRequired = d.Waiting[u.ID] || d.Leaving[u.ID]
		f.Updates = append(f.Updates, u)
	}
	return f, nil
}

// SetHidden implements wua.Hider.
func (h *Host) SetHidden(_ context.Context, id waptwua.UpdateID, hidden bool) error {
	return h.change(func(d *disk) { d.Hidden[id] = hidden })
}

// Stage implements wua.Installer.
func (h *Host) Stage(_ context.Context, leaf waptwua.UpdateID, files []string) error {
	if c := h.StageNo[leaf]; c != 0 {
		return &wua.Error{Op: "stage", Code: c}
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil || !filepath.IsAbs(f) {
			return &wua.Error{Op: "stage", Code: wua.IncorrectFileHash, Text: f}
		}
	}
	return h.change(func(d *disk) { d.Staged[leaf] = len(files) })
}

// Install implements wua.Installer.
func (h *Host) Install(ctx context.Context, ids []waptwua.UpdateID, _ func(wua.Progress)) (*wua.Result, error) {
	h.mu.Lock()
	h.calls = append(h.calls, ids)
	h.mu.Unlock()
	if err := h.Broken["install"]; err != nil {
		return nil, err
	}
	if h.Refuse != nil {
		if err := h.Refuse(ids); err != nil {
			return nil, err
		}
	}
	res := &wua.Result{Code: wua.Succeeded}
	for _, id := range ids {
		u, err := h.installOne(ctx, id)
		if err != nil {
			return nil, err
		}
		res.RebootRequired = res.RebootRequired || u.RebootRequired
		res.Updates = append(res.Updates, u)
	}
	return res, nil
}

func (h *Host) installOne(ctx context.Context, id waptwua.UpdateID) (wua.UpdateResult, error) {
	r := wua.UpdateResult{ID: id, Code: wua.Succeeded, RebootRequired: h.Restart[id]}
	d, err := h.load()
	if err != nil {
		return r, err
	}
	switch {
	case ctx.Err() != nil:
		r.Code, r.RebootRequired = wua.Aborted, false
		return r, nil
	case h.Fail[id] != 0:
		r.Code, r.HResult, r.RebootRequired = wua.Failed, h.Fail[id], false
		return r, nil
	case d.Staged[id] == 0:
		r.Code, r.HResult, r.RebootRequired = wua.Failed, wua.NotDownloaded, false
		return r, nil
	}
	h.tell("wua installing")
	if err := h.note(id); err != nil {
		return r, err
	}
	err = h.change(func(d *disk) {
		if h.Restart[id] {
			d.Waiting[id] = true
		} else if !h.Lie[id] {
			d.Installed[id] = true
		}
		d.History = append(d.History, wua.HistoryEntry{ID: id, Operation: "install", Code: wua.Succeeded, At: h.now()})
	})
	h.tell("wua installed")
	return r, err
}

// note adds a line to the install log.
func (h *Host) note(id waptwua.UpdateID) error {
	f, err := os.OpenFile(filepath.Join(h.Dir, "install.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(id.String() + "\n")
	return errors.Join(err, f.Close())
}

func (h *Host) tell(what string) {
	if h.Reached != nil {
		h.Reached(what)
	}
}

func (h *Host) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

// Uninstall implements wua.Installer, for updates that are Uninstallable.
func (h *Host) Uninstall(_ context.Context, ids []waptwua.UpdateID, _ func(wua.Progress)) (*wua.Result, error) {
	if err := h.Broken["uninstall"]; err != nil {
		return nil, err
	}
	res := &wua.Result{Code: wua.Succeeded}
	for _, id := range ids {
		r := wua.UpdateResult{ID: id, Code: wua.Failed, HResult: wua.UninstallNotAllowed}
		if slices.ContainsFunc(h.Updates, func(u wua.Update) bool { return u.ID == id && u.Uninstallable }) {
			restart, err := h.leave(id)
			if err != nil {
				return nil, err
			}
			r = wua.UpdateResult{ID: id, Code: wua.Succeeded, RebootRequired: restart}
		}
		res.RebootRequired = res.RebootRequired || r.RebootRequired
		res.Updates = append(res.Updates, r)
	}
	return res, nil
}

// leave removes an update, at the restart when it needs one.
func (h *Host) leave(id waptwua.UpdateID) (restart bool, err error) {
	h.tell("wua removing")
	err = h.change(func(d *disk) {
		if h.Restart[id] {
			d.Leaving[id] = true
		} else {
			delete(d.Installed, id)
		}
	})
	h.tell("wua removed")
	return h.Restart[id], err
}

// History implements wua.Historian.
func (h *Host) History(_ context.Context, max int) ([]wua.HistoryEntry, error) {
	d, err := h.load()
	return d.History[:min(max, len(d.History))], errors.Join(err, h.Broken["history"])
}

// Info implements wua.System.
func (h *Host) Info(context.Context) (wua.Info, error) {
	return wua.Info{OS: "Windows 11 Pro 23H2", Version: "10.0.22631.4317", Architecture: "amd64"}, h.Broken["info"]
}

// RebootPending implements wua.System.
func (h *Host) RebootPending(context.Context) (wua.Reboot, error) {
	d, err := h.load()
	r := wua.Reboot{Required: h.Stuck || len(d.Waiting)+len(d.Leaving) > 0}
	if r.Required {
		r.Reasons = []string{"WUA"}
		if h.Reasons != nil {
			r.Reasons = h.Reasons
		}
	}
	return r, errors.Join(err, h.Broken["reboot"])
}

func (h *Host) load() (disk, error) {
	d := disk{Installed: map[waptwua.UpdateID]bool{}, Waiting: map[waptwua.UpdateID]bool{}, Hidden: map[waptwua.UpdateID]bool{}, Staged: map[waptwua.UpdateID]int{}, Leaving: map[waptwua.UpdateID]bool{}}
	b, err := os.ReadFile(filepath.Join(h.Dir, "wua.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	return d, err
}

func (h *Host) change(f func(*disk)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.load()
	if err != nil {
		return err
	}
	f(&d)
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	tmp := filepath.Join(h.Dir, "wua.json.new")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(h.Dir, "wua.json"))
}

var _ wua.Host = (*Host)(nil)
