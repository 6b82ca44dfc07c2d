package wsusscn2

import "strings"

// Parser reads fragments. It keeps the strings that fragments repeat, so one
// Parser for many fragments is faster than the functions ParseCore,
// ParseExtended, ParseLocalized and ParseEula, which use a new one each. A
// Parser serves one goroutine at a time.
type Parser struct {
	p    parser
	lim  Limits
	core Core // the last one, whose lists the next one uses again
}

// NewParser returns a Parser. The zero Limits are the defaults.
func NewParser(lim Limits) *Parser {
	return &Parser{p: newParser(new(scanner)), lim: lim.withDefaults()}
}

// ParseCore reads a c/ fragment with default limits; see Parser.Core.
func ParseCore(data []byte) (Core, error) { return NewParser(Limits{}).Core(data) }

// ParseExtended reads an x/ fragment with default limits; see Parser.Extended.
func ParseExtended(data []byte) (Extended, error) { return NewParser(Limits{}).Extended(data) }

// ParseLocalized reads an l/ fragment with default limits; see Parser.Localized.
func ParseLocalized(data []byte) (Localized, error) { return NewParser(Limits{}).Localized(data) }

// ParseEula reads an e/ fragment with default limits; see Parser.Eula.
func ParseEula(data []byte) ([]Eula, error) { return NewParser(Limits{}).Eula(data) }

// start begins the fragment data.
func (ps *Parser) start(data []byte) (*parser, error) {
	if int64(len(data)) > ps.lim.FragmentBytes {
		return nil, limitError("", "a fragment of %d bytes, more than %d", len(data), ps.lim.FragmentBytes)
	}
	ps.p.reset(data, ps.lim)
	ps.p.guids, ps.p.ids = ps.p.guids[:0], ps.p.ids[:0]
	return &ps.p, nil
}

// Localized reads an l/ fragment: the texts of a revision in one language.
// A fragment without <LocalizedProperties> is an error.
func (ps *Parser) Localized(data []byte) (Localized, error) {
	p, err := ps.start(data)
	if err != nil {
		return Localized{}, err
	}
	var l Localized
	found := false
	err = p.each(func() error {
		if string(p.name) != "LocalizedProperties" {
			return nil
		}
		found = true
		return p.each(func() error { return p.localizedText(&l) })
	})
	if err == nil && !found {
		err = p.errorf("no <LocalizedProperties>")
	}
	return l, err
}

func (p *parser) localizedText(l *Localized) (err error) {
	switch string(p.name) {
	case "Language":
		l.Language, err = p.content()
		l.Language = strings.ToLower(l.Language)
	case "Title":
		l.Title, err = p.content()
	case "Description":
		l.Description, err = p.content()
	case "UninstallNotes":
		l.UninstallNotes, err = p.content()
	case "MoreInfoUrl":
		l.MoreInfoURL, err = p.content()
	case "SupportUrl":
		l.SupportURL, err = p.content()
	}
	return err
}

// Eula reads an e/ fragment: the licence texts it names.
func (ps *Parser) Eula(data []byte) ([]Eula, error) {
	p, err := ps.start(data)
	if err != nil {
		return nil, err
	}
	var list []Eula
	err = p.each(func() error {
		if string(p.name) != "EulaFile" {
			return nil
		}
		if err := p.more("licence texts", len(list)); err != nil {
			return err
		}
		e, err := p.eulaFile()
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func (p *parser) eulaFile() (e Eula, err error) {
	for _, a := range p.attrs {
		switch string(a.name) {
		case "Digest":
			err = p.digest(e.Digest[:], a.raw)
		case "FileName":
			e.FileName, err = p.decode(a.raw, false)
		case "Size":
			e.Size, err = p.integer("Size", a.raw, p.lim.PayloadBytes)
		case "Language":
			e.Language, err = p.word(a.raw)
			e.Language = strings.ToLower(e.Language)
		}
		if err != nil {
			return Eula{}, err
		}
	}
	if e.Digest.IsZero() {
		return Eula{}, p.errorf("an <EulaFile> without Digest")
	}
	return e, nil
}

// identity reads the attributes UpdateID and RevisionNumber, which is 0
// where the archive leaves it out.
func (p *parser) identity() (id Identity, err error) {
	if id.GUID, err = p.guid(p.attr("UpdateID")); err != nil {
		return id, err
	}
	if raw := p.attr("RevisionNumber"); raw != nil {
		id.Number, err = p.id("RevisionNumber", raw)
	}
	return id, err
}
