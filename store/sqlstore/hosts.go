package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"waptwua"
	"waptwua/store"
)

// effective is the status of an update on a host as store.HostUpdate defines
// it, over host_updates AS hu and updates AS u.
const effective = `CASE WHEN hu.status IN ('PENDING', 'MISSING') THEN
	CASE WHEN hu.downloaded OR u.downloaded_on IS NOT NULL THEN 'PENDING' ELSE 'MISSING' END
	ELSE hu.status END`

// joinUpdates belongs to effective.
const joinUpdates = `LEFT JOIN updates AS u ON u.guid = hu.guid AND u.revision = hu.revision`

// attention orders what needs attention first.
const attention = `CASE hu.status WHEN 'ERROR' THEN 0 WHEN 'MISSING' THEN 1 WHEN 'PENDING' THEN 1
	WHEN 'REBOOT' THEN 2 WHEN 'DISCARDED' THEN 3 WHEN 'OK' THEN 4 ELSE 5 END`

// batch bounds the rows of one statement.
const batch = 500

// Host implements store.Hosts.
func (q *queries) Host(ctx context.Context, uuid string) (store.Host, error) {
	var h store.Host
	if err := found(q.r.NewSelect().Model(&h).Where("uuid = ?", uuid).Scan(ctx), "host", uuid); err != nil {
		return h, err
	}
	tallies, err := q.tallyHosts(ctx, []string{uuid})
	h.Tally = tallies[uuid]
	return h, err
}

// ListHosts implements store.Hosts.
func (q *queries) ListHosts(ctx context.Context, hq store.HostQuery) ([]store.Host, int, error) {
	var hosts []store.Host
	sel := q.r.NewSelect().Model(&hosts).ExcludeColumn("head")
	sel = orderHosts(whereCondition(whereHosts(sel, hq), hq), hq)
	n, err := page(sel, hq.Page).ScanAndCount(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("listing hosts: %w", err)
	}
	uuids := make([]string, len(hosts))
	for i, h := range hosts {
		uuids[i] = h.UUID
	}
	tallies, err := q.tallyHosts(ctx, uuids)
	for i := range hosts {
		hosts[i].Tally = tallies[hosts[i].UUID]
	}
	return hosts, int(n), err
}

func whereHosts(sel *bun.SelectQuery, hq store.HostQuery) *bun.SelectQuery {
	if hq.Search != "" {
		p := like(hq.Search)
		sel = sel.Where(`(lower(name) LIKE ? ESCAPE '!' OR uuid LIKE ? ESCAPE '!')`, p, p)
	}
	if hq.Standing != "" {
		sel = sel.Where("standing = ?", hq.Standing)
	}
	if hq.Status != "" {
		sel = sel.Where("status = ?", hq.Status)
	}
	if hq.Has == "" && hq.Update.IsZero() {
		return sel
	}
	if hq.Has == "" {
		return sel.Where(`uuid IN (SELECT host_uuid FROM host_updates WHERE guid = ? AND revision = ?)`, hq.Update.GUID, hq.Update.Revision)
	}
	has := `uuid IN (SELECT hu.host_uuid FROM host_updates AS hu ` + joinUpdates + ` WHERE ` + effective + ` = ?`
	if hq.Update.IsZero() {
		return sel.Where(has+")", hq.Has)
	}
	return sel.Where(has+" AND hu.guid = ? AND hu.revision = ?)", hq.Has, hq.Update.GUID, hq.Update.Revision)
}

// like makes a pattern that finds s anywhere, without case.
func like(s string) string { return containing(strings.ToLower(s)) }

// containing makes a pattern that finds s anywhere.
func containing(s string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}

func (q *queries) tallyHosts(ctx context.Context, uuids []string) (map[string]map[waptwua.Status]int, error) {
	if len(uuids) == 0 {
		return nil, nil
	}
	var rows []struct {
		HostUUID string
		Status   waptwua.Status
		N        int
	}
	err := q.r.NewSelect().TableExpr("host_updates AS hu").Join(joinUpdates).
		ColumnExpr("hu.host_uuid, "+effective+" AS status, count(*) AS n").
		Where("hu.host_uuid IN (?)", bun.List(uuids)).GroupExpr("1, 2").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("counting updates of hosts: %w", err)
	}
	t := make(map[string]map[waptwua.Status]int, len(uuids))
	for _, r := range rows {
		if t[r.HostUUID] == nil {
			t[r.HostUUID] = map[waptwua.Status]int{}
		}
		t[r.HostUUID][r.Status] = r.N
	}
	return t, nil
}

// PutHost implements store.Hosts.
func (q *queries) PutHost(ctx context.Context, h store.Host) error {
	_, err := q.w.NewInsert().Model(&h).On("CONFLICT (uuid) DO UPDATE").Exec(ctx)
	if err != nil {
		return fmt.Errorf("writing host %s: %w", h.UUID, err)
	}
	return nil
}

