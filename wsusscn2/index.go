package wsusscn2

import (
	"bytes"
	"io"
	"math"
	"sort"
	"strings"
)

// Index is index.xml: the inner cabinets of a sharded archive.
type Index struct {
	Package string      // the cabinet that holds package.xml
	Shards  []ShardSpan // ascending by First
}

// ShardSpan is one shard of the index and the RevisionIDs it serves.
type ShardSpan struct {
	Name     string // name of the inner cabinet
	First    int    // RANGESTART: the lowest RevisionID
	Last     int    // the highest one, which the next shard's RANGESTART tells; math.MaxInt for the last shard
	FilesDir bool   // it also holds the included files
}

// Shard returns the position in ix.Shards of the shard that serves the
// revision, or -1 when there is none.
func (ix Index) Shard(revisionID int) int {
	return sort.Search(len(ix.Shards), func(i int) bool { return ix.Shards[i].First > revisionID }) - 1
}

// ParseIndex reads index.xml. The zero Limits are the defaults.
func ParseIndex(data []byte, lim Limits) (Index, error) {
	lim = lim.withDefaults()
	s, err := newStreamScanner(bytes.NewReader(data), lim)
	if err != nil {
		return Index{}, err
	}
	return parseIndex(s)
}

func readIndex(r io.Reader, lim Limits) (Index, error) {
	s, err := newStreamScanner(r, lim)
	if err != nil {
		return Index{}, err
	}
	return parseIndex(s)
}

func parseIndex(s *scanner) (Index, error) {
	var ix Index
	seen := false
	err := s.each(func() error {
		if string(s.name) != "INDEX" || seen {
			return s.errorf("<%s> where one <INDEX> should be", s.name)
		}
		seen = true
		if v := s.attr("VERSION"); string(v) != "1" {
			return s.errorf("index VERSION %.20q is not supported, only 1 is known", v)
		}
		return s.each(func() error { return ix.cabList(s) })
	})
	if err != nil {
		return Index{}, err
	}
	return ix, ix.finish(s)
}

func (ix *Index) cabList(s *scanner) error {
	if string(s.name) != "CABLIST" {
		return nil
	}
	if x := s.attr("XOR"); x != nil && string(x) != "0" {
		return s.errorf("CABLIST XOR %.20q is not supported, only 0 is known", x)
	}
	return s.each(func() error {
		if string(s.name) != "CAB" {
			return nil
		}
		return ix.cabinet(s)
	})
}

func (ix *Index) cabinet(s *scanner) error {
	name, err := s.value("NAME")
	if err != nil {
		return err
	}
	if name == "" || strings.ContainsAny(name, `/\`) {
		return s.errorf("CAB NAME %.60q is not the name of an inner cabinet", name)
	}
	start := s.attr("RANGESTART")
	if start == nil {
		return ix.setPackage(s, name)
	}
	if len(ix.Shards) == s.lim.Shards {
		return s.limitf("more than %d shards", s.lim.Shards)
	}
	span := ShardSpan{Name: name, Last: math.MaxInt, FilesDir: string(s.attr("FILESDIR")) == "1"}
	if span.First, err = s.id("RANGESTART", start); err != nil {
		return err
	}
	ix.Shards = append(ix.Shards, span)
	return nil
}

func (ix *Index) setPackage(s *scanner, name string) error {
	if ix.Package != "" {
		return s.errorf("two cabinets without RANGESTART, %q and %q", ix.Package, name)
	}
	ix.Package = name
	return nil
}

// finish checks the whole and derives where the spans end.
func (ix *Index) finish(s *scanner) error {
	if ix.Package == "" {
		return s.errorf("no cabinet without RANGESTART: where package.xml lies is unknown")
	}
	names := map[string]bool{strings.ToLower(ix.Package): true}
	for i := range ix.Shards {
		span := &ix.Shards[i]
		key := strings.ToLower(span.Name)
		if names[key] {
			return s.errorf("the cabinet %q is listed twice", span.Name)
		}
		names[key] = true
		if i > 0 && span.First <= ix.Shards[i-1].First {
			return s.errorf("RANGESTART of %q does not ascend", span.Name)
		}
		if i > 0 {
			ix.Shards[i-1].Last = span.First - 1
		}
	}
	return nil
}

// singleIndex is the index of an archive that has none.
func singleIndex() Index {
	return Index{
		Package: packageName,
		Shards:  []ShardSpan{{Name: packageName, Last: math.MaxInt, FilesDir: true}},
	}
}
