package wuatest

import (
	"bytes"
	"crypto/sha1" // the archive names files by SHA-1
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"waptwua"
	"waptwua/internal/cabwrite"
)

// created is the date of the archive and of its updates.
var created = time.Date(2026, 11, 10, 18, 0, 0, 0, time.UTC)

// revision is one <Update> of the archive and its fragments.
type revision struct {
	number   int // RevisionId; the GUID and the KB follow from it
	title    string
	action   string // DeploymentAction: "", Bundle or Evaluate
	kind     string // UpdateType: Software, Driver, Detectoid, Category
	rules    string // inside <ApplicabilityRules>
	needs    []int  // prerequisites
	older    []int  // updates that it supersedes
	children []int
	severity string
	handler  string
	reboot   waptwua.Reboot
	impact   string // InstallationBehavior@Impact
	content  string // of its payload file; "": none
	category string // Type of the category that it is
}

func guid(number int) string { return fmt.Sprintf("c0a7ac00-0000-4000-8000-%012d", number) }

func updateID(number int) waptwua.UpdateID {
	return waptwua.UpdateID{GUID: guid(number), Revision: 100}
}

func (r *revision) fileName() string { return fmt.Sprintf("update-%d.cab", r.number) }

func (r *revision) sha1() string {
	sum := sha1.Sum([]byte(r.content))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// cabinet writes files, given as name and content in turn, into a stored
// cabinet with room for a signature.
func cabinet(files ...string) ([]byte, error) {
	var b bytes.Buffer
	w, err := cabwrite.NewWriter(&b, cabwrite.Options{HeaderReserve: make([]byte, 20)})
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i], created, 0)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// archive renders an unsigned scan archive of the revisions, in the layout of
// a single package.cab.
func archive(revisions []revision) ([]byte, error) {
	files := []string{"package.xml", packageXML(revisions)}
	for i := range revisions {
		r := &revisions[i]
		files = append(files, fmt.Sprintf(`core\%d`, r.number), r.core())
		if r.action != "Evaluate" || r.category != "" {
			files = append(files, fmt.Sprintf(`extended\%d`, r.number), r.extended())
		}
		files = append(files, fmt.Sprintf(`localized\en\%d`, r.number),
			fmt.Sprintf(`<LocalizedProperties><Language>en</Language><Title>%s</Title></LocalizedProperties>`, r.title))
	}
	inner, err := cabinet(files...)
	if err != nil {
		return nil, err
	}
	return cabinet("package.cab", string(inner))
}

