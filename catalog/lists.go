package catalog

import "slices"

// lists holds one list of items for each of a number of owners, all of them
// in two arrays, so that a graph of 137,000 revisions is a few allocations
// and can be stored and read back as it lies in memory.
type lists[T any] struct {
	starts []int32 // of owner i's list in items; one more than there are owners
	items  []T
}

// listsFor has room for so many owners and items.
func listsFor[T any](owners, items int) lists[T] {
	return lists[T]{starts: append(make([]int32, 0, owners+1), 0), items: make([]T, 0, items)}
}

// of is the list of owner i.
func (l *lists[T]) of(i int) []T { return l.items[l.starts[i]:l.starts[i+1]:l.starts[i+1]] }

// add appends the list of the next owner.
func (l *lists[T]) add(items ...T) {
	if l.starts == nil {
		l.starts = append(l.starts, 0)
	}
	l.items = push(l.items, items...)
	l.starts = push(l.starts, int32(len(l.items)))
}

// collect appends the list of the next owner, made of the items from.
func collect[T, U any](l *lists[T], from []U, made func(U) T) {
	l.add()
	for _, u := range from {
		l.items = push(l.items, made(u))
	}
	l.starts[len(l.starts)-1] = int32(len(l.items))
}

// push is append for the long lists of a builder: it doubles their room, where
// append takes a quarter more and so copies them five times as often.
func push[T any](s []T, items ...T) []T {
	if cap(s)-len(s) < len(items) {
		s = slices.Grow(s, max(len(s), len(items)))
	}
	return append(s, items...)
}

// len is the number of owners.
func (l *lists[T]) len() int { return max(len(l.starts)-1, 0) }

// clauses holds for each owner an AND of ORs: a list of clauses, each of
// which is a list of members.
type clauses[T any] struct {
	starts  []int32  // of owner i's clauses; one more than there are owners
	members lists[T] // by clause
}

// of is the range of the clauses of owner i.
func (c *clauses[T]) of(i int) (first, end int) { return int(c.starts[i]), int(c.starts[i+1]) }

// none tells whether owner i has no clauses.
func (c *clauses[T]) none(i int) bool { return c.starts[i] == c.starts[i+1] }

// add appends the clauses of the next owner.
func (c *clauses[T]) add(list ...[]T) {
	if c.starts == nil {
		c.starts = append(c.starts, 0)
	}
	for _, members := range list {
		c.members.add(members...)
	}
	c.starts = push(c.starts, int32(c.members.len()))
}

// pair is one member of an owner's list.
type pair struct{ owner, member index }

// grouped makes the lists of owners out of pairs in any order; the members of
// an owner keep theirs, and each occurs once.
func grouped(owners int, pairs []pair) lists[index] {
	counts := make([]int32, owners+1)
	for _, p := range pairs {
		counts[p.owner+1]++
	}
	for i := range owners {
		counts[i+1] += counts[i]
	}
	all, next := make([]index, len(pairs)), append([]int32(nil), counts...)
	for _, p := range pairs {
		all[next[p.owner]] = p.member
		next[p.owner]++
	}
	out := listsFor[index](owners, len(all))
	most := index(-1)
	for _, m := range all {
		most = max(most, m)
	}
	lastOf := make([]int32, most+1) // by member: the last owner that has it, plus one
	for i := range owners {
		for _, m := range all[counts[i]:counts[i+1]] {
			if lastOf[m] != int32(i+1) {
				lastOf[m] = int32(i + 1)
				out.items = append(out.items, m)
			}
		}
		out.starts = append(out.starts, int32(len(out.items)))
	}
	return out
}
