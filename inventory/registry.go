package inventory

import (
	"context"
	"fmt"
	"strings"

	"waptwua"
	"waptwua/applicability"
)

// maxNesting is how deep loops within loops are followed. The rules in
// published archives do not nest them at all.
const maxNesting = 4

// keyState is what is known about a registry key.
type keyState struct {
	path string // as it was spelled first
	end  end
}

// registry asks for the sub-keys of loops first: what is asked below them
// follows.
func (t *taker) registry(ctx context.Context, q *questions) error {
	if err := t.loops(ctx, q.loops); err != nil {
		return err
	}
	total := len(q.keys) + len(q.values)
	for i, k := range q.keys {
		t.show(applicability.SectionRegistry, i, total)
		for _, path := range t.paths(k) {
			if _, err := t.key(ctx, path); err != nil {
				return err
			}
		}
	}
	for i, v := range q.values {
		t.show(applicability.SectionRegistry, len(q.keys)+i, total)
		for _, path := range t.paths(v.key) {
			if err := t.value(ctx, path, v.name); err != nil {
				return err
			}
		}
	}
	t.show(applicability.SectionRegistry, total, total)
	return nil
}

// loops finds the sub-keys that loops run over.
func (t *taker) loops(ctx context.Context, loops []keyName) error {
	var nested []keyName
	var outer []string
	for _, k := range loops {
		if k.inLoop {
			nested = append(nested, k)
			continue
		}
		outer = append(outer, t.paths(k)...)
	}
	seen := map[string]bool{}
	for depth := 0; depth < maxNesting && len(outer) > 0; depth++ {
		found, err := t.enumerate(ctx, outer, seen)
		if err != nil {
			return err
		}
		t.targets = append(t.targets, found...)
		outer = nil
		for _, k := range nested {
			outer = append(outer, t.pathsBelow(k, found)...)
		}
	}
	return nil
}

// enumerate records the sub-keys of keys, of each key once, and returns
// them.
func (t *taker) enumerate(ctx context.Context, keys []string, seen map[string]bool) ([]string, error) {
	var found []string
	for _, path := range keys {
		folded := strings.ToLower(path)
		if seen[folded] {
			continue
		}
		seen[folded] = true
		subkeys, err := t.subkeys(ctx, path)
		if err != nil {
			return nil, err
		}
		found = append(found, subkeys...)
	}
	return found, nil
}

// subkeys records the sub-keys of a key, and that these are all when they
// are. The error is one that ends the inventory.
func (t *taker) subkeys(ctx context.Context, path string) ([]string, error) {
	if k, err := t.key(ctx, path); err != nil || k.end != present {
		return nil, err
	}
	list, err := t.host.Registry.Subkeys(ctx, path)
	if len(list) > t.limits.Subkeys {
		list, err = nil, fmt.Errorf("%d sub-keys: %w of %d", len(list), waptwua.ErrLimit, t.limits.Subkeys)
	}
	how, err := t.end(ctx, applicability.SectionRegistry, path+`\*`, err)
	if err != nil {
		return nil, err
	}
	if how == present {
		t.facts.Subkeys = append(t.facts.Subkeys, path)
	}
	for _, sub := range list {
		t.remember(sub, present)
	}
	return list, nil
}

// paths are the keys that a name means: in a loop, one below each sub-key.
// It means none where the 32-bit view is asked for and the processor is not
// known.
func (t *taker) paths(k keyName) []string {
	if k.inLoop {
		return t.pathsBelow(k, t.targets)
	}
	return t.pathsBelow(k, []string{""})
}

func (t *taker) pathsBelow(k keyName, targets []string) []string {
	if k.narrow && t.facts.Processor == nil {
		return nil
	}
	paths := make([]string, len(targets))
	for i, target := range targets {
		paths[i] = join(target, k.path)
		if k.narrow {
			paths[i] = narrowView(paths[i], t.facts.Processor.Architecture)
		}
	}
	return paths
}

// key asks for a key, once, and records whether it exists.
func (t *taker) key(ctx context.Context, path string) (*keyState, error) {
	if k := t.keys[strings.ToLower(path)]; k != nil {
		return k, nil
	}
	how, err := t.end(ctx, applicability.SectionRegistry, path, t.host.Registry.Key(ctx, path))
	if err != nil {
		return nil, err
	}
	return t.remember(path, how), nil
}

func (t *taker) remember(path string, how end) *keyState {
	folded := strings.ToLower(path)
	if k := t.keys[folded]; k != nil {
		return k
	}
	k := &keyState{path, how}
	t.keys[folded] = k
	if t.facts.Registry == nil {
		t.facts.Registry = map[string]applicability.Key{}
	}
	switch how {
	case present:
		t.facts.Registry[path] = applicability.Key{}
	case absent:
		t.facts.Registry[path] = nil
	}
	return k
}

// value asks for a value of a key, once.
func (t *taker) value(ctx context.Context, path, name string) error {
	k, err := t.key(ctx, path)
	if err != nil || k.end != present {
		return err
	}
	item := path + "@" + name
	if t.values[strings.ToLower(item)] {
		return nil
	}
	t.values[strings.ToLower(item)] = true
	v, err := t.host.Registry.Value(ctx, path, name)
	if err == nil && len(v.Text) > t.limits.Value {
		err = fmt.Errorf("%d bytes: %w of %d", len(v.Text), waptwua.ErrLimit, t.limits.Value)
	}
	how, err := t.end(ctx, applicability.SectionRegistry, item, err)
	if err != nil {
		return err
	}
	switch how {
	case present:
		t.facts.Registry[k.path][name] = v
	case absent:
		t.facts.Registry[k.path][name] = nil
	}
	return nil
}

// text is the text of a recorded value; not ok when there is none.
func (t *taker) text(path, name string) (text string, ok bool) {
	k := t.keys[strings.ToLower(path)]
	if k == nil || k.end != present {
		return "", false
	}
	for n, v := range t.facts.Registry[k.path] {
		if v != nil && !v.IsNumber() && strings.EqualFold(n, name) {
			return v.Text, true
		}
	}
	return "", false
}
