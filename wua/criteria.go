package wua

import (
	"fmt"
	"strconv"
	"strings"

	"waptwua"
)

// Criteria is a search expression of WUA, such as DefaultCriteria: an OR of
// conjunctions of comparisons.
//
//	criteria    = conjunction *( "or" conjunction )
//	conjunction = term *( "and" term )
//	term        = comparison / "(" conjunction ")"
//	comparison  = name ( "=" / "!=" ) value / "CategoryIDs" "contains" value
//
// "or" stands at the top level only. Names and words compare without case;
// a text value stands in single quotes, a number is 0, 1 or, for
// RevisionNumber, any. "!=" is possible with Type and UpdateID only, and
// RevisionNumber only beside UpdateID in the same conjunction. A conjunction
// that does not name DeploymentAction means DeploymentAction='Installation'.
//
// Source: [MS-UAMG] 3.38.4.11 and Microsoft's description of
// IUpdateSearcher::Search.
type Criteria struct{ any [][]comparison }

// The limits of an expression.
const (
	maxCriteria = 8 << 10 // bytes
	maxTerms    = 500
)

type comparison struct {
	name   string // one of the property constants
	not    bool
	text   string // lower case
	number int
}

// The properties, as errors name them.
const (
	propType             = "Type"
	propDeploymentAction = "DeploymentAction"
	propIsAssigned       = "IsAssigned"
	propBrowseOnly       = "BrowseOnly"
	propAutoSelect       = "AutoSelectOnWebSites"
	propUpdateID         = "UpdateID"
	propRevisionNumber   = "RevisionNumber"
	propCategoryIDs      = "CategoryIDs"
	propIsInstalled      = "IsInstalled"
	propIsHidden         = "IsHidden"
	propIsPresent        = "IsPresent"
	propRebootRequired   = "RebootRequired"
)

// ParseCriteria reads a search expression; the empty one is WUA's own
// default, "( IsInstalled = 0 and IsHidden = 0 )". An error is an *Error with
// code InvalidCriteria whose text names the place.
func ParseCriteria(s string) (*Criteria, error) {
	if strings.TrimSpace(s) == "" {
		s = "( IsInstalled = 0 and IsHidden = 0 )"
	}
	p := criteriaParser{rest: s, size: len(s)}
	c, err := p.criteria()
	if err != nil {
		return nil, &Error{Op: "read the search criteria", Code: InvalidCriteria, Text: err.Error()}
	}
	return c, nil
}

// Match tells whether the expression finds u. What Update does not hold is
// taken as for every update of a scan archive: it is assigned for
// installation, neither browse-only nor selected on web sites by itself, and
// present where it is installed.
func (c *Criteria) Match(u *Update) bool {
	for _, all := range c.any {
		if matchAll(all, u) {
			return true
		}
	}
	return false
}

// ExcludesHidden tells whether the expression cannot find hidden updates.
func (c *Criteria) ExcludesHidden() bool {
	for _, all := range c.any {
		excluded := false
		for _, t := range all {
			excluded = excluded || t.name == propIsHidden && t.number == 0
		}
		if !excluded {
			return false
		}
	}
	return true
}

func matchAll(all []comparison, u *Update) bool {
	for i := range all {
		if !all[i].match(u) {
			return false
		}
	}
	return true
}

func (t *comparison) match(u *Update) bool {
	switch t.name {
	case propType:
		return strings.EqualFold(t.text, u.Type) != t.not
	case propUpdateID:
		return strings.EqualFold(t.text, u.ID.GUID) != t.not
	case propDeploymentAction:
		return t.text == "installation" || t.text == "*"
	case propCategoryIDs:
		for _, id := range u.CategoryIDs {
			if strings.EqualFold(id, t.text) {
				return true
			}
		}
		return false
	case propRevisionNumber:
		return t.number == u.ID.Revision
	}
	return (t.number != 0) == t.flag(u)
}

func (t *comparison) flag(u *Update) bool {
	switch t.name {
	case propIsInstalled, propIsPresent:
		return u.Installed
	case propIsHidden:
		return u.Hidden
	case propRebootRequired:
		return u.RebootRequired
	case propIsAssigned:
		return true
	}
	return false // BrowseOnly, AutoSelectOnWebSites
}

// criteriaParser reads an expression from its start; rest is what is left.
type criteriaParser struct {
	rest  string
	size  int
	terms int
}

func (p *criteriaParser) errorf(format string, args ...any) error {
	return fmt.Errorf("at position %d: %s", p.size-len(p.rest)+1, fmt.Sprintf(format, args...))
}

func (p *criteriaParser) criteria() (*Criteria, error) {
	if p.size > maxCriteria {
		return nil, p.errorf("%d bytes: %v of %d", p.size, waptwua.ErrLimit, maxCriteria)
	}
	c := new(Criteria)
	for {
		all, err := p.conjunction()
		if err == nil {
			err = checkRevision(all)
		}
		if err != nil {
			return nil, err
		}
		c.any = append(c.any, all)
		if !p.word("or") {
			break
		}
	}
	if p.space(); p.rest != "" {
		return nil, p.errorf("expected \"and\", \"or\" or the end")
	}
	return c, nil
}

