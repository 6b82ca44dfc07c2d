package console

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"waptwua"
	"waptwua/server"
)

// hostRows is how many updates a host's page shows at most.
const hostRows = 500

// hostPage is /hosts/{uuid}.
type hostPage struct {
	frame
	server.HostDetail
	Query     *query
	Published waptwua.Archive // the archive that the server publishes; zero: none
	Matching  []server.HostUpdate
}

func showHost(hosts Hosts, summaries Summaries) handler {
	return func(q *request) (answer, error) {
		p := hostPage{frame: q.frame, Query: queryOf(q)}
		status, err := oneOf(p.Query, "status", updateStatuses...)
		if err != nil {
			return answer{}, err
		}
		search, err := p.Query.search()
		if err != nil {
			return answer{}, err
		}
		if p.HostDetail, err = hosts.Host(q.Context(), strings.ToLower(q.PathValue("uuid"))); err != nil {
			return answer{}, err
		}
		sum, err := summaries.Summary(q.Context())
		if err != nil {
			return answer{}, err
		}
		if sum.Archive != nil {
			p.Published = sum.Archive.Archive
		}
		p.Matching = matching(p.List, status, search)
		return show(p.view())
	}
}

// matching selects updates by status and part of title or identity.
func matching(us []server.HostUpdate, status waptwua.Status, search string) []server.HostUpdate {
	search = strings.ToLower(search)
	var out []server.HostUpdate
	for _, u := range us {
		found := strings.Contains(strings.ToLower(u.Title), search) || strings.Contains(u.ID.String(), search)
		if found && (status == "" || u.Status == status) {
			out = append(out, u)
		}
	}
	return out
}

// shown are the rows of the table.
func (p hostPage) shown() []server.HostUpdate { return p.Matching[:min(len(p.Matching), hostRows)] }

// setting is one setting that is in effect on the host.
type setting struct{ Name, Value string }

// settings are sorted by name.
func (p hostPage) settings() []setting {
	list := make([]setting, 0, len(p.State.Settings))
	for _, name := range slices.SortedFunc(maps.Keys(p.State.Settings), cmp.Compare[string]) {
		list = append(list, setting{name, p.State.Settings[name]})
	}
	return list
}

// oldArchive tells whether the last scan used another archive than the one published now.
func (p hostPage) oldArchive() bool {
	used := p.State.Scan.Archive
	return !used.IsZero() && !p.Published.SHA256.IsZero() && used != p.Published.SHA256
}

// archiveDate is when Microsoft made the archive of the last scan. The server
// knows it of the one it publishes; of others there is what the host said,
// which may be when the file was published.
func (p hostPage) archiveDate() time.Time {
	if p.State.Scan.Archive == p.Published.SHA256 && !p.Published.Created.IsZero() {
		return p.Published.Created
	}
	return p.State.Scan.ArchiveDate
}

// setStanding is POST /hosts/{uuid}/standing: approve or refuse.
func setStanding(standings Standings) handler {
	return func(q *request) (answer, error) {
		uuid, notice := strings.ToLower(q.PathValue("uuid")), "approved"
		standing := server.Standing(q.PostFormValue("standing"))
		switch standing {
		case server.Enrolled:
		case server.Refused:
			notice = "refused"
		default:
			return answer{}, invalid("standing %.20q: want %s or %s", standing, server.Enrolled, server.Refused)
		}
		if err := standings.SetStanding(q.Context(), uuid, standing); err != nil {
			return answer{}, err
		}
		return goTo(string(hostLink(uuid, "")) + "?" + noticeParam + "=" + notice)
	}
}
