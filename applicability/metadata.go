package applicability

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"waptwua"
)

// metadata reads what the operators without attributes need.
func (r *reader) metadata() error {
	m := new(Metadata)
	if done, err := r.manifest(m); done || err != nil {
		return err
	}
	for {
		start, err := r.child()
		if err != nil {
			return atEOF(err)
		}
		if start == nil {
			break
		}
		if err := r.oneMetadata(m, start); err != nil {
			return err
		}
	}
	if m.Package != "" || m.Patch != nil || m.Application != "" {
		r.rules.Metadata = m
	}
	return nil
}

// manifest reads metadata that begin with the manifest of a component
// package. It may have tens of megabytes, of which only the first identity
// counts: what follows up to the end of the section is jumped over unread.
func (r *reader) manifest(m *Metadata) (done bool, err error) {
	start := r.offset()
	inner := r.src[start:]
	if !bytes.HasPrefix(bytes.TrimSpace(inner), []byte("<CbsPackageApplicabilityMetadata")) {
		return false, nil
	}
	end := bytes.LastIndex(inner, []byte("</Metadata"))
	if end < 0 {
		return false, io.ErrUnexpectedEOF
	}
	tail := bytes.IndexByte(inner[end:], '>')
	if tail < 0 {
		return false, io.ErrUnexpectedEOF
	}
	dec := newDecoder(inner[:end], r.limits)
	for m.Package == "" {
		t, err := dec.RawToken() // which keeps no list of the open elements
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, err
		}
		if e, ok := t.(xml.StartElement); ok {
			m.assembly(&e)
		}
	}
	if m.Package != "" {
		r.rules.Metadata = m
	}
	r.seek(start + end + tail + 1)
	return true, nil
}

func (r *reader) oneMetadata(m *Metadata, start *xml.StartElement) error {
	switch start.Name.Local {
	case "m.MsiPatchMetadata", "MsiPatchMetadata":
		return r.patch(m)
	case "m.MsiApplicationMetadata", "MsiApplicationMetadata":
		return r.application(m)
	}
	return skip(r.dec, r.limits)
}

// assembly takes the first identity: that of the package itself. Those of
// its parents and contents follow.
func (m *Metadata) assembly(e *xml.StartElement) {
	if m.Package != "" || e.Name.Local != "assemblyIdentity" {
		return
	}
	a := attributes{e.Attr, new(Parser)}
	language := a.get("language")
	if fold(language) == "neutral" {
		language = ""
	}
	m.Package = a.get("name") + "~" + a.get("publicKeyToken") + "~" + a.get("processorArchitecture") +
		"~" + language + "~" + a.get("version")
}

func (r *reader) application(m *Metadata) error {
	return r.eachText(func(e *xml.StartElement, text func() (string, error)) (bool, error) {
		a := attributes{e.Attr, r.parser}
		if code := a.get("ProductCode"); code != "" {
			m.Application = code
		}
		if e.Name.Local != "ProductCode" && e.Name.Local != "m.ProductCode" {
			return false, nil
		}
		code, err := text()
		m.Application = code
		return true, err
	})
}

// patch reads the patch description that the Windows Installer extracts from
// a .msp (MsiExtractPatchXMLData).
func (r *reader) patch(m *Metadata) error {
	var target *PatchTarget
	return r.eachText(func(e *xml.StartElement, text func() (string, error)) (bool, error) {
		a := attributes{e.Attr, r.parser}
		switch e.Name.Local {
		case "MsiPatch":
			code := a.get("PatchGUID")
			m.Patch = &PatchMetadata{Code: code, code: fold(code)}
			return false, nil
		case "TargetProduct":
			if m.Patch == nil || len(m.Patch.Targets) >= r.limits.Nodes {
				return false, fmt.Errorf("patch metadata: TargetProduct %w or outside MsiPatch", waptwua.ErrLimit)
			}
			m.Patch.Targets = append(m.Patch.Targets, PatchTarget{})
			target = &m.Patch.Targets[len(m.Patch.Targets)-1]
			return false, nil
		case "TargetProductCode", "TargetVersion", "TargetLanguage":
			s, err := text()
			if err == nil && target != nil {
				err = target.set(e.Name.Local, s, a)
			}
			return true, err
		}
		return false, nil
	})
}

func (t *PatchTarget) set(name, text string, a attributes) (err error) {
	if text == "" || fold(a.get("Validate")) == "false" && name != "TargetProductCode" {
		return nil
	}
	switch name {
	case "TargetProductCode":
		t.ProductCode, t.code = text, fold(text)
	case "TargetLanguage":
		n, err := parseInt(text)
		if err != nil {
			return fmt.Errorf("patch metadata: TargetLanguage %q", text)
		}
		language := int(n)
		t.Language = &language
	case "TargetVersion":
		return t.setVersion(text, a)
	}
	return nil
}

func (t *PatchTarget) setVersion(text string, a attributes) error {
	v, err := ParseVersion(text)
	if err != nil {
		return fmt.Errorf("patch metadata: %w", err)
	}
	t.Version = &v
	switch a.get("ComparisonType") {
	case "LessThan":
		t.Comparison = LessThan
	case "LessThanOrEqual":
		t.Comparison = LessThanOrEqualTo
	case "GreaterThan":
		t.Comparison = GreaterThan
	case "GreaterThanOrEqual":
		t.Comparison = GreaterThanOrEqualTo
	}
	switch a.get("ComparisonFilter") {
	case "Major":
		t.Filter = 1
	case "MajorMinor":
		t.Filter = 2
	case "MajorMinorUpdate":
		t.Filter = 3
	case "None":
		t.Version = nil
	}
	return nil
}

// eachText visits every element up to the end tag of the open one; a visitor
// that took the element's text, and with it its end tag, says so.
func (r *reader) eachText(visit func(e *xml.StartElement, text func() (string, error)) (took bool, err error)) error {
	for depth := 1; depth > 0; {
		t, err := r.dec.Token()
		if err != nil {
			return atEOF(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			took, err := visit(&t, r.text)
			if err != nil {
				return err
			}
			if took {
				continue
			}
			if depth++; depth > r.limits.Depth {
				return tooDeep(r.limits)
			}
		case xml.EndElement:
			depth--
		}
	}
	return nil
}