func checkRevision(all []comparison) error {
	var revision, id bool
	for _, t := range all {
		revision = revision || t.name == propRevisionNumber
		id = id || t.name == propUpdateID && !t.not
	}
	if revision && !id {
		return fmt.Errorf("%s needs %s beside it", propRevisionNumber, propUpdateID)
	}
	return nil
}

func (p *criteriaParser) conjunction() ([]comparison, error) {
	var all []comparison
	for {
		terms, err := p.term()
		if err != nil {
			return nil, err
		}
		all = append(all, terms...)
		if !p.word("and") {
			return all, nil
		}
	}
}

func (p *criteriaParser) term() ([]comparison, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, p.errorf("more than %d terms: %v", maxTerms, waptwua.ErrLimit)
	}
	if !p.symbol("(") {
		c, err := p.comparison()
		return []comparison{c}, err
	}
	all, err := p.conjunction()
	if err != nil {
		return nil, err
	}
	if p.word("or") {
		return nil, p.errorf("\"or\" is possible at the top level only, not inside parentheses")
	}
	if !p.symbol(")") {
		return nil, p.errorf("expected \")\"")
	}
	return all, nil
}

func (p *criteriaParser) comparison() (comparison, error) {
	name := p.identifier()
	t, ok := propertyNamed(name)
	if !ok {
		return t, p.errorf("%q is no property to search by", name)
	}
	if err := p.operator(&t); err != nil {
		return t, err
	}
	return t, p.value(&t)
}

func (p *criteriaParser) operator(t *comparison) error {
	if t.name == propCategoryIDs {
		if !p.word("contains") {
			return p.errorf("%s: expected \"contains\"", t.name)
		}
		return nil
	}
	if p.symbol("=") {
		return nil
	}
	if t.not = p.symbol("!="); !t.not {
		return p.errorf("%s: expected \"=\"", t.name)
	}
	if t.name != propType && t.name != propUpdateID {
		return p.errorf("%s: \"!=\" is possible with %s and %s only", t.name, propType, propUpdateID)
	}
	return nil
}

func (p *criteriaParser) value(t *comparison) error {
	switch t.name {
	case propType, propDeploymentAction, propUpdateID, propCategoryIDs:
		return p.textValue(t)
	}
	digits := p.take(func(c byte) bool { return c >= '0' && c <= '9' })
	n, err := strconv.Atoi(digits)
	if err != nil {
		return p.errorf("%s: expected a number", t.name)
	}
	if n > 1 && t.name != propRevisionNumber {
		return p.errorf("%s: expected 0 or 1", t.name)
	}
	t.number = n
	return nil
}

func (p *criteriaParser) textValue(t *comparison) error {
	if !p.symbol("'") {
		return p.errorf("%s: expected a text in single quotes", t.name)
	}
	text, rest, closed := strings.Cut(p.rest, "'")
	if !closed {
		return p.errorf("%s: the quote is not closed", t.name)
	}
	t.text, p.rest = strings.ToLower(text), rest
	switch t.name {
	case propUpdateID, propCategoryIDs:
		guid, err := waptwua.NormalizeGUID(text)
		if err != nil {
			return p.errorf("%s: %v", t.name, err)
		}
		t.text = guid
	case propType:
		if t.text != "software" && t.text != "driver" {
			return p.errorf("%s: expected 'Software' or 'Driver'", t.name)
		}
	case propDeploymentAction:
		if t.text != "installation" && t.text != "uninstallation" && t.text != "*" {
			return p.errorf("%s: expected 'Installation' or 'Uninstallation'", t.name)
		}
	}
	return nil
}

func propertyNamed(s string) (comparison, bool) {
	for _, name := range [...]string{
		propType, propDeploymentAction, propIsAssigned, propBrowseOnly, propAutoSelect, propUpdateID,
		propRevisionNumber, propCategoryIDs, propIsInstalled, propIsHidden, propIsPresent, propRebootRequired,
	} {
		if strings.EqualFold(s, name) {
			return comparison{name: name}, true
		}
	}
	return comparison{}, false
}

func (p *criteriaParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// symbol takes s when it comes next.
func (p *criteriaParser) symbol(s string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

// word takes the word w when it comes next and ends there.
func (p *criteriaParser) word(w string) bool {
	p.space()
	if len(p.rest) < len(w) || !strings.EqualFold(p.rest[:len(w)], w) || len(p.rest) > len(w) && letter(p.rest[len(w)]) {
		return false
	}
	p.rest = p.rest[len(w):]
	return true
}

func (p *criteriaParser) identifier() string { return p.take(letter) }

func (p *criteriaParser) take(while func(byte) bool) string {
	p.space()
	n := 0
	for n < len(p.rest) && while(p.rest[n]) {
		n++
	}
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
