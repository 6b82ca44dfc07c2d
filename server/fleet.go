package server

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"waptwua"
	"waptwua/store"
)

// Fleet answers people's questions. It changes nothing.
type Fleet struct {
	*base
	catalogues *catalogues
}

// maxPage bounds the length of a part of a list.
const maxPage = 1000

// Part selects a part of a list.
type Part struct {
	Limit  int // 0: store.DefaultLimit; at most 1000
	Offset int
}

func (p Part) page() store.Page { return store.Page{Limit: min(p.Limit, maxPage), Offset: p.Offset} }

// HostFilter selects hosts; zero fields do not restrict.
type HostFilter struct {
	Part
	Search   string             // part of name or UUID
	Standing store.Standing     // of this standing
	Status   waptwua.HostStatus // that reported this status
	Has      waptwua.Status     // that have an update of this status
	Update   waptwua.UpdateID   // with Has: this update; without: that have or need this update

	Condition  Condition // enrolled hosts in this condition
	Sort       HostSort  // empty: by name
	Descending bool
}

// UpdateFilter selects updates; zero fields do not restrict.
type UpdateFilter struct {
	Part
	Search         string         // part of title, KB or GUID
	Status         waptwua.Status // on some host
	Severity       string         // rated so; "None": not rated
	Product        string         // of this product, by its whole name
	Classification string         // of this classification, by its whole name
	Files          Presence       // whether all its files are on the server

	Sort      UpdateSort // empty: newest first
	Ascending bool
}

func (f *Fleet) silent() time.Time { return f.now().Add(-f.set.HostSilentAfter) }

// Summary counts.
func (f *Fleet) Summary(ctx context.Context) (Summary, error) {
	hosts, err := f.store.CountHosts(ctx, f.silent())
	if err != nil {
		return Summary{}, err
	}
	updates, err := f.store.CountUpdates(ctx)
	if err != nil {
		return Summary{}, err
	}
	files, err := f.store.SumFiles(ctx)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{
		At: f.now().UTC(), HostsBy: hosts.ByStatus, Updates: updates.Distinct, OnHosts: updates.OnHosts, Seen: updates.Seen,
		Hosts: HostCounts{Enrolled: hosts.Enrolled, Compliant: hosts.Compliant, Wanting: hosts.Wanting, Silent: hosts.Silent,
			NeverScanned: hosts.NeverScan, ScanFailed: hosts.ScanFails, Awaiting: hosts.Awaiting, Refused: hosts.Refused},
		Files: FileCounts(files), Catalogue: f.catalogues.current() != nil,
	}
	if _, ok := f.catalogues.published(ctx); ok {
		a, err := f.Archive(ctx)
		if err != nil {
			return s, err
		}
		s.Archive = &a
	}
	return s, nil
}

// Archive describes the published archive and the last attempts to refresh
// it. Before the first archive only the attempts are known.
func (f *Fleet) Archive(ctx context.Context) (ArchiveView, error) {
	a, _ := f.catalogues.published(ctx)
	v := ArchiveView{Archive: a}
	if cat := f.catalogues.current(); cat != nil {
		v.Loaded = cat.Archive() == a.SHA256
	}
	runs, _, err := f.store.ListRuns(ctx, store.RunQuery{Kind: string(JobArchive)})
	if err != nil {
		return v, err
	}
	for i, r := range runs {
		if i == 0 && r.State == store.Failed {
			v.LastError = r.Error
		}
		if r.State == store.Finished || r.State == store.Skipped {
			v.Checked = r.FinishedAt
			break
		}
	}
	return v, nil
}

// Hosts lists hosts.
func (f *Fleet) Hosts(ctx context.Context, hf HostFilter) (List[HostView], error) {
	q := store.HostQuery{Page: hf.page(), Search: hf.Search, Standing: hf.Standing, Status: hf.Status, Has: hf.Has, Update: hf.Update,
		Condition: hf.Condition, SilentBefore: f.silent(), Sort: hf.Sort, Descending: hf.Descending}
	hs, n, err := f.store.ListHosts(ctx, q)
	if err != nil {
		return List[HostView]{}, err
	}
	silent := f.silent()
	return listOf(hs, n, func(h store.Host) HostView { return viewHost(h, silent) }), nil
}

