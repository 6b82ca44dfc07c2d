package catalog

import (
	"context"
	"fmt"

	"waptwua/wsusscn2"
)

// Load reads a whole archive into a graph: package.xml, then the core,
// extended and localized fragments in one pass over the shards.
func Load(ctx context.Context, a *wsusscn2.Archive, o Options) (*Graph, error) {
	o.Fragments = a.Limits()
	b := NewBuilder(o)
	head, err := a.Package(ctx, wsusscn2.PackageVisitor{
		Revision: b.Revision,
		Location: func(l wsusscn2.Location) error { b.Location(l); return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	b.Package(head)
	if err := a.Fragments(ctx, b.Selection(), b.Fragment); err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	return b.Graph(), nil
}
