package catalogdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
)

// base is an older catalogue that a build takes shards from. A nil base
// holds none.
type base struct {
	path   string
	db     *sql.DB
	shards map[[32]byte]int64 // id plus one, by digest
}

// openBase opens the base of the options; nil, with the reason, when it
// cannot serve.
func openBase(ctx context.Context, o BuildOptions) (b *base, why string) {
	if o.Base == "" {
		return nil, ""
	}
	if _, err := os.Stat(o.Base); errors.Is(err, fs.ErrNotExist) {
		return nil, "there is no file " + o.Base
	}
	db, err := openOld(ctx, o.Base)
	if err != nil {
		return nil, err.Error()
	}
	b = &base{path: o.Base, db: db, shards: map[[32]byte]int64{}}
	if err := b.read(ctx, strings.Join(o.Languages, ",")); err != nil {
		b.close()
		return nil, err.Error()
	}
	return b, ""
}

func (b *base) read(ctx context.Context, languages string) error {
	var have string
	if err := b.db.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = ?", metaLanguages).Scan(&have); err != nil {
		return damaged("languages", err)
	}
	if have != languages {
		return fmt.Errorf("it has texts in %s, not in %s", have, languages)
	}
	rows, err := b.db.QueryContext(ctx, "SELECT id, digest FROM shard")
	if err != nil {
		return damaged("shards", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var digest []byte
		if err := rows.Scan(&id, &digest); err != nil {
			return damaged("shards", err)
		}
		if len(digest) == 32 {
			b.shards[[32]byte(digest)] = id + 1
		}
	}
	return damaged("shards", rows.Err())
}

// holds tells which shard of the base has the digest: its id plus one; 0:
// none.
func (b *base) holds(digest [32]byte) int64 {
	if b == nil {
		return 0
	}
	return b.shards[digest]
}

// attach makes the tables of the base readable in db, as base.*.
func (b *base) attach(ctx context.Context, db *sql.DB) error {
	if b == nil {
		return nil
	}
	u, err := fileURL(b.path, url.Values{"mode": {"ro"}})
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "ATTACH DATABASE ? AS base", u)
	return err
}

func (b *base) close() {
	if b != nil {
		_ = b.db.Close() // it was only read
	}
}
