package applicability

import (
	"errors"
	"strconv"
	"strings"
)

// The part of WQL that rules use:
//
//	SELECT property, … | * FROM class [WHERE condition]
//	condition: property (= | != | <> | < | <= | > | >= | LIKE) literal,
//	           property IS [NOT] NULL, AND, OR, NOT, parentheses
//
// LIKE knows %, _ and [set]; text is compared without case. A text literal
// is compared as a number with a property that is one.

var errWQL = errors.New("not of the supported form of WQL")

// maxWQLDepth bounds the nesting of a condition.
const maxWQLDepth = 100

type wqlQuery struct {
	class string
	where wqlCond // nil: every instance
}

func (q *wqlQuery) matches(row Row) Truth {
	if q.where == nil {
		return True
	}
	return q.where(row)
}

type wqlCond func(Row) Truth

type wqlParser struct {
	tokens []string
	depth  int
}

func parseWQL(s string) (*wqlQuery, error) {
	tokens, err := wqlTokens(s)
	if err != nil {
		return nil, err
	}
	p := &wqlParser{tokens: tokens}
	if !p.word("select") || !p.skipTo("from") || p.peek() == "" {
		return nil, errWQL
	}
	q := &wqlQuery{class: p.next()}
	if p.word("where") {
		if q.where, err = p.or(); err != nil {
			return nil, err
		}
	}
	if p.peek() != "" {
		return nil, errWQL
	}
	return q, nil
}

func (p *wqlParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *wqlParser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *wqlParser) word(w string) bool {
	if !strings.EqualFold(p.peek(), w) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *wqlParser) skipTo(w string) bool {
	for p.peek() != "" {
		if p.word(w) {
			return true
		}
		p.next()
	}
	return false
}

func (p *wqlParser) or() (wqlCond, error) {
	left, err := p.and()
	for err == nil && p.word("or") {
		var right wqlCond
		if right, err = p.and(); err == nil {
			l, r := left, right
			left = func(row Row) Truth { return l(row).Or(r(row)) }
		}
	}
	return left, err
}

func (p *wqlParser) and() (wqlCond, error) {
	left, err := p.unary()
	for err == nil && p.word("and") {
		var right wqlCond
		if right, err = p.unary(); err == nil {
			l, r := left, right
			left = func(row Row) Truth { return l(row).And(r(row)) }
		}
	}
	return left, err
}

func (p *wqlParser) unary() (wqlCond, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxWQLDepth {
		return nil, errWQL
	}
	switch {
	case p.word("not"):
		c, err := p.unary()
		return func(row Row) Truth { return c(row).Not() }, err
	case p.word("("):
		c, err := p.or()
		if err == nil && !p.word(")") {
			err = errWQL
		}
		return c, err
	}
	return p.comparison()
}

func (p *wqlParser) comparison() (wqlCond, error) {
	name, op, literal := fold(p.next()), fold(p.next()), p.next()
	if op == "is" {
		return p.null(name, fold(literal))
	}
	if name == "" || literal == "" {
		return nil, errWQL
	}
	text, ok := strings.CutPrefix(literal, "'")
	if op == "like" {
		if !ok {
			return nil, errWQL
		}
		pattern := []rune(fold(text))
		return func(row Row) Truth { return wqlLike(row, name, pattern) }, nil
	}
	holds, err := wqlOperator(op)
	return func(row Row) Truth { return wqlCompare(row, name, text, holds) }, err
}

func (p *wqlParser) null(name, word string) (wqlCond, error) {
	negated := word == "not"
	if negated {
		word = fold(p.next())
	}
	if word != "null" {
		return nil, errWQL
	}
	return func(row Row) Truth {
		v, recorded := row[name]
		if !recorded {
			return Unknown
		}
		return truthOf((v == nil) != negated)
	}, nil
}

