package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"waptwua"
	"waptwua/schedule"
)

// Decide says whether u may be installed at now.
func (p *Policy) Decide(u waptwua.Update, now time.Time) waptwua.Verdict {
	v := p.decide(&u)
	if v.Decision != waptwua.Allowed {
		return v
	}
	return p.hold(v, u.Published, now)
}

func (p *Policy) decide(u *waptwua.Update) waptwua.Verdict {
	if m, ok := p.forbidden.match(u, forbiddenOrder); ok {
		return m.verdict(waptwua.Denied, "forbidden_")
	}
	if v, ok := p.clause(u, false); ok {
		return v
	}
	if m, ok := p.allowed.match(u, allowedOrder); ok {
		return m.verdict(waptwua.Allowed, "allowed_")
	}
	if v, ok := p.clause(u, true); ok {
		return v
	}
	v := waptwua.Verdict{Decision: waptwua.Denied, Reason: ReasonDefaultAllow, Detail: "false", Origin: p.defaultAllow.origin}
	if p.defaultAllow.value {
		v.Decision, v.Detail = waptwua.Allowed, "true"
	}
	return v
}

// hold holds what is allowed until it is old enough.
func (p *Policy) hold(v waptwua.Verdict, published, now time.Time) waptwua.Verdict {
	if p.holdAll.value != "" {
		return waptwua.Verdict{Decision: waptwua.Held, Reason: ReasonInstallDelay, Detail: p.holdAll.value, Origin: p.holdAll.origin}
	}
	if p.delay.value == 0 {
		return v
	}
	held := waptwua.Verdict{Decision: waptwua.Held, Reason: ReasonInstallDelay, Origin: p.delay.origin}
	if published.IsZero() {
		held.Detail = "the publication date is not known"
		return held
	}
	held.Until = published.Add(p.delay.value)
	if !now.Before(held.Until) {
		return v
	}
	held.Detail = fmt.Sprintf("%s after its publication on %s", schedule.Format(p.delay.value), published.UTC().Format(time.DateOnly))
	return held
}

// match is an entry of a list that an update has.
type match struct{ list, entry, origin string }

func (m match) verdict(d waptwua.Decision, direction string) waptwua.Verdict {
	return waptwua.Verdict{Decision: d, Reason: direction + m.list, Detail: m.entry, Origin: m.origin}
}

type matcher func(x *index, u *waptwua.Update) (match, bool)

// The order in which lists are asked; of the allowed ones it is WAPT's.
var (
	forbiddenOrder = [...]matcher{(*index).update, (*index).kb, (*index).product, (*index).classification, (*index).severity}
	allowedOrder   = [...]matcher{(*index).update, (*index).kb, (*index).product, (*index).severity, (*index).classification}
)

func (x *index) match(u *waptwua.Update, order [5]matcher) (match, bool) {
	for _, f := range order {
		if m, ok := f(x, u); ok {
			return m, true
		}
	}
	return match{}, false
}

func (x *index) update(u *waptwua.Update) (match, bool) {
	if origin, ok := x.updates[u.ID]; ok {
		return match{"updates", u.ID.String(), origin}, true
	}
	origin, ok := x.guids[u.ID.GUID]
	return match{"updates", u.ID.GUID, origin}, ok
}

func (x *index) kb(u *waptwua.Update) (match, bool) {
	for _, kb := range u.KBs {
		if origin, ok := x.kbs[kb]; ok {
			return match{"kbs", kb.String(), origin}, true
		}
	}
	return match{}, false
}

func (x *index) product(u *waptwua.Update) (match, bool) {
	return category("products", x.products, u.Products, u.CategoryIDs)
}

func (x *index) classification(u *waptwua.Update) (match, bool) {
	return category("classifications", x.classifications, u.Classifications, u.CategoryIDs)
}

// category looks for one of an update's names, then for one of its GUIDs.
func category(list string, rules map[string]string, names, guids []string) (match, bool) {
	if len(rules) == 0 {
		return match{}, false
	}
	for _, n := range names {
		if origin, ok := rules[strings.ToLower(n)]; ok {
			return match{list, n, origin}, true
		}
	}
	for _, g := range guids {
		if origin, ok := rules[strings.ToLower(g)]; ok {
			return match{list, g, origin}, true
		}
	}
	return match{}, false
}

func (x *index) severity(u *waptwua.Update) (match, bool) {
	s := severityOf(u)
	origin, ok := x.severities[s]
	return match{"severities", severityName(s), origin}, ok
}

// severityOf is the update's rating as the lists hold it. A word that is
// none of Microsoft's four counts as not rated.
func severityOf(u *waptwua.Update) waptwua.Severity {
	s, err := ParseSeverity(string(u.Severity))
	if err != nil {
		return waptwua.Unrated
	}
	return s
}

func severityName(s waptwua.Severity) string {
	if s == waptwua.Unrated {
		return "None"
	}
	return string(s)
}

// clause finds the first clause of one direction that holds.
func (p *Policy) clause(u *waptwua.Update, allow bool) (waptwua.Verdict, bool) {
	for i := range p.clauses {
		c := &p.clauses[i]
		if c.Allow != allow || !c.holds(u) {
			continue
		}
		v := waptwua.Verdict{Decision: waptwua.Denied, Reason: ReasonClause, Detail: fmt.Sprintf("clause %d", c.number), Origin: c.origin}
		if allow {
			v.Decision = waptwua.Allowed
		}
		return v, true
	}
	return waptwua.Verdict{}, false
}

func (c *Clause) holds(u *waptwua.Update) bool {
	return named(c.Products, u.Products, u.CategoryIDs) &&
		named(c.Classifications, u.Classifications, u.CategoryIDs) &&
		(len(c.Severities) == 0 || slices.Contains(c.Severities, severityOf(u))) &&
		(len(c.KBs) == 0 || slices.ContainsFunc(u.KBs, func(kb waptwua.KB) bool { return slices.Contains(c.KBs, kb) }))
}

// named tells whether a list of lower-case names or GUIDs is empty or has
// one of the update's.
func named(list, names, guids []string) bool {
	has := func(s string) bool { return slices.Contains(list, strings.ToLower(s)) }
	return len(list) == 0 || slices.ContainsFunc(names, has) || slices.ContainsFunc(guids, has)
}
