package sqlstore

import (
	"context"
	"fmt"
	"time"

	"waptwua/store"
)

// ended selects downloads and runs that are over.
const ended = "state NOT IN ('pending', 'running')"

// AddDownload implements store.Downloads.
func (q *queries) AddDownload(ctx context.Context, d store.Download) (int64, error) {
	d.ID = 0
	if _, err := q.w.NewInsert().Model(&d).Returning("id").Exec(ctx); err != nil {
		return 0, fmt.Errorf("adding a download of %s: %w", d.StoredName, err)
	}
	return d.ID, nil
}

// PutDownload implements store.Downloads.
func (q *queries) PutDownload(ctx context.Context, d store.Download) error {
	res, err := q.w.NewUpdate().Model(&d).WherePK().Exec(ctx)
	return changed(res, err, "download", d.ID)
}

// ListDownloads implements store.Downloads.
func (q *queries) ListDownloads(ctx context.Context, dq store.DownloadQuery) ([]store.Download, int, error) {
	var ds []store.Download
	sel := q.r.NewSelect().Model(&ds).OrderExpr("id DESC")
	if dq.State != "" {
		sel = sel.Where("state = ?", dq.State)
	}
	n, err := page(sel, dq.Page).ScanAndCount(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("listing downloads: %w", err)
	}
	return ds, int(n), nil
}

// PendingDownload implements store.Downloads.
func (q *queries) PendingDownload(ctx context.Context, storedName string) (store.Download, error) {
	var d store.Download
	err := q.r.NewSelect().Model(&d).Where("stored_name = ? AND NOT ("+ended+")", storedName).
		OrderExpr("id DESC").Limit(1).Scan(ctx)
	return d, found(err, "pending download of", storedName)
}

// BreakDownloads implements store.Downloads.
func (q *queries) BreakDownloads(ctx context.Context, at time.Time) error {
	return q.interrupt(ctx, "downloads", at)
}

// DropDownloads implements store.Downloads.
func (q *queries) DropDownloads(ctx context.Context, before time.Time) (int, error) {
	return q.drop(ctx, "downloads", before)
}

// AddRun implements store.Runs.
func (q *queries) AddRun(ctx context.Context, r store.Run) (int64, error) {
	r.ID = 0
	if _, err := q.w.NewInsert().Model(&r).Returning("id").Exec(ctx); err != nil {
		return 0, fmt.Errorf("adding a run of %s: %w", r.Kind, err)
	}
	return r.ID, nil
}

// PutRun implements store.Runs.
func (q *queries) PutRun(ctx context.Context, r store.Run) error {
	res, err := q.w.NewUpdate().Model(&r).WherePK().Exec(ctx)
	return changed(res, err, "run", r.ID)
}

// ListRuns implements store.Runs.
func (q *queries) ListRuns(ctx context.Context, rq store.RunQuery) ([]store.Run, int, error) {
	var rs []store.Run
	sel := q.r.NewSelect().Model(&rs).OrderExpr("id DESC")
	if rq.Kind != "" {
		sel = sel.Where("kind = ?", rq.Kind)
	}
	n, err := page(sel, rq.Page).ScanAndCount(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("listing runs: %w", err)
	}
	return rs, int(n), nil
}

// BreakRuns implements store.Runs.
func (q *queries) BreakRuns(ctx context.Context, at time.Time) error {
	return q.interrupt(ctx, "runs", at)
}

// DropRuns implements store.Runs.
func (q *queries) DropRuns(ctx context.Context, before time.Time) (int, error) {
	return q.drop(ctx, "runs", before)
}

func (q *queries) interrupt(ctx context.Context, table string, at time.Time) error {
	_, err := q.w.NewUpdate().Table(table).Where("NOT ("+ended+")").
		Set("state = ?, finished_at = ?, error = ?", store.Broken, utc(at), "the server stopped meanwhile").Exec(ctx)
	if err != nil {
		return fmt.Errorf("marking interrupted %s: %w", table, err)
	}
	return nil
}

func (q *queries) drop(ctx context.Context, table string, before time.Time) (int, error) {
	res, err := q.w.NewDelete().Table(table).Where(ended+" AND finished_at < ?", utc(before)).Exec(ctx)
	return removed(res, err, table)
}
