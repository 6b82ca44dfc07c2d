package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"waptwua/server"
)

// jobRoutes are the archive, downloads and runs of jobs.
func (a *Administration) jobRoutes() {
	operation(a, Route{Method: "GET", Path: "/api/v1/archive", Role: server.Viewer}, "archive", "The published scan archive and the last attempts to refresh it", a.archive)
	operation(a, Route{Method: "POST", Path: "/api/v1/archive/refresh", Role: server.Operator}, "refresh-archive", "Ask the origin for a newer archive now", a.refresh, accepted)
	operation(a, Route{Method: "GET", Path: "/api/v1/downloads", Role: server.Viewer}, "list-downloads", "List download tasks, the latest first", a.downloads)
	operation(a, Route{Method: "POST", Path: "/api/v1/downloads/missing", Role: server.Operator}, "fetch-missing", "Fetch missing files now", a.missing, accepted)
	operation(a, Route{Method: "GET", Path: "/api/v1/runs", Role: server.Viewer}, "list-runs", "List runs of jobs, the latest first", a.runs)
	operation(a, Route{Method: "POST", Path: "/api/v1/runs", Role: server.Operator}, "run-job", "Run a job now", a.runJob, accepted)
}

func accepted(op *huma.Operation) { op.DefaultStatus = http.StatusAccepted }

func (a *Administration) archive(ctx context.Context, _ *struct{}) (*body[server.ArchiveView], error) {
	return reply(a.srv.Fleet.Archive(ctx))
}

type refreshInput struct {
	Force bool `query:"force" doc:"Fetch it even if the origin says that nothing changed, and accept an older one. A wrong signature is never accepted."`
}

func (a *Administration) refresh(ctx context.Context, in *refreshInput) (*none, error) {
	return done(a.srv.Upkeep.Ask(ctx, server.JobArchive, in.Force))
}

type downloadsInput struct {
	Paging
	State server.State `query:"state" enum:"pending,running,finished,skipped,failed,interrupted"`
}

func (a *Administration) downloads(ctx context.Context, in *downloadsInput) (*body[server.List[server.DownloadView]], error) {
	return reply(a.srv.Fleet.Downloads(ctx, in.State, in.Paging.part()))
}

func (a *Administration) missing(ctx context.Context, _ *struct{}) (*none, error) {
	return done(a.srv.Upkeep.Ask(ctx, server.JobFiles, false))
}

type runsInput struct {
	Paging
	Kind server.Job `query:"kind" enum:"refresh-archive,missing-files,clean-up,expiry"`
}

func (a *Administration) runs(ctx context.Context, in *runsInput) (*body[server.List[server.RunView]], error) {
	return reply(a.srv.Fleet.Runs(ctx, in.Kind, in.Paging.part()))
}

type runJobInput struct {
	Body struct {
		Kind server.Job `json:"kind" enum:"refresh-archive,missing-files,clean-up,expiry"`
	}
}

func (a *Administration) runJob(ctx context.Context, in *runJobInput) (*none, error) {
	return done(a.srv.Upkeep.Ask(ctx, in.Body.Kind, false))
}
