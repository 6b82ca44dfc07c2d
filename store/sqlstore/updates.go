package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"waptwua"
	"waptwua/store"
)

// lacking selects, over host_updates AS hu, what a host may install now and lacks.
const lacking = `hu.decision = 'allowed' AND hu.status IN ('PENDING', 'MISSING', 'ERROR')`

// held selects what a host may install later.
const held = `hu.decision = 'held' AND hu.status = 'DISCARDED'`

// enrolled restricts host_updates AS hu to hosts in good standing.
const enrolled = `JOIN hosts AS h ON h.uuid = hu.host_uuid AND h.standing = 'enrolled'`

// FindUpdate implements store.Updates.
func (q *queries) FindUpdate(ctx context.Context, id waptwua.UpdateID) (store.Update, error) {
	var u store.Update
	err := q.r.NewSelect().Model(&u).Where("guid = ? AND revision = ?", id.GUID, id.Revision).Scan(ctx)
	if err := found(err, "update", id); err != nil {
		return u, err
	}
	us := []store.Update{u}
	err = q.tallyUpdates(ctx, us)
	return us[0], err
}

// ListUpdates implements store.Updates.
func (q *queries) ListUpdates(ctx context.Context, uq store.UpdateQuery) ([]store.Update, int, error) {
	var us []store.Update
	sel := orderUpdates(whereFacets(q.r.NewSelect().Model(&us), uq), uq)
	if uq.Search != "" {
		p := like(uq.Search)
		sel = sel.Where(`(lower(title) LIKE ? ESCAPE '!' OR lower(kbs) LIKE ? ESCAPE '!' OR guid LIKE ? ESCAPE '!')`, p, p, p)
	}
	if uq.Status != "" {
		sel = sel.Where(`EXISTS (SELECT 1 FROM host_updates AS hu `+joinUpdates+
			` WHERE hu.guid = "update".guid AND hu.revision = "update".revision AND `+effective+` = ?)`, uq.Status)
	}
	n, err := page(sel, uq.Page).ScanAndCount(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("listing updates: %w", err)
	}
	return us, int(n), q.tallyUpdates(ctx, us)
}

func (q *queries) tallyUpdates(ctx context.Context, us []store.Update) error {
	if len(us) == 0 {
		return nil
	}
	at := make(map[waptwua.UpdateID]int, len(us))
	guids := make([]string, len(us))
	for i, u := range us {
		at[u.ID()], guids[i] = i, u.GUID
	}
	var rows []struct {
		GUID     string `bun:"guid"`
		Revision int
		Status   waptwua.Status
		N        int
	}
	err := q.r.NewSelect().TableExpr("host_updates AS hu").Join(joinUpdates).Join(enrolled).
		ColumnExpr("hu.guid, hu.revision, "+effective+" AS status, count(*) AS n").
		Where("hu.guid IN (?)", bun.List(guids)).GroupExpr("1, 2, 3").Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("counting hosts of updates: %w", err)
	}
	for _, r := range rows {
		i, ok := at[waptwua.UpdateID{GUID: r.GUID, Revision: r.Revision}]
		if !ok {
			continue // another revision of the GUID
		}
		if us[i].Tally == nil {
			us[i].Tally = map[waptwua.Status]int{}
		}
		us[i].Tally[r.Status] = r.N
	}
	return nil
}

// SeeUpdates implements store.Updates.
func (q *queries) SeeUpdates(ctx context.Context, ids []waptwua.UpdateID, at time.Time) error {
	rows := make([]store.Update, len(ids))
	for i, id := range ids {
		rows[i] = store.Update{GUID: id.GUID, Revision: id.Revision, SeenAt: utc(at), About: waptwua.Update{ID: id}}
	}
	for len(rows) > 0 {
		part := rows[:min(batch, len(rows))]
		rows = rows[len(part):]
		_, err := q.w.NewInsert().Model(&part).On("CONFLICT (guid, revision) DO NOTHING").Exec(ctx)
		if err != nil {
			return fmt.Errorf("noting updates that were seen: %w", err)
		}
	}
	return nil
}

// Undescribed implements store.Updates.
func (q *queries) Undescribed(ctx context.Context, ids []waptwua.UpdateID) ([]waptwua.UpdateID, error) {
	var out []waptwua.UpdateID
	for len(ids) > 0 {
		part := ids[:min(batch, len(ids))]
		ids = ids[len(part):]
		var rows []store.Update
		err := q.r.NewSelect().Model(&rows).Column("guid", "revision").
			Where("NOT described AND guid IN (?)", bun.List(guidsOf(part))).Scan(ctx)
		if err != nil {
			return nil, fmt.Errorf("looking for updates without a description: %w", err)
		}
		out = append(out, intersect(part, rows)...)
	}
	return out, nil
}

func guidsOf(ids []waptwua.UpdateID) []string {
	g := make([]string, len(ids))
	for i, id := range ids {
		g[i] = id.GUID
	}
	return g
}

// intersect keeps the ids that are among rows.
func intersect(ids []waptwua.UpdateID, rows []store.Update) []waptwua.UpdateID {
	in := make(map[waptwua.UpdateID]bool, len(rows))
	for _, r := range rows {
		in[r.ID()] = true
	}
	var out []waptwua.UpdateID
	for _, id := range ids {
		if in[id] {
			out = append(out, id)
		}
	}
	return out
}

// OutdatedUpdates implements store.Updates.
func (q *queries) OutdatedUpdates(ctx context.Context, archive string, after waptwua.UpdateID, limit int) ([]store.Update, error) {
	var us []store.Update
	err := q.r.NewSelect().Model(&us).Where("archive <> ?", archive).
		Where("(guid > ? OR (guid = ? AND revision > ?))", after.GUID, after.GUID, after.Revision).
		Order("guid", "revision").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for updates to describe anew: %w", err)
	}
	return us, nil
}

// DescribeUpdates implements store.Updates.
func (q *queries) DescribeUpdates(ctx context.Context, us []store.Update) error {
	return q.atomically(ctx, func(tx bun.IDB) error {
		for _, u := range us {
			_, err := tx.NewUpdate().Model(&u).
				Column("title", "severity", "kbs", "products", "classifications", "published", "archive", "described", "about").WherePK().Exec(ctx)
			if err != nil {
				return fmt.Errorf("describing update %s: %w", u.ID(), err)
			}
		}
		return nil
	})
}

// NeededUpdates implements store.Updates.
func (q *queries) NeededUpdates(ctx context.Context) ([]store.Need, error) {
	var needs []store.Need
	err := q.r.NewSelect().TableExpr("host_updates AS hu").Join(enrolled).
		ColumnExpr("hu.guid, hu.revision").
		ColumnExpr("sum(CASE WHEN "+lacking+" THEN 1 ELSE 0 END) AS allowed").
		ColumnExpr("sum(CASE WHEN "+lacking+" AND NOT hu.downloaded THEN 1 ELSE 0 END) AS absent").
		ColumnExpr("sum(CASE WHEN "+held+" THEN 1 ELSE 0 END) AS held").
		Where("("+lacking+") OR ("+held+")").
		GroupExpr("1, 2").OrderExpr("1, 2").Scan(ctx, &needs)
	if err != nil {
		return nil, fmt.Errorf("looking for needed updates: %w", err)
	}
	return needs, nil
}