// SeenHost implements store.Hosts.
func (q *queries) SeenHost(ctx context.Context, uuid string, at time.Time) error {
	at = utc(at)
	_, err := q.w.NewUpdate().Table("hosts").Set("last_seen = ?", at).
		Where("uuid = ? AND (last_seen IS NULL OR last_seen < ?)", uuid, at).Exec(ctx)
	if err != nil {
		return fmt.Errorf("noting that host %s was seen: %w", uuid, err)
	}
	return nil
}

// DeleteHost implements store.Hosts.
func (q *queries) DeleteHost(ctx context.Context, uuid string) error {
	return q.atomically(ctx, func(tx bun.IDB) error {
		if _, err := tx.NewDelete().Table("host_updates").Where("host_uuid = ?", uuid).Exec(ctx); err != nil {
			return fmt.Errorf("removing updates of host %s: %w", uuid, err)
		}
		res, err := tx.NewDelete().Table("hosts").Where("uuid = ?", uuid).Exec(ctx)
		return changed(res, err, "host", uuid)
	})
}

// hostUpdateRow holds the record as JSON text: bun's own JSON columns change
// an escaped NUL, and the digest of a host's state must survive the way here.
type hostUpdateRow struct {
	bun.BaseModel `bun:"table:host_updates,alias:hu"`
	store.HostUpdate
	Text string `bun:"record"`
}

func toRows(us []store.HostUpdate) ([]hostUpdateRow, error) {
	rows := make([]hostUpdateRow, len(us))
	for i, u := range us {
		b, err := json.Marshal(u.Record)
		if err != nil {
			return nil, fmt.Errorf("encoding update %s of host %s: %w", u.Record.ID, u.HostUUID, err)
		}
		rows[i] = hostUpdateRow{HostUpdate: u, Text: string(b)}
	}
	return rows, nil
}

func fromRows(rows []hostUpdateRow) ([]store.HostUpdate, error) {
	us := make([]store.HostUpdate, len(rows))
	for i, r := range rows {
		us[i] = r.HostUpdate
		if err := json.Unmarshal([]byte(r.Text), &us[i].Record); err != nil {
			return nil, fmt.Errorf("update %s_%d of host %s: its record is damaged: %w", r.GUID, r.Revision, r.HostUUID, err)
		}
	}
	return us, nil
}

// HostUpdates implements store.HostUpdates.
func (q *queries) HostUpdates(ctx context.Context, uuid string) ([]store.HostUpdate, error) {
	var rows []hostUpdateRow
	err := q.selectHostUpdates(&rows).Where("hu.host_uuid = ?", uuid).
		OrderExpr(attention + ", title, hu.guid, hu.revision").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing updates of host %s: %w", uuid, err)
	}
	return fromRows(rows)
}

// HostsOfUpdate implements store.HostUpdates.
func (q *queries) HostsOfUpdate(ctx context.Context, id waptwua.UpdateID, p store.Page) ([]store.HostUpdate, int, error) {
	var rows []hostUpdateRow
	sel := q.selectHostUpdates(&rows).Where("hu.guid = ? AND hu.revision = ?", id.GUID, id.Revision).
		OrderExpr("host_name, hu.host_uuid")
	n, err := page(sel, p).ScanAndCount(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("listing hosts of update %s: %w", id, err)
	}
	us, err := fromRows(rows)
	return us, int(n), err
}

func (q *queries) selectHostUpdates(rows *[]hostUpdateRow) *bun.SelectQuery {
	return q.r.NewSelect().Model(rows).
		Join(joinUpdates).Join("LEFT JOIN hosts AS h ON h.uuid = hu.host_uuid").
		ColumnExpr("hu.*, " + effective + " AS effective, coalesce(u.title, '') AS title, coalesce(h.name, '') AS host_name")
}

// ChangeHostUpdates implements store.HostUpdates.
func (q *queries) ChangeHostUpdates(ctx context.Context, uuid string, put []store.HostUpdate, remove []waptwua.UpdateID) error {
	return q.atomically(ctx, func(tx bun.IDB) error {
		for _, id := range remove {
			_, err := tx.NewDelete().Table("host_updates").
				Where("host_uuid = ? AND guid = ? AND revision = ?", uuid, id.GUID, id.Revision).Exec(ctx)
			if err != nil {
				return fmt.Errorf("removing update %s of host %s: %w", id, uuid, err)
			}
		}
		for len(put) > 0 {
			part, err := toRows(put[:min(batch, len(put))])
			if err != nil {
				return err
			}
			put = put[len(part):]
			_, err = tx.NewInsert().Model(&part).On("CONFLICT (host_uuid, guid, revision) DO UPDATE").Exec(ctx)
			if err != nil {
				return fmt.Errorf("writing updates of host %s: %w", uuid, err)
			}
		}
		return nil
	})
}

// ClearHostUpdates implements store.HostUpdates.
func (q *queries) ClearHostUpdates(ctx context.Context, uuid string) error {
	if _, err := q.w.NewDelete().Table("host_updates").Where("host_uuid = ?", uuid).Exec(ctx); err != nil {
		return fmt.Errorf("removing updates of host %s: %w", uuid, err)
	}
	return nil
}
