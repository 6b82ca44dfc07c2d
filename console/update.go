package console

import (
	"net/url"

	"waptwua"
	"waptwua/server"
)

// updatePage is /updates/{id}.
type updatePage struct {
	frame
	server.UpdateView
	Files   []server.FileView
	OnHosts server.List[server.HostUpdate]
}

func showUpdate(details UpdateDetails) handler {
	return func(q *request) (answer, error) {
		id, err := waptwua.ParseUpdateID(q.PathValue("id"))
		if err != nil {
			return answer{}, invalid("%s", err)
		}
		p := updatePage{frame: q.frame}
		if p.UpdateView, err = details.Update(q.Context(), id); err != nil {
			return answer{}, err
		}
		if p.Files, err = details.Files(q.Context(), id); err != nil {
			return answer{}, err
		}
		if p.OnHosts, err = details.HostsOf(q.Context(), id, server.Part{Limit: pageSize}); err != nil {
			return answer{}, err
		}
		return show(p.view())
	}
}

// onWeb tells whether an address, which may come from a host, is one of the web.
func onWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// updateName is what the update is called; its identity while nobody described it.
func updateName(u server.UpdateView) string {
	if u.Title != "" {
		return u.Title
	}
	return u.ID.String()
}
