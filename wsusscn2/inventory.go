package wsusscn2

import (
	"context"
	"slices"
)

// Inventory is what an archive holds, without reading the fragments.
type Inventory struct {
	Package   Package
	Layout    Layout
	Revisions int           // <Update> elements of package.xml
	Locations int           // <FileLocation> elements of package.xml
	Shards    []ShardReport // in stored order
	Languages []string      // of the l/ fragments, ascending
	Total     Counts        // over all shards
}

// ShardReport describes one shard by its directory.
type ShardReport struct {
	ShardSpan
	Size    int64  // bytes of the inner cabinet
	Folders int    // CFFOLDERs
	Counts  Counts // what it holds
}

// Counts counts the files of a shard by kind.
type Counts struct {
	Core, Extended, Localized, Eula int
	Files                           int   // included files
	Other                           int   // package.xml and what this package does not know
	Bytes                           int64 // of all files, decoded
}

func (c *Counts) add(d Counts) {
	c.Core += d.Core
	c.Extended += d.Extended
	c.Localized += d.Localized
	c.Eula += d.Eula
	c.Files += d.Files
	c.Other += d.Other
	c.Bytes += d.Bytes
}

func (c *Counts) count(kind Kind) {
	switch kind {
	case KindCore:
		c.Core++
	case KindExtended:
		c.Extended++
	case KindLocalized:
		c.Localized++
	case KindEula:
		c.Eula++
	case KindFile:
		c.Files++
	default:
		c.Other++
	}
}

// Inventory counts what the archive holds. It reads package.xml and the
// directories of all shards, so it decodes the whole outer cabinet but no
// fragment.
func (a *Archive) Inventory(ctx context.Context) (Inventory, error) {
	inv := Inventory{Layout: a.layout}
	var err error
	inv.Package, err = a.Package(ctx, PackageVisitor{
		Revision: func(Revision) error { inv.Revisions++; return nil },
		Location: func(Location) error { inv.Locations++; return nil },
	})
	if err != nil {
		return Inventory{}, err
	}
	languages := make(map[string]bool)
	err = a.Shards(ctx, Selection{}, func(s *Shard) error {
		defer s.Close()
		if err := s.open(); err != nil {
			return err
		}
		report := s.report(languages)
		inv.Shards = append(inv.Shards, report)
		inv.Total.add(report.Counts)
		return nil
	})
	if err != nil {
		return Inventory{}, err
	}
	for l := range languages {
		inv.Languages = append(inv.Languages, l)
	}
	slices.Sort(inv.Languages)
	return inv, nil
}

func (s *Shard) report(languages map[string]bool) ShardReport {
	r := ShardReport{ShardSpan: s.ShardSpan, Size: s.Size, Folders: len(s.cabinet.Folders)}
	for _, f := range s.cabinet.Files {
		frag, ok := parseName(f.Name)
		if !ok {
			frag.Kind = 0
		}
		r.Counts.count(frag.Kind)
		r.Counts.Bytes += f.Size
		if frag.Kind == KindLocalized {
			languages[frag.Language] = true
		}
	}
	return r
}
