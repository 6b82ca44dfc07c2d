package wsusscn2

import "waptwua/cab"

// Limits bounds what the reader accepts. A zero field means its default;
// the defaults leave the archive of July 2026 at least a factor of two.
type Limits struct {
	MemoryBytes   int64 // an inner cabinet up to this size is held in memory, a larger one in the Spool; 128 MiB
	ShardBytes    int64 // an inner cabinet; 2 GiB
	ContentBytes  int64 // what an inner cabinet decodes to, by its own list of files; 8 GiB
	TotalBytes    int64 // what all inner cabinets of one pass decode to; 64 GiB
	Shards        int   // cabinets in index.xml; 4,096
	IndexBytes    int64 // index.xml; 1 MiB
	PackageBytes  int64 // package.xml; 2 GiB
	Revisions     int   // <Update> in package.xml; 4 million
	Locations     int   // <FileLocation> in package.xml; 16 million
	FragmentBytes int64 // one fragment or included file; 128 MiB (the largest seen has 47 MB)
	Items         int   // members of one list of a revision or fragment (superseded revisions, files, …); 65,536
	TagBytes      int   // one tag or one text of package.xml and index.xml; 1 MiB
	TextBytes     int   // one text that is kept (title, description, address); 1 MiB
	Depth         int   // nested elements; 256
	Attributes    int   // attributes of one element; 256
	PayloadBytes  int64 // a size that the archive claims for a payload file or download; 1 TiB

	Cabinet cab.Limits // of the outer and the inner cabinets
}

func (l Limits) withDefaults() Limits {
	def(&l.MemoryBytes, 128<<20)
	def(&l.ShardBytes, 2<<30)
	def(&l.ContentBytes, 8<<30)
	def(&l.TotalBytes, 64<<30)
	def(&l.Shards, 4096)
	def(&l.IndexBytes, 1<<20)
	def(&l.PackageBytes, 2<<30)
	def(&l.Revisions, 4_000_000)
	def(&l.Locations, 16_000_000)
	def(&l.FragmentBytes, 128<<20)
	def(&l.Items, 65_536)
	def(&l.TagBytes, 1<<20)
	def(&l.TextBytes, 1<<20)
	def(&l.Depth, 256)
	def(&l.Attributes, 256)
	def(&l.PayloadBytes, 1<<40)
	return l
}

func def[T int | int64](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
