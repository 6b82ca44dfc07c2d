package catalogdb

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua/catalog"
	"waptwua/wsusscn2"
)

// builder is a build under way. Three things go on at the same time:
// package.xml is read and the graph made of it, shards are decoded, rows are
// written.
type builder struct {
	archive *wsusscn2.Archive
	options BuildOptions
	base    *base
	file    *os.File
	writer  *writer // of file
	report  Report

	// Filled by the reader of package.xml.
	graph     *catalog.Builder
	addresses addresses
	payload   payload

	facts chan shardFacts // from the writer to the reader of package.xml
}

// shardFacts are the facts of a shard.
type shardFacts struct {
	shard int
	facts []byte
}

func (b *builder) run(ctx context.Context) error {
	start := time.Now()
	ix, err := b.archive.Index(ctx)
	if err != nil {
		return err
	}
	b.report.Shards, b.facts = len(ix.Shards), make(chan shardFacts, len(ix.Shards))
	g, gctx := errgroup.WithContext(ctx)
	places := map[string]int{}
	for i, s := range ix.Shards {
		places[s.Name] = i
	}
	shards, done := make(chan *wsusscn2.Shard), make(chan result, b.options.Workers)
	g.Go(func() error { return b.relate(gctx) })
	g.Go(func() error {
		defer close(shards)
		return b.readShards(gctx, shards)
	})
	g.Go(func() error {
		defer close(done)
		return b.work(gctx, places, shards, done)
	})
	g.Go(func() (err error) {
		defer close(b.facts)
		if b.writer, err = newWriter(ctx, b.file, b.base); err != nil { // its transaction outlives the group
			return err
		}
		if b.base != nil {
			g.Go(b.file.Sync) // what was copied, while the rest is made
		}
		return b.write(gctx, done)
	})
	if err := g.Wait(); err != nil {
		return err
	}
	b.report.Decoding = time.Since(start)
	flushed := make(chan error, 1)
	go func() { flushed <- b.file.Sync() }() // little is then left to be flushed at the end
	err = b.assemble(ctx)
	b.report.Assembling = time.Since(start) - b.report.Decoding
	return errors.Join(err, <-flushed)
}

// relate makes the graph out of package.xml and the facts of shards.
func (b *builder) relate(ctx context.Context) error {
	if err := b.readPackage(ctx); err != nil {
		return err
	}
	return b.takeFacts()
}

// takeFacts takes the facts of shards in the order of the shards, so that the
// graph does not depend on which is read first.
func (b *builder) takeFacts() error {
	early, next := map[int][]byte{}, 0
	for f := range b.facts {
		early[f.shard] = f.facts
		for facts, ok := early[next]; ok; facts, ok = early[next] {
			if err := b.graph.Facts(facts); err != nil {
				return err
			}
			delete(early, next)
			next++
		}
	}
	return nil
}

// readPackage reads package.xml.
func (b *builder) readPackage(ctx context.Context) error {
	head, err := b.archive.Package(ctx, wsusscn2.PackageVisitor{
		Revision: func(r wsusscn2.Revision) error {
			if len(r.PayloadFiles) > 0 {
				b.payload.add(r.RevisionID, r.PayloadFiles)
			}
			return b.graph.Node(r)
		},
		Location: b.addresses.add,
	})
	b.graph.Package(head)
	return err
}

// result is what became of a shard.
type result struct {
	row    shardRow
	kept   bool // the base holds it; row.id is its id there
	blocks []revisionBlock
}

// readShards hands out the shards in the order of the archive.
func (b *builder) readShards(ctx context.Context, shards chan<- *wsusscn2.Shard) error {
	return b.archive.Shards(ctx, wsusscn2.Selection{}, func(s *wsusscn2.Shard) error {
		select {
		case shards <- s:
			return nil
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.Close())
		}
	})
}

// work decodes shards until there are no more.
func (b *builder) work(ctx context.Context, places map[string]int, shards <-chan *wsusscn2.Shard, done chan<- result) error {
	g, ctx := errgroup.WithContext(ctx)
	for range b.options.Workers {
		g.Go(func() error {
			gatherer := catalog.NewGatherer(b.options.Languages, b.archive.Limits())
			for s := range shards {
				r, err := b.decode(ctx, gatherer, s)
				if err = errors.Join(err, s.Close()); err != nil {
					return err
				}
				r.row.place = places[r.row.name]
				select {
				case done <- r:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// decode decodes a shard, unless the base holds it.
func (b *builder) decode(ctx context.Context, gatherer *catalog.Gatherer, s *wsusscn2.Shard) (r result, err error) {
	r.row.name, r.row.size = s.Name, s.Size
	if r.row.digest, err = s.Digest(); err != nil {
		return r, err
	}
	if r.row.id, r.kept = b.base.holds(r.row.digest); r.kept {
		return r, nil
	}
	err = s.Fragments(ctx, gatherer.Selection(), gatherer.Take)
	if errors.Is(err, catalog.ErrAbridged) {
		gatherer.Again()
		err = s.Fragments(ctx, gatherer.Selection(), gatherer.Take)
	}
	if err != nil {
		return r, err
	}
	g := gatherer.Gathered()
	r.row.facts, r.row.rows, r.row.last = g.Facts, len(g.Rows), -1
	if len(g.Rows) > 0 {
		r.row.first, r.row.last = g.Rows[0].Revision, g.Rows[len(g.Rows)-1].Revision
	}
	r.blocks, err = encodeRows(g.Rows)
	return r, err
}

// write writes what workers finish.
func (b *builder) write(ctx context.Context, done <-chan result) error {
	n := 0
	for r := range done {
		if err := b.writeShard(ctx, r); err != nil {
			return err
		}
		if n++; b.options.Progress != nil {
			b.options.Progress(n, b.report.Shards)
		}
	}
	return b.writer.dropOld(ctx)
}

func (b *builder) writeShard(ctx context.Context, r result) (err error) {
	if r.kept {
		b.report.Kept++
		err = b.writer.keep(ctx, &r.row)
	} else {
		err = b.writer.shard(ctx, &r.row, r.blocks)
	}
	b.facts <- shardFacts{r.row.place, r.row.facts} // there is room for all
	b.report.Rows += r.row.rows
	return err
}

// assemble completes the graph, and writes it and what is left. What
// package.xml says of files is sorted and written meanwhile.
func (b *builder) assemble(ctx context.Context) error {
	var files errgroup.Group
	files.Go(func() error {
		if err := b.writer.blocks(ctx, "location", b.addresses.blocks()); err != nil {
			return err
		}
		return b.writer.blocks(ctx, "payload", b.payload.blocks())
	})
	g := b.graph.GraphOver(nil)
	if err := files.Wait(); err != nil {
		return err
	}
	b.report.Revisions = g.Len()
	if err := b.writer.graph(ctx, g); err != nil {
		return err
	}
	return b.writer.meta(ctx, map[string]string{
		metaLanguages: strings.Join(b.options.Languages, ","),
		metaArchive:   b.options.Archive.String(),
		metaPackage:   g.Head().ID,
		metaCreated:   g.Head().Created.UTC().Format(time.RFC3339),
	})
}
