package catalog

import (
	"encoding/binary"
	"errors"

	"waptwua"
	"waptwua/wsusscn2"
)

// ErrRecord says that bytes are no encoded Record.
var ErrRecord = errors.New("not a stored record")

// The bits of the flags of an encoded extended fragment.
const (
	extendedInput = 1 << iota
	extendedNetwork
	extendedBeta
	extendedBrowseOnly
)

// AppendBinary appends the record: texts with their length before them,
// numbers as varints, digests as they are.
func (r *Record) AppendBinary(b []byte) ([]byte, error) {
	b = appendText(b, r.EulaID)
	b = binary.AppendUvarint(b, uint64(len(r.Texts)))
	for i := range r.Texts {
		t := &r.Texts[i]
		b = appendTexts(b, t.Language, t.Title, t.Description, t.UninstallNotes, t.MoreInfoURL, t.SupportURL)
	}
	if r.Extended == nil {
		return append(b, 0), nil
	}
	return appendExtended(append(b, 1), r.Extended), nil
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = appendText(b, s)
	}
	return b
}

func appendWords(b []byte, words []string) []byte {
	return appendTexts(binary.AppendUvarint(b, uint64(len(words))), words...)
}

func appendExtended(b []byte, x *wsusscn2.Extended) []byte {
	b = appendTexts(b, x.DefaultLanguage, x.Handler, x.HandlerType, string(x.Severity), string(x.Reboot), x.Impact,
		x.CategoryType, x.SupportURL, x.MoreInfoURL, x.ProductName, x.ReleaseVersion)
	b = binary.AppendVarint(b, x.MinDownloadSize)
	b = binary.AppendVarint(b, x.MaxDownloadSize)
	b = append(b, flagsOfExtended(x))
	b = binary.AppendUvarint(b, uint64(len(x.KBs)))
	for _, kb := range x.KBs {
		b = binary.AppendUvarint(b, uint64(kb))
	}
	b = appendWords(appendWords(b, x.CVEs), x.Bulletins)
	b = binary.AppendUvarint(b, uint64(len(x.Files)))
	for i := range x.Files {
		f := &x.Files[i]
		b = appendTexts(b, f.Name, f.Kind)
		b = binary.AppendVarint(b, f.Size)
		b = append(append(b, f.SHA1[:]...), f.SHA256[:]...)
	}
	return b
}

func flagsOfExtended(x *wsusscn2.Extended) (flags byte) {
	for i, set := range [...]bool{x.CanRequestInput, x.NeedsNetwork, x.IsBeta, x.BrowseOnly} {
		if set {
			flags |= 1 << i
		}
	}
	return flags
}

// UnmarshalBinary reads what AppendBinary wrote (ErrRecord).
func (r *Record) UnmarshalBinary(data []byte) error {
	d := &decoder{rest: data}
	*r = Record{EulaID: d.text()}
	for range d.length(6) {
		r.Texts = append(r.Texts, wsusscn2.Localized{
			Language: d.text(), Title: d.text(), Description: d.text(), UninstallNotes: d.text(), MoreInfoURL: d.text(), SupportURL: d.text(),
		})
	}
	if d.byte() != 0 {
		r.Extended = d.extended()
	}
	if d.failed || len(d.rest) > 0 {
		return ErrRecord
	}
	return nil
}

func (r *decoder) text() string { return string(r.bytes(r.length(1))) }

func (r *decoder) words() (words []string) {
	for range r.length(1) {
		words = append(words, r.text())
	}
	return words
}

func (r *decoder) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *decoder) extended() *wsusscn2.Extended {
	x := &wsusscn2.Extended{
		DefaultLanguage: r.text(), Handler: r.text(), HandlerType: r.text(), Severity: waptwua.Severity(r.text()),
		Reboot: waptwua.Reboot(r.text()), Impact: r.text(), CategoryType: r.text(), SupportURL: r.text(), MoreInfoURL: r.text(),
		ProductName: r.text(), ReleaseVersion: r.text(), MinDownloadSize: r.varint(), MaxDownloadSize: r.varint(),
	}
	flags := r.byte()
	x.CanRequestInput, x.NeedsNetwork = flags&extendedInput != 0, flags&extendedNetwork != 0
	x.IsBeta, x.BrowseOnly = flags&extendedBeta != 0, flags&extendedBrowseOnly != 0
	for range r.length(1) {
		x.KBs = append(x.KBs, waptwua.KB(r.int()))
	}
	x.CVEs, x.Bulletins = r.words(), r.words()
	for range r.length(2 + 1 + 20 + 32) {
		x.Files = append(x.Files, r.file())
	}
	return x
}

func (r *decoder) file() (f waptwua.File) {
	f.Name, f.Kind, f.Size = r.text(), r.text(), r.varint()
	copy(f.SHA1[:], r.bytes(len(f.SHA1)))
	copy(f.SHA256[:], r.bytes(len(f.SHA256)))
	return f
}
