package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"waptwua"
	"waptwua/store"
)

// filesOf selects, by a condition on host_updates AS hu, names of files.
const filesOf = `SELECT uf.stored_name FROM update_files AS uf
	JOIN host_updates AS hu ON hu.guid = uf.guid AND hu.revision = uf.revision ` + enrolled + ` WHERE `

const (
	filesLacking = filesOf + lacking + ` AND NOT hu.downloaded`
	filesInUse   = filesOf + `(` + lacking + `) OR (` + held + `)`
)

// updateFile says that an update consists of a file.
type updateFile struct {
	bun.BaseModel `bun:"table:update_files"`
	GUID          string `bun:"guid,pk"`
	Revision      int    `bun:",pk"`
	StoredName    string `bun:",pk"`
}

// SetUpdateFiles implements store.Files.
func (q *queries) SetUpdateFiles(ctx context.Context, id waptwua.UpdateID, files []waptwua.File, at time.Time) error {
	rows, links := fileRows(id, files)
	return q.atomically(ctx, func(tx bun.IDB) error {
		_, err := tx.NewDelete().Table("update_files").Where("guid = ? AND revision = ?", id.GUID, id.Revision).Exec(ctx)
		if err == nil && len(rows) > 0 {
			_, err = tx.NewInsert().Model(&rows).On("CONFLICT (stored_name) DO UPDATE").Set("file = EXCLUDED.file, size = EXCLUDED.size").Exec(ctx)
		}
		if err == nil && len(rows) > 0 {
			_, err = tx.NewInsert().Model(&links).Exec(ctx)
		}
		if err == nil {
			_, err = tx.NewUpdate().Table("updates").Set("has_files = ?", true).Where("guid = ? AND revision = ?", id.GUID, id.Revision).Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("setting the files of update %s: %w", id, err)
		}
		return settle(ctx, tx, utc(at), "guid = ? AND revision = ?", id.GUID, id.Revision)
	})
}

// fileRows makes rows of files, each name once.
func fileRows(id waptwua.UpdateID, files []waptwua.File) ([]store.File, []updateFile) {
	var rows []store.File
	var links []updateFile
	seen := map[string]bool{}
	for _, f := range files {
		name := f.StoredName()
		if seen[name] {
			continue
		}
		seen[name] = true
		rows = append(rows, store.File{StoredName: name, File: f, Size: f.Size})
		links = append(links, updateFile{GUID: id.GUID, Revision: id.Revision, StoredName: name})
	}
	return rows, links
}

// settle keeps downloaded_on of the updates selected by where in step with the presence of their files.
func settle(ctx context.Context, tx bun.IDB, at time.Time, where string, args ...any) error {
	const absent = `EXISTS (SELECT 1 FROM update_files AS uf JOIN files AS f ON f.stored_name = uf.stored_name
		WHERE uf.guid = updates.guid AND uf.revision = updates.revision AND f.present_at IS NULL)`
	_, err := tx.NewUpdate().Table("updates").Set("downloaded_on = NULL").
		Where("downloaded_on IS NOT NULL AND (NOT has_files OR "+absent+")").Where(where, args...).Exec(ctx)
	if err == nil {
		_, err = tx.NewUpdate().Table("updates").Set("downloaded_on = ?", at).
			Where("downloaded_on IS NULL AND has_files AND NOT "+absent).Where(where, args...).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("settling what is downloaded: %w", err)
	}
	return nil
}

// FilesOfUpdate implements store.Files.
func (q *queries) FilesOfUpdate(ctx context.Context, id waptwua.UpdateID) ([]store.File, error) {
	return q.files(ctx, "stored_name IN (SELECT stored_name FROM update_files WHERE guid = ? AND revision = ?)", id.GUID, id.Revision)
}

// NeededFiles implements store.Files.
func (q *queries) NeededFiles(ctx context.Context) ([]store.File, error) {
	return q.files(ctx, "stored_name IN ("+filesLacking+")")
}

// ListFiles implements store.Files.
func (q *queries) ListFiles(ctx context.Context) ([]store.File, error) {
	return q.files(ctx, "1 = 1")
}

func (q *queries) files(ctx context.Context, where string, args ...any) ([]store.File, error) {
	var fs []store.File
	if err := q.r.NewSelect().Model(&fs).Where(where, args...).Order("stored_name").Scan(ctx); err != nil {
		return nil, fmt.Errorf("listing files: %w", err)
	}
	return fs, nil
}

