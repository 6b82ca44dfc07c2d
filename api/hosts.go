package api

import (
	"context"
	"fmt"

	"waptwua"
	"waptwua/server"
)

// hostRoutes are the fleet's figures and its hosts.
func (a *Administration) hostRoutes() {
	operation(a, Route{Method: "GET", Path: "/api/v1/summary", Role: server.Viewer}, "summary", "The fleet in figures", a.summary)
	operation(a, Route{Method: "GET", Path: "/api/v1/hosts", Role: server.Viewer}, "list-hosts", "List hosts by name", a.hosts)
	operation(a, Route{Method: "GET", Path: "/api/v1/hosts/{uuid}", Role: server.Viewer}, "host", "One host with its updates", a.host)
	operation(a, Route{Method: "POST", Path: "/api/v1/hosts/{uuid}/approve", Role: server.Operator}, "approve-host", "Let a host report and fetch", a.approve)
	operation(a, Route{Method: "POST", Path: "/api/v1/hosts/{uuid}/refuse", Role: server.Operator}, "refuse-host", "Turn a host away", a.refuse)
	operation(a, Route{Method: "DELETE", Path: "/api/v1/hosts/{uuid}", Role: server.Operator}, "delete-host", "Forget a host; it may enrol again with a new key", a.deleteHost)
}

func (a *Administration) summary(ctx context.Context, _ *struct{}) (*body[server.Summary], error) {
	return reply(a.srv.Fleet.Summary(ctx))
}

type hostsInput struct {
	Paging
	Search   string             `query:"search" maxLength:"200" doc:"Part of name or UUID"`
	Standing server.Standing    `query:"standing" enum:"enrolled,awaiting,refused"`
	Status   waptwua.HostStatus `query:"status" enum:"OK,PENDING_UPDATES,SCANNING,DOWNLOADING,INSTALLING,REBOOT,ERROR"`
	Has      waptwua.Status     `query:"has" enum:"OK,PENDING,MISSING,DISCARDED,REBOOT,ERROR,SUPERSEDED" doc:"That have an update of this status"`
	Update   string             `query:"update" maxLength:"60" doc:"With has: this update, GUID_REVISION"`
}

func (a *Administration) hosts(ctx context.Context, in *hostsInput) (*body[server.List[server.HostView]], error) {
	f := server.HostFilter{Part: in.Paging.part(), Search: in.Search, Standing: in.Standing, Status: in.Status, Has: in.Has}
	if in.Update != "" {
		id, err := updateID(in.Update)
		if err != nil {
			return nil, err
		}
		f.Update = id
	}
	return reply(a.srv.Fleet.Hosts(ctx, f))
}

type hostInput struct {
	UUID string `path:"uuid" doc:"The host's UUID"`
}

func (a *Administration) host(ctx context.Context, in *hostInput) (*body[server.HostDetail], error) {
	return reply(a.srv.Fleet.Host(ctx, in.UUID))
}

func (a *Administration) approve(ctx context.Context, in *hostInput) (*none, error) {
	return done(a.srv.Enrolment.SetStanding(ctx, in.UUID, server.Enrolled))
}

func (a *Administration) refuse(ctx context.Context, in *hostInput) (*none, error) {
	return done(a.srv.Enrolment.SetStanding(ctx, in.UUID, server.Refused))
}

func (a *Administration) deleteHost(ctx context.Context, in *hostInput) (*none, error) {
	return done(a.srv.Enrolment.Delete(ctx, in.UUID))
}

func updateID(s string) (waptwua.UpdateID, error) {
	id, err := waptwua.ParseUpdateID(s)
	if err != nil {
		return id, fmt.Errorf("%w: %w", server.ErrInvalid, err)
	}
	return id, nil
}