// Host returns one host with its updates, what needs attention first.
func (f *Fleet) Host(ctx context.Context, uuid string) (HostDetail, error) {
	h, err := f.store.Host(ctx, uuid)
	if err != nil {
		return HostDetail{}, err
	}
	d := HostDetail{HostView: viewHost(h, f.silent())}
	if h.Head != "" {
		if err := json.Unmarshal([]byte(h.Head), &d.State); err != nil {
			return d, fmt.Errorf("the state held of host %s is damaged: %w", uuid, err)
		}
	}
	us, err := f.store.HostUpdates(ctx, uuid)
	if err != nil {
		return d, err
	}
	d.List = listOf(us, len(us), viewHostUpdate).Items
	return d, nil
}

// Updates lists the updates that hosts have or need.
func (f *Fleet) Updates(ctx context.Context, uf UpdateFilter) (List[UpdateView], error) {
	us, n, err := f.store.ListUpdates(ctx, store.UpdateQuery{
		Page: uf.page(), Search: uf.Search, Status: uf.Status, Severity: uf.Severity, Product: uf.Product,
		Classification: uf.Classification, Files: uf.Files, Sort: uf.Sort, Ascending: uf.Ascending,
	})
	if err != nil {
		return List[UpdateView]{}, err
	}
	return listOf(us, n, viewUpdate), nil
}

// Facets counts the updates that were seen by severity, product and classification.
func (f *Fleet) Facets(ctx context.Context) (Facets, error) { return f.store.CountFacets(ctx) }

// Update returns one update.
func (f *Fleet) Update(ctx context.Context, id waptwua.UpdateID) (UpdateView, error) {
	u, err := f.store.FindUpdate(ctx, id)
	return viewUpdate(u), err
}

// HostsOf lists the hosts that have or need an update, in the order of names.
func (f *Fleet) HostsOf(ctx context.Context, id waptwua.UpdateID, p Part) (List[HostUpdate], error) {
	us, n, err := f.store.HostsOfUpdate(ctx, id, p.page())
	if err != nil {
		return List[HostUpdate]{}, err
	}
	return listOf(us, n, viewHostUpdate), nil
}

// Files lists the files of an update.
func (f *Fleet) Files(ctx context.Context, id waptwua.UpdateID) ([]FileView, error) {
	fs, err := f.store.FilesOfUpdate(ctx, id)
	return listOf(fs, len(fs), viewFile).Items, err
}

// Downloads lists download tasks, the latest first; an empty state: all.
func (f *Fleet) Downloads(ctx context.Context, state store.State, p Part) (List[DownloadView], error) {
	ds, n, err := f.store.ListDownloads(ctx, store.DownloadQuery{Page: p.page(), State: state})
	if err != nil {
		return List[DownloadView]{}, err
	}
	return listOf(ds, n, viewDownload), nil
}

// Runs lists runs of jobs, the latest first; an empty job: all.
func (f *Fleet) Runs(ctx context.Context, job Job, p Part) (List[RunView], error) {
	rs, n, err := f.store.ListRuns(ctx, store.RunQuery{Page: p.page(), Kind: string(job)})
	if err != nil {
		return List[RunView]{}, err
	}
	return listOf(rs, n, viewRun), nil
}

// Audit lists changes after the entry numbered after.
func (f *Fleet) Audit(ctx context.Context, after int64, limit int) ([]AuditView, error) {
	if limit <= 0 {
		limit = store.DefaultLimit
	}
	es, err := f.store.ListAudit(ctx, after, min(limit, maxPage))
	return listOf(es, len(es), viewAudit).Items, err
}
