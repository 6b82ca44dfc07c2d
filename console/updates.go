package console

import (
	"maps"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"waptwua"
	"waptwua/server"
)

// updatesPage is /updates.
type updatesPage struct {
	frame
	Query  *query
	Facets server.Facets
	List   server.List[server.UpdateView]
	Pager  pager
}

// updateFilters are the parameters that restrict the list.
var updateFilters = []string{"q", "severity", "product", "classification", "files", "status"}

func listUpdates(updates Updates) handler {
	return func(q *request) (answer, error) {
		p := updatesPage{frame: q.frame, Query: queryOf(q)}
		f, err := updateFilter(p.Query)
		if err != nil {
			return answer{}, err
		}
		if p.Facets, err = updates.Facets(q.Context()); err != nil {
			return answer{}, err
		}
		if p.List, err = updates.Updates(q.Context(), f); err != nil {
			return answer{}, err
		}
		p.Pager = newPager(p.Query, f.Part, len(p.List.Items), p.List.Total)
		return show(p.view())
	}
}

// updateFilter reads the parameters of updateFilters, sort, turned and page.
func updateFilter(q *query) (f server.UpdateFilter, err error) {
	if f.Search, err = q.search(); err != nil {
		return f, err
	}
	if f.Severity, err = q.text("severity"); err != nil {
		return f, err
	}
	if f.Product, err = q.text("product"); err != nil {
		return f, err
	}
	if f.Classification, err = q.text("classification"); err != nil {
		return f, err
	}
	if f.Files, err = oneOf[server.Presence](q, "files", "present", "absent"); err != nil {
		return f, err
	}
	if f.Status, err = oneOf(q, "status", updateStatuses...); err != nil {
		return f, err
	}
	by, turned, err := orderOf[server.UpdateSort](q, "title", "severity", "needed", "downloaded")
	if err != nil {
		return f, err
	}
	f.Sort, f.Ascending = by, turned == updateFalling(by)
	f.Part, err = q.part()
	return f, err
}

func updateFalling(by server.UpdateSort) bool { return by != "title" }

func (p updatesPage) column(by server.UpdateSort) column {
	return column{query: p.Query, by: string(by), falling: updateFalling(by)}
}

// option is a choice of a filter with how many updates it has.
type option struct {
	Value string
	N     int
}

// options are the choices of a facet; known ones in their own order first,
// the others by name.
func options(counts map[string]int, known ...string) []option {
	var list []option
	for _, v := range known {
		if counts[v] > 0 {
			list = append(list, option{v, counts[v]})
		}
	}
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		if !slices.Contains(known, v) {
			list = append(list, option{v, counts[v]})
		}
	}
	return list
}

// neededLink leads to the hosts that lack an update and may install it.
func neededLink(id waptwua.UpdateID, s waptwua.Status) templ.SafeURL {
	v := url.Values{"update": {id.String()}}
	if s != "" {
		v.Set("has", string(s))
	}
	return templ.SafeURL("/hosts?" + v.Encode())
}

// kbLink leads to Microsoft's article.
func kbLink(kb waptwua.KB) templ.SafeURL {
	return templ.SafeURL("https://support.microsoft.com/help/" + kb.String()[2:])
}
