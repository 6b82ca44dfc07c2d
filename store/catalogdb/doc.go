// Package catalogdb keeps the catalogue of one scan archive in one SQLite
// file: everything that package catalog answers from, without reading the
// archive again.
//
//	report, err := catalogdb.Build(ctx, archive, "catalogue.sqlite", catalogdb.BuildOptions{})
//	c, err := catalogdb.Open(ctx, "catalogue.sqlite")
//	view := c.View()
//	missing := view.Evaluate(machine, catalog.EvaluateOptions{}).Missing()
//	err = view.Err()
//
// # Promises
//
// A catalogue file never changes. A build writes a new file beside the old
// one, flushes it and gives it the name by one rename: whoever has the old one
// open goes on reading it, and a build that fails or is killed leaves it as it
// was. Of two builds of the same file at the same time the second fails at
// once (waptwua.ErrConflict); the lock is a hidden file .NAME.lock that stays.
//
// Answers are those of a catalog.Graph in memory, because they are made by
// one: the file holds the graph as it lies in memory, and the rest is read row
// by row when an answer needs it. Opening reads the graph, some 100 bytes for
// each revision.
//
// # The file
//
// application_id is ApplicationID, user_version the version of the format.
// A newer version is refused (ErrVersion), an older one too: build it again.
//
//	meta      key, value    languages; date, id and SHA-256 of the archive, as text
//	graph     part, data    catalog.Graph.WriteTo in parts of 256 KiB: four
//	                        bytes, the CRC-32 (Castagnoli) of the part,
//	                        little-endian, then the part
//	place     place         in index.xml, and name of an inner cabinet; its shard
//	shard     id, size, digest (BLAKE3 of the inner cabinet), first and
//	                        last RevisionId, number of revisions (rows), facts
//	                        (catalog.Gathered.Facts)
//	revision  id            shard × 2³² + RevisionId of the first entry
//	          data          what the fragments of a shard say of revisions, in
//	                        blocks sorted by RevisionId: four bytes CRC-32 as
//	                        above, then for each revision its RevisionId and
//	                        four texts, each behind its length:
//	                        MSRC severity;
//	                        what Search looks in (catalog.Record.SearchText);
//	                        XML of the rules, reduced (applicability.Reduce);
//	                        catalog.Record.AppendBinary
//	location  first, data   addresses of payload files, in blocks sorted by
//	                        SHA-1: 20 bytes SHA-1, length, address
//	payload   first, data   files that package.xml names for a revision, in
//	                        blocks sorted by RevisionId: RevisionId, count,
//	                        20 bytes SHA-1 each
//
// Numbers in blocks are varints (encoding/binary). Blocks of revisions have
// some 16 kB, others some 1.6 kB; first is the key of the first entry, numbers
// as four bytes, big-endian.
//
// # Building on last month's
//
// A shard whose inner cabinet has the same digest as one in the base
// catalogue holds the same fragments. The new file begins as a copy of the
// base, in which such a shard stays as it is; the graph takes its facts from
// the shard's row, and nothing of it is decoded. What the base has besides is
// removed. package.xml is read in any case, because it may change what it
// says of unchanged fragments. A build that fails on a base is begun anew
// without it, once.
//
// # Limits
//
// The limits of an archive are those of package wsusscn2. A build holds the
// relations of all revisions in memory, one shard for each worker and one
// more, and the rows of the shards being decoded. The signature of an archive
// is not checked here. The file has no signature either: who can write it can
// change its answers.
package catalogdb
