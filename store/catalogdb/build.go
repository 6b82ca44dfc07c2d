package catalogdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua"
	"waptwua/catalog"
	"waptwua/internal/atomicfile"
	"waptwua/internal/filelock"
	"waptwua/wsusscn2"
)

// BuildOptions say how a catalogue is built. The zero value is good.
type BuildOptions struct {
	Languages []string // of titles, the best first; English is added at the end
	// Base is the path of an older catalogue, whose rows are taken over for
	// unchanged shards; "": none. One that cannot serve (missing, damaged,
	// of another version, with other languages) is left out; Report says why.
	Base     string
	Archive  waptwua.SHA256               // of the archive, for Catalogue.Archive; zero: not known
	Workers  int                          // shards decoded at the same time; 0: one for each processor
	Progress func(shardsDone, shards int) // may be nil; not called concurrently
}

// Report says what a build did.
type Report struct {
	Shards     int           `json:"shards"`
	Kept       int           `json:"kept"`                // of these, taken over from the base
	Revisions  int           `json:"revisions"`           // nodes of the graph
	Rows       int           `json:"rows"`                // revisions with fragments
	Bytes      int64         `json:"bytes"`               // of the file
	BaseLeft   string        `json:"base_left,omitempty"` // why the base was not used
	Decoding   time.Duration `json:"-"`                   // until the last shard was read
	Assembling time.Duration `json:"-"`                   // from then on
}

// Build makes a catalogue of the archive and gives it the name path. What had
// the name before stays whole until then, and for those who have it open
// beyond.
func Build(ctx context.Context, a *wsusscn2.Archive, path string, o BuildOptions) (Report, error) {
	r, err := buildFile(ctx, a, path, o)
	if err != nil {
		return r, fmt.Errorf("building the catalogue %s: %w", path, err)
	}
	return r, nil
}

func buildFile(ctx context.Context, a *wsusscn2.Archive, path string, o BuildOptions) (r Report, err error) {
	lock, err := filelock.Try(lockFile(path))
	if errors.Is(err, filelock.ErrLocked) {
		return r, fmt.Errorf("another build of this file is running: %w", waptwua.ErrConflict)
	}
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if err := sweep(path); err != nil {
		return r, err
	}
	f, err := atomicfile.Create(path, 0o644)
	if err != nil {
		return r, err
	}
	defer f.Close()
	r, err = build(ctx, a, f.Name(), o)
	if err != nil {
		return r, err
	}
	if info, err := os.Stat(f.Name()); err == nil {
		r.Bytes = info.Size()
	}
	return r, f.Commit()
}

func lockFile(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lock")
}

// Remove removes a catalogue and the lock that its build left. Nobody may be
// building it. A file that is not there is no error.
func Remove(path string) error {
	for _, name := range []string{path, lockFile(path)} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a catalogue: %w", err)
		}
	}
	return nil
}

// sweep removes what a killed build of the same file left.
func sweep(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+filepath.Base(path)+".") && strings.HasSuffix(e.Name(), ".tmp") {
			err = errors.Join(err, os.Remove(filepath.Join(filepath.Dir(path), e.Name())))
		}
	}
	return err
}

func (o BuildOptions) withDefaults() BuildOptions {
	o.Languages = slices.Clone(o.Languages)
	for i, l := range o.Languages {
		o.Languages[i] = strings.ToLower(l)
	}
	if !slices.Contains(o.Languages, "en") {
		o.Languages = append(o.Languages, "en")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.NumCPU()
	}
	return o
}

// build fills the new file at path.
func build(ctx context.Context, a *wsusscn2.Archive, path string, o BuildOptions) (Report, error) {
	o = o.withDefaults()
	base, why := openBase(ctx, o)
	defer base.close()
	w, err := newWriter(ctx, path, base)
	if err != nil {
		return Report{}, err
	}
	b := &builder{archive: a, options: o, base: base, writer: w, graph: catalog.NewBuilder(catalog.Options{})}
	b.report.BaseLeft = why
	err = b.run(ctx)
	if err != nil {
		return b.report, errors.Join(err, w.abort())
	}
	return b.report, w.close(ctx)
}

// builder is a build under way. Three things go on at the same time:
// package.xml is read and the graph made of it, shards are decoded, rows are
// written.
type builder struct {
	archive *wsusscn2.Archive
	options BuildOptions
	base    *base
	writer  *writer
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
	ids := map[string]int{}
	for i, s := range ix.Shards {
		ids[s.Name] = i
	}
	shards, done := make(chan *wsusscn2.Shard), make(chan result, b.options.Workers)
	g.Go(func() error { return b.relate(gctx) })
	g.Go(func() error {
		defer close(shards)
		return b.readShards(gctx, shards)
	})
	g.Go(func() error {
		defer close(done)
		return b.work(gctx, ids, shards, done)
	})
	g.Go(func() error {
		defer close(b.facts)
		return b.write(gctx, done)
	})
	if err := g.Wait(); err != nil {
		return err
	}
	b.report.Decoding = time.Since(start)
	err = b.assemble(ctx)
	b.report.Assembling = time.Since(start) - b.report.Decoding
	return err
}

// relate makes the graph out of package.xml and the facts of shards, and
// writes what package.xml says beside.
func (b *builder) relate(ctx context.Context) error {
	if err := b.readPackage(ctx); err != nil {
		return err
	}
	if err := b.writer.blocks(ctx, "location", b.addresses.blocks()); err != nil {
		return err
	}
	if err := b.writer.blocks(ctx, "payload", b.payload.blocks()); err != nil {
		return err
	}
	b.addresses, b.payload = addresses{}, nil
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
				b.payload = append(b.payload, named{r.RevisionID, slices.Clone(r.PayloadFiles)})
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
	inBase int64 // id, plus one, of the same shard in the base; 0: it was decoded
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
func (b *builder) work(ctx context.Context, ids map[string]int, shards <-chan *wsusscn2.Shard, done chan<- result) error {
	g, ctx := errgroup.WithContext(ctx)
	for range b.options.Workers {
		g.Go(func() error {
			gatherer := catalog.NewGatherer(b.options.Languages)
			for s := range shards {
				r, err := b.decode(ctx, gatherer, s)
				if err = errors.Join(err, s.Close()); err != nil {
					return err
				}
				r.row.id = ids[r.row.name]
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
	if r.inBase = b.base.holds(r.row.digest); r.inBase != 0 {
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
	return nil
}

func (b *builder) writeShard(ctx context.Context, r result) (err error) {
	if r.inBase != 0 {
		b.report.Kept++
		err = b.writer.keep(ctx, &r.row, r.inBase)
	} else {
		err = b.writer.shard(ctx, &r.row, r.blocks)
	}
	b.facts <- shardFacts{r.row.id, r.row.facts} // there is room for all
	b.report.Rows += r.row.rows
	return err
}

// assemble completes the graph, and writes it and what is left.
func (b *builder) assemble(ctx context.Context) error {
	g := b.graph.GraphOver(nil)
	data, err := g.AppendBinary(make([]byte, 4, 4096+120*g.Len()))
	if err != nil {
		return err
	}
	b.report.Revisions = g.Len()
	if err := b.writer.graph(ctx, data); err != nil {
		return err
	}
	return b.writer.meta(ctx, map[string]string{
		metaLanguages: strings.Join(b.options.Languages, ","),
		metaArchive:   b.options.Archive.String(),
		metaPackage:   g.Head().ID,
		metaCreated:   g.Head().Created.UTC().Format(time.RFC3339),
	})
}
