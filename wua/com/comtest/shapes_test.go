package comtest

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"testing"

	"waptwua"
	"waptwua/wua"
)

// header holds the interfaces of WUA as MinGW has them.
const header = "/usr/share/mingw-w64/include/wuapi.h"

// interfaces names the interface of each class of the double; empty: the
// header does not have it, and nothing is compared.
func interfaces() map[string]string {
	return map[string]string{
		"Session": "IUpdateSession", "UpdateColl": "IUpdateCollection", "StringColl": "IStringCollection", "Searcher": "IUpdateSearcher",
		"Downloader": "IUpdateDownloader", "Installer": "IUpdateInstaller", "SystemInfo": "ISystemInformation", "AutoUpdate": "IAutomaticUpdates",
		"AgentInfo": "IWindowsUpdateAgentInfo", "Identity": "IUpdateIdentity", "Update": "IUpdate", "InstallationBehavior": "IInstallationBehavior",
		"UpdateCollection": "IUpdateCollection", "StringCollection": "IStringCollection", "CategoryCollection": "ICategoryCollection",
		"Category": "ICategory", "DownloadContentCollection": "IUpdateDownloadContentCollection", "DownloadContent": "IUpdateDownloadContent",
		"SearchJob": "ISearchJob", "InstallationJob": "IInstallationJob", "Progress": "IInstallationProgress", "SearchResult": "ISearchResult",
		"ExceptionCollection": "IUpdateExceptionCollection", "HistoryEntry": "IUpdateHistoryEntry", "HistoryCollection": "IUpdateHistoryEntryCollection",
		"InstallationResult": "IInstallationResult", "UpdateResult": "IUpdateInstallationResult",
		"ServiceManager": "", "Service": "", "ServiceCollection": "", // IUpdateServiceManager2, IUpdateService
	}
}

// later are the members that came with interfaces which the header lacks.
func later() []string {
	return []string{
		"Session.get_UserLocale", "Session.put_UserLocale", // IUpdateSession2
		"Installer.get_ForceQuiet", "Installer.put_ForceQuiet", // IUpdateInstaller2
		"Update.get_RebootRequired", "Update.get_CveIDs", "Update.CopyToCache", // IUpdate2
	}
}

// vtables reads the members of every interface of the header.
func vtables(text []byte) map[string][]string {
	out := map[string][]string{}
	member := regexp.MustCompile(`STDMETHODCALLTYPE \*(\w+)\)`)
	for _, m := range regexp.MustCompile(`(?s)typedef struct (I\w+)Vtbl \{(.*?)END_INTERFACE`).FindAllSubmatch(text, -1) {
		for _, f := range member.FindAllSubmatch(m[2], -1) {
			out[string(m[1])] = append(out[string(m[1])], string(f[1]))
		}
	}
	return out
}

// everyObject makes at least one object of each class, by class.
func everyObject() map[string]*Object {
	d := New(struct{ wua.Host }{})
	id := waptwua.UpdateID{GUID: "00000000-0000-4000-8000-000000000001", Revision: 1}
	about := waptwua.Update{ID: id, KBs: []waptwua.KB{1}, CategoryIDs: []string{"a"}, Classifications: []string{"Updates"}}
	found := &wua.Found{Updates: []wua.Update{{Update: about, Leaves: []wua.Leaf{{ID: id, URLs: []string{"http://example.org/a"}}}}}}
	d.services["1"] = &service{id: "1"}
	r := new(running[*wua.Result])
	seen := map[string]*Object{}
	for _, c := range Classes() {
		visit(seen, d.Create(c.ProgID))
	}
	for _, o := range []*Object{
		d.searchResult(found), d.history([]wua.HistoryEntry{{ID: id}}), d.job("SearchJob", r), d.installationJob(r),
		d.result(&wua.Result{Updates: []wua.UpdateResult{{ID: id}}}),
	} {
		visit(seen, o)
	}
	return seen
}

// visit notes an object and what its members lead to.
func visit(seen map[string]*Object, o *Object) {
	if o == nil || seen[o.class] != nil {
		return
	}
	seen[o.class] = o
	for _, m := range o.members {
		for _, ask := range []struct {
			of   method
			args []any
		}{{m.get, nil}, {m.get, []any{0}}, {at(m, "GetProgress"), nil}, {at(m, "GetUpdateResult"), []any{0}}} {
			if ask.of == nil || o.class == "SystemInfo" || o.class == "AgentInfo" { // they ask the host
				continue
			}
			if v, err := ask.of(ask.args); err == nil {
				child, _ := v.(*Object)
				visit(seen, child)
			}
		}
	}
}

func at(m member, name string) method {
	if m.name == name {
		return m.call
	}
	return nil
}

// TestShapes compares the names of the double's members, and whether they are
// read, written or called, with those of the published interfaces.
func TestShapes(t *testing.T) {
	text, err := os.ReadFile(header)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("there is no %s here; it is in the Debian package mingw-w64-common", header)
	}
	if err != nil {
		t.Fatal(err)
	}
	published, names, excused := vtables(text), interfaces(), later()
	objects := everyObject()
	for class, face := range names {
		if objects[class] == nil {
			t.Errorf("no object of class %s was made", class)
		}
		if face != "" && len(published[face]) == 0 {
			t.Errorf("the header has no %s", face)
		}
	}
	for class, o := range objects {
		face, known := names[class]
		if !known {
			t.Errorf("class %s has no interface here", class)
		}
		if face == "" {
			continue
		}
		for _, m := range o.functions() {
			there, excuse := slices.Contains(published[face], m), slices.Contains(excused, class+"."+m)
			if there == excuse {
				t.Errorf("%s.%s: in %s: %v, excused: %v", class, m, face, there, excuse)
			}
		}
	}
}

// functions are an object's members as the header writes them.
func (o *Object) functions() (list []string) {
	for _, m := range o.members {
		if m.get != nil {
			list = append(list, "get_"+m.name)
		}
		if m.put != nil {
			list = append(list, "put_"+m.name)
		}
		if m.call != nil {
			list = append(list, m.name)
		}
	}
	return list
}
