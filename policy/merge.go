package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"waptwua"
)

// Policy is what holds on a host. It is immutable and safe for use by
// several goroutines.
type Policy struct {
	forbidden, allowed index
	clauses            []ruledClause

	defaultAllow      ruled[bool]
	includeSuperseded bool
	delay             ruled[time.Duration]
	holdAll           ruled[string]
	digest            string
}

// ruled is a value with the name of the rules that gave it.
type ruled[T any] struct {
	value  T
	origin string
}

type ruledClause struct {
	Clause
	number int // 1-based, within its source
	origin string
}

// index finds the origin of an entry. Names and GUIDs are in lower case.
type index struct {
	updates         map[waptwua.UpdateID]string
	guids           map[string]string // every revision
	kbs             map[waptwua.KB]string
	products        map[string]string
	classifications map[string]string
	severities      map[waptwua.Severity]string
}

// Merge joins the settings of wapt-get.ini with the rules of packages. It
// keeps nothing of its arguments. When several sources hold the same entry,
// wapt-get.ini is named as its origin, or else the package whose name sorts
// first.
func Merge(settings Settings, packages ...*Rules) *Policy {
	sources := make([]*Rules, 0, 1+len(packages))
	for _, r := range packages {
		sources = append(sources, normal(r))
	}
	slices.SortFunc(sources, func(a, b *Rules) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(encode(a), encode(b)))
	})
	ini := normal(&settings.Rules)
	p := &Policy{
		forbidden:    newIndex(),
		allowed:      newIndex(),
		defaultAllow: ruled[bool]{origin: BuiltIn},
		holdAll:      ruled[string]{settings.HoldAll, ini.Name},
	}
	for _, r := range sources {
		p.mergeSwitches(r)
	}
	p.overrule(ini)
	for _, r := range append([]*Rules{ini}, sources...) {
		p.add(r)
	}
	p.digest = digest(settings.HoldAll, ini, sources)
	return p
}

// mergeSwitches merges what a package may set and wapt-get.ini overrules.
func (p *Policy) mergeSwitches(r *Rules) {
	if v := r.DefaultAllow; v != nil && (p.defaultAllow.origin == BuiltIn || p.defaultAllow.value && !*v) {
		p.defaultAllow = ruled[bool]{*v, r.Name}
	}
	if v := r.IncludePotentiallySuperseded; v != nil && *v {
		p.includeSuperseded = true
	}
}

func (p *Policy) overrule(ini *Rules) {
	if v := ini.DefaultAllow; v != nil {
		p.defaultAllow = ruled[bool]{*v, ini.Name}
	}
	if v := ini.IncludePotentiallySuperseded; v != nil {
		p.includeSuperseded = *v
	}
}

func (p *Policy) add(r *Rules) {
	p.forbidden.add(&r.Forbidden, r.Name)
	p.allowed.add(&r.Allowed, r.Name)
	for i, c := range r.Clauses {
		p.clauses = append(p.clauses, ruledClause{c, i + 1, r.Name})
	}
	if d := r.InstallDelay; d != nil && *d > p.delay.value {
		p.delay = ruled[time.Duration]{*d, r.Name}
	}
}

func newIndex() index {
	return index{
		map[waptwua.UpdateID]string{}, map[string]string{}, map[waptwua.KB]string{},
		map[string]string{}, map[string]string{}, map[waptwua.Severity]string{},
	}
}

func (x index) add(l *Lists, origin string) {
	for _, r := range l.Updates {
		if r.All {
			put(x.guids, r.ID.GUID, origin)
		} else {
			put(x.updates, r.ID, origin)
		}
	}
	putAll(x.kbs, l.KBs, origin)
	putAll(x.products, l.Products, origin)
	putAll(x.classifications, l.Classifications, origin)
	putAll(x.severities, l.Severities, origin)
}

func putAll[K comparable](m map[K]string, keys []K, origin string) {
	for _, k := range keys {
		put(m, k, origin)
	}
}

// put keeps the first origin.
func put[K comparable](m map[K]string, k K, origin string) {
	if _, ok := m[k]; !ok {
		m[k] = origin
	}
}

// IncludePotentiallySuperseded tells whether a search is to offer updates
// that another one supersedes.
func (p *Policy) IncludePotentiallySuperseded() bool { return p.includeSuperseded }

// Digest identifies everything that the policy decides by, in hexadecimal:
// equal digests give equal verdicts.
func (p *Policy) Digest() string { return p.digest }

func digest(holdAll string, ini *Rules, packages []*Rules) string {
	h := sha256.New()
	for _, s := range []string{holdAll, encode(ini)} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	for _, r := range packages {
		h.Write([]byte(encode(r)))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// encode is a text that tells any two normal rules apart.
func encode(r *Rules) string {
	b, err := json.Marshal(r)
	if err != nil { // Rules hold nothing that JSON cannot say
		panic("policy: encode rules: " + err.Error())
	}
	return string(b)
}

// normal is a copy of r with lower-case names and sorted lists. Clauses keep
// their order, because verdicts give their numbers.
func normal(r *Rules) *Rules {
	n := *r
	n.Allowed, n.Forbidden = r.Allowed.normal(), r.Forbidden.normal()
	n.Clauses = make([]Clause, len(r.Clauses))
	for i, c := range r.Clauses {
		l := Lists{nil, c.KBs, c.Products, c.Classifications, c.Severities}.normal()
		n.Clauses[i] = Clause{l.Products, l.Classifications, l.Severities, l.KBs, c.Allow}
	}
	return &n
}

func (l Lists) normal() Lists {
	updates := slices.Clone(l.Updates)
	slices.SortFunc(updates, func(a, b Revision) int { return cmp.Compare(a.String(), b.String()) })
	return Lists{
		Updates:         slices.Compact(updates),
		KBs:             sorted(l.KBs),
		Products:        sorted(lower(l.Products)),
		Classifications: sorted(lower(l.Classifications)),
		Severities:      sorted(l.Severities),
	}
}

func sorted[T cmp.Ordered](s []T) []T {
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}

func lower(s []string) []string {
	l := make([]string, len(s))
	for i, t := range s {
		l[i] = strings.ToLower(t)
	}
	return l
}
