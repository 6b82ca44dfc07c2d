package catalogdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// base is an older catalogue that a build begins with. A nil base holds
// none.
type base struct {
	path   string
	shards map[[32]byte]int // ids, by digest
	next   int              // the id after the highest
	nodes  int              // revisions with fragments
}

// openBase looks at the base of the options; nil, with the reason, when it
// cannot serve.
func openBase(ctx context.Context, o BuildOptions) (b *base, why string) {
	if o.Base == "" {
		return nil, ""
	}
	if _, err := os.Stat(o.Base); errors.Is(err, fs.ErrNotExist) {
		return nil, "there is no file " + o.Base
	}
	b = &base{path: o.Base, shards: map[[32]byte]int{}}
	if err := b.read(ctx, strings.Join(o.Languages, ",")); err != nil {
		return nil, err.Error()
	}
	return b, ""
}

func (b *base) read(ctx context.Context, languages string) error {
	db, err := openOld(ctx, b.path)
	if err != nil {
		return err
	}
	defer db.Close()
	var have string
	if err := db.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = ?", metaLanguages).Scan(&have); err != nil {
		return damaged("languages", err)
	}
	if have != languages {
		return fmt.Errorf("it has texts in %s, not in %s", have, languages)
	}
	rows, err := db.QueryContext(ctx, "SELECT id, digest, rows FROM shard")
	if err != nil {
		return damaged("shards", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, n int
		var digest []byte
		if err := rows.Scan(&id, &digest, &n); err != nil {
			return damaged("shards", err)
		}
		b.next, b.nodes = max(b.next, id+1), b.nodes+n
		if len(digest) == 32 {
			b.shards[[32]byte(digest)] = id
		}
	}
	return damaged("shards", rows.Err())
}

// holds tells which shard of the base has the digest.
func (b *base) holds(digest [32]byte) (id int, ok bool) {
	if b == nil {
		return 0, false
	}
	id, ok = b.shards[digest]
	return id, ok
}

// expected is about how many revisions the new catalogue will have; 0: not
// known.
func (b *base) expected() int {
	if b == nil {
		return 0
	}
	return b.nodes + b.nodes/16
}

// firstFree is the first id that a shard of the new catalogue may get.
func (b *base) firstFree() int {
	if b == nil {
		return 0
	}
	return b.next
}

// copyTo copies the base to f, by the system where that can do it.
func (b *base) copyTo(f *os.File) error {
	from, err := os.Open(b.path)
	if err != nil {
		return fmt.Errorf("the base: %w", err)
	}
	defer from.Close()
	if _, err := io.Copy(f, from); err != nil {
		return fmt.Errorf("copying the base: %w", err)
	}
	return nil
}