// UpdatesOfFile implements store.Files.
func (q *queries) UpdatesOfFile(ctx context.Context, storedName string) ([]store.Update, error) {
	var us []store.Update
	err := q.r.NewSelect().Model(&us).Order("guid", "revision").
		Where("(guid, revision) IN (SELECT guid, revision FROM update_files WHERE stored_name = ?)", storedName).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for updates of file %s: %w", storedName, err)
	}
	return us, nil
}

// FindFile implements store.Files.
func (q *queries) FindFile(ctx context.Context, storedName string) (store.File, error) {
	var f store.File
	err := q.r.NewSelect().Model(&f).Where("stored_name = ?", storedName).Scan(ctx)
	return f, found(err, "file", storedName)
}

// SetPresence implements store.Files.
func (q *queries) SetPresence(ctx context.Context, storedName string, at time.Time) error {
	return q.atomically(ctx, func(tx bun.IDB) error {
		upd := tx.NewUpdate().Table("files").Where("stored_name = ?", storedName)
		if at.IsZero() {
			upd = upd.Set("present_at = NULL")
		} else {
			upd = upd.Set("present_at = coalesce(present_at, ?), attempts = 0, next_attempt = NULL, error = ''", utc(at))
		}
		res, err := upd.Exec(ctx)
		if err := changed(res, err, "file", storedName); err != nil {
			return err
		}
		return settle(ctx, tx, utc(at), "(guid, revision) IN (SELECT guid, revision FROM update_files WHERE stored_name = ?)", storedName)
	})
}

// FailedFile implements store.Files.
func (q *queries) FailedFile(ctx context.Context, storedName, reason string, next time.Time) error {
	res, err := q.w.NewUpdate().Table("files").Where("stored_name = ?", storedName).
		Set("attempts = attempts + 1, error = ?, next_attempt = ?", reason, utc(next)).Exec(ctx)
	return changed(res, err, "file", storedName)
}

// RetryFiles implements store.Files.
func (q *queries) RetryFiles(ctx context.Context) error {
	if _, err := q.w.NewUpdate().Table("files").Set("next_attempt = NULL").Where("next_attempt IS NOT NULL").Exec(ctx); err != nil {
		return fmt.Errorf("forgetting waiting times of files: %w", err)
	}
	return nil
}

// MarkUnneeded implements store.Files.
func (q *queries) MarkUnneeded(ctx context.Context, at time.Time) error {
	return q.atomically(ctx, func(tx bun.IDB) error {
		_, err := tx.NewUpdate().Table("files").Set("unneeded_at = NULL").
			Where("unneeded_at IS NOT NULL AND stored_name IN (" + filesInUse + ")").Exec(ctx)
		if err == nil {
			_, err = tx.NewUpdate().Table("files").Set("unneeded_at = ?", utc(at)).
				Where("unneeded_at IS NULL AND stored_name NOT IN (" + filesInUse + ")").Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("marking files that no host needs: %w", err)
		}
		return nil
	})
}

// ForgetFiles implements store.Files.
func (q *queries) ForgetFiles(ctx context.Context) (int, error) {
	res, err := q.w.NewDelete().Table("files").
		Where("present_at IS NULL AND stored_name NOT IN (SELECT stored_name FROM update_files)").Exec(ctx)
	return removed(res, err, "files that belong to no update")
}

// SumFiles implements store.Files.
func (q *queries) SumFiles(ctx context.Context) (store.FileSummary, error) {
	var s store.FileSummary
	const needed = "stored_name IN (" + filesOf + lacking + ")"
	err := q.r.NewSelect().Table("files").
		ColumnExpr("coalesce(sum(CASE WHEN "+needed+" THEN 1 ELSE 0 END), 0) AS needed").
		ColumnExpr("coalesce(sum(CASE WHEN "+needed+" THEN size ELSE 0 END), 0) AS needed_bytes").
		ColumnExpr("coalesce(sum(CASE WHEN present_at IS NULL AND "+needed+" THEN 1 ELSE 0 END), 0) AS missing").
		ColumnExpr("coalesce(sum(CASE WHEN present_at IS NULL AND "+needed+" THEN size ELSE 0 END), 0) AS missing_bytes").
		ColumnExpr("coalesce(sum(CASE WHEN present_at IS NULL THEN 0 ELSE 1 END), 0) AS present").
		ColumnExpr("coalesce(sum(CASE WHEN present_at IS NULL THEN 0 ELSE size END), 0) AS present_bytes").
		Scan(ctx, &s.Needed, &s.NeededBytes, &s.Missing, &s.MissingBytes, &s.Present, &s.PresentBytes)
	if err != nil {
		return s, fmt.Errorf("counting files: %w", err)
	}
	return s, nil
}
