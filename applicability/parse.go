package applicability

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"waptwua"
)

// Limits bound what a parser accepts. A zero field means the default.
type Limits struct {
	Bytes    int // length of the rules; default 64 MiB
	Nodes    int // elements outside Metadata; default 200,000
	Depth    int // nesting of expressions, and of elements that are skipped; default 100
	TagBytes int // one tag or text, outside of the manifest that is jumped over; default 1 MiB
}

const (
	defaultBytes = 64 << 20
	defaultNodes = 200_000
	defaultDepth = 100
	defaultTag   = 1 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Bytes == 0 {
		l.Bytes = defaultBytes
	}
	if l.Nodes == 0 {
		l.Nodes = defaultNodes
	}
	if l.Depth == 0 {
		l.Depth = defaultDepth
	}
	if l.TagBytes == 0 {
		l.TagBytes = defaultTag
	}
	return l
}

// Parser parses many rule sets and shares equal text among them. It must not
// be used by two goroutines at once; what it returns may be.
type Parser struct {
	Limits Limits

	strings map[string]string
}

// Parse parses one rule set with the default limits.
func Parse(rules []byte) (*Rules, error) { return new(Parser).Parse(rules) }

// Parse parses the XML inside <ApplicabilityRules>. An unknown operator is
// not an error, see Rules.Unsupported; malformed XML and exceeded limits
// (waptwua.ErrLimit) are, with the offset of the place in bytes.
func (p *Parser) Parse(rules []byte) (*Rules, error) {
	limits := p.Limits.withDefaults()
	if len(rules) > limits.Bytes {
		return nil, fmt.Errorf("applicability rules of %d bytes: %w of %d", len(rules), waptwua.ErrLimit, limits.Bytes)
	}
	r := &reader{src: rules, limits: limits, parser: p, rules: new(Rules)}
	r.seek(0)
	if err := r.sections(); err != nil {
		return nil, fmt.Errorf("applicability rules, offset %d: %w", r.offset(), err)
	}
	return r.rules, nil
}

// intern returns one shared copy of s.
func (p *Parser) intern(s string) string {
	if t, ok := p.strings[s]; ok {
		return t
	}
	if p.strings == nil {
		p.strings = map[string]string{}
	}
	p.strings[s] = s
	return s
}

// reader is the state of one Parse.
type reader struct {
	src    []byte
	base   int // where in src dec began
	dec    *xml.Decoder
	parser *Parser
	limits Limits
	nodes  int
	depth  int
	rules  *Rules
}

// offset is the place in src that has been read.
func (r *reader) offset() int { return r.base + int(r.dec.InputOffset()) }

// seek continues at an offset between two sections.
func (r *reader) seek(offset int) {
	r.base, r.dec = offset, newDecoder(r.src[offset:], r.limits)
}

var errUnexpectedEnd = errors.New("unexpected end tag")

func (r *reader) sections() error {
	for {
		start, err := r.child()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if start == nil {
			return errUnexpectedEnd
		}
		if err := r.oneSection(start); err != nil {
			return err
		}
	}
}

func (r *reader) oneSection(start *xml.StartElement) (err error) {
	switch start.Name.Local {
	case "IsInstalled":
		r.rules.IsInstalled, err = r.conjunction()
	case "IsInstallable":
		r.rules.IsInstallable, err = r.conjunction()
	case "IsSuperseded":
		r.rules.IsSuperseded, err = r.conjunction()
	case "Metadata":
		err = r.metadata()
	default:
		r.unsupported(start.Name.Local, "")
		err = skip(r.dec, r.limits)
	}
	return err
}

// child is the next element below the open one; nil at its end tag.
func (r *reader) child() (*xml.StartElement, error) {
	for {
		t, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.EndElement:
			return nil, nil
		}
	}
}

