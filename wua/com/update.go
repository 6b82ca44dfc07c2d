package com

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"waptwua"
	"waptwua/wua"
)

// maxWarnings bounds the warnings of one search.
const maxWarnings = 1000

// reading is a search result that is being read.
type reading struct {
	offer *offer
	found *wua.Found
}

// collect reads the result of a search and keeps its objects in o.
func collect(o *offer, result object) (*wua.Found, error) {
	code, err := number(result, "ResultCode")
	if err != nil {
		return nil, err
	}
	r := &reading{offer: o, found: new(wua.Found)}
	r.note("read the warnings", items(result, "Warnings", r.warning, func(err error) { r.note("read a warning", err) }))
	if c := wua.ResultCode(code); c != wua.Succeeded && c != wua.SucceededWithErrors {
		return nil, r.failure(c)
	}
	return r.found, items(result, "Updates", r.update, r.lose)
}

// lose notes that an update could not be read at all.
func (r *reading) lose(err error) {
	r.found.Lost++
	r.note("read an update", err)
}

// failure is the error of a search that WUA ended without raising one.
func (r *reading) failure(c wua.ResultCode) error {
	if len(r.found.Warnings) > 0 {
		return r.found.Warnings[0]
	}
	return &wua.Error{Op: "search", Code: wua.CallCancelled, Text: fmt.Sprintf("WUA ended the search with result %d", c)}
}

func (r *reading) warn(w *wua.Error) {
	if len(r.found.Warnings) < maxWarnings {
		r.found.Warnings = append(r.found.Warnings, w)
	}
}

// note makes a warning of an error, if there is one.
func (r *reading) note(op string, err error) {
	if err != nil {
		r.warn(&wua.Error{Op: op, Code: codeOf(err), Text: err.Error()})
	}
}

// warning is an IUpdateException.
func (r *reading) warning(o object) error {
	code, err := number(o, "HResult")
	if err != nil {
		return err
	}
	text, err := as[string](o, "Message")
	r.warn(&wua.Error{Op: "search", Code: wua.Code(uint32(code)), Text: text})
	return err
}

func (r *reading) update(o object) error {
	id, err := identity(o)
	if err != nil {
		return fmt.Errorf("its identity: %w", err)
	}
	if _, twice := r.offer.updates[id]; twice {
		return nil
	}
	p := &properties{of: o, failed: func(property string, err error) {
		r.note("read "+property+" of update "+id.String(), err)
	}}
	u := wua.Update{Update: waptwua.Update{ID: id}}
	describe(p, &u.Update)
	state(p, &u)
	r.leaves(p, id, &u, 0)
	if u.Handler == "" && len(u.Leaves) > 0 {
		u.Handler = u.Leaves[0].Handler
	}
	r.offer.updates[id] = o.retain()
	r.found.Updates = append(r.found.Updates, u)
	return nil
}

// leaves adds the children that apply, or the update itself. A child that
// cannot be read makes the update incomplete.
func (r *reading) leaves(p *properties, id waptwua.UpdateID, u *wua.Update, depth int) {
	children := 0
	bundle := &properties{of: p.of, failed: func(property string, err error) {
		children++ // it has some, read or not
		u.Incomplete = &wua.Error{Op: "read the parts of the update", Code: codeOf(err)}
		p.failed(property, err)
	}}
	if depth > maxDepth {
		bundle.failed("BundledUpdates", fmt.Errorf("bundles in bundles: %w", waptwua.ErrLimit))
		return
	}
	bundle.each("BundledUpdates", func(child object) error {
		children++
		childID, err := identity(child)
		if err != nil {
			return err
		}
		r.leaves(&properties{of: child, failed: p.failed}, childID, u, depth+1)
		return nil
	})
	if children > 0 {
		return
	}
	leaf := wua.Leaf{ID: id, Handler: handler(p.text("HandlerID"))}
	p.each("DownloadContents", func(content object) error {
		url, err := as[string](content, "DownloadUrl")
		if url != "" {
			leaf.URLs = append(leaf.URLs, url)
		}
		return err
	})
	u.Leaves = append(u.Leaves, leaf)
	if _, known := r.offer.leaves[id]; !known { // bundles may share children
		r.offer.leaves[id] = p.of.retain()
	}
}

// identity reads IUpdate.Identity or IUpdateHistoryEntry.UpdateIdentity.
func identity(o object) (waptwua.UpdateID, error) { return identityAs(o, "Identity") }

func identityAs(o object, property string) (id waptwua.UpdateID, err error) {
	i, err := must(o, property)
	if err != nil {
		return id, err
	}
	defer i.release()
	guid, err := as[string](i, "UpdateID")
	if err != nil {
		return id, err
	}
	revision, err := number(i, "RevisionNumber")
	if err != nil {
		return id, err
	}
	return waptwua.NewUpdateID(guid, int(revision))
}

