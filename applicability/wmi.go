package applicability

import "strings"

// WmiQuery is true when the query returns at least one row.
type WmiQuery struct {
	Namespace string
	WqlQuery  string

	query *wqlQuery // nil: not of the supported form
	key   string
}

func newWmiQuery(a attributes) *WmiQuery {
	q := &WmiQuery{Namespace: a.get("Namespace"), WqlQuery: a.get("WqlQuery")}
	q.key = queryKey(q.Namespace, q.WqlQuery)
	q.query, _ = parseWQL(q.WqlQuery) // otherwise only a recorded answer helps
	return q
}

// Eval implements Expr. A recorded answer to the very query comes first, then
// the recorded instances of the class.
func (e *WmiQuery) Eval(c *Context) Truth {
	if n, ok := c.Machine.queries[e.key]; ok {
		return truthOf(n > 0)
	}
	if e.query == nil {
		return Unknown
	}
	rows, t := c.Machine.instances(e.Namespace, e.query.class)
	if t != True {
		return t
	}
	t = False
	for _, row := range rows {
		if t = t.Or(e.query.matches(row)); t == True {
			break
		}
	}
	return t
}

func (e *WmiQuery) said(c *Context) string {
	if n, ok := c.Machine.queries[e.key]; ok {
		return plural(n, "row") + " recorded"
	}
	if e.query == nil {
		return "the query is beyond the supported part of WQL and no answer is recorded"
	}
	rows, t := c.Machine.instances(e.Namespace, e.query.class)
	if t != True {
		return e.query.class + " " + absence(t)
	}
	return plural(len(rows), "instance") + " of " + e.query.class
}

func (m *Machine) indexWMI(f *Facts) {
	m.classes, m.queries = map[string][]Row{}, map[string]int{}
	for ns, classes := range f.WMI {
		for class, rows := range classes {
			m.classes[classKey(ns, class)] = foldedRows(rows)
		}
	}
	for _, q := range f.Queries {
		m.queries[queryKey(q.Namespace, q.WQL)] = q.Rows
	}
}

func foldedRows(rows []Row) []Row {
	out := make([]Row, len(rows))
	for i, r := range rows {
		out[i] = folded(r)
	}
	return out
}

func (m *Machine) instances(namespace, class string) ([]Row, Truth) {
	rows, ok := m.classes[classKey(namespace, class)]
	switch {
	case ok:
		return rows, True
	case m.complete[SectionWMI]:
		return nil, False
	}
	return nil, Unknown
}

func classKey(namespace, class string) string { return cleanPath(namespace) + "|" + fold(class) }

func queryKey(namespace, wql string) string {
	return cleanPath(namespace) + "|" + fold(strings.Join(strings.Fields(wql), " "))
}
