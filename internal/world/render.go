package world

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// paddingMark is where the package manifest goes in the rules of a component
// package.
const paddingMark = "\x00padding\x00"

const stamp = "2006-01-02T15:04:05Z"

func esc(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer does not fail
	return b.String()
}

// core renders the c/ fragment.
func (r *revision) core(b *bytes.Buffer) {
	guid := r.guid
	if r.kind == kindDetectoid {
		guid = strings.ToUpper(guid) // the archive mixes cases
	}
	fmt.Fprintf(b, `<UpdateIdentity UpdateID="%s" RevisionNumber="%d" />`, guid, r.number)
	switch r.kind {
	case kindCategory:
		b.WriteString(`<Properties UpdateType="Category" />`)
	case kindDetectoid:
		b.WriteString(`<Properties UpdateType="Detectoid" />`)
	case kindBundle:
		b.WriteString(`<Properties UpdateType="Software" ExplicitlyDeployable="true" AutoSelectOnWebSites="true"`)
		if r.eula {
			fmt.Fprintf(b, ` EulaID="%s"`, r.guid)
		}
		b.WriteString(` />`)
		r.relationships(b)
	case kindChild:
		b.WriteString(`<Properties UpdateType="Software" />`)
		r.relationships(b)
	}
	if r.rules != "" {
		b.WriteString(`<ApplicabilityRules>`)
		before, after, padded := strings.Cut(r.rules, paddingMark)
		b.WriteString(before)
		if padded {
			r.manifest(b)
		}
		b.WriteString(after)
		b.WriteString(`</ApplicabilityRules>`)
	}
}

func (r *revision) relationships(b *bytes.Buffer) {
	b.WriteString(`<Relationships>`)
	if len(r.older) > 0 {
		b.WriteString(`<SupersededUpdates>`)
		for _, o := range r.older {
			fmt.Fprintf(b, `<UpdateIdentity UpdateID="%s" />`, o.guid)
		}
		b.WriteString(`</SupersededUpdates>`)
	}
	b.WriteString(`<Prerequisites>`)
	for _, clause := range r.parents {
		open, end := `<AtLeastOne>`, `</AtLeastOne>`
		switch {
		case r.isCategory(clause):
			open = `<AtLeastOne IsCategory="true">`
		case len(clause) == 1:
			open, end = "", ""
		}
		b.WriteString(open)
		for _, id := range clause {
			fmt.Fprintf(b, `<UpdateIdentity UpdateID="%s" />`, id)
		}
		b.WriteString(end)
	}
	b.WriteString(`</Prerequisites>`)
	if len(r.children) > 0 {
		b.WriteString(`<BundledUpdates>`)
		for _, c := range r.children {
			fmt.Fprintf(b, `<AtLeastOne><UpdateIdentity RevisionNumber="%d" UpdateID="%s" /></AtLeastOne>`, c.number, c.guid)
		}
		b.WriteString(`</BundledUpdates>`)
	}
	b.WriteString(`</Relationships>`)
}

// isCategory tells whether a clause names a product or classification.
func (r *revision) isCategory(clause []string) bool {
	return slices.ContainsFunc(r.categories, func(c category) bool { return c.id == clause[0] })
}

// manifest writes about r.padding bytes of the kind that component packages
// carry: a long list of components.
func (r *revision) manifest(b *bytes.Buffer) {
	end := b.Len() + r.padding
	var sum [32]byte
	bits := rand.NewPCG(uint64(r.id), uint64(r.kb))
	for i := 0; b.Len() < end; i++ {
		for j := 0; j < len(sum); j += 8 {
			binary.LittleEndian.PutUint64(sum[j:], bits.Uint64())
		}
		fmt.Fprintf(b, `<update name="%d-%d_neutral"><component><assemblyIdentity name="%016x" version="10.0.%d.%d" processorArchitecture="amd64" language="neutral" publicKeyToken="31bf3856ad364e35" /><hash><DigestValue>%s</DigestValue></hash></component></update>`,
			uint32(r.kb), i, sum[:8], r.number, i%4096, b64(sum[:]))
	}
}

