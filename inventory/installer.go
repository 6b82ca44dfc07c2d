package inventory

import (
	"context"
	"maps"
	"slices"
	"strings"

	"waptwua"
	"waptwua/applicability"
)

// installer asks for products, then for patches and the products that have
// them.
func (t *taker) installer(ctx context.Context, q *questions) error {
	parts := Parts{q.Features, q.Components}
	seen := map[string]bool{}
	product := func(ctx context.Context, code string) (*applicability.Product, error) {
		seen[strings.ToLower(code)] = true
		return t.host.Products.Product(ctx, code, parts)
	}
	put := into(&t.facts.Products)
	record := func(code string, p **applicability.Product) {
		if p == nil {
			put(code, nil)
			return
		}
		put(code, *p)
	}
	s := applicability.SectionProducts
	if err := each(ctx, t, s, q.Products, product, record); err != nil {
		return err
	}
	states := map[string]map[string]int{}
	if err := each(ctx, t, s, q.Patches, t.patch(states), func(string, *bool) {}); err != nil {
		return err
	}
	others := slices.DeleteFunc(productsOf(states), func(code string) bool { return seen[strings.ToLower(code)] })
	if err := each(ctx, t, s, others, product, record); err != nil {
		return err
	}
	t.apply(states)
	return nil
}

// patch asks for a patch and keeps the products that have it. That there are
// no others is noted where it is established.
func (t *taker) patch(states map[string]map[string]int) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, code string) (bool, error) {
		on, err := t.host.Products.Patch(ctx, code)
		states[code] = on
		if err != nil {
			return false, err
		}
		t.facts.Patches = append(t.facts.Patches, code)
		if len(on) == 0 {
			return false, waptwua.ErrNotFound
		}
		return true, nil
	}
}

// productsOf lists the products that have any of the patches, each once.
func productsOf(states map[string]map[string]int) []string {
	codes := map[string]string{}
	for _, on := range states {
		for code := range on {
			codes[strings.ToLower(code)] = code
		}
	}
	return slices.Sorted(maps.Values(codes))
}

// apply writes the patches to their products. Where such a product could not
// be recorded, the patch is no longer known everywhere.
func (t *taker) apply(states map[string]map[string]int) {
	recorded := map[string]*applicability.Product{}
	for code, p := range t.facts.Products {
		recorded[strings.ToLower(code)] = p
	}
	lost := map[string]bool{}
	for patch, on := range states {
		for code, state := range on {
			p := recorded[strings.ToLower(code)]
			if p == nil {
				lost[patch] = true
				continue
			}
			if p.Patches == nil {
				p.Patches = map[string]int{}
			}
			p.Patches[patch] = state
		}
	}
	t.facts.Patches = slices.DeleteFunc(t.facts.Patches, func(code string) bool { return lost[code] })
}
