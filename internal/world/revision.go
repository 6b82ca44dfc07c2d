package world

import (
	"time"

	"waptwua"
)

// kind is what a revision is.
type kind byte

const (
	kindCategory kind = iota
	kindDetectoid
	kindBundle
	kindChild
)

// revision is one <Update>.
type revision struct {
	kind       kind
	guid       string
	number     int // RevisionNumber
	id         int // RevisionId
	created    time.Time
	title      string
	category   category    // of a category
	rules      string      // XML inside <ApplicabilityRules>
	parents    [][]string  // prerequisites
	categories []category  // of a bundle
	bundle     *revision   // of a child
	children   []*revision // of a bundle
	earlier    bool        // the archive has a later revision of the same UpdateId
	newer      []*revision
	older      []*revision

	kb       waptwua.KB
	severity waptwua.Severity
	cves     []string
	bulletin string
	handler  handler
	reboot   waptwua.Reboot
	product  string // ProductName of OSInstaller updates
	release  string // ReleaseVersion
	padding  int    // bytes of package manifest in the core fragment
	allLangs bool
	eula     bool
	files    []file
}

// handler is how an update installs: the name, the URI in the extended
// fragment, the type of its data, and the data.
type handler struct{ uri, kind, data string }

const handlers = "http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/"

var (
	handlerCategory = handlers + "Category"

	handlerCbs = handler{handlers + "Cbs", "cbs:Cbs", ""}
	handlerCmd = handler{handlers + "CommandLineInstallation", "cmd:CommandLineInstallation",
		`<InstallCommand Arguments="/quiet" Program="update.exe" RebootByDefault="false" DefaultResult="Failed"><ReturnCode Reboot="false" Result="Succeeded" Code="0" /><ReturnCode Reboot="true" Result="Succeeded" Code="3010" /></InstallCommand>`}
	handlerMsp = handler{handlers + "WindowsInstaller", "msp:WindowsInstaller", `<MspData FullFilePatchCode="" />`}
	handlerUUP = handler{"http://schemas.microsoft.com/msus/2016/01/UpdateHandlers/OSInstaller", "OSInstallerMetadata", ""}
)

// file is one payload file.
type file struct {
	waptwua.File
	content uint64 // seed of its bytes
}

// licences returns the languages in which r has a licence.
func (r *revision) licences() []string {
	if !r.eula {
		return nil
	}
	return r.languages()
}

// languages returns the languages in which r has a title; none for children.
func (r *revision) languages() []string {
	switch {
	case r.title == "":
		return nil
	case r.allLangs:
		return languages
	}
	return languages[:1]
}