// extended renders the x/ fragment.
func (r *revision) extended(b *bytes.Buffer) {
	switch r.kind {
	case kindCategory:
		fmt.Fprintf(b, `<ExtendedProperties DefaultPropertiesLanguage="en" Handler="%s" /><HandlerSpecificData type="cat:Category"><CategoryInformation CategoryType="%s" ProhibitsSubcategories="true" ProhibitsUpdates="false" /></HandlerSpecificData>`, handlerCategory, r.category.kind)
	case kindBundle:
		r.extendedBundle(b)
	case kindChild:
		r.extendedChild(b)
	}
}

func (r *revision) extendedBundle(b *bytes.Buffer) {
	b.WriteString(`<ExtendedProperties`)
	r.productAttributes(b)
	b.WriteString(` DefaultPropertiesLanguage="en" BrowseOnly="false"`)
	if r.severity != "" {
		fmt.Fprintf(b, ` MsrcSeverity="%s"`, r.severity)
	}
	fmt.Fprintf(b, `><MoreInfoUrl>https://support.microsoft.com/help/%d</MoreInfoUrl><SupportUrl>https://support.microsoft.com</SupportUrl><Language>all</Language><KBArticleID>%d</KBArticleID>`, uint32(r.kb), uint32(r.kb))
	if r.bulletin != "" {
		fmt.Fprintf(b, `<SecurityBulletinID>%s</SecurityBulletinID>`, r.bulletin)
	}
	for _, cve := range r.cves {
		fmt.Fprintf(b, `<CveID>%s</CveID>`, cve)
	}
	b.WriteString(`</ExtendedProperties>`)
}

func (r *revision) productAttributes(b *bytes.Buffer) {
	if r.product != "" {
		fmt.Fprintf(b, ` ProductName="%s" ReleaseVersion="%s" ReleaseRevision="1"`, r.product, r.release)
	}
}

