package wsusscn2

import (
	"encoding/hex"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"waptwua"
)

// Fragment is one file of a shard.
type Fragment struct {
	Kind       Kind
	RevisionID int          // of every kind but KindFile
	Language   string       // of KindLocalized and KindEula, in lower case
	Digest     waptwua.SHA1 // of KindFile: what its name says; the content is not checked
	Shard      string       // name of the inner cabinet
	Name       string       // inside the inner cabinet, e.g. "l/en/616"
	Data       []byte       // valid during the call
	Cut        int          // where Data lacks bytes (Selection.Abridge); 0: it is complete
}

// Path names the fragment inside the archive, e.g. "package2.cab/l/en/616".
func (f Fragment) Path() string { return path.Join(f.Shard, f.Name) }

// Selection says which fragments a walk hands out. The zero value selects
// all.
type Selection struct {
	Kinds     []Kind   // none: every kind
	Languages []string // of KindLocalized and KindEula, compared without case; none: every language
	Revisions []int    // RevisionIDs, ascending; nil: every revision. They do not restrict KindFile

	// Abridge, when it is set, saves the effort of handing out what its caller
	// would throw away. It is shown the kind and the first AbridgedHead bytes
	// of each fragment of at least AbridgedFrom bytes. Where it returns true,
	// Data is made of these and of the last AbridgedTail bytes of the fragment,
	// and Cut is where bytes are left out between the two.
	Abridge func(kind Kind, head []byte) bool
}

// Of which fragments Selection.Abridge is asked, and what is left of them.
const (
	AbridgedFrom = 128 << 10
	AbridgedHead = 32 << 10
	AbridgedTail = 64 << 10
)

func (sel Selection) kind(k Kind) bool { return len(sel.Kinds) == 0 || slices.Contains(sel.Kinds, k) }

// touches tells whether the shard may hold a selected fragment.
func (sel Selection) touches(span ShardSpan) bool {
	if sel.Revisions == nil || sel.kind(KindFile) && span.FilesDir {
		return true
	}
	i := sort.SearchInts(sel.Revisions, span.First)
	return i < len(sel.Revisions) && sel.Revisions[i] <= span.Last
}

func (sel Selection) selects(f Fragment) bool {
	if !sel.kind(f.Kind) {
		return false
	}
	if f.Kind == KindFile {
		return true
	}
	if f.Language != "" && !sel.language(f.Language) {
		return false
	}
	if sel.Revisions == nil {
		return true
	}
	_, found := slices.BinarySearch(sel.Revisions, f.RevisionID)
	return found
}

func (sel Selection) language(name string) bool {
	if len(sel.Languages) == 0 {
		return true
	}
	return slices.ContainsFunc(sel.Languages, func(l string) bool { return strings.EqualFold(l, name) })
}

// parseName tells what the name of a file in a shard stands for; ok is
// false for files that are no fragments.
func parseName(name string) (f Fragment, ok bool) {
	folder, rest, _ := strings.Cut(name, "/")
	f.Name = name
	switch strings.ToLower(folder) {
	case "c", "core":
		f.Kind = KindCore
	case "x", "extended":
		f.Kind = KindExtended
	case "l", "localized":
		f.Kind = KindLocalized
	case "e", "eula":
		f.Kind = KindEula
	case "files":
		f.Kind = KindFile
		return f, fileDigest(rest, &f.Digest)
	default:
		return f, false
	}
	if f.Kind == KindLocalized || f.Kind == KindEula {
		var language string
		if language, rest, ok = strings.Cut(rest, "/"); !ok || language == "" {
			return f, false
		}
		f.Language = strings.ToLower(language)
	}
	n, err := strconv.ParseUint(rest, 10, 31)
	f.RevisionID = int(n)
	return f, err == nil
}

// fileDigest reads "HH/SHA1", where HH are the last two digits of SHA1.
func fileDigest(name string, d *waptwua.SHA1) bool {
	folder, digits, ok := strings.Cut(name, "/")
	if !ok || len(digits) != 2*len(d) || !strings.EqualFold(folder, digits[len(digits)-2:]) {
		return false
	}
	_, err := hex.Decode(d[:], []byte(digits))
	return err == nil
}