// describe reads what the archive says of the update.
func describe(p *properties, u *waptwua.Update) {
	u.Title = p.text("Title")
	u.Type = updateType(p.number("Type"))
	u.Severity = waptwua.Severity(p.text("MsrcSeverity"))
	u.Published = p.time("LastDeploymentChangeTime")
	u.Bulletins = p.texts("SecurityBulletinIDs")
	u.CVEs = p.texts("CveIDs")
	u.MinDownloadSize, u.MaxDownloadSize = p.number("MinDownloadSize"), p.number("MaxDownloadSize")
	u.Handler = handler(p.text("HandlerID"))
	u.Supersedes = lower(p.texts("SupersededUpdateIDs"))
	u.SupportURL = p.text("SupportUrl")
	if urls := p.texts("MoreInfoUrls"); len(urls) > 0 {
		u.MoreInfoURL = urls[0]
	}
	for _, s := range p.texts("KBArticleIDs") {
		if kb, err := waptwua.ParseKB(s); err == nil {
			u.KBs = append(u.KBs, kb)
		}
	}
	p.each("Categories", func(c object) error { return category(c, u) })
	p.child("InstallationBehavior", func(b *properties) {
		u.Reboot = rebootBehavior(b.number("RebootBehavior"))
		u.Exclusive = b.number("Impact") == 2
	})
}

// state reads how the update stands on this host.
func state(p *properties, u *wua.Update) {
	u.Installed = p.flag("IsInstalled")
	u.Hidden = p.flag("IsHidden")
	u.Downloaded = p.flag("IsDownloaded")
	u.EulaAccepted = p.flag("EulaAccepted")
	u.Uninstallable = p.flag("IsUninstallable")
	u.RebootRequired = p.flag("RebootRequired")
}

// category sorts a category by its type; the product's family and company
// count as categories only.
func category(c object, u *waptwua.Update) error {
	id, err := as[string](c, "CategoryID")
	if err == nil {
		u.CategoryIDs = append(u.CategoryIDs, strings.ToLower(id))
	}
	kind, kindErr := as[string](c, "Type")
	name, nameErr := as[string](c, "Name")
	if err := errors.Join(kindErr, nameErr); err != nil {
		return err
	}
	switch kind {
	case "UpdateClassification":
		u.Classifications = append(u.Classifications, name)
	case "Product":
		u.Products = append(u.Products, name)
	}
	return err
}

func updateType(n int64) string {
	if n == 2 {
		return "Driver"
	}
	return "Software"
}

func rebootBehavior(n int64) waptwua.Reboot {
	switch n {
	case 1:
		return waptwua.RebootAlways
	case 2:
		return waptwua.RebootCanRequest
	}
	return waptwua.RebootNever
}

// handler shortens a handler's address,
// http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/Cbs, to its name.
func handler(id string) string {
	if id == "" {
		return ""
	}
	return path.Base(id)
}

func lower(list []string) []string {
	for i, s := range list {
		list[i] = strings.ToLower(s)
	}
	return slices.Clip(list)
}

// properties reads an object property by property; what fails is told and
// counts as the zero value.
type properties struct {
	of     object
	failed func(property string, err error)
}

func read[T any](p *properties, property string, get func(object, string) (T, error)) T {
	v, err := get(p.of, property)
	if err != nil {
		p.failed(property, err)
	}
	return v
}

func (p *properties) text(name string) string {
	return read(p, name, func(o object, n string) (string, error) { return as[string](o, n) })
}

func (p *properties) flag(name string) bool {
	return read(p, name, func(o object, n string) (bool, error) { return as[bool](o, n) })
}

func (p *properties) number(name string) int64 { return read(p, name, number) }

func (p *properties) time(name string) time.Time { return read(p, name, moment) }

func (p *properties) texts(name string) (list []string) {
	err := items(p.of, name, func(s string) error {
		list = append(list, s)
		return nil
	}, func(err error) { p.failed(name, err) })
	if err != nil {
		p.failed(name, err)
	}
	return list
}

func (p *properties) each(name string, f func(object) error) {
	if err := items(p.of, name, f, func(err error) { p.failed(name, err) }); err != nil {
		p.failed(name, err)
	}
}

// child reads an object that may be absent.
func (p *properties) child(name string, f func(*properties)) {
	v, err := as[object](p.of, name)
	switch {
	case err != nil:
		p.failed(name, err)
	case v != nil:
		defer v.release()
		f(&properties{of: v, failed: p.failed})
	}
}
