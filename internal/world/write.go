package world

import (
	"bytes"
	"context"
	"crypto/sha1" // the archive's format names files by SHA-1
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua"
	"waptwua/internal/cabwrite"
	"waptwua/internal/lzxenc"
)

// shardRevisions is how many revisions lie in one shard of a large archive on
// average, shardsLeast how many shards a small one has, shardFiles how many
// fragments one holds at most, which leaves room for the included files, and
// folderBytes how much a folder of an inner cabinet holds.
const (
	shardRevisions = 1850
	shardsLeast    = 2
	shardFiles     = 60_000
	folderBytes    = 16 << 20
)

// WriteOptions say how the archive is written. The zero value is good.
type WriteOptions struct {
	Workers  int                          // shards compressed at the same time; 0: one
	Progress func(shardsDone, shards int) // may be nil; not called concurrently
	Dir      string                       // for temporary files; "": the system's
}

// Write writes the archive to out, unsigned, with room for a signature (see
// internal/authsign). Memory is bounded by one shard's directory and the
// largest fragment for each worker.
func (w *World) Write(ctx context.Context, out io.Writer, opt WriteOptions) error {
	dir, err := os.MkdirTemp(opt.Dir, "waptwua-world-")
	if err != nil {
		return fmt.Errorf("writing a generated archive: %w", err)
	}
	defer os.RemoveAll(dir)
	outer, err := cabwrite.NewWriter(out, cabwrite.Options{Compression: cabwrite.LZX, HeaderReserve: make([]byte, 20), SpoolDir: dir})
	if err != nil {
		return err
	}
	shards := w.shards()
	err = w.writeParts(ctx, outer, shards, dir, opt)
	if cerr := outer.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("writing a generated archive: %w", err)
	}
	return nil
}

func (w *World) writeParts(ctx context.Context, outer *cabwrite.Writer, shards []shard, dir string, opt WriteOptions) error {
	if err := w.put(outer, "index.xml", w.opt.Created, w.index(shards)); err != nil {
		return err
	}
	entry, err := outer.Create("package.cab", dosTime(w.opt.Created), 0)
	if err != nil {
		return err
	}
	if err := w.writePackage(entry, dir); err != nil {
		return err
	}
	return w.writeShards(ctx, outer, shards, dir, opt)
}

// writeShards compresses shards into files, several at a time, and puts them
// into the outer cabinet in their order.
func (w *World) writeShards(ctx context.Context, outer *cabwrite.Writer, shards []shard, dir string, opt WriteOptions) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(opt.Workers, 1) + 1) // and the one that collects
	ready := make([]chan string, len(shards))
	for i := range ready {
		ready[i] = make(chan string, 1)
	}
	g.Go(func() error {
		for i, s := range shards {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case path := <-ready[i]:
				if err := copyIn(outer, s.name, dosTime(w.opt.Created), path); err != nil {
					return err
				}
			}
			if opt.Progress != nil {
				opt.Progress(i+1, len(shards))
			}
		}
		return nil
	})
	for i, s := range shards {
		g.Go(func() error {
			path := filepath.Join(dir, s.name)
			if err := w.writeShard(ctx, path, s, dir); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			ready[i] <- path
			return nil
		})
	}
	return g.Wait()
}

func copyIn(outer *cabwrite.Writer, name string, at time.Time, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	entry, err := outer.Create(name, at, 0)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, f); err != nil {
		return err
	}
	return os.Remove(path)
}

// shard is one packageN.cab: the revisions with RevisionIds from first on.
type shard struct {
	name      string
	first     int
	revisions []*revision
	files     bool // the included files lie here
}

