package catalog

// sortDependencies orders the nodes so that each comes after those its state
// depends on, marks cycles among them, and cuts cycles of supersedence.
func (g *Graph) sortDependencies() {
	g.order, g.component = components(len(g.nodes), g.dependencies)
	g.stats.DependencyCycles = g.cycles(g.component, g.dependencies)
	replacedBy := func(i index) []index { return g.nodes[i].replacedBy }
	_, component := components(len(g.nodes), replacedBy)
	g.stats.SupersedenceCycles = g.cycles(component, replacedBy)
	if g.stats.SupersedenceCycles > 0 {
		g.cutSupersedence(component)
	}
}

// dependencies are the nodes whose state the state of i follows from.
func (g *Graph) dependencies(i index) []index {
	var out []index
	for _, clause := range g.nodes[i].prerequisites {
		for _, u := range clause {
			out = append(out, g.revisions[u]...)
		}
	}
	for _, clause := range g.nodes[i].children {
		for _, c := range clause {
			if c != dangling {
				out = append(out, c)
			}
		}
	}
	return out
}

// cycles counts the components in which a node reaches itself.
func (g *Graph) cycles(component []int32, edges func(index) []index) int {
	found := map[int32]bool{}
	for i := range g.nodes {
		for _, to := range edges(index(i)) {
			if component[i] == component[to] {
				found[component[i]] = true
			}
		}
	}
	return len(found)
}

func (g *Graph) cutSupersedence(component []int32) {
	for i := range g.nodes {
		n := &g.nodes[i]
		var kept []index
		for _, newer := range n.replacedBy {
			if component[newer] != component[i] {
				kept = append(kept, newer)
			}
		}
		n.replacedBy = kept
	}
}

// components finds the strongly connected components of a graph of n nodes
// (Tarjan's algorithm, with a stack of its own: archives may hold chains
// longer than a goroutine's stack). order lists every node after those it
// has an edge to, cycles aside; nodes of one component share a number.
func components(n int, edges func(index) []index) (order []index, component []int32) {
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
	edges       func(index) []index
	number, low []int32
	component   []int32
	onStack     []bool
	stack       []index
	order       []index
	last, parts int32
}

type frame struct {
	node  index
	edges []index // not followed yet
}

func (t *tarjan) visit(root index) {
	work := []frame{t.enter(root)}
	for len(work) > 0 {
		f := &work[len(work)-1]
		if len(f.edges) > 0 {
			to := f.edges[0]
			f.edges = f.edges[1:]
			switch {
			case t.number[to] == 0:
				work = append(work, t.enter(to))
			case t.onStack[to]:
				t.low[f.node] = min(t.low[f.node], t.number[to])
			}
			continue
		}
		done := f.node
		work = work[:len(work)-1]
		if len(work) > 0 {
			up := work[len(work)-1].node
			t.low[up] = min(t.low[up], t.low[done])
		}
		if t.low[done] == t.number[done] {
			t.pop(done)
		}
	}
}

func (t *tarjan) enter(i index) frame {
	t.last++
	t.number[i], t.low[i] = t.last, t.last
	t.stack, t.onStack[i] = append(t.stack, i), true
	return frame{i, t.edges(i)}
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
