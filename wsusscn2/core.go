package wsusscn2

import "bytes"

// Core reads a c/ fragment: identity, relationships, and the applicability
// rules as they stand. Core.Rules is a part of data; whether it is well-formed
// is left to whoever parses it. A fragment without <UpdateIdentity> is an
// error. The lists of a Core are valid until the Parser's next call.
func (ps *Parser) Core(data []byte) (Core, error) {
	p, err := ps.start(data)
	if err != nil {
		return Core{}, err
	}
	last := &ps.core
	c := Core{Supersedes: last.Supersedes[:0], Prerequisites: last.Prerequisites[:0], Bundled: last.Bundled[:0]}
	found := false
	err = p.each(func() (err error) {
		switch string(p.name) {
		case "UpdateIdentity":
			found = true
			c.ID, err = p.identity()
		case "Properties":
			err = p.coreProperties(&c)
		case "Relationships":
			err = p.each(func() error { return p.relationship(&c) })
		case "ApplicabilityRules":
			c.RulesAt = p.pos
			c.Rules, err = p.rules()
		}
		return err
	})
	if err == nil && !found {
		err = p.errorf("no <UpdateIdentity>")
	}
	ps.core = c
	return c, err
}

const rulesEnd = "</ApplicabilityRules>"

// rules returns what inner does. The rules end the fragment and may carry a
// manifest of forty megabytes, so they are taken to reach to the end tag that
// ends the fragment, unread; where something follows it, they are read
// element by element.
func (p *parser) rules() ([]byte, error) {
	rest := bytes.TrimRight(p.buf[p.pos:], " \t\r\n")
	content, ends := bytes.CutSuffix(rest, []byte(rulesEnd))
	if p.selfClose || len(p.marks) != 1 || !ends {
		return p.inner()
	}
	p.pos += len(rest)
	p.pop()
	return content[:len(content):len(content)], nil
}

func (p *parser) coreProperties(c *Core) (err error) {
	for _, a := range p.attrs {
		switch string(a.name) {
		case "UpdateType":
			c.UpdateType, err = p.word(a.raw)
		case "ExplicitlyDeployable":
			c.ExplicitlyDeployable, err = p.flag("ExplicitlyDeployable", a.raw)
		case "AutoSelectOnWebSites":
			c.AutoSelectOnWebSites, err = p.flag("AutoSelectOnWebSites", a.raw)
		case "EulaID":
			c.EulaID, err = p.guidText(a.raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) relationship(c *Core) error {
	switch string(p.name) {
	case "SupersededUpdates":
		return p.each(func() error { return p.superseded(c) })
	case "Prerequisites":
		return p.each(func() error { return p.clause(c) })
	case "BundledUpdates":
		return p.each(func() error { return p.bundled(c) })
	}
	return nil
}

func (p *parser) superseded(c *Core) error {
	if string(p.name) != "UpdateIdentity" {
		return nil
	}
	if err := p.more("superseded updates", len(c.Supersedes)); err != nil {
		return err
	}
	g, err := p.guid(p.attr("UpdateID"))
	c.Supersedes = append(c.Supersedes, g)
	return err
}

// clause reads one prerequisite: an UpdateIdentity, or an AtLeastOne of
// several. Anything else would change what the update needs, so it is an
// error, not skipped.
func (p *parser) clause(c *Core) (err error) {
	if err := p.more("prerequisites", len(c.Prerequisites)); err != nil {
		return err
	}
	var cl Clause
	first := len(p.guids)
	switch string(p.name) {
	case "UpdateIdentity":
		err = p.alternative(first)
	case "AtLeastOne":
		if raw := p.attr("IsCategory"); raw != nil {
			if cl.IsCategory, err = p.flag("IsCategory", raw); err != nil {
				return err
			}
		}
		err = p.each(func() error { return p.alternative(first) })
	default:
		return p.errorf("<%s> among the prerequisites", p.name)
	}
	cl.Members = p.guids[first:len(p.guids):len(p.guids)]
	c.Prerequisites = append(c.Prerequisites, cl)
	return err
}

// alternative reads one member of a prerequisite, whose members begin at
// p.guids[first].
func (p *parser) alternative(first int) error {
	id, err := p.member(len(p.guids) - first)
	p.guids = append(p.guids, id.GUID)
	return err
}

func (p *parser) bundled(c *Core) (err error) {
	if err := p.more("bundled updates", len(c.Bundled)); err != nil {
		return err
	}
	var b BundleClause
	first := len(p.ids)
	switch string(p.name) {
	case "UpdateIdentity":
		err = p.child(first)
	case "AtLeastOne":
		err = p.each(func() error { return p.child(first) })
	default:
		return p.errorf("<%s> among the bundled updates", p.name)
	}
	b.Members = p.ids[first:len(p.ids):len(p.ids)]
	c.Bundled = append(c.Bundled, b)
	return err
}

// child reads one member of a bundle's clause, whose members begin at
// p.ids[first].
func (p *parser) child(first int) error {
	id, err := p.member(len(p.ids) - first)
	p.ids = append(p.ids, id)
	return err
}

// member reads an <UpdateIdentity>, one of a list that has n already.
func (p *parser) member(n int) (Identity, error) {
	if string(p.name) != "UpdateIdentity" {
		return Identity{}, p.errorf("<%s> in <AtLeastOne>", p.name)
	}
	if err := p.more("members of <AtLeastOne>", n); err != nil {
		return Identity{}, err
	}
	return p.identity()
}
