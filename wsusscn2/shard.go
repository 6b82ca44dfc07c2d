package wsusscn2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/zeebo/blake3"

	"waptwua"
	"waptwua/cab"
)

// Shard is one inner cabinet, held in memory or in a SpoolFile until Close.
// It serves one goroutine; several shards may be read at the same time.
type Shard struct {
	ShardSpan
	Size    int64 // bytes of the inner cabinet
	at      int64 // where it begins in the content of the outer cabinet's folder
	archive *Archive
	decoded *atomic.Int64 // by all shards of the pass, as far as they are opened
	cabinet *cab.Reader   // nil: not opened yet
	content io.ReaderAt
	buffer  []byte    // where content lies in memory; nil: it does not
	spooled SpoolFile // where it lies otherwise
}

// Shards hands out the shards that sel selects something of, one by one, in
// the order in which the archive stores them. visit owns the shard and must
// close it, at once or later and from any goroutine: to work in parallel,
// send it to workers, and bound their number, because every open shard
// occupies memory. Returning fs.SkipAll ends the pass without an error.
func (a *Archive) Shards(ctx context.Context, sel Selection, visit func(*Shard) error) error {
	ix, err := a.Index(ctx)
	if err != nil {
		return err
	}
	spans := make(map[*cab.File]ShardSpan)
	for _, span := range ix.Shards {
		if !sel.touches(span) {
			continue
		}
		f := a.files[strings.ToLower(span.Name)]
		if f == nil {
			return formatError(span.Name, "%s names this shard, but the archive does not hold it", indexName)
		}
		spans[f] = span
	}
	isShard := func(f *cab.File) bool { _, ok := spans[f]; return ok }
	var decoded atomic.Int64
	err = walk(ctx, outerName, a.cabinet, isShard, func(f *cab.File, r *cab.FolderReader) error {
		s, err := a.load(ctx, f, r)
		if err != nil {
			return err
		}
		s.ShardSpan, s.decoded = spans[f], &decoded
		return visit(s)
	})
	if errors.Is(err, fs.SkipAll) {
		return nil
	}
	return err
}

// load reads the inner cabinet f, whose content r gives.
func (a *Archive) load(ctx context.Context, f *cab.File, r io.Reader) (*Shard, error) {
	if f.Size > a.opt.Limits.ShardBytes {
		return nil, tooLarge(f.Name, "an inner cabinet", f, a.opt.Limits.ShardBytes)
	}
	s := &Shard{ShardSpan: ShardSpan{Name: f.Name}, Size: f.Size, at: f.Offset, archive: a, decoded: new(atomic.Int64)}
	if err := s.fill(ctx, r); err != nil {
		return nil, inCabinet(f.Name, errors.Join(err, s.Close()))
	}
	return s, nil
}

// open reads the directory of the inner cabinet, once, and holds what it
// decodes to against the limits. A caller may find by its Digest that it needs
// nothing of a shard, and the directories of all shards list a million files.
func (s *Shard) open() error {
	if s.cabinet != nil {
		return nil
	}
	lim := &s.archive.opt.Limits
	c, err := cab.NewReaderLimits(s.content, s.Size, lim.Cabinet)
	if err != nil {
		return inCabinet(s.Name, err)
	}
	n := decodes(c)
	if n > lim.ContentBytes {
		return limitError(s.Name, "an inner cabinet (at offset %d of its folder) that decodes to %d bytes, more than %d", s.at, n, lim.ContentBytes)
	}
	if total := s.decoded.Add(n); total > lim.TotalBytes {
		return limitError(s.Name, "with this cabinet (at offset %d of its folder) the archive decodes to %d bytes, more than %d", s.at, total, lim.TotalBytes)
	}
	s.cabinet = c
	return nil
}

// decodes is how many bytes one pass over a cabinet's folders decodes: each
// folder up to the end of its last file. Package cab refuses files that lie
// beyond what the folder's blocks can hold.
func decodes(c *cab.Reader) (total int64) {
	for _, folder := range c.Folders {
		var end int64
		for _, f := range folder.Files {
			end = max(end, f.Offset+f.Size)
		}
		total += min(end, int64(folder.Blocks)<<15)
	}
	return total
}

func (s *Shard) fill(ctx context.Context, r io.Reader) error {
	if s.Size <= s.archive.opt.Limits.MemoryBytes {
		return s.fillMemory(ctx, r)
	}
	spool := s.archive.opt.Spool
	if spool == nil {
		return fmt.Errorf("an inner cabinet of %d bytes does not fit into %d bytes of memory and there is no spool: %w",
			s.Size, s.archive.opt.Limits.MemoryBytes, waptwua.ErrLimit)
	}
	file, err := spool.Create(s.Name, s.Size)
	if err != nil {
		return fmt.Errorf("spooling: %w", err)
	}
	s.spooled, s.content = file, file
	return inSteps(ctx, s.Size, func(_, n int64) error {
		_, err := io.CopyN(file, r, n)
		return err
	})
}

func (s *Shard) fillMemory(ctx context.Context, r io.Reader) error {
	s.buffer = s.archive.buffers.take(s.Size)
	data := s.buffer[:s.Size]
	s.content = bytes.NewReader(data)
	return inSteps(ctx, s.Size, func(done, n int64) error {
		_, err := io.ReadFull(r, data[done:done+n])
		return err
	})
}

// buffers keeps the memory of closed shards for those that are opened next:
// never more than were open at the same time. The collector would take it
// from a sync.Pool again and again.
type buffers struct {
	largest int64 // inner cabinet that is held in memory
	mu      sync.Mutex
	free    [][]byte
}

