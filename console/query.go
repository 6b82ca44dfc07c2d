package console

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"waptwua/server"
)

// pageSize is how many rows a page of a list has.
const pageSize = 50

// maxSearch bounds the text that one may search for, in bytes.
const maxSearch = 200

// query is the address of a list: its path and parameters. Links to the same
// list with another filter, order or page are made from it.
type query struct {
	path   string
	values url.Values
}

func queryOf(q *request) *query {
	v := q.URL.Query()
	v.Del(noticeParam)
	return &query{path: q.URL.Path, values: v}
}

// with returns the address with some parameters changed, given as name and
// value in turn; an empty value removes one. Without "page" among them the
// first page is meant.
func (q *query) with(pairs ...string) string {
	v := url.Values{}
	for name, value := range q.values {
		if len(value) > 0 && value[0] != "" {
			v.Set(name, value[0])
		}
	}
	if len(pairs) > 0 {
		v.Del("page")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	if len(v) == 0 {
		return q.path
	}
	return q.path + "?" + v.Encode()
}

// link is with as an address for templ.
func (q *query) link(pairs ...string) templ.SafeURL { return templ.SafeURL(q.with(pairs...)) }

// Is tells whether a parameter has a value; the empty one means absent.
func (q *query) Is(name, value string) bool { return q.values.Get(name) == value }

// filtered tells whether one of the parameters restricts the list.
func (q *query) filtered(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return q.values.Get(n) != "" })
}

// search is the text searched for.
func (q *query) search() (string, error) {
	s := q.values.Get("q")
	if len(s) > maxSearch {
		return "", invalid("the text to search for has %d bytes, at most %d", len(s), maxSearch)
	}
	return s, nil
}

// oneOf reads a parameter that must be empty or one of the allowed values:
// a list that ignores a filter it does not know would show the wrong rows.
func oneOf[T ~string](q *query, name string, allowed ...T) (T, error) {
	v := T(q.values.Get(name))
	if v == "" || slices.Contains(allowed, v) {
		return v, nil
	}
	return "", invalid("%s %.50q is not one of %v", name, v, allowed)
}

// text reads a parameter that is compared whole.
func (q *query) text(name string) (string, error) {
	v := q.values.Get(name)
	if len(v) > maxSearch {
		return "", invalid("%s has %d bytes, at most %d", name, len(v), maxSearch)
	}
	return v, nil
}

// part is the part of the list that the page number asks for.
func (q *query) part() (server.Part, error) {
	n := 1
	if s := q.values.Get("page"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil || n < 1 || n > 1_000_000 {
			return server.Part{}, invalid("page %.20q: want a number from 1", s)
		}
	}
	return server.Part{Limit: pageSize, Offset: (n - 1) * pageSize}, nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), server.ErrInvalid)
}

// pager is where one is in a list.
type pager struct {
	query *query
	from  int // the first row shown, from 1; 0: none
	to    int
	total int
}

func newPager(q *query, p server.Part, shown, total int) pager {
	g := pager{query: q, to: p.Offset + shown, total: total}
	if shown > 0 {
		g.from = p.Offset + 1
	}
	return g
}

func (g pager) hasPrevious() bool { return g.from > pageSize }
func (g pager) hasNext() bool     { return g.from > 0 && g.to < g.total }

func (g pager) previous() templ.SafeURL { return g.page(g.number() - 1) }
func (g pager) next() templ.SafeURL     { return g.page(g.number() + 1) }

func (g pager) number() int { return (g.from-1)/pageSize + 1 }

func (g pager) page(n int) templ.SafeURL {
	if n <= 1 {
		return g.query.link("page", "")
	}
	return g.query.link("page", strconv.Itoa(n))
}

// orderOf reads the order of a list: a column, and whether it is turned
// round, which means the other way than the column's own.
func orderOf[T ~string](q *query, allowed ...T) (T, bool, error) {
	by, err := oneOf(q, "sort", allowed...)
	return by, q.Is("turned", "1"), err
}

// column is a heading that sorts.
type column struct {
	query   *query
	by      string // value of "sort"; empty: the default order
	falling bool   // the column's own way is the largest first
}

// active tells whether the list is in the order of this column.
func (c column) active() bool { return c.query.Is("sort", c.by) }

// link sorts by the column, or turns its order round.
func (c column) link() templ.SafeURL {
	turned := ""
	if c.active() && !c.query.Is("turned", "1") {
		turned = "1"
	}
	return c.query.link("sort", c.by, "turned", turned)
}

// direction is the value of aria-sort.
func (c column) direction() string {
	if c.falling != c.query.Is("turned", "1") {
		return "descending"
	}
	return "ascending"
}
