package wsusscn2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"waptwua"
)

// PackageVisitor receives what package.xml holds, in its order: first all
// revisions, then all locations. A nil field is not called, and what only it
// would need is not parsed. The lists of a Revision are valid during the
// call. Returning fs.SkipAll ends the pass without an error, any other error
// ends it with that error.
type PackageVisitor struct {
	Revision func(Revision) error
	Location func(Location) error
}

// ReadPackage streams a package.xml from r and returns its head. It stops
// reading as soon as v needs no more; with a zero v that is behind the head.
// The zero Limits are the defaults.
func ReadPackage(ctx context.Context, r io.Reader, v PackageVisitor, lim Limits) (Package, error) {
	lim = lim.withDefaults()
	s, err := newStreamScanner(&limitedReader{r: r, most: lim.PackageBytes, left: lim.PackageBytes}, lim)
	if err != nil {
		return Package{}, err
	}
	d := &packageDocument{parser: newParser(s), visit: v.within(ctx)}
	err = d.read()
	if errors.Is(err, fs.SkipAll) {
		err = nil
	}
	if err != nil {
		return Package{}, err
	}
	return d.head, nil
}

// limitedReader fails once more than most bytes have been read.
type limitedReader struct {
	r          io.Reader
	most, left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, &FormatError{Offset: l.most, Msg: fmt.Sprintf("a document of more than %d bytes", l.most), Err: waptwua.ErrLimit}
	}
	return n, err
}

// within returns a visitor that also ends when the context does.
func (v PackageVisitor) within(ctx context.Context) PackageVisitor {
	if visit := v.Revision; visit != nil {
		v.Revision = func(r Revision) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return visit(r)
		}
	}
	if visit := v.Location; visit != nil {
		v.Location = func(l Location) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return visit(l)
		}
	}
	return v
}

// packageDocument is one reading of package.xml.
type packageDocument struct {
	parser
	visit     PackageVisitor
	head      Package
	seen      bool
	last      Revision // the one before, whose lists the next one uses again
	revisions int
	locations int
}

func (d *packageDocument) read() error {
	err := d.each(func() error {
		if string(d.name) != "OfflineSyncPackage" || d.seen {
			return d.errorf("<%s> where one <OfflineSyncPackage> should be", d.name)
		}
		d.seen = true
		if err := d.readHead(); err != nil {
			return err
		}
		if d.visit.Revision == nil && d.visit.Location == nil {
			return fs.SkipAll
		}
		return d.each(d.section)
	})
	if err == nil && !d.seen {
		return d.errorf("no <OfflineSyncPackage>")
	}
	return err
}

