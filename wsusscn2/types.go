package wsusscn2

import (
	"slices"
	"time"

	"waptwua"
)

// Package is the head of package.xml.
type Package struct {
	ID                   string    // PackageId, a GUID in lower case
	Created              time.Time // CreationDate: the archive's own freshness
	Version              string    // PackageVersion
	MinimumClientVersion string
	ProtocolVersion      string
	SourceID             string
}

// Revision is one <Update> of package.xml: a node of the update graph.
// RevisionID is its key inside this archive; it is not chronological. The
// lists of a Revision that a PackageVisitor gets are valid during the call:
// Clone it to keep it longer.
type Revision struct {
	RevisionID       int
	ID               Identity
	Created          time.Time
	DefaultLanguage  string
	DeploymentAction string // "" (installable), "Bundle" (child of a bundle) or "Evaluate" (category, detectoid)
	IsLeaf           bool
	IsBundle         bool
	IsSoftware       bool     // true unless the archive says false
	Prerequisites    [][]GUID // an AND of ORs of updates
	SupersededBy     []int    // RevisionIDs of newer revisions; some may not be in the archive
	BundledBy        []int    // RevisionIDs of the bundles that contain this one
	Categories       []Category
	PayloadFiles     []waptwua.SHA1
	EulaFiles        []EulaRef
	Languages        []string
}

// Clone returns a copy that shares no list with r. Empty lists become nil.
func (r Revision) Clone() Revision {
	r.Prerequisites = slices.Concat(r.Prerequisites)
	for i, members := range r.Prerequisites {
		r.Prerequisites[i] = slices.Concat(members)
	}
	r.SupersededBy, r.BundledBy = slices.Concat(r.SupersededBy), slices.Concat(r.BundledBy)
	r.Categories, r.PayloadFiles = slices.Concat(r.Categories), slices.Concat(r.PayloadFiles)
	r.EulaFiles, r.Languages = slices.Concat(r.EulaFiles), slices.Concat(r.Languages)
	return r
}

// Category places a top-level update. Type is UpdateClassification, Product,
// ProductFamily or Company; ID is the GUID of the category's own revision.
type Category struct {
	Type string
	ID   GUID
}

// EulaRef names a licence text, one per language.
type EulaRef struct {
	Digest   waptwua.SHA1
	Language string
}

// Location is one <FileLocation>: where Microsoft keeps a file.
type Location struct {
	Digest   waptwua.SHA1
	URL      string
	Included bool // the file lies in the archive itself (files/…)
}

// Kind is the folder a fragment lies in.
type Kind byte

// The kinds of fragments, with the folder names of both layouts.
const (
	KindCore      Kind = 'c' // c/ or core/: identity, relationships, applicability rules
	KindExtended  Kind = 'x' // x/ or extended/: files, handler, KB, severity
	KindLocalized Kind = 'l' // l/<lang>/ or localized/<lang>/: titles
	KindEula      Kind = 'e' // e/<lang>/ or eula/<lang>/
	KindFile      Kind = 'f' // files/<2hex>/<SHA1>: an included file
)

// Core is a c/ fragment. Rules is part of the bytes that were parsed: clone
// it to keep it longer than them.
type Core struct {
	ID                   Identity
	UpdateType           string // Software, Category, Detectoid or Driver
	ExplicitlyDeployable bool
	AutoSelectOnWebSites bool
	EulaID               string
	Supersedes           []GUID   // older updates
	Prerequisites        []Clause // AND of these
	Bundled              []BundleClause
	Rules                []byte // XML inside <ApplicabilityRules>; nil when the fragment has none
	RulesAt              int    // where Rules begins in the fragment
}

// Clause is satisfied when at least one member is installed.
type Clause struct {
	Members    []GUID
	IsCategory bool // the clause also places the update (product, classification)
}

// BundleClause is satisfied when at least one member is.
type BundleClause struct{ Members []Identity }

// Extended is an x/ fragment. HandlerData is part of the bytes that were
// parsed: clone it to keep it longer than them.
type Extended struct {
	DefaultLanguage string
	Handler         string // Cbs, CommandLineInstallation, WindowsInstaller, OSInstaller …
	HandlerType     string // HandlerSpecificData@type
	MinDownloadSize int64
	MaxDownloadSize int64
	Severity        waptwua.Severity
	Reboot          waptwua.Reboot
	Impact          string // InstallationBehavior@Impact: RequiresExclusiveHandling …
	CanRequestInput bool
	NeedsNetwork    bool
	IsBeta          bool
	BrowseOnly      bool
	CategoryType    string // CategoryInformation@CategoryType, for categories
	KBs             []waptwua.KB
	CVEs            []string
	Bulletins       []string
	SupportURL      string
	MoreInfoURL     string
	ProductName     string
	ReleaseVersion  string
	Files           []waptwua.File // without URL: that is in package.xml
	HandlerData     []byte         // XML inside <HandlerSpecificData>; nil when none
}

// Localized is an l/ fragment.
type Localized struct {
	Language       string
	Title          string
	Description    string
	UninstallNotes string
	MoreInfoURL    string
	SupportURL     string
}

// Eula is one <EulaFile> of an e/ fragment: a licence text in one language.
// Its content lies in the archive as an included file of that digest.
type Eula struct {
	Digest   waptwua.SHA1
	FileName string
	Size     int64 // bytes
	Language string
}
