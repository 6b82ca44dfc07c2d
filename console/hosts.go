package console

import (
	"net/url"

	"github.com/a-h/templ"

	"waptwua"
	"waptwua/server"
)

// hostsPage is /hosts.
type hostsPage struct {
	frame
	Query  *query
	Counts server.HostCounts
	List   server.List[server.HostView]
	Update waptwua.UpdateID // when only its hosts are shown
	Pager  pager
}

// The values of "condition": those of enrolled hosts, and two standings.
var hostConditions = []string{"compliant", "wanting", "scan_failed", "silent", "never_scanned", "awaiting", "refused"}

// The columns of counts, in the order shown.
var hostColumns = []waptwua.Status{waptwua.StatusMissing, waptwua.StatusPending, waptwua.StatusError, waptwua.StatusReboot, waptwua.StatusOK}

func listHosts(hosts Hosts, summaries Summaries) handler {
	return func(q *request) (answer, error) {
		p := hostsPage{frame: q.frame, Query: queryOf(q)}
		f, err := hostFilter(p.Query)
		if err != nil {
			return answer{}, err
		}
		p.Update = f.Update
		sum, err := summaries.Summary(q.Context())
		if err != nil {
			return answer{}, err
		}
		p.Counts = sum.Hosts
		if p.List, err = hosts.Hosts(q.Context(), f); err != nil {
			return answer{}, err
		}
		p.Pager = newPager(p.Query, f.Part, len(p.List.Items), p.List.Total)
		return show(p.view())
	}
}

// hostFilter reads q, condition, status, has, update, sort, turned and page.
func hostFilter(q *query) (f server.HostFilter, err error) {
	condition, err := oneOf(q, "condition", hostConditions...)
	if err != nil {
		return f, err
	}
	f.Standing, f.Condition = standingAnd(condition)
	if f.Status, err = oneOf(q, "status", hostStatuses...); err != nil {
		return f, err
	}
	if f.Has, err = oneOf(q, "has", updateStatuses...); err != nil {
		return f, err
	}
	if f.Search, err = q.search(); err != nil {
		return f, err
	}
	if id := q.values.Get("update"); id != "" {
		if f.Update, err = waptwua.ParseUpdateID(id); err != nil {
			return f, invalid("%s", err)
		}
	}
	if f.Sort, f.Descending, err = hostOrder(q); err != nil {
		return f, err
	}
	f.Part, err = q.part()
	return f, err
}

// standingAnd splits a condition; without one, every host is shown.
func standingAnd(condition string) (server.Standing, server.Condition) {
	switch condition {
	case "awaiting", "refused":
		return server.Standing(condition), ""
	case "":
		return "", ""
	}
	return server.Enrolled, server.Condition(condition)
}

// hostOrder reads the order; counts and times are largest first.
func hostOrder(q *query) (by server.HostSort, descending bool, err error) {
	by, turned, err := orderOf[server.HostSort](q, "status", "os", "reported", "missing", "pending", "error", "reboot", "ok")
	return by, turned != hostFalling(by), err
}

func hostFalling(by server.HostSort) bool { return by != "" && by != "status" && by != "os" }

func (p hostsPage) column(by server.HostSort) column {
	return column{query: p.Query, by: string(by), falling: hostFalling(by)}
}

// hostLink leads to a host, or to its updates of a status.
func hostLink(uuid string, s waptwua.Status) templ.SafeURL {
	link := "/hosts/" + url.PathEscape(uuid)
	if s != "" {
		link += "?" + url.Values{"status": {string(s)}}.Encode() + "#updates"
	}
	return templ.SafeURL(link)
}

// updateLink leads to an update.
func updateLink(id waptwua.UpdateID) templ.SafeURL {
	return templ.SafeURL("/updates/" + url.PathEscape(id.String()))
}
