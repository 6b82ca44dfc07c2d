package catalog

import (
	"context"
	"fmt"

	"waptwua/applicability"
	"waptwua/wsusscn2"
)

// AskedBy lists everything that the rules of an archive ask about machines,
// as Graph.Asked does, in one pass and in little memory: nothing but the
// questions is kept. Rules that cannot be parsed, within lim, ask nothing; they
// evaluate to unknown whatever is recorded.
func AskedBy(ctx context.Context, a *wsusscn2.Archive, lim applicability.Limits) (applicability.Asked, error) {
	var q applicability.Questions
	fragments, rules := wsusscn2.NewParser(a.Limits()), &applicability.Parser{Limits: lim}
	err := a.Fragments(ctx, wsusscn2.Selection{Kinds: []wsusscn2.Kind{wsusscn2.KindCore}}, func(f wsusscn2.Fragment) error {
		c, err := fragments.Core(f.Data)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path(), err)
		}
		if c.Rules == nil {
			return nil
		}
		if r, err := rules.Parse(applicability.Reduce(c.Rules)); err == nil {
			q.Add(r)
		}
		return nil
	})
	if err != nil {
		return applicability.Asked{}, fmt.Errorf("list what the rules ask: %w", err)
	}
	return q.Asked(), nil
}
