// Package policy decides about updates: it merges the rules of a host's rule
// packages with the settings in its wapt-get.ini and says of an update
// whether it is allowed, denied or held, why, and which rule said so. It is
// pure: no clock, disk or network.
//
// # Rules
//
// A rule file (waptwua_rules.json) is one JSON object. Every key is optional:
//
//	allowed_kbs, forbidden_kbs              ["KB5031234", …]
//	allowed_updates, forbidden_updates      ["GUID_REVISION", …] or ["GUID", …] for every revision
//	allowed_products, forbidden_products    ["Windows 11", …] or category GUIDs
//	allowed_classifications, forbidden_…    ["Security Updates", …] or category GUIDs
//	allowed_severities, forbidden_…         Critical, Important, Moderate, Low; None or Other for updates that are not rated
//	default_allow                           true or false
//	include_potentially_superseded_updates  true or false
//	install_delay                           "7d" (see package schedule; a bare number counts days)
//	clauses                                 [{"products": […], "classifications": […], "severities": […], "kbs": […], "allow": true}, …]
//
// A clause holds when every list it has holds, and a list holds when one of
// its entries matches; "security updates, but only of Windows 11" is a
// clause. It must have at least one list and must say "allow". Names
// compare without case. Reading is strict: an unknown key, a key that is
// given twice, or a value of the wrong type is an error that names the key,
// and the whole file counts as refused, because half a rule file allows
// what nobody meant to allow. The caller then keeps the last good one.
//
// # Merging
//
// Lists are united. Where rules disagree the restriction wins: forbidding
// over allowing, default_allow false over true, the longest install_delay
// over shorter ones. Only default_allow and
// include_potentially_superseded_updates of wapt-get.ini win over those of
// packages where they are set. The order of packages does not matter.
//
// # Deciding
//
// The first of these that matches decides: forbidden update, forbidden KB,
// forbidden product, classification or severity, forbidding clause, allowed
// update, allowed KB, allowed product, severity or classification, allowing
// clause, default_allow. What is allowed is then held until its publication
// date is install_delay ago. An update without a known date is held as long
// as there is an install_delay: a delay that cannot be computed has not
// passed.
package policy

import (
	"time"

	"waptwua"
)

// BuiltIn is the origin of what neither a rule nor a setting said.
const BuiltIn = "built-in"

// Reasons of verdicts other than the key of the list that matched.
const (
	ReasonClause       = "clauses"
	ReasonDefaultAllow = "default_allow"
	ReasonInstallDelay = "install_delay"
)

// Rules are the rules of one source: a rule package, or the [waptwua]
// section of wapt-get.ini.
type Rules struct {
	Name string // of the package or the file, for Verdict.Origin

	Allowed   Lists
	Forbidden Lists
	Clauses   []Clause

	DefaultAllow                 *bool          // nil: not said
	IncludePotentiallySuperseded *bool          // nil: not said
	InstallDelay                 *time.Duration // nil: not said
}

// Lists are the lists of one direction.
type Lists struct {
	Updates         []Revision
	KBs             []waptwua.KB
	Products        []string           // English names or category GUIDs
	Classifications []string           // English names or category GUIDs
	Severities      []waptwua.Severity // waptwua.Unrated for "None" and "Other"
}

// Revision names an update, in one revision or in all.
type Revision struct {
	ID  waptwua.UpdateID
	All bool // every revision of ID.GUID; ID.Revision is 0
}

// String is the form of the rule file.
func (r Revision) String() string {
	if r.All {
		return r.ID.GUID
	}
	return r.ID.String()
}

// Clause holds for an update when each of its lists that is not empty does.
type Clause struct {
	Products        []string
	Classifications []string
	Severities      []waptwua.Severity
	KBs             []waptwua.KB
	Allow           bool
}

// Settings are the rules of wapt-get.ini.
type Settings struct {
	Rules
	// HoldAll, when not empty, holds everything that is allowed and is the
	// reason why: a setting such as install_delay could not be read, and
	// whoever wrote it meant to restrict.
	HoldAll string
}
