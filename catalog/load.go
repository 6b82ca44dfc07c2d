package catalog

import (
	"context"
	"fmt"

	"waptwua/wsusscn2"
)

// Load reads a whole archive into a graph: package.xml, then the core,
// extended and localized fragments in one pass over the shards.
func Load(ctx context.Context, a *wsusscn2.Archive, o Options) (*Graph, error) {
	b := NewBuilder(o)
	head, err := a.Package(ctx, wsusscn2.PackageVisitor{
		Revision: b.Revision,
		Location: func(l wsusscn2.Location) error { b.Location(l); return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	b.Package(head)
	f := &fragments{builder: b, parser: wsusscn2.NewParser(wsusscn2.Limits{})}
	selection := wsusscn2.Selection{
		Kinds:     []wsusscn2.Kind{wsusscn2.KindCore, wsusscn2.KindExtended, wsusscn2.KindLocalized},
		Languages: b.Languages(),
	}
	if err := a.Fragments(ctx, selection, f.take); err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	return b.Graph(), nil
}

// fragments parses fragments into a builder.
type fragments struct {
	builder *Builder
	parser  *wsusscn2.Parser
}

func (f *fragments) take(fragment wsusscn2.Fragment) (err error) {
	switch fragment.Kind {
	case wsusscn2.KindCore:
		var c wsusscn2.Core
		if c, err = f.parser.Core(fragment.Data); err == nil {
			f.builder.Core(fragment.RevisionID, c)
		}
	case wsusscn2.KindExtended:
		var x wsusscn2.Extended
		if x, err = f.parser.Extended(fragment.Data); err == nil {
			f.builder.Extended(fragment.RevisionID, x)
		}
	case wsusscn2.KindLocalized:
		var l wsusscn2.Localized
		if l, err = f.parser.Localized(fragment.Data); err == nil {
			f.builder.Localized(fragment.RevisionID, l)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", fragment.Path(), err)
	}
	return nil
}
