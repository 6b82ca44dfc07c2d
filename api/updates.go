package api

import (
	"context"

	"waptwua"
	"waptwua/server"
)

// updateRoutes are updates, their hosts and files.
func (a *Administration) updateRoutes() {
	operation(a, Route{Method: "GET", Path: "/api/v1/updates", Role: server.Viewer}, "list-updates", "List updates that hosts have or need, newest first", a.updates)
	operation(a, Route{Method: "GET", Path: "/api/v1/updates/{id}", Role: server.Viewer}, "update", "One update", a.update)
	operation(a, Route{Method: "GET", Path: "/api/v1/updates/{id}/hosts", Role: server.Viewer}, "hosts-of-update", "The hosts that have or need an update", a.updateHosts)
	operation(a, Route{Method: "GET", Path: "/api/v1/updates/{id}/files", Role: server.Viewer}, "files-of-update", "The files of an update", a.updateFiles)
}

type updatesInput struct {
	Paging
	Search string         `query:"search" maxLength:"200" doc:"Part of title, KB or GUID"`
	Status waptwua.Status `query:"status" enum:"OK,PENDING,MISSING,DISCARDED,REBOOT,ERROR,SUPERSEDED" doc:"On some host"`
}

func (a *Administration) updates(ctx context.Context, in *updatesInput) (*body[server.List[server.UpdateView]], error) {
	return reply(a.srv.Fleet.Updates(ctx, server.UpdateFilter{Part: in.Paging.part(), Search: in.Search, Status: in.Status}))
}

type updateInput struct {
	ID string `path:"id" maxLength:"60" doc:"GUID_REVISION"`
}

func (a *Administration) update(ctx context.Context, in *updateInput) (*body[server.UpdateView], error) {
	id, err := updateID(in.ID)
	if err != nil {
		return nil, err
	}
	return reply(a.srv.Fleet.Update(ctx, id))
}

type updateHostsInput struct {
	Paging
	ID string `path:"id" maxLength:"60" doc:"GUID_REVISION"`
}

func (a *Administration) updateHosts(ctx context.Context, in *updateHostsInput) (*body[server.List[server.HostUpdate]], error) {
	id, err := updateID(in.ID)
	if err != nil {
		return nil, err
	}
	return reply(a.srv.Fleet.HostsOf(ctx, id, in.Paging.part()))
}

func (a *Administration) updateFiles(ctx context.Context, in *updateInput) (*body[[]server.FileView], error) {
	id, err := updateID(in.ID)
	if err != nil {
		return nil, err
	}
	return reply(a.srv.Fleet.Files(ctx, id))
}
