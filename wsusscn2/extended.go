package wsusscn2

import (
	"strings"

	"waptwua"
)

// Extended reads an x/ fragment: what is known of a revision beyond its
// rules, its files and the data for its handler. Extended.HandlerData is a
// part of data. A KBArticleID that is no number is left out; every other
// malformed value is an error.
func (ps *Parser) Extended(data []byte) (Extended, error) {
	p, err := ps.start(data)
	if err != nil {
		return Extended{}, err
	}
	var x Extended
	err = p.each(func() error {
		switch string(p.name) {
		case "ExtendedProperties":
			return p.extendedProperties(&x)
		case "Files":
			return p.each(func() error { return p.payload(&x) })
		case "HandlerSpecificData":
			return p.handlerData(&x)
		}
		return nil
	})
	return x, err
}

func (p *parser) extendedProperties(x *Extended) error {
	for _, a := range p.attrs {
		if err := p.extendedAttribute(x, a); err != nil {
			return err
		}
	}
	return p.each(func() error { return p.extendedElement(x) })
}

func (p *parser) extendedAttribute(x *Extended, a attribute) (err error) {
	switch string(a.name) {
	case "DefaultPropertiesLanguage":
		x.DefaultLanguage, err = p.word(a.raw)
	case "Handler":
		x.Handler, err = p.word(a.raw)
		x.Handler = x.Handler[strings.LastIndexByte(x.Handler, '/')+1:]
	case "MaxDownloadSize":
		x.MaxDownloadSize, err = p.integer("MaxDownloadSize", a.raw, p.lim.PayloadBytes)
	case "MinDownloadSize":
		x.MinDownloadSize, err = p.integer("MinDownloadSize", a.raw, p.lim.PayloadBytes)
	case "MsrcSeverity":
		var w string
		w, err = p.word(a.raw)
		x.Severity = waptwua.Severity(w)
	case "IsBeta":
		x.IsBeta, err = p.flag("IsBeta", a.raw)
	case "BrowseOnly":
		x.BrowseOnly, err = p.flag("BrowseOnly", a.raw)
	case "ProductName":
		x.ProductName, err = p.word(a.raw)
	case "ReleaseVersion":
		x.ReleaseVersion, err = p.word(a.raw)
	}
	return err
}

func (p *parser) extendedElement(x *Extended) (err error) {
	switch string(p.name) {
	case "InstallationBehavior":
		err = p.installationBehavior(x)
	case "SupportUrl":
		x.SupportURL, err = p.content()
	case "MoreInfoUrl":
		x.MoreInfoURL, err = p.content()
	case "SecurityBulletinID":
		err = p.appendContent(&x.Bulletins)
	case "CveID":
		err = p.appendContent(&x.CVEs)
	case "KBArticleID":
		err = p.article(x)
	}
	return err
}

func (p *parser) installationBehavior(x *Extended) (err error) {
	for _, a := range p.attrs {
		switch string(a.name) {
		case "RebootBehavior":
			var w string
			w, err = p.word(a.raw)
			x.Reboot = waptwua.Reboot(w)
		case "Impact":
			x.Impact, err = p.word(a.raw)
		case "CanRequestUserInput":
			x.CanRequestInput, err = p.flag("CanRequestUserInput", a.raw)
		case "RequiresNetworkConnectivity":
			x.NeedsNetwork, err = p.flag("RequiresNetworkConnectivity", a.raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) appendContent(list *[]string) error {
	if err := p.more("identifiers", len(*list)); err != nil {
		return err
	}
	text, err := p.content()
	if text = strings.TrimSpace(text); text != "" {
		*list = append(*list, text)
	}
	return err
}

func (p *parser) article(x *Extended) error {
	if err := p.more("KB articles", len(x.KBs)); err != nil {
		return err
	}
	text, err := p.content()
	if err != nil {
		return err
	}
	if kb, err := waptwua.ParseKB(text); err == nil {
		x.KBs = append(x.KBs, kb)
	}
	return nil
}

func (p *parser) payload(x *Extended) error {
	if string(p.name) != "File" {
		return nil
	}
	if err := p.more("files", len(x.Files)); err != nil {
		return err
	}
	f, err := p.fileAttributes()
	if err != nil {
		return err
	}
	if f.SHA1.IsZero() {
		return p.errorf("the file %.80q without SHA-1 digest", f.Name)
	}
	if err := p.each(func() error { return p.additionalDigest(&f) }); err != nil {
		return err
	}
	x.Files = append(x.Files, f)
	return nil
}

func (p *parser) fileAttributes() (f waptwua.File, err error) {
	sha1 := string(p.attr("DigestAlgorithm")) == "SHA1" || p.attr("DigestAlgorithm") == nil
	for _, a := range p.attrs {
		switch string(a.name) {
		case "Digest":
			if sha1 {
				err = p.digest(f.SHA1[:], a.raw)
			}
		case "FileName":
			f.Name, err = p.decode(a.raw, false)
		case "Size":
			f.Size, err = p.integer("Size", a.raw, p.lim.PayloadBytes)
		case "PatchingType", "PatchingTypePreferred":
			f.Kind, err = p.word(a.raw)
		}
		if err != nil {
			return waptwua.File{}, err
		}
	}
	return f, nil
}

func (p *parser) additionalDigest(f *waptwua.File) error {
	if string(p.name) != "AdditionalDigest" || string(p.attr("Algorithm")) != "SHA256" {
		return nil
	}
	text, err := p.content()
	if err != nil {
		return err
	}
	return p.digest(f.SHA256[:], []byte(strings.TrimSpace(text)))
}

// handlerData keeps the handler's data as it stands; of a category it also
// reads the type.
func (p *parser) handlerData(x *Extended) (err error) {
	if x.HandlerType, err = p.word(p.attr("type")); err != nil {
		return err
	}
	if x.HandlerData, err = p.inner(); err != nil || x.HandlerType != "cat:Category" {
		return err
	}
	var inner parser
	inner.scanner, inner.words = new(scanner), p.words
	inner.reset(x.HandlerData, p.lim)
	return inner.each(func() (err error) {
		if string(inner.name) == "CategoryInformation" {
			x.CategoryType, err = inner.word(inner.attr("CategoryType"))
		}
		return err
	})
}