func wqlOperator(op string) (func(order int) bool, error) {
	switch op {
	case "=":
		return EqualTo.Holds, nil
	case "!=", "<>":
		return func(o int) bool { return o != 0 }, nil
	case "<":
		return LessThan.Holds, nil
	case "<=":
		return LessThanOrEqualTo.Holds, nil
	case ">":
		return GreaterThan.Holds, nil
	case ">=":
		return GreaterThanOrEqualTo.Holds, nil
	}
	return nil, errWQL
}

func wqlCompare(row Row, name, literal string, holds func(int) bool) Truth {
	v, recorded := row[name]
	switch v := v.(type) {
	case string:
		return truthOf(holds(strings.Compare(fold(v), fold(literal))))
	case float64:
		n, err := strconv.ParseFloat(literal, 64)
		return truthOf(err == nil && holds(compare(v, n)))
	case bool:
		return truthOf(holds(strings.Compare(strconv.FormatBool(v), fold(literal))))
	}
	if recorded { // NULL compares with nothing
		return False
	}
	return Unknown
}

func wqlLike(row Row, name string, pattern []rune) Truth {
	v, recorded := row[name]
	if !recorded {
		return Unknown
	}
	s, ok := v.(string)
	return truthOf(ok && like([]rune(fold(s)), pattern))
}

// like matches s against a LIKE pattern in time proportional to the product
// of their lengths: after a mismatch only the last % is widened.
func like(s, pattern []rune) bool {
	i, p, star, mark := 0, 0, -1, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '%' {
			star, mark = p, i
			p++
			continue
		}
		if n, ok := likeOne(s[i], pattern[p:]); ok {
			i, p = i+1, p+n
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		i, p = mark, star+1
	}
	for p < len(pattern) && pattern[p] == '%' {
		p++
	}
	return p == len(pattern)
}

// likeOne matches one character against the head of a pattern and returns
// how much of the pattern that took.
func likeOne(c rune, pattern []rune) (n int, ok bool) {
	if len(pattern) == 0 {
		return 0, false
	}
	switch pattern[0] {
	case '_':
		return 1, true
	case '[':
		if n, ok, set := likeSet(c, pattern); set {
			return n, ok
		}
	}
	return 1, pattern[0] == c
}

// likeSet matches [abc], [a-z] and [^abc]; set is false when no ] follows.
func likeSet(c rune, pattern []rune) (n int, ok, set bool) {
	end := 1
	for end < len(pattern) && pattern[end] != ']' {
		end++
	}
	if end == len(pattern) {
		return 0, false, false
	}
	members := pattern[1:end]
	negated := len(members) > 1 && members[0] == '^'
	if negated {
		members = members[1:]
	}
	return end + 1, inSet(c, members) != negated, true
}

func inSet(c rune, members []rune) bool {
	for i := 0; i < len(members); i++ {
		if i+2 < len(members) && members[i+1] == '-' {
			if members[i] <= c && c <= members[i+2] {
				return true
			}
			i += 2
			continue
		}
		if members[i] == c {
			return true
		}
	}
	return false
}

// wqlTokens splits a query into words, operators, parentheses and literals;
// a text literal keeps its opening quote as a mark.
func wqlTokens(s string) ([]string, error) {
	var out []string
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return out, nil
		}
		n := wqlTokenLen(s)
		if n == 0 {
			return nil, errWQL
		}
		token := s[:n]
		if token[0] == '\'' || token[0] == '"' {
			token = "'" + wqlUnescape(token[1:n-1])
		}
		if token != "," {
			out = append(out, token)
		}
		s = s[n:]
	}
}

// wqlTokenLen is the length of the token s begins with; 0: none.
func wqlTokenLen(s string) int {
	switch c := s[0]; {
	case c == '\'' || c == '"':
		return quotedLen(s)
	case strings.IndexByte("(),", c) >= 0:
		return 1
	case strings.IndexByte("=<>!", c) >= 0:
		if len(s) > 1 && strings.IndexByte("=>", s[1]) >= 0 {
			return 2
		}
		return 1
	}
	n := strings.IndexAny(s, " \t\r\n(),=<>!'\"")
	if n < 0 {
		return len(s)
	}
	return n
}

func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return 0
}

func wqlUnescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\"`, `"`).Replace(s)
}