// shards are the parts of the archive. Those of a successor begin where its
// predecessor's did, so that what has not changed lies where it was.
func (w *World) shards() []shard {
	all := byID(w.revisions)
	starts := w.starts
	if starts == nil {
		starts = cut(all, max(len(all)/shardRevisions, shardsLeast))
	}
	shards := make([]shard, len(starts))
	for i, first := range starts {
		end := len(all)
		if i+1 < len(starts) {
			end, _ = slices.BinarySearchFunc(all, starts[i+1], func(r *revision, id int) int { return r.id - id })
		}
		shards[i] = shard{name: fmt.Sprintf("package%d.cab", i+2), first: first, revisions: all[:end], files: i == 0}
		all = all[end:]
	}
	return shards
}

// cut divides revisions, which are in the order of their RevisionIds, into
// n parts of about the same number of bytes: a few large updates take as much
// as many small ones. It returns where each begins. There are more parts where
// a cabinet would have more files than it can.
func cut(all []*revision, n int) []int {
	var total, sum int64
	for _, r := range all {
		total += r.weight()
	}
	var starts []int
	files := 0
	for _, r := range all {
		files += r.fragments()
		if sum*int64(n) >= total*int64(len(starts)) || files > shardFiles {
			starts = append(starts, r.id)
			files = r.fragments()
		}
		sum += r.weight()
	}
	starts[0] = 0
	return starts
}

// weight is about how many bytes of fragments r has.
func (r *revision) weight() int64 {
	const core, extended, text = 800, 600, 700
	return int64(core + extended + r.padding + text*len(r.languages()))
}

// fragments is how many fragments r has at most.
func (r *revision) fragments() int { return 2 + len(r.languages()) + len(r.licences()) }

func (w *World) index(shards []shard) []byte {
	var b bytes.Buffer
	b.WriteString(`<INDEX VERSION="1"><CABLIST XOR="0"><CAB NAME="package.cab" />`)
	for _, s := range shards {
		fmt.Fprintf(&b, `<CAB NAME="%s" RANGESTART="%d"`, s.name, s.first)
		if s.files {
			b.WriteString(` FILESDIR="1"`)
		}
		b.WriteString(` />`)
	}
	b.WriteString(`</CABLIST></INDEX>`)
	return b.Bytes()
}

func (w *World) put(c *cabwrite.Writer, name string, at time.Time, content []byte) error {
	entry, err := c.Create(name, dosTime(at), 0)
	if err != nil {
		return err
	}
	_, err = entry.Write(content)
	return err
}

// writePackage writes package.cab with package.xml.
func (w *World) writePackage(out io.Writer, dir string) error {
	c, err := cabwrite.NewWriter(out, w.innerOptions(dir))
	if err != nil {
		return err
	}
	entry, err := c.Create("package.xml", dosTime(w.opt.Created), 0)
	if err == nil {
		err = w.writePackageXML(entry)
	}
	if cerr := c.Close(); err == nil {
		err = cerr
	}
	return err
}

// innerOptions are those of Microsoft's inner cabinets: a 6,144-byte header
// reserve, several folders in large ones, and calls translated, which in texts
// changes a few bytes here and there.
func (w *World) innerOptions(dir string) cabwrite.Options {
	return cabwrite.Options{
		Compression: cabwrite.LZX, LZX: lzxenc.Options{E8: true},
		HeaderReserve: make([]byte, 6144), FolderBytes: folderBytes, SpoolDir: dir,
	}
}

