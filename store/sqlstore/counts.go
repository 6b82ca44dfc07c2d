package sqlstore

import (
	"context"
	"fmt"
	"time"

	"waptwua"
	"waptwua/store"
)

// CountHosts implements store.Counts. The order of the causes is that of
// store.KnowledgeOf.
func (q *queries) CountHosts(ctx context.Context, silent time.Time) (store.HostSummary, error) {
	var rows []struct {
		Standing store.Standing
		Status   waptwua.HostStatus
		Known    store.Knowledge
		Wanting  bool
		N        int
	}
	err := q.r.NewSelect().TableExpr("hosts AS h").
		ColumnExpr("h.standing, h.status").
		ColumnExpr(over("h", knowledge)+" AS known", utc(silent)).
		ColumnExpr(over("h", wanting)+" AS wanting").
		ColumnExpr("count(*) AS n").GroupExpr("1, 2, 3, 4").Scan(ctx, &rows)
	if err != nil {
		return store.HostSummary{}, fmt.Errorf("counting hosts: %w", err)
	}
	s := store.HostSummary{ByStatus: map[waptwua.HostStatus]int{}}
	for _, r := range rows {
		switch r.Standing {
		case store.Awaiting:
			s.Awaiting += r.N
		case store.Refused:
			s.Refused += r.N
		default:
			s.Enrolled += r.N
			s.ByStatus[r.Status] += r.N
			*bucket(&s, r.Known, r.Wanting) += r.N
		}
	}
	return s, nil
}

func bucket(s *store.HostSummary, k store.Knowledge, wanting bool) *int {
	switch {
	case k == store.Silent:
		return &s.Silent
	case k == store.ScanFailed:
		return &s.ScanFails
	case k == store.NeverScanned:
		return &s.NeverScan
	case wanting:
		return &s.Wanting
	}
	return &s.Compliant
}

// CountUpdates implements store.Counts.
func (q *queries) CountUpdates(ctx context.Context) (store.UpdateSummary, error) {
	var rows []struct {
		Status   waptwua.Status
		N        int
		Distinct int `bun:"different"`
	}
	s := store.UpdateSummary{OnHosts: map[waptwua.Status]int{}, Distinct: map[waptwua.Status]int{}}
	err := q.r.NewSelect().TableExpr("host_updates AS hu").Join(joinUpdates).Join(enrolled).
		ColumnExpr(effective+" AS status, count(*) AS n, count(DISTINCT hu.guid || '_' || hu.revision) AS different").
		GroupExpr("1").Scan(ctx, &rows)
	if err != nil {
		return s, fmt.Errorf("counting updates: %w", err)
	}
	for _, r := range rows {
		s.OnHosts[r.Status], s.Distinct[r.Status] = r.N, r.Distinct
	}
	n, err := q.r.NewSelect().Table("updates").Count(ctx)
	if err != nil {
		return s, fmt.Errorf("counting updates: %w", err)
	}
	s.Seen = int(n)
	return s, nil
}