// take returns a buffer of at least size bytes, in place of one that is too
// small if there is none.
func (b *buffers) take(size int64) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.free, func(f []byte) bool { return int64(len(f)) >= size })
	if i < 0 {
		b.free = b.free[:max(len(b.free)-1, 0)]
		return make([]byte, b.room(size))
	}
	found := b.free[i]
	b.free = slices.Delete(b.free, i, i+1)
	return found
}

// room is size and so much more that the next cabinets fit, too: as much as
// the largest has, where that is not much.
func (b *buffers) room(size int64) int64 { return max(min(b.largest, size+size/2), size, 1) }

func (b *buffers) give(buffer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, buffer)
}

// inSteps calls step for up to a megabyte at a time, until size bytes are
// done or the context ends.
func inSteps(ctx context.Context, size int64, step func(done, n int64) error) error {
	for done := int64(0); done < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(size-done, 1<<20)
		if err := step(done, n); err != nil {
			return err
		}
		done += n
	}
	return nil
}

// Close gives the shard's memory or spool file back. Closing it again does
// nothing.
func (s *Shard) Close() error {
	spooled := s.spooled
	if s.buffer != nil {
		s.archive.buffers.give(s.buffer)
	}
	s.buffer, s.spooled, s.content, s.cabinet = nil, nil, nil, nil
	if spooled == nil {
		return nil
	}
	if err := spooled.Close(); err != nil {
		return fmt.Errorf("closing the spool file of %s: %w", s.Name, err)
	}
	return nil
}

// Digest is the BLAKE3 of the inner cabinet, 32 bytes. A shard whose digest is
// the same as last month's holds the same fragments. It takes half as long as
// SHA-256, and a tenth on processors without instructions for that.
func (s *Shard) Digest() (d [32]byte, err error) {
	if s.buffer != nil {
		return blake3.Sum256(s.buffer[:s.Size]), nil
	}
	h := blake3.New()
	if _, err := io.Copy(h, io.NewSectionReader(s.content, 0, s.Size)); err != nil {
		return d, fmt.Errorf("digest of %s: %w", s.Name, err)
	}
	return [32]byte(h.Sum(nil)), nil
}

// Fragments calls visit for every fragment of the shard that sel selects.
// It decodes every folder that holds one of them once. An inner cabinet that
// is none gives an error that wraps ErrFormat. Returning fs.SkipAll
// ends the walk without an error; other errors of visit come back with the
// fragment's path.
func (s *Shard) Fragments(ctx context.Context, sel Selection, visit func(Fragment) error) error {
	err := s.fragments(ctx, sel, new([]byte), visit)
	if errors.Is(err, fs.SkipAll) {
		return nil
	}
	return err
}

// fragments is Fragments with a buffer that the caller may use again.
func (s *Shard) fragments(ctx context.Context, sel Selection, buf *[]byte, visit func(Fragment) error) error {
	if err := s.open(); err != nil {
		return err
	}
	want := func(f *cab.File) bool {
		frag, ok := parseName(f.Name)
		return ok && sel.selects(frag)
	}
	return walk(ctx, s.Name, s.cabinet, want, func(f *cab.File, r *cab.FolderReader) error {
		frag, _ := parseName(f.Name)
		frag.Shard = s.Name
		err := s.read(&frag, f, r, sel.Abridge, buf)
		if err == nil {
			err = visit(frag)
		}
		return at(frag.Path(), err)
	})
}

// read reads the fragment in file f into buf, which grows with what really
// comes.
func (s *Shard) read(frag *Fragment, f *cab.File, r *cab.FolderReader, abridge func(Kind, []byte) bool, buf *[]byte) error {
	if f.Size > s.archive.opt.Limits.FragmentBytes {
		return tooLarge(path.Join(s.Name, f.Name), "a fragment", f, s.archive.opt.Limits.FragmentBytes)
	}
	have := int64(0)
	if abridge != nil && f.Size >= AbridgedFrom {
		if err := readInto(r, buf, 0, AbridgedHead); err != nil {
			return err
		}
		have = AbridgedHead
		if abridge(frag.Kind, (*buf)[:have]) {
			frag.Cut = AbridgedHead
			return s.readTail(frag, f, r, buf)
		}
	}
	err := readInto(r, buf, have, f.Size)
	frag.Data = (*buf)[:f.Size]
	return err
}

// readTail reads the end of an abridged fragment behind its head in buf.
func (s *Shard) readTail(frag *Fragment, f *cab.File, r *cab.FolderReader, buf *[]byte) error {
	if _, err := r.Discard(f.Size - AbridgedHead - AbridgedTail); err != nil {
		return err
	}
	err := readInto(r, buf, AbridgedHead, AbridgedHead+AbridgedTail)
	frag.Data = (*buf)[:AbridgedHead+AbridgedTail]
	return err
}

// readInto reads the bytes from have up to size to the same place in buf.
func readInto(r io.Reader, buf *[]byte, have, size int64) error {
	if int64(cap(*buf)) < size {
		larger := make([]byte, size+size/4)
		copy(larger, (*buf)[:have])
		*buf = larger
	}
	*buf = (*buf)[:cap(*buf)]
	_, err := io.ReadFull(r, (*buf)[have:size])
	return err
}

// Fragments calls visit for every fragment that sel selects, shard by
// shard, in stored order. Shards without a selected revision are not
// decoded. For early ends and errors see Shard.Fragments.
func (a *Archive) Fragments(ctx context.Context, sel Selection, visit func(Fragment) error) error {
	var buf []byte
	return a.Shards(ctx, sel, func(s *Shard) error {
		defer s.Close()
		return s.fragments(ctx, sel, &buf, visit)
	})
}
