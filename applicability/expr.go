package applicability

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Expr is a parsed expression of a rule: And, Or, Not, Const, RegKeyLoop, one
// of the leaf operators, or Unsupported. Expressions are immutable and may be
// shared by goroutines; a type switch over the node types is the way to
// inspect one, and Walk to visit a whole tree.
type Expr interface {
	// Eval asks the context's machine.
	Eval(c *Context) Truth
	// said tells people what the machine holds about the operator's
	// question; "" for operators that only combine others.
	said(c *Context) string
}

// Context is one evaluation: the machine and what the operators share while
// they run. It must not be used by two goroutines at once.
type Context struct {
	Machine *Machine

	loop  string // folded path of the sub-key that HKEY_LOOP_TARGET means; "" outside a loop
	meta  *Metadata
	trace *Trace
}

// eval evaluates e and, where a trace is wanted, records it.
func (c *Context) eval(e Expr) Truth {
	if c.trace == nil {
		return e.Eval(c)
	}
	return c.trace.record(c, e)
}

// And is true when every operand is; without operands it is true.
type And struct{ Operands []Expr }

// Eval implements Expr. It stops at the first false operand.
func (e *And) Eval(c *Context) Truth {
	t := True
	for _, o := range e.Operands {
		if t = t.And(c.eval(o)); t == False {
			return False
		}
	}
	return t
}

// Or is true when at least one operand is; without operands it is false.
type Or struct{ Operands []Expr }

// Eval implements Expr. It stops at the first true operand.
func (e *Or) Eval(c *Context) Truth {
	t := False
	for _, o := range e.Operands {
		if t = t.Or(c.eval(o)); t == True {
			return True
		}
	}
	return t
}

// Not is true when its operand is false.
type Not struct{ Operand Expr }

// Eval implements Expr.
func (e *Not) Eval(c *Context) Truth { return c.eval(e.Operand).Not() }

// Const is <True/> or <False/>.
type Const struct{ Value bool }

// Eval implements Expr.
func (e *Const) Eval(*Context) Truth { return truthOf(e.Value) }

// Unsupported stands for an operator that this package does not know, or
// cannot read; it is always unknown.
type Unsupported struct {
	Name    string // the element's name
	Problem string // why, when the operator itself is known: `attribute Data "x"`
}

// Eval implements Expr.
func (e *Unsupported) Eval(*Context) Truth { return Unknown }

func (e *And) said(*Context) string   { return "" }
func (e *Or) said(*Context) string    { return "" }
func (e *Not) said(*Context) string   { return "" }
func (e *Const) said(*Context) string { return "" }
func (e *Unsupported) said(*Context) string {
	if e.Problem != "" {
		return "cannot be evaluated: " + e.Problem
	}
	return "this operator is not supported"
}

// Walk calls visit for e and everything below it, parents first.
func Walk(e Expr, visit func(Expr)) {
	if e == nil {
		return
	}
	visit(e)
	switch e := e.(type) {
	case *And:
		walkAll(e.Operands, visit)
	case *Or:
		walkAll(e.Operands, visit)
	case *Not:
		Walk(e.Operand, visit)
	case *RegKeyLoop:
		Walk(e.Body, visit)
	}
}

func walkAll(list []Expr, visit func(Expr)) {
	for _, e := range list {
		Walk(e, visit)
	}
}

func compare[T cmp.Ordered](a, b T) int { return cmp.Compare(a, b) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
