package comtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"waptwua/wua"
)

// session is IUpdateSession3.
func (d *Double) session() *Object {
	client, locale := new(string), new(int)
	create := func(name string, make func() *Object) member {
		return member{name: name, call: func([]any) (any, error) { return make(), nil }}
	}
	return d.object("Session",
		variable("ClientApplicationID", client), variable("UserLocale", locale),
		create("CreateUpdateSearcher", func() *Object { return d.searcher(locale) }),
		create("CreateUpdateDownloader", d.downloader),
		create("CreateUpdateInstaller", func() *Object { return d.installer() }))
}

// serviceManager is IUpdateServiceManager2.
func (d *Double) serviceManager() *Object {
	return d.object("ServiceManager",
		property("Services", func() any { return fixed(d, "ServiceCollection", d.serviceObjects()) }),
		member{name: "AddScanPackageService", call: d.addScanPackage},
		member{name: "RemoveService", call: func(args []any) (any, error) {
			id, err := argument[string](args, 0)
			if err != nil {
				return nil, err
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.services[id] == nil {
				return nil, &Exception{Code: 0x80248014} // WU_E_DS_UNKNOWNSERVICE
			}
			delete(d.services, id)
			return nil, d.remember()
		}})
}

func (d *Double) addScanPackage(args []any) (any, error) {
	name, err := argument[string](args, 0)
	if err != nil {
		return nil, err
	}
	path, err := argument[string](args, 1)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(path, `\\`) {
		return nil, &Exception{Code: uint32(wua.InvalidName)}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.added++
	s := &service{id: fmt.Sprintf("00000000-5ca0-4000-8000-%012d", d.added), name: name, path: path}
	d.services[s.id] = s
	return d.serviceObject(s), d.remember()
}

func (d *Double) serviceObjects() (list []*Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.services {
		list = append(list, d.serviceObject(s))
	}
	return list
}

func (d *Double) serviceObject(s *service) *Object {
	return d.object("Service", constant("ServiceID", s.id), constant("Name", s.name), constant("IsScanPackageService", true))
}

// search is the state of one IUpdateSearcher.
type search struct {
	selection  int
	service    string
	superseded bool
}

// searcher is IUpdateSearcher3.
func (d *Double) searcher(locale *int) *Object {
	s := new(search)
	jobs := map[*Object]*running[*wua.Found]{}
	return d.object("Searcher",
		variable("ServerSelection", &s.selection), variable("ServiceID", &s.service),
		variable("IncludePotentiallySupersededUpdates", &s.superseded),
		member{name: "BeginSearch", call: func(args []any) (any, error) {
			criteria, err := argument[string](args, 0)
			if err != nil {
				return nil, err
			}
			q, err := d.query(s, criteria, *locale)
			if err != nil {
				return nil, err
			}
			callback, err := argument[Callback](args, 1)
			if err != nil {
				return nil, err
			}
			r := start(d, callback, func(ctx context.Context, progress func(wua.Progress)) (*wua.Found, error) {
				q.Progress = progress
				return d.host.Search(ctx, q)
			})
			o := d.job("SearchJob", r)
			jobs[o] = r
			return o, nil
		}},
		member{name: "EndSearch", call: func(args []any) (any, error) {
			o, err := argument[*Object](args, 0)
			if err != nil {
				return nil, err
			}
			r := jobs[o]
			if r == nil {
				return nil, &Exception{Code: 0x80070057}
			}
			delete(jobs, o)
			found, err := r.wait()
			if err != nil {
				return nil, ended(err)
			}
			return d.searchResult(found), nil
		}},
		member{name: "GetTotalHistoryCount", call: func([]any) (any, error) {
			entries, err := d.host.History(context.Background(), maxHistory)
			return len(entries), err
		}},
		member{name: "QueryHistory", call: func(args []any) (any, error) {
			first, err := argument[int](args, 0)
			if err != nil {
				return nil, err
			}
			n, err := argument[int](args, 1)
			if err != nil {
				return nil, err
			}
			entries, err := d.host.History(context.Background(), first+n)
			if err != nil {
				return nil, err
			}
			if n <= 0 || first < 0 || first > len(entries) {
				return nil, &Exception{Code: 0x80070057}
			}
			return d.history(slices.Clip(entries[first:])), nil
		}})
}

const maxHistory = 10_000

// query is the search that the searcher's properties ask for.
func (d *Double) query(s *search, criteria string, locale int) (wua.Query, error) {
	q := wua.Query{Criteria: criteria, IncludePotentiallySuperseded: s.superseded, Locale: uint32(locale)}
	if s.selection != 3 {
		return q, nil // online
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	service := d.services[s.service]
	if service == nil {
		return q, &Exception{Code: 0x80248014} // WU_E_DS_UNKNOWNSERVICE
	}
	q.Archive = service.path
	return q, nil
}

func (d *Double) searchResult(found *wua.Found) *Object {
	updates := make([]*Object, len(found.Updates))
	for i := range found.Updates {
		updates[i] = d.update(&found.Updates[i])
	}
	return d.object("SearchResult",
		constant("ResultCode", int(wua.Succeeded)),
		property("Updates", func() any { return fixed(d, "UpdateCollection", updates) }),
		property("Warnings", func() any { return fixed[*Object](d, "ExceptionCollection", nil) }))
}

func (d *Double) history(entries []wua.HistoryEntry) *Object {
	var list []*Object
	for _, e := range entries {
		operation := 1
		if e.Operation == "uninstall" {
			operation = 2
		}
		list = append(list, d.object("HistoryEntry",
			constant("UpdateIdentity", d.identity(e.ID)), constant("Title", e.Title), constant("Operation", operation),
			constant("ResultCode", int(e.Code)), constant("HResult", int(int32(e.HResult))), constant("Date", e.At),
			constant("ClientApplicationID", e.ClientID)))
	}
	return fixed(d, "HistoryCollection", list)
}

func (d *Double) systemInfo() *Object {
	return d.object("SystemInfo", member{name: "RebootRequired", get: func([]any) (any, error) {
		r, err := d.host.RebootPending(context.Background())
		return r.Required, err
	}})
}

// noNetwork is WU_E_PT_WINHTTP_NAME_NOT_RESOLVED: the simulated host has none.
const noNetwork = 0x8024402C

// downloader is IUpdateDownloader on a host without a network.
func (d *Double) downloader() *Object {
	refuse := func(name string) member {
		return member{name: name, call: func([]any) (any, error) { return nil, &Exception{Code: noNetwork} }}
	}
	return d.object("Downloader", variable("Updates", new(*Object)), refuse("Download"), refuse("BeginDownload"))
}

// autoUpdate is IAutomaticUpdates: native updating, which asks a server that
// this host cannot reach.
func (d *Double) autoUpdate() *Object {
	do := func(name string, err error) member {
		return member{name: name, call: func([]any) (any, error) { return nil, err }}
	}
	return d.object("AutoUpdate", constant("ServiceEnabled", true),
		do("Pause", nil), do("Resume", nil), do("EnableService", nil), do("DetectNow", &Exception{Code: noNetwork}))
}

func (d *Double) agentInfo() *Object {
	return d.object("AgentInfo", member{name: "GetInfo", call: func(args []any) (any, error) {
		what, err := argument[string](args, 0)
		if err != nil || what != "ProductVersionString" {
			return nil, &Exception{Code: 0x80070057}
		}
		i, err := d.host.Info(context.Background())
		return i.WUAVersion, err
	}})
}
