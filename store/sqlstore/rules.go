package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"waptwua/store"
)

// CurrentRules implements store.RulePackages.
func (q *queries) CurrentRules(ctx context.Context) ([]store.RulePackage, error) {
	var ps []store.RulePackage
	err := q.r.NewSelect().Model(&ps).ModelTableExpr("rule_packages AS rule_package").
		Where("removed_at IS NULL AND version = (SELECT max(v.version) FROM rule_packages AS v WHERE v.name = rule_package.name)").
		Order("name").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing rule packages: %w", err)
	}
	return ps, nil
}

// LatestRules implements store.RulePackages.
func (q *queries) LatestRules(ctx context.Context, name string) (store.RulePackage, error) {
	var p store.RulePackage
	err := q.r.NewSelect().Model(&p).Where("name = ?", name).OrderExpr("version DESC").Limit(1).Scan(ctx)
	return p, found(err, "rule package", name)
}

// PutRules implements store.RulePackages.
func (q *queries) PutRules(ctx context.Context, p store.RulePackage) error {
	if _, err := q.w.NewInsert().Model(&p).On("CONFLICT (name, version) DO UPDATE").Exec(ctx); err != nil {
		return fmt.Errorf("writing rule package %s version %d: %w", p.Name, p.Version, err)
	}
	return nil
}

// LastAudit implements store.Audit.
func (q *queries) LastAudit(ctx context.Context) (store.AuditEntry, error) {
	var e store.AuditEntry
	err := q.r.NewSelect().Model(&e).OrderExpr("seq DESC").Limit(1).Scan(ctx)
	return e, found(err, "audit entry", "at the end")
}

// AppendAudit implements store.Audit.
func (q *queries) AppendAudit(ctx context.Context, e store.AuditEntry) error {
	res, err := q.w.NewInsert().Model(&e).On("CONFLICT (seq) DO NOTHING").Exec(ctx)
	return added(res, err, "audit entry", e.Seq)
}

// ListAudit implements store.Audit.
func (q *queries) ListAudit(ctx context.Context, after int64, limit int) ([]store.AuditEntry, error) {
	var es []store.AuditEntry
	if err := q.r.NewSelect().Model(&es).Where("seq > ?", after).Order("seq").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("listing the audit: %w", err)
	}
	return es, nil
}

// setting is a single value.
type setting struct {
	bun.BaseModel `bun:"table:settings"`
	Name          string `bun:",pk"`
	Value         string `bun:"value"`
}

// Setting implements store.Settings.
func (q *queries) Setting(ctx context.Context, name string) (string, error) {
	var s setting
	err := q.r.NewSelect().Model(&s).Where("name = ?", name).Scan(ctx)
	return s.Value, found(err, "setting", name)
}

// PutSetting implements store.Settings.
func (q *queries) PutSetting(ctx context.Context, name, value string) error {
	s := setting{Name: name, Value: value}
	if _, err := q.w.NewInsert().Model(&s).On("CONFLICT (name) DO UPDATE").Exec(ctx); err != nil {
		return fmt.Errorf("writing setting %s: %w", name, err)
	}
	return nil
}
