package catalog

// sortDependencies orders the nodes so that each comes after those its state
// depends on, marks cycles among them, and cuts cycles of supersedence.
func (g *Graph) sortDependencies() {
	edges := g.dependencies()
	order, component := components(edges)
	for _, i := range order {
		if int(i) < len(g.nodes) {
			g.order = append(g.order, i)
		}
	}
	g.stats.DependencyCycles = cycles(component, edges)
	g.component, g.circular = component, make([]int32, len(g.needs.starts)-1)
	for i, set := range g.setOf {
		if component[i] == component[len(g.nodes)+int(set)] {
			g.circular[set] = 1
		}
	}
	_, component = components(&g.replacedBy)
	g.stats.SupersedenceCycles = cycles(component, &g.replacedBy)
	if g.stats.SupersedenceCycles > 0 {
		g.cutSupersedence(component)
	}
}

// dependencies lists for each node those whose state its own follows from.
// Behind the nodes come the sets of prerequisites, as nodes that depend on
// every revision of their members: so an edge that many share exists once.
func (g *Graph) dependencies() *lists[index] {
	var edges lists[index]
	var list []index // used again
	for i := range g.nodes {
		list = append(list[:0], index(len(g.nodes))+index(g.setOf[i]))
		first, end := g.children.of(i)
		for k := first; k < end; k++ {
			for _, c := range g.children.members.of(k) {
				if c != dangling {
					list = append(list, c)
				}
			}
		}
		edges.add(list...)
	}
	for set := range len(g.needs.starts) - 1 {
		list = list[:0]
		first, end := g.needs.of(set)
		for k := first; k < end; k++ {
			for _, u := range g.needs.members.of(k) {
				list = append(list, g.revisions.of(int(u))...)
			}
		}
		edges.add(list...)
	}
	return &edges
}

// cycles counts the components in which a node reaches itself.
func cycles(component []int32, edges *lists[index]) int {
	found := map[int32]bool{}
	for i := range edges.len() {
		for _, to := range edges.of(i) {
			if component[i] == component[to] {
				found[component[i]] = true
			}
		}
	}
	return len(found)
}

func (g *Graph) cutSupersedence(component []int32) {
	kept := lists[index]{starts: []int32{0}}
	for i := range g.nodes {
		for _, newer := range g.replacedBy.of(i) {
			if component[newer] != component[i] {
				kept.items = append(kept.items, newer)
			}
		}
		kept.starts = append(kept.starts, int32(len(kept.items)))
	}
	g.replacedBy = kept
}

// components finds the strongly connected components of a graph (Tarjan's
// algorithm, with a stack of its own: archives may hold chains longer than a
// goroutine's stack). order lists every node after those it has an edge to,
// cycles aside; nodes of one component share a number.
func components(edges *lists[index]) (order []index, component []int32) {
	n := edges.len()
	t := &tarjan{
		edges: edges, number: make([]int32, n), low: make([]int32, n),
		component: make([]int32, n), onStack: make([]bool, n), order: make([]index, 0, n),
	}
	for i := range n {
		if t.number[i] == 0 {
			t.visit(index(i))
		}
	}
	return t.order, t.component
}

type tarjan struct {
	edges       *lists[index]
	number, low []int32
	component   []int32
	onStack     []bool
	stack       []index
	work        []frame
	order       []index
	last, parts int32
}

type frame struct {
	node  index
	edges []index // not followed yet
}

func (t *tarjan) visit(root index) {
	t.enter(root)
	for len(t.work) > 0 {
		f := &t.work[len(t.work)-1]
		if len(f.edges) > 0 {
			to := f.edges[0]
			f.edges = f.edges[1:]
			switch {
			case t.number[to] == 0:
				t.enter(to)
			case t.onStack[to]:
				t.low[f.node] = min(t.low[f.node], t.number[to])
			}
			continue
		}
		done := f.node
		t.work = t.work[:len(t.work)-1]
		if len(t.work) > 0 {
			up := t.work[len(t.work)-1].node
			t.low[up] = min(t.low[up], t.low[done])
		}
		if t.low[done] == t.number[done] {
			t.pop(done)
		}
	}
}

func (t *tarjan) enter(i index) {
	t.last++
	t.number[i], t.low[i] = t.last, t.last
	t.stack, t.onStack[i] = append(t.stack, i), true
	t.work = append(t.work, frame{i, t.edges.of(int(i))})
}

// pop takes the component that root is the first of off the stack.
func (t *tarjan) pop(root index) {
	for {
		i := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.onStack[i] = false
		t.component[i] = t.parts
		t.order = append(t.order, i)
		if i == root {
			t.parts++
			return
		}
	}
}