func (d *packageDocument) readHead() error {
	h := &d.head
	for _, a := range d.attrs {
		var err error
		switch string(a.name) {
		case "PackageId":
			h.ID, err = d.guidText(a.raw)
		case "SourceId":
			h.SourceID, err = d.guidText(a.raw)
		case "CreationDate":
			h.Created, err = d.when("CreationDate", a.raw)
		case "PackageVersion":
			h.Version, err = d.decode(a.raw, false)
		case "MinimumClientVersion":
			h.MinimumClientVersion, err = d.decode(a.raw, false)
		case "ProtocolVersion":
			h.ProtocolVersion, err = d.decode(a.raw, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *packageDocument) section() error {
	switch string(d.name) {
	case "Updates":
		if d.visit.Revision == nil {
			return nil // each skips them
		}
		if err := d.each(d.update); err != nil {
			return err
		}
		if d.visit.Location == nil {
			return fs.SkipAll
		}
	case "FileLocations":
		if d.visit.Location != nil {
			return d.each(d.location)
		}
	}
	return nil
}

func (d *packageDocument) update() error {
	if string(d.name) != "Update" {
		return nil
	}
	if d.revisions++; d.revisions > d.lim.Revisions {
		return d.limitf("more than %d revisions", d.lim.Revisions)
	}
	r := &d.last
	*r = Revision{
		RevisionID: -1, ID: Identity{Number: -1}, IsSoftware: true,
		Prerequisites: r.Prerequisites[:0], SupersededBy: r.SupersededBy[:0], BundledBy: r.BundledBy[:0], Categories: r.Categories[:0],
		PayloadFiles: r.PayloadFiles[:0], EulaFiles: r.EulaFiles[:0], Languages: r.Languages[:0],
	}
	d.guids = d.guids[:0]
	if err := d.revisionAttributes(r); err != nil {
		return err
	}
	if r.RevisionID < 0 || r.ID.Number < 0 || d.attr("UpdateId") == nil {
		return d.errorf("an <Update> without UpdateId, RevisionNumber or RevisionId")
	}
	if err := d.each(func() error { return d.revisionList(r) }); err != nil {
		return err
	}
	return d.visit.Revision(*r)
}

func (d *packageDocument) revisionAttributes(r *Revision) error {
	for _, a := range d.attrs {
		var err error
		switch string(a.name) {
		case "UpdateId":
			r.ID.GUID, err = d.guid(a.raw)
		case "RevisionNumber":
			r.ID.Number, err = d.id("RevisionNumber", a.raw)
		case "RevisionId":
			r.RevisionID, err = d.id("RevisionId", a.raw)
		case "CreationDate":
			r.Created, err = d.when("CreationDate", a.raw)
		case "DefaultLanguage":
			r.DefaultLanguage, err = d.word(a.raw)
		case "DeploymentAction":
			r.DeploymentAction, err = d.word(a.raw)
		case "IsLeaf":
			r.IsLeaf, err = d.flag("IsLeaf", a.raw)
		case "IsBundle":
			r.IsBundle, err = d.flag("IsBundle", a.raw)
		case "IsSoftware":
			r.IsSoftware, err = d.flag("IsSoftware", a.raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *packageDocument) revisionList(r *Revision) error {
	switch string(d.name) {
	case "Prerequisites":
		return d.each(func() error { return d.prerequisite(r) })
	case "SupersededBy":
		return d.revisionIDs(&r.SupersededBy)
	case "BundledBy":
		return d.revisionIDs(&r.BundledBy)
	case "Categories":
		return d.each(func() error { return d.category(r) })
	case "PayloadFiles":
		return d.each(func() error { return d.payloadFile(r) })
	case "EulaFiles":
		return d.each(func() error { return d.eulaFile(r) })
	case "Languages":
		return d.each(func() error { return d.language(&r.Languages) })
	}
	return nil
}

func (d *packageDocument) prerequisite(r *Revision) error {
	if err := d.more("prerequisites", len(r.Prerequisites)); err != nil {
		return err
	}
	first := len(d.guids)
	switch string(d.name) {
	case "UpdateId":
		if err := d.member(first); err != nil {
			return err
		}
	case "Or":
		if err := d.each(func() error { return d.member(first) }); err != nil {
			return err
		}
	default:
		return d.errorf("<%s> among the prerequisites, where <UpdateId> or <Or> should be", d.name)
	}
	r.Prerequisites = append(r.Prerequisites, d.guids[first:len(d.guids):len(d.guids)])
	return nil
}

// member reads a member of the clause that begins at d.guids[first].
func (d *packageDocument) member(first int) error {
	if string(d.name) != "UpdateId" {
		return d.errorf("<%s> in a prerequisite, where <UpdateId> should be", d.name)
	}
	if err := d.more("prerequisites", len(d.guids)-first); err != nil {
		return err
	}
	g, err := d.guid(d.attr("Id"))
	d.guids = append(d.guids, g)
	return err
}

func (d *packageDocument) revisionIDs(ids *[]int) error {
	return d.each(func() error {
		if string(d.name) != "Revision" {
			return nil
		}
		if err := d.more("revisions", len(*ids)); err != nil {
			return err
		}
		n, err := d.id("Revision Id", d.attr("Id"))
		*ids = append(*ids, n)
		return err
	})
}

func (d *packageDocument) category(r *Revision) error {
	if string(d.name) != "Category" {
		return nil
	}
	if err := d.more("categories", len(r.Categories)); err != nil {
		return err
	}
	kind, err := d.word(d.attr("Type"))
	if err != nil {
		return err
	}
	g, err := d.guid(d.attr("Id"))
	r.Categories = append(r.Categories, Category{Type: kind, ID: g})
	return err
}

func (d *packageDocument) payloadFile(r *Revision) error {
	if string(d.name) != "File" {
		return nil
	}
	if err := d.more("payload files", len(r.PayloadFiles)); err != nil {
		return err
	}
	var digest waptwua.SHA1
	err := d.digest(digest[:], d.attr("Id"))
	r.PayloadFiles = append(r.PayloadFiles, digest)
	return err
}

// eulaFile reads <File Id><Language Name/>…</File>: one licence text, which
// may serve several languages.
func (d *packageDocument) eulaFile(r *Revision) error {
	if string(d.name) != "File" {
		return nil
	}
	var digest waptwua.SHA1
	if err := d.digest(digest[:], d.attr("Id")); err != nil {
		return err
	}
	var languages []string
	if err := d.each(func() error { return d.language(&languages) }); err != nil {
		return err
	}
	if len(languages) == 0 {
		languages = []string{""}
	}
	for _, l := range languages {
		if err := d.more("licence texts", len(r.EulaFiles)); err != nil {
			return err
		}
		r.EulaFiles = append(r.EulaFiles, EulaRef{Digest: digest, Language: l})
	}
	return nil
}

func (d *packageDocument) language(names *[]string) error {
	if string(d.name) != "Language" {
		return nil
	}
	if err := d.more("languages", len(*names)); err != nil {
		return err
	}
	name, err := d.word(d.attr("Name"))
	*names = append(*names, strings.ToLower(name))
	return err
}

func (d *packageDocument) location() error {
	if string(d.name) != "FileLocation" {
		return nil
	}
	if d.locations++; d.locations > d.lim.Locations {
		return d.limitf("more than %d file locations", d.lim.Locations)
	}
	var l Location
	err := d.digest(l.Digest[:], d.attr("Id"))
	if err != nil {
		return err
	}
	if l.URL, err = d.value("Url"); err != nil {
		return err
	}
	if raw := d.attr("IsIncluded"); raw != nil {
		if l.Included, err = d.flag("IsIncluded", raw); err != nil {
			return err
		}
	}
	return d.visit.Location(l)
}