func (r *revision) extendedChild(b *bytes.Buffer) {
	var total int64
	for _, f := range r.files {
		total += f.Size
	}
	b.WriteString(`<ExtendedProperties`)
	r.productAttributes(b)
	fmt.Fprintf(b, ` DefaultPropertiesLanguage="en" Handler="%s" MaxDownloadSize="%d" MinDownloadSize="0"><InstallationBehavior RebootBehavior="%s" /><Language>all</Language></ExtendedProperties><Files>`, r.handler.uri, total, r.reboot)
	for _, f := range r.files {
		kind := "PatchingType"
		if f.Kind != "SelfContained" {
			kind = "PatchingTypePreferred"
		}
		fmt.Fprintf(b, `<File %s="%s" Modified="%s" Size="%d" FileName="%s" DigestAlgorithm="SHA1" Digest="%s"><AdditionalDigest Algorithm="SHA256">%s</AdditionalDigest></File>`,
			kind, f.Kind, r.created.Format(stamp), f.Size, esc(f.Name), b64(f.SHA1[:]), b64(f.SHA256[:]))
	}
	b.WriteString(`</Files>`)
	if r.handler.kind != "" {
		fmt.Fprintf(b, `<HandlerSpecificData type="%s">%s</HandlerSpecificData>`, r.handler.kind, r.handler.data)
	}
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// localized renders the l/ fragment of one language.
// Only the English texts are language; the others say which they stand for.
func (r *revision) localized(b *bytes.Buffer, lang string) {
	title, notes := r.title, "It can be removed with the programs of the control panel."
	about := ""
	if r.kind == kindBundle {
		about = "Generated for demonstration: stands for an update that corrects an issue in " + r.categories[len(r.categories)-1].title + "."
	}
	if lang != languages[0] {
		title = "[" + lang + "] " + title
		about, notes = sentence(lang, uint64(r.kb), 28), sentence(lang, 0, 12)
	}
	fmt.Fprintf(b, `<LocalizedProperties><Language>%s</Language><Title>%s</Title>`, lang, esc(title))
	if r.kind == kindBundle {
		fmt.Fprintf(b, `<Description>%s</Description><UninstallNotes>%s</UninstallNotes><MoreInfoUrl>https://support.microsoft.com/help/%d</MoreInfoUrl><SupportUrl>https://support.microsoft.com</SupportUrl>`,
			esc(about), notes, uint32(r.kb))
	}
	b.WriteString(`</LocalizedProperties>`)
}

// licence is the text of an update's licence: UTF-16, as in the archives.
func (r *revision) licence(lang string) []byte {
	text := "\ufeffLicence of the generated update " + r.kb.String() + ".\r\nIt may be used for tests and demonstrations (" + lang + ").\r\n"
	if lang != languages[0] {
		text += sentence(lang, uint64(r.kb), 400) + "\r\n"
	}
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// update renders the <Update> of package.xml.
func (r *revision) update(b *bytes.Buffer) {
	fmt.Fprintf(b, `<Update CreationDate="%s" DefaultLanguage="en" UpdateId="%s" RevisionNumber="%d" RevisionId="%d"`, r.created.Format(stamp), r.guid, r.number, r.id)
	switch r.kind {
	case kindBundle:
		b.WriteString(` IsBundle="true">`)
	case kindChild:
		b.WriteString(` IsLeaf="true" DeploymentAction="Bundle">`)
		r.payloads(b)
	default:
		b.WriteString(` DeploymentAction="Evaluate" IsSoftware="false" />`)
		return
	}
	if r.eula {
		b.WriteString(`<EulaFiles>`)
		for _, lang := range r.licences() {
			sum := sha1Of(r.licence(lang))
			fmt.Fprintf(b, `<File Id="%s"><Language Name="%s" /></File>`, b64(sum[:]), lang)
		}
		b.WriteString(`</EulaFiles>`)
	}
	r.prerequisites(b)
	if r.bundle != nil {
		fmt.Fprintf(b, `<BundledBy><Revision Id="%d" /></BundledBy>`, r.bundle.id)
	}
	r.supersededBy(b)
	r.categoryList(b)
	b.WriteString(`</Update>`)
}

func (r *revision) payloads(b *bytes.Buffer) {
	b.WriteString(`<PayloadFiles>`)
	for _, f := range r.files {
		fmt.Fprintf(b, `<File Id="%s" />`, b64(f.SHA1[:]))
	}
	b.WriteString(`</PayloadFiles>`)
}

func (r *revision) prerequisites(b *bytes.Buffer) {
	b.WriteString(`<Prerequisites>`)
	for _, clause := range r.parents {
		if len(clause) > 1 {
			b.WriteString(`<Or>`)
		}
		for _, id := range clause {
			fmt.Fprintf(b, `<UpdateId Id="%s" />`, id)
		}
		if len(clause) > 1 {
			b.WriteString(`</Or>`)
		}
	}
	b.WriteString(`</Prerequisites>`)
}

func (r *revision) supersededBy(b *bytes.Buffer) {
	if len(r.newer) == 0 {
		return
	}
	b.WriteString(`<SupersededBy>`)
	for _, n := range r.newer {
		fmt.Fprintf(b, `<Revision Id="%d" />`, n.id)
	}
	b.WriteString(`</SupersededBy>`)
}

func (r *revision) categoryList(b *bytes.Buffer) {
	if len(r.categories) == 0 {
		return
	}
	b.WriteString(`<Categories>`)
	for _, c := range r.categories {
		fmt.Fprintf(b, `<Category Type="%s" Id="%s" />`, c.kind, c.id)
	}
	b.WriteString(`</Categories>`)
}

// byID returns the revisions in the order of RevisionIds.
func byID(all []*revision) []*revision {
	s := slices.Clone(all)
	slices.SortFunc(s, func(a, b *revision) int { return a.id - b.id })
	return s
}

// dosTime is a time that a cabinet can hold.
func dosTime(t time.Time) time.Time { return t.UTC().Truncate(2 * time.Second) }