// conjunction reads the expressions up to the end tag and joins them with
// And; nil when there are none.
func (r *reader) conjunction() (Expr, error) {
	list, err := r.expressions()
	switch {
	case err != nil || len(list) == 0:
		return nil, err
	case len(list) == 1:
		return list[0], nil
	}
	return &And{list}, nil
}

func (r *reader) expressions() ([]Expr, error) {
	var list []Expr
	for {
		start, err := r.child()
		if err != nil || start == nil {
			return list, atEOF(err)
		}
		e, err := r.expression(start)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
}

// atEOF turns the end of input inside an element into an error of its own.
func atEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *reader) expression(start *xml.StartElement) (Expr, error) {
	r.nodes++
	r.depth++
	defer func() { r.depth-- }()
	if r.nodes > r.limits.Nodes {
		return nil, fmt.Errorf("more than %d operators: %w", r.limits.Nodes, waptwua.ErrLimit)
	}
	if r.depth > r.limits.Depth {
		return nil, tooDeep(r.limits)
	}
	name, a := r.parser.intern(start.Name.Local), attributes{start.Attr, r.parser}
	if part, ok := partOperator(name); ok {
		return r.partInstalled(name, part, a)
	}
	list, err := r.expressions()
	if err != nil {
		return nil, err
	}
	e, err := build(name, a, list)
	if err != nil {
		return r.unsupported(name, err.Error()), nil
	}
	if e == nil {
		return r.unsupported(name, ""), nil
	}
	return e, nil
}

func (r *reader) unsupported(name, problem string) Expr {
	r.rules.Unsupported = append(r.rules.Unsupported, name)
	return &Unsupported{Name: name, Problem: problem}
}

// partOperator recognises the operators whose operands are elements.
func partOperator(name string) (MsiPart, bool) {
	switch name {
	case "m.MsiFeatureInstalledForProduct":
		return MsiFeature, true
	case "m.MsiComponentInstalledForProduct":
		return MsiComponent, true
	case "m.MsiPatchInstalledForProduct":
		return MsiPatch, true
	}
	return 0, false
}

// partInstalled reads the operands of the …InstalledForProduct operators,
// which are elements (m.Feature, m.Product) or, for patches, attributes.
func (r *reader) partInstalled(name string, part MsiPart, a attributes) (Expr, error) {
	e := &MsiPartInstalled{
		Part:                part,
		AllPartsRequired:    isTrue(a.get("AllFeaturesRequired")) || isTrue(a.get("AllComponentsRequired")),
		AllProductsRequired: isTrue(a.get("AllProductsRequired")),
	}
	e.add(a.get("PatchCode"), a.get("ProductCode"))
	for {
		start, err := r.child()
		if err != nil {
			return nil, atEOF(err)
		}
		if start == nil {
			break
		}
		text, err := r.text()
		if err != nil {
			return nil, err
		}
		if start.Name.Local == "m.Product" {
			e.add("", text)
		} else {
			e.add(text, "")
		}
		if r.nodes++; r.nodes > r.limits.Nodes {
			return nil, fmt.Errorf("more than %d operators: %w", r.limits.Nodes, waptwua.ErrLimit)
		}
	}
	if len(e.Parts) == 0 || len(e.Products) == 0 {
		return r.unsupported(name, "it names no part or no product"), nil
	}
	return e, nil
}

func (e *MsiPartInstalled) add(part, product string) {
	if part != "" {
		e.Parts = append(e.Parts, part)
		e.parts = append(e.parts, fold(part))
	}
	if product != "" {
		e.Products = append(e.Products, product)
		e.products = append(e.products, fold(product))
	}
}

// text reads the character data up to the end tag and drops elements in it.
func (r *reader) text() (string, error) {
	var b strings.Builder
	for depth := 1; depth > 0; {
		t, err := r.dec.Token()
		if err != nil {
			return "", atEOF(err)
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			if depth++; depth > r.limits.Depth {
				return "", tooDeep(r.limits)
			}
		case xml.EndElement:
			depth--
		}
	}
	return strings.TrimSpace(b.String()), nil
}
