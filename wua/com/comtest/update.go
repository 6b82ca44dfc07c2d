package comtest

import (
	"context"

	"waptwua"
	"waptwua/wua"
)

const handlers = "http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/"

func (d *Double) identity(id waptwua.UpdateID) *Object {
	return d.object("Identity", constant("UpdateID", id.GUID), constant("RevisionNumber", id.Revision))
}

// update is IUpdate5, as late binding shows it.
func (d *Double) update(u *wua.Update) *Object {
	behavior := d.object("InstallationBehavior", constant("RebootBehavior", rebootBehavior(u.Reboot)), constant("Impact", impact(u.Exclusive)))
	hidden := u.Hidden
	kind := 1
	if u.Type == "Driver" {
		kind = 2
	}
	members := append(d.archived(u), d.contents(u)...)
	return d.object("Update", append(members,
		constant("Type", kind), constant("InstallationBehavior", behavior),
		constant("IsInstalled", u.Installed), constant("IsDownloaded", u.Downloaded), constant("EulaAccepted", u.EulaAccepted),
		constant("IsUninstallable", u.Uninstallable), constant("RebootRequired", u.RebootRequired),
		member{name: "IsHidden", get: func([]any) (any, error) { return hidden, nil }, put: func(v any) error {
			if err := assign(&hidden, v); err != nil {
				return err
			}
			return d.host.SetHidden(context.Background(), u.ID, hidden)
		}},
		member{name: "AcceptEula", call: func([]any) (any, error) { return nil, nil }})...)
}

// archived are the properties that the archive gives.
func (d *Double) archived(u *wua.Update) []member {
	var kbs []string
	for _, kb := range u.KBs {
		kbs = append(kbs, kb.String()[2:])
	}
	var more []string
	if u.MoreInfoURL != "" {
		more = []string{u.MoreInfoURL}
	}
	texts := func(name string, list []string) member {
		return property(name, func() any { return fixed(d, "StringCollection", list) })
	}
	var published any
	if !u.Published.IsZero() {
		published = u.Published
	}
	return []member{
		constant("Identity", d.identity(u.ID)), constant("Title", u.Title), constant("MsrcSeverity", string(u.Severity)),
		constant("LastDeploymentChangeTime", published), constant("SupportUrl", u.SupportURL),
		constant("MinDownloadSize", Decimal(u.MinDownloadSize)), constant("MaxDownloadSize", Decimal(u.MaxDownloadSize)),
		texts("KBArticleIDs", kbs), texts("SecurityBulletinIDs", u.Bulletins), texts("CveIDs", u.CVEs),
		texts("SupersededUpdateIDs", u.Supersedes), texts("MoreInfoUrls", more),
		property("Categories", func() any { return fixed(d, "CategoryCollection", d.categories(u)) }),
	}
}

// categories names what it can: an update knows its classification and its
// products by name and all categories by GUID.
func (d *Double) categories(u *wua.Update) (list []*Object) {
	for i, id := range u.CategoryIDs {
		kind, name := "ProductFamily", ""
		switch n := i - len(u.Classifications); {
		case n < 0:
			kind, name = "UpdateClassification", u.Classifications[i]
		case n < len(u.Products):
			kind, name = "Product", u.Products[n]
		}
		list = append(list, d.object("Category", constant("Type", kind), constant("Name", name), constant("CategoryID", id)))
	}
	return list
}

// contents are the children, or what an update without children has.
func (d *Double) contents(u *wua.Update) []member {
	var children []*Object
	leaf := wua.Leaf{ID: u.ID}
	for _, l := range u.Leaves {
		if l.ID == u.ID {
			leaf = l
			continue
		}
		child := wua.Update{Update: waptwua.Update{ID: l.ID, Title: u.Title, Type: u.Type}, Leaves: []wua.Leaf{l}}
		children = append(children, d.update(&child))
	}
	handler := ""
	if leaf.Handler != "" {
		handler = handlers + leaf.Handler
	}
	return []member{
		constant("HandlerID", handler),
		property("BundledUpdates", func() any { return fixed(d, "UpdateCollection", children) }),
		property("DownloadContents", func() any { return fixed(d, "DownloadContentCollection", d.downloads(leaf.URLs)) }),
		{name: "CopyToCache", call: func(args []any) (any, error) {
			list, err := argument[*Object](args, 0)
			if err != nil {
				return nil, err
			}
			files, err := texts(list)
			if err != nil {
				return nil, err
			}
			return nil, d.host.Stage(context.Background(), u.ID, files)
		}},
	}
}

func (d *Double) downloads(urls []string) (list []*Object) {
	for _, u := range urls {
		list = append(list, d.object("DownloadContent", constant("DownloadUrl", u)))
	}
	return list
}

// texts reads a StringCollection.
func texts(o *Object) ([]string, error) { return elements[string](o) }

func elements[T any](o *Object) ([]T, error) {
	n, err := o.Invoke(0, Get, "Count", nil)
	if err != nil {
		return nil, err
	}
	count, _ := n.(int)
	list := make([]T, count)
	for i := range list {
		v, err := o.Invoke(0, Get, "Item", []any{i})
		if err != nil {
			return nil, err
		}
		if err := assign(&list[i], v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func rebootBehavior(r waptwua.Reboot) int {
	switch r {
	case waptwua.RebootAlways:
		return 1
	case waptwua.RebootCanRequest:
		return 2
	}
	return 0
}

func impact(exclusive bool) int {
	if exclusive {
		return 2
	}
	return 0
}
