package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"waptwua"
	"waptwua/agent/journal"
	"waptwua/agent/settings"
	"waptwua/wua"
)

// UninstallOptions say what to remove.
type UninstallOptions struct {
	Updates []waptwua.UpdateID // by identity, of installed updates that a search returns
	KBs     []waptwua.KB       // by package, also what no search returns
}

// Uninstall removes updates, searches again and reports. What the Windows
// Update Agent can remove it removes; all else goes by the packages of the
// update's KBs (Options.Packages). Whether a removed update comes back is the
// rules' business: one that is still allowed is installed again. An update
// that cannot be removed does not stop the others; the error names each.
func (a *Agent) Uninstall(ctx context.Context, o UninstallOptions) error {
	return a.do("uninstall", func(op *operation) error {
		if op.settings.Enabled != settings.True {
			return ErrNotEnabled
		}
		err := op.uninstall(ctx, o)
		op.unsure = ctx.Err() != nil
		return op.finish(ctx, err)
	})
}

func (op *operation) uninstall(ctx context.Context, o UninstallOptions) error {
	f, err := op.scan(ctx, true)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range o.Updates {
		errs = append(errs, op.removeUpdate(ctx, f, id))
	}
	for _, kb := range o.KBs {
		errs = append(errs, op.removeKB(ctx, kb))
	}
	if err := errors.Join(append(errs, ctx.Err())...); ctx.Err() != nil {
		return err
	}
	if err := op.save(); err != nil { // before the search: it must know what is being removed
		return err
	}
	_, err = op.scan(ctx, true)
	return errors.Join(append(errs, err)...)
}

// removeUpdate removes one update in the way that it allows.
func (op *operation) removeUpdate(ctx context.Context, f *found, id waptwua.UpdateID) error {
	u, ok := f.updates[id]
	if !ok || !u.Installed {
		return fmt.Errorf("update %s is not installed: %w", id, waptwua.ErrNotFound)
	}
	if !u.Uninstallable && len(u.KBs) == 0 {
		return fmt.Errorf("update %s: %w", id, &wua.Error{Op: "uninstall", Code: wua.UninstallNotAllowed})
	}
	tool := wua.ToolWUA
	if !u.Uninstallable {
		tool = wua.ToolDISM
	}
	if err := op.step(journal.Removing, string(tool), id); err != nil {
		return err
	}
	restart, err := op.removeBy(ctx, tool, u)
	if err != nil {
		return fmt.Errorf("removing %s: %w", id, err)
	}
	if restart {
		if op.mem.Removing == nil {
			op.mem.Removing = map[string]bool{}
		}
		op.mem.Removing[id.String()] = true
	}
	return op.step(journal.Removed, string(tool), id)
}

func (op *operation) removeBy(ctx context.Context, tool wua.Tool, u wua.Update) (restart bool, err error) {
	if tool == wua.ToolWUA {
		return op.removeByWUA(ctx, u.ID)
	}
	for _, kb := range u.KBs {
		again, err := op.removePackages(ctx, kb)
		if err != nil {
			return restart, err
		}
		restart = restart || again
	}
	return restart, nil
}

func (op *operation) removeByWUA(ctx context.Context, id waptwua.UpdateID) (restart bool, err error) {
	r, err := op.opt.WUA.Uninstall(ctx, []waptwua.UpdateID{id}, op.removal(id.String()))
	if err != nil {
		return false, err
	}
	for _, u := range r.Updates {
		if u.ID == id && u.Code != wua.Succeeded && u.Code != wua.SucceededWithErrors {
			return false, &wua.Error{Op: "uninstall", Code: u.HResult}
		}
	}
	return r.RebootRequired, nil
}

// removeKB removes the packages of a KB, whatever update they belong to.
func (op *operation) removeKB(ctx context.Context, kb waptwua.KB) error {
	if err := op.step(journal.Removing, kb.String()); err != nil {
		return err
	}
	if _, err := op.removePackages(ctx, kb); err != nil {
		return fmt.Errorf("removing %s: %w", kb, err)
	}
	return op.step(journal.Removed, kb.String())
}

func (op *operation) removePackages(ctx context.Context, kb waptwua.KB) (restart bool, err error) {
	if op.opt.Packages == nil {
		return false, errNoPackager
	}
	r, err := op.opt.Packages.RemovePackage(ctx, kb, op.removal(kb.String()))
	switch {
	case err != nil:
		return false, err
	case r.Exit == wua.AlreadyRemoved:
		return false, fmt.Errorf("no package of %s is installed: %w", kb, waptwua.ErrNotFound)
	case r.Code == wua.Failed:
		return false, &wua.Error{Op: string(r.Tool), Code: r.Exit, Text: strings.TrimSpace(wua.Lookup(r.Exit).Sentence + " " + wua.Lookup(r.Exit).Remedy)}
	}
	op.log.Info("packages are removed", "kb", kb, "result", r.String())
	return r.RebootRequired, nil
}

// removal tells how far a removal has come.
func (op *operation) removal(name string) func(wua.Progress) {
	return func(p wua.Progress) {
		op.opt.Progress(Progress{Operation: "uninstall", Name: name, Done: int64(p.Percent), Total: 100})
	}
}