func packageXML(revisions []revision) string {
	bundledBy, newer := map[int]int{}, map[int][]int{}
	for i := range revisions {
		for _, c := range revisions[i].children {
			bundledBy[c] = revisions[i].number
		}
		for _, o := range revisions[i].older {
			newer[o] = append(newer[o], revisions[i].number)
		}
	}
	var b, locations strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="utf-8"?><OfflineSyncPackage MinimumClientVersion="5.8.0.2678" PackageId="%s" PackageVersion="1.1" ProtocolVersion="1.0" CreationDate="%s" SourceId="%s" xmlns="http://schemas.microsoft.com/msus/2004/02/OfflineSync"><Updates>`,
		guid(0), created.Format(time.RFC3339), guid(999))
	for i := range revisions {
		r := &revisions[i]
		r.update(&b, bundledBy[r.number], newer[r.number])
		if r.content != "" {
			fmt.Fprintf(&locations, `<FileLocation Id="%s" Url="http://download.windowsupdate.com/contract/%s"/>`, r.sha1(), r.fileName())
		}
	}
	return b.String() + `</Updates><FileLocations>` + locations.String() + `</FileLocations></OfflineSyncPackage>`
}

// update renders the <Update> of package.xml.
func (r *revision) update(b *strings.Builder, bundle int, newer []int) {
	fmt.Fprintf(b, `<Update CreationDate="%s" DefaultLanguage="en" UpdateId="%s" RevisionNumber="100" RevisionId="%d"`,
		created.Format(time.RFC3339), guid(r.number), r.number)
	if r.action != "" {
		fmt.Fprintf(b, ` DeploymentAction="%s"`, r.action)
	}
	if len(r.children) > 0 {
		b.WriteString(` IsBundle="true"`)
	}
	if r.kind != "Software" {
		b.WriteString(` IsSoftware="false"`)
	}
	b.WriteString(`>`)
	if r.content != "" {
		fmt.Fprintf(b, `<PayloadFiles><File Id="%s"/></PayloadFiles>`, r.sha1())
	}
	b.WriteString(`<Prerequisites>`)
	for _, n := range r.needs {
		fmt.Fprintf(b, `<UpdateId Id="%s"/>`, guid(n))
	}
	b.WriteString(`</Prerequisites>`)
	for _, n := range newer {
		fmt.Fprintf(b, `<SupersededBy><Revision Id="%d"/></SupersededBy>`, n)
	}
	if bundle != 0 {
		fmt.Fprintf(b, `<BundledBy><Revision Id="%d"/></BundledBy>`, bundle)
	}
	if r.action == "" {
		fmt.Fprintf(b, `<Categories><Category Type="UpdateClassification" Id="%s"/><Category Type="Product" Id="%s"/></Categories>`,
			guid(classification), guid(product))
	}
	b.WriteString(`</Update>`)
}

// core renders the c/ fragment.
func (r *revision) core() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<UpdateIdentity UpdateID="%s" RevisionNumber="100"/><Properties UpdateType="%s"/>`, guid(r.number), r.kind)
	b.WriteString(`<Relationships>`)
	if len(r.older) > 0 {
		b.WriteString(`<SupersededUpdates>`)
		for _, n := range r.older {
			fmt.Fprintf(&b, `<UpdateIdentity UpdateID="%s"/>`, guid(n))
		}
		b.WriteString(`</SupersededUpdates>`)
	}
	if len(r.children) > 0 {
		b.WriteString(`<BundledUpdates><AtLeastOne>`)
		for _, n := range r.children {
			fmt.Fprintf(&b, `<UpdateIdentity UpdateID="%s" RevisionNumber="100"/>`, guid(n))
		}
		b.WriteString(`</AtLeastOne></BundledUpdates>`)
	}
	b.WriteString(`</Relationships>`)
	if r.rules != "" {
		b.WriteString(`<ApplicabilityRules>` + r.rules + `</ApplicabilityRules>`)
	}
	return b.String()
}

// extended renders the x/ fragment.
func (r *revision) extended() string {
	if r.category != "" {
		return fmt.Sprintf(`<ExtendedProperties DefaultPropertiesLanguage="en" Handler="http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/Category"/><HandlerSpecificData type="cat:Category"><CategoryInformation CategoryType="%s"/></HandlerSpecificData>`, r.category)
	}
	var b strings.Builder
	b.WriteString(`<ExtendedProperties DefaultPropertiesLanguage="en"`)
	if r.severity != "" {
		fmt.Fprintf(&b, ` MsrcSeverity="%s"`, r.severity)
	}
	if r.handler != "" {
		fmt.Fprintf(&b, ` Handler="http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/%s" MaxDownloadSize="%d" MinDownloadSize="0"`, r.handler, len(r.content))
	}
	fmt.Fprintf(&b, `><InstallationBehavior RebootBehavior="%s" Impact="%s"/>`, r.reboot, r.impact)
	if r.action == "" {
		fmt.Fprintf(&b, `<KBArticleID>%d</KBArticleID>`, kbBase+r.number)
	}
	b.WriteString(`</ExtendedProperties>`)
	if r.content != "" {
		sum := sha256.Sum256([]byte(r.content))
		fmt.Fprintf(&b, `<Files><File PatchingType="SelfContained" Modified="%s" Size="%d" FileName="%s" DigestAlgorithm="SHA1" Digest="%s"><AdditionalDigest Algorithm="SHA256">%s</AdditionalDigest></File></Files>`,
			created.Format(time.RFC3339), len(r.content), r.fileName(), r.sha1(), base64.StdEncoding.EncodeToString(sum[:]))
	}
	return b.String()
}

// kbBase and the number of an update make its KB.
const kbBase = 9_000_000
