package agenttest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"waptwua"
	"waptwua/wua"
)

var _ wua.Packager = (*Host)(nil)

// Sets are what AddPackages was given, in order.
func (h *Host) Sets() []wua.PackageSet {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sets
}

// AddPackages implements wua.Packager: the target says which update it is.
func (h *Host) AddPackages(ctx context.Context, set wua.PackageSet, _ func(wua.Progress)) (*wua.PackageResult, error) {
	h.mu.Lock()
	h.sets = append(h.sets, set)
	h.mu.Unlock()
	if err := h.Broken["packages"]; err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(set.Folder, set.Target)); err != nil {
		return nil, fmt.Errorf("%w: %w", waptwua.ErrNotFound, err)
	}
	id, ok := h.PackageOf[set.Target]
	if !ok {
		return wua.NewPackageResult(set.Tool, uint32(wua.NotInstallable), ""), nil
	}
	if exit := h.Exit[id]; exit != 0 {
		if r := wua.NewPackageResult(set.Tool, exit, ""); r.Code == wua.Failed {
			return r, nil
		}
	}
	if err := h.change(func(d *disk) { d.Staged[id] = 1 }); err != nil {
		return nil, err
	}
	done, err := h.installOne(ctx, id)
	if err != nil {
		return nil, err
	}
	exit := h.Exit[id]
	if done.RebootRequired {
		exit = 3010
	}
	r := wua.NewPackageResult(set.Tool, max(exit, uint32(done.HResult)), "")
	return r, nil
}

// RemovePackage implements wua.Packager.
func (h *Host) RemovePackage(_ context.Context, kb waptwua.KB, _ func(wua.Progress)) (*wua.PackageResult, error) {
	d, err := h.load()
	if err != nil {
		return nil, err
	}
	for _, u := range h.Updates {
		if !slices.Contains(u.KBs, kb) || !d.Installed[u.ID] {
			continue
		}
		if exit := h.Exit[u.ID]; exit != 0 {
			return wua.NewPackageResult(wua.ToolDISM, exit, ""), nil
		}
		restart, err := h.leave(u.ID)
		exit := uint32(0)
		if restart {
			exit = 3010
		}
		return wua.NewPackageResult(wua.ToolDISM, exit, ""), err
	}
	return wua.NewPackageResult(wua.ToolWUSA, uint32(wua.AlreadyRemoved), ""), nil
}