func (w *World) writePackageXML(out io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="utf-8"?><OfflineSyncPackage MinimumClientVersion="5.8.0.2678" PackageId="%s" PackageVersion="1.1" ProtocolVersion="1.0" CreationDate="%s" SourceId="%s" xmlns="http://schemas.microsoft.com/msus/2004/02/OfflineSync"><Updates>`,
		w.id, w.opt.Created.UTC().Format(stamp), w.guid("source"))
	for _, r := range byID(w.revisions) {
		r.update(&b)
		if err := drain(out, &b, 64<<10); err != nil {
			return err
		}
	}
	b.WriteString(`</Updates><FileLocations>`)
	seen := map[waptwua.SHA1]bool{}
	for _, r := range byID(w.revisions) {
		w.locations(&b, r, seen)
		if err := drain(out, &b, 64<<10); err != nil {
			return err
		}
	}
	b.WriteString(`</FileLocations></OfflineSyncPackage>`)
	return drain(out, &b, 0)
}

func (w *World) locations(b *bytes.Buffer, r *revision, seen map[waptwua.SHA1]bool) {
	for _, f := range r.files {
		if !seen[f.SHA1] {
			seen[f.SHA1] = true
			fmt.Fprintf(b, `<FileLocation Id="%s" Url="%s" />`, b64(f.SHA1[:]), esc(f.URL))
		}
	}
	for _, lang := range r.licences() {
		if sum := sha1Of(r.licence(lang)); !seen[sum] {
			seen[sum] = true
			fmt.Fprintf(b, `<FileLocation Id="%s" Url="%s/eula.txt" IsIncluded="true" />`, b64(sum[:]), esc(w.opt.BaseURL))
		}
	}
}

// drain writes b to out once it holds more than least bytes.
func drain(out io.Writer, b *bytes.Buffer, least int) error {
	if b.Len() < least {
		return nil
	}
	_, err := b.WriteTo(out)
	return err
}

func (w *World) writeShard(ctx context.Context, path string, s shard, dir string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	c, err := cabwrite.NewWriter(f, w.innerOptions(dir))
	if err != nil {
		return err
	}
	err = w.fragments(ctx, c, s)
	return errors.Join(err, c.Close(), f.Close())
}

// fragments writes the fragments of one shard, kind by kind.
func (w *World) fragments(ctx context.Context, c *cabwrite.Writer, s shard) error {
	var b bytes.Buffer
	entry := func(r *revision, name string, render func(*bytes.Buffer)) error {
		b.Reset()
		if render(&b); b.Len() == 0 {
			return ctx.Err()
		}
		return errors.Join(ctx.Err(), w.put(c, name, r.created, b.Bytes()))
	}
	for _, r := range s.revisions {
		if err := entry(r, fmt.Sprintf("c/%d", r.id), r.core); err != nil {
			return err
		}
	}
	for _, r := range s.revisions {
		if err := entry(r, fmt.Sprintf("x/%d", r.id), r.extended); err != nil {
			return err
		}
	}
	for _, lang := range languages {
		for _, r := range s.revisions {
			if !slices.Contains(r.languages(), lang) {
				continue
			}
			if err := entry(r, fmt.Sprintf("l/%s/%d", lang, r.id), func(b *bytes.Buffer) { r.localized(b, lang) }); err != nil {
				return err
			}
		}
	}
	for _, r := range s.revisions {
		for _, lang := range r.licences() {
			if err := entry(r, fmt.Sprintf("e/%s/%d", lang, r.id), func(b *bytes.Buffer) { r.eulaFile(b, lang) }); err != nil {
				return err
			}
		}
	}
	if !s.files {
		return nil
	}
	return w.included(entry)
}

// included writes the files that lie in the archive itself.
func (w *World) included(entry func(*revision, string, func(*bytes.Buffer)) error) error {
	seen := map[waptwua.SHA1]bool{}
	for _, r := range byID(w.revisions) {
		for _, lang := range r.licences() {
			text := r.licence(lang)
			sum := sha1Of(text)
			if seen[sum] {
				continue
			}
			seen[sum] = true
			name := fmt.Sprintf("files/%02X/%X", sum[len(sum)-1], sum[:])
			if err := entry(r, name, func(b *bytes.Buffer) { b.Write(text) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// eulaFile renders the e/ fragment of one language.
func (r *revision) eulaFile(b *bytes.Buffer, lang string) {
	text := r.licence(lang)
	sum := sha1Of(text)
	fmt.Fprintf(b, `<EulaFile Digest="%s" DigestAlgorithm="SHA1" FileName="eula.txt" Size="%d" Language="%s" />`, b64(sum[:]), len(text), lang)
}

func sha1Of(b []byte) waptwua.SHA1 { return sha1.Sum(b) }
