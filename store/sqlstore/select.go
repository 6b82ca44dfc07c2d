package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"waptwua/store"
)

// knowledge is store.KnowledgeOf over hosts AS %s, with one parameter: the
// time before which a host is silent.
const knowledge = `CASE WHEN %[1]s.last_seen IS NULL OR %[1]s.last_seen < ? THEN 'silent' WHEN %[1]s.scan_error <> '' THEN 'scan_failed'
	WHEN %[1]s.scanned_at IS NULL THEN 'never_scanned' ELSE 'known' END`

// wanting tells whether something allowed is lacking, failed or waits for a
// restart on the host of hosts AS %s.
const wanting = `EXISTS (SELECT 1 FROM host_updates AS hu WHERE hu.host_uuid = %s.uuid
	AND hu.status IN ('PENDING', 'MISSING', 'ERROR', 'REBOOT'))`

// over fills in the alias of hosts.
func over(alias, expr string) string { return fmt.Sprintf(expr, alias) }

func whereCondition(sel *bun.SelectQuery, hq store.HostQuery) *bun.SelectQuery {
	if hq.Condition == "" {
		return sel
	}
	known := string(hq.Condition)
	switch hq.Condition {
	case store.IsCompliant:
		known, sel = string(store.Known), sel.Where("NOT "+over("host", wanting))
	case store.IsWanting:
		known, sel = string(store.Known), sel.Where(over("host", wanting))
	}
	return sel.Where("standing = ?", store.Enrolled).Where(over("host", knowledge)+" = ?", utc(hq.SilentBefore), known)
}

func orderHosts(sel *bun.SelectQuery, hq store.HostQuery) *bun.SelectQuery {
	way := ""
	if hq.Descending {
		way = " DESC"
	}
	switch hq.Sort {
	case store.HostsByStatus:
		sel = sel.OrderExpr("status" + way)
	case store.HostsByOS:
		sel = sel.OrderExpr("os" + way + ", os_version" + way)
	case store.HostsByReport:
		sel = sel.OrderExpr("reported_at IS NULL, reported_at" + way)
	case store.HostsByMissing, store.HostsByPending, store.HostsByError, store.HostsByReboot, store.HostsByVerified:
		sel = sel.OrderExpr(`(SELECT count(*) FROM host_updates AS hu `+joinUpdates+
			` WHERE hu.host_uuid = host.uuid AND `+effective+` = ?)`+way, strings.ToUpper(string(hq.Sort)))
	default:
		return sel.OrderExpr("name" + way + ", uuid" + way)
	}
	return sel.Order("name", "uuid")
}

func whereFacets(sel *bun.SelectQuery, uq store.UpdateQuery) *bun.SelectQuery {
	switch uq.Severity {
	case "":
	case store.SeverityNone:
		sel = sel.Where("severity = ''")
	default:
		sel = sel.Where("severity = ?", uq.Severity)
	}
	if uq.Product != "" {
		sel = sel.Where(`products LIKE ? ESCAPE '!'`, containing("\n"+uq.Product+"\n"))
	}
	if uq.Classification != "" {
		sel = sel.Where(`classifications LIKE ? ESCAPE '!'`, containing("\n"+uq.Classification+"\n"))
	}
	switch uq.Files {
	case store.FilesPresent:
		sel = sel.Where("downloaded_on IS NOT NULL")
	case store.FilesAbsent:
		sel = sel.Where("downloaded_on IS NULL")
	}
	return sel
}

// severityRank is larger for what is more urgent.
const severityRank = `CASE severity WHEN 'Critical' THEN 4 WHEN 'Important' THEN 3 WHEN 'Moderate' THEN 2 WHEN 'Low' THEN 1 ELSE 0 END`

func orderUpdates(sel *bun.SelectQuery, uq store.UpdateQuery) *bun.SelectQuery {
	way := " DESC"
	if uq.Ascending {
		way = ""
	}
	switch uq.Sort {
	case store.UpdatesByTitle:
		return sel.OrderExpr("title" + way + ", guid, revision")
	case store.UpdatesBySeverity:
		sel = sel.OrderExpr(severityRank + way + ", published DESC")
	case store.UpdatesByDownloaded:
		sel = sel.OrderExpr("downloaded_on IS NULL, downloaded_on" + way)
	case store.UpdatesByNeed:
		sel = sel.OrderExpr(`(SELECT count(*) FROM host_updates AS hu ` + enrolled +
			` WHERE hu.guid = "update".guid AND hu.revision = "update".revision AND hu.status IN ('PENDING', 'MISSING', 'ERROR'))` + way)
	default:
		sel = sel.OrderExpr("published IS NULL, published" + way)
	}
	return sel.OrderExpr("title, guid, revision")
}

// CountFacets implements store.Updates.
func (q *queries) CountFacets(ctx context.Context) (store.Facets, error) {
	f := store.Facets{Severities: map[string]int{}, Products: map[string]int{}, Classifications: map[string]int{}}
	var rows []struct {
		Severity, Products, Classifications string
		N                                   int
	}
	err := q.r.NewSelect().Table("updates").ColumnExpr("severity, products, classifications, count(*) AS n").
		GroupExpr("1, 2, 3").Scan(ctx, &rows)
	if err != nil {
		return f, fmt.Errorf("counting updates by product: %w", err)
	}
	for _, r := range rows {
		if r.Severity == "" {
			r.Severity = store.SeverityNone
		}
		f.Severities[r.Severity] += r.N
		countNames(f.Products, r.Products, r.N)
		countNames(f.Classifications, r.Classifications, r.N)
	}
	return f, nil
}

func countNames(into map[string]int, names string, n int) {
	for name := range strings.SplitSeq(names, "\n") {
		if name != "" {
			into[name] += n
		}
	}
}
