package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"waptwua"
	"waptwua/catalog"
	"waptwua/wua"
)

var _ wua.Packager = (*Host)(nil)

// AddPackages installs the update of the last search whose packages lie in
// the folder, as dism.exe and wusa.exe do: by their content, which must be
// that of the archive, and not by an identity. With a target, it is the
// update that this file belongs to. Faults of the call "packages" end it with
// their code as the tool's; those of "install" about the update count too.
func (h *Host) AddPackages(ctx context.Context, set wua.PackageSet, progress func(wua.Progress)) (r *wua.PackageResult, err error) {
	err = h.serve(ctx, callPackages, progress, func(c *call) error {
		r, err = c.addPackages(ctx, set)
		return err
	})
	if err != nil {
		var refused *wua.Error
		if errors.As(err, &refused) && refused.Op == callPackages && refused.Code != wua.OperationInProgress {
			return wua.NewPackageResult(set.Tool, uint32(refused.Code), refused.Error()), nil
		}
		return nil, err
	}
	report(progress, wua.Progress{Percent: 100})
	return r, nil
}

func (c *call) addPackages(ctx context.Context, set wua.PackageSet) (*wua.PackageResult, error) {
	have, err := contents(ctx, set)
	if err != nil {
		return nil, err
	}
	id, ok := c.packagedIn(have, set.Target)
	if !ok {
		return wua.NewPackageResult(set.Tool, uint32(wua.NotInstallable), "no package in the folder applies to this host"), nil
	}
	for _, l := range c.offer.updates[id].leaves {
		if len(l.Packages) > 0 { // servicing has its files
			c.state.Staged[l.ID] = slices.Collect(maps.Values(have))
		}
	}
	var result wua.UpdateResult
	if err := c.one(ctx, job{call: callInstall, id: id, of: 1, offer: c.offer.updates[id]}, (*call).install, &result); err != nil {
		return nil, err
	}
	exit := uint32(result.HResult)
	if result.RebootRequired {
		exit = 3010
	}
	r := wua.NewPackageResult(set.Tool, exit, "")
	if r.Code != wua.Failed {
		r.Packages = []wua.Package{{Identity: identityOf(id), State: stateOf(r)}}
	}
	return r, nil
}

// contents are the digests of the files in a set's folder, by name.
func contents(ctx context.Context, set wua.PackageSet) (map[string]waptwua.SHA1, error) {
	if !filepath.IsAbs(set.Folder) {
		return nil, fmt.Errorf("installing packages: the folder %q is not an absolute path", set.Folder)
	}
	list, err := os.ReadDir(set.Folder)
	if err != nil {
		return nil, fmt.Errorf("installing packages: %w: %w", waptwua.ErrNotFound, err)
	}
	have := map[string]waptwua.SHA1{}
	for _, e := range list {
		if have[e.Name()], _, err = digestOf(ctx, filepath.Join(set.Folder, e.Name())); err != nil {
			return nil, fmt.Errorf("installing packages: %w", err)
		}
	}
	if _, ok := have[set.Target]; !ok && set.Target != "" {
		return nil, fmt.Errorf("installing packages: no %s in the folder: %w", set.Target, waptwua.ErrNotFound)
	}
	return have, nil
}

// packagedIn finds the offered update whose packages are all there. Of
// several, checkpoint and cumulative update, it is the one with the most
// packages that has the target among them.
func (c *call) packagedIn(have map[string]waptwua.SHA1, target string) (id waptwua.UpdateID, ok bool) {
	there := map[waptwua.SHA1]bool{}
	for _, d := range have {
		there[d] = true
	}
	most := 0
	for candidate, o := range c.offer.updates {
		files := packagesOf(o.leaves)
		complete := !slices.ContainsFunc(files, func(f waptwua.File) bool { return !there[f.SHA1] })
		targeted := target == "" || slices.ContainsFunc(files, func(f waptwua.File) bool { return f.SHA1 == have[target] })
		if complete && targeted && len(files) > most {
			id, most, ok = candidate, len(files), true
		}
	}
	return id, ok
}

func packagesOf(leaves []catalog.Leaf) []waptwua.File {
	var files []waptwua.File
	for _, l := range leaves {
		files = append(files, l.Packages...)
	}
	return files
}

// identityOf is the identity of a package in the form of Windows'.
func identityOf(id waptwua.UpdateID) string {
	return fmt.Sprintf("Package_for_%s~31bf3856ad364e35~amd64~~%d.0", id.GUID, id.Revision)
}

func stateOf(r *wua.PackageResult) wua.PackageState {
	if r.RebootRequired {
		return wua.PackageInstallPending
	}
	return wua.PackageInstalled
}

// RemovePackage takes back the updates of a KB that this host has installed.
func (h *Host) RemovePackage(ctx context.Context, kb waptwua.KB, progress func(wua.Progress)) (r *wua.PackageResult, err error) {
	err = h.serve(ctx, callPackages, progress, func(c *call) error {
		r, err = c.removePackage(ctx, kb)
		return err
	})
	return r, err
}

func (c *call) removePackage(ctx context.Context, kb waptwua.KB) (*wua.PackageResult, error) {
	for id, o := range c.offer.updates {
		if !slices.Contains(o.update.KBs, kb) || c.state.change(id) == nil {
			continue
		}
		var result wua.UpdateResult
		if err := c.one(ctx, job{call: callUninstall, id: id, of: 1, offer: o}, (*call).uninstall, &result); err != nil {
			return nil, err
		}
		exit := uint32(result.HResult)
		if result.RebootRequired {
			exit = 3010
		}
		return wua.NewPackageResult(wua.ToolDISM, exit, ""), nil
	}
	return wua.NewPackageResult(wua.ToolWUSA, uint32(wua.AlreadyRemoved), ""), nil
}
