package wsusscn2

import (
	"bytes"

	"waptwua"
)

// Core reads a c/ fragment: identity, relationships, and the applicability
// rules as they stand. Core.Rules is a part of data; whether it is well-formed
// is left to whoever parses it. A fragment without <UpdateIdentity> is an
// error.
func (ps *Parser) Core(data []byte) (Core, error) {
	p, err := ps.start(data)
	if err != nil {
		return Core{}, err
	}
	var c Core
	err = p.each(func() (err error) {
		switch string(p.name) {
		case "UpdateIdentity":
			c.ID, err = p.identity(p.ownGUID)
		case "Properties":
			err = p.coreProperties(&c)
		case "Relationships":
			err = p.each(func() error { return p.relationship(&c) })
		case "ApplicabilityRules":
			c.Rules, err = p.rules()
		}
		return err
	})
	if err == nil && c.ID.IsZero() {
		err = p.errorf("no <UpdateIdentity>")
	}
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
			c.EulaID, err = p.guid(a.raw)
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
	g, err := p.ownGUID(p.attr("UpdateID"))
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
	switch string(p.name) {
	case "UpdateIdentity":
		cl.Members = make([]string, 1)
		cl.Members[0], err = p.guid(p.attr("UpdateID"))
	case "AtLeastOne":
		if raw := p.attr("IsCategory"); raw != nil {
			if cl.IsCategory, err = p.flag("IsCategory", raw); err != nil {
				return err
			}
		}
		var ids []waptwua.UpdateID
		ids, err = p.atLeastOne()
		for _, id := range ids {
			cl.Members = append(cl.Members, id.GUID)
		}
	default:
		return p.errorf("<%s> among the prerequisites", p.name)
	}
	c.Prerequisites = append(c.Prerequisites, cl)
	return err
}

func (p *parser) bundled(c *Core) (err error) {
	if err := p.more("bundled updates", len(c.Bundled)); err != nil {
		return err
	}
	var b BundleClause
	switch string(p.name) {
	case "UpdateIdentity":
		b.Members = make([]waptwua.UpdateID, 1)
		b.Members[0], err = p.identity(p.ownGUID)
	case "AtLeastOne":
		b.Members, err = p.atLeastOne()
	default:
		return p.errorf("<%s> among the bundled updates", p.name)
	}
	c.Bundled = append(c.Bundled, b)
	return err
}

func (p *parser) atLeastOne() (ids []waptwua.UpdateID, err error) {
	err = p.each(func() error {
		if string(p.name) != "UpdateIdentity" {
			return p.errorf("<%s> in <AtLeastOne>", p.name)
		}
		if err := p.more("members of <AtLeastOne>", len(ids)); err != nil {
			return err
		}
		id, err := p.identity(p.guid)
		ids = append(ids, id)
		return err
	})
	return ids, err
}
