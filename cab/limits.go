package cab

// Limits bound what reading a cabinet may cost. A field that is zero means
// its default; the defaults accept whatever the format can express, short
// of a decompression bomb.
type Limits struct {
	Files   int // entries in the list of files; default 65,535
	Folders int // entries in the list of folders; default 65,535

	// FolderBytes bounds the content one pass over a folder decodes, in
	// bytes; default 2 GiB, the most that 65,535 blocks can hold.
	FolderBytes int64
	// FileBytes bounds the size of a file that is read; default 2 GiB.
	FileBytes int64
	// Ratio bounds how many bytes of content a byte of a folder's data may
	// stand for, once a pass has decoded RatioFrom bytes; default 1,000. The
	// methods' own bound is about 2,000 for LZX; metadata reaches 50.
	Ratio int
}

// RatioFrom is how many bytes a pass decodes before Limits.Ratio applies.
const RatioFrom = 16 << 20

func (l Limits) withDefaults() Limits {
	setDefault(&l.Files, 1<<16-1)
	setDefault(&l.Folders, 1<<16-1)
	setDefault(&l.FolderBytes, 2<<30)
	setDefault(&l.FileBytes, 2<<30)
	setDefault(&l.Ratio, 1000)
	return l
}

func setDefault[T int | int64](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}
