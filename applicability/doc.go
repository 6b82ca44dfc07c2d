// Package applicability parses the applicability rules of Microsoft's update
// metadata and evaluates them against a recorded machine. It is pure: no
// clock, no disk, no network, and the same input always gives the same
// answer, with the reasons (Trace).
//
// # Rules
//
// Parse reads the XML inside an update's <ApplicabilityRules>: the sections
// IsInstalled, IsInstallable, IsSuperseded and Metadata. Several expressions
// in a section are a conjunction; an empty section is a missing one. Element
// names carry the literal prefixes b. (base rules) and m. (Windows
// Installer); attribute names are read without case, because the archives
// have both Subkey and SubKey.
//
// # Three values
//
// Every expression is true, false or unknown (Kleene's strong logic). Unknown
// are: a fact that the recording does not cover, an operator that this
// package does not know or cannot read (Rules.Unsupported counts them), and
// what only Windows itself can compute, above all CbsPackageInstallable. An
// unknown operand does not spoil an expression that the others decide.
//
// A missing IsInstalled or IsInstallable is unknown; a missing IsSuperseded
// is false.
//
// # Machines
//
// Facts is a recorded machine and the content of a FACTS.json; Machine is its
// index for evaluation. What a recording does not name is absent where it
// calls the section complete, and unknown otherwise. Parsed rules and
// machines are immutable and shared freely between goroutines; a Context
// belongs to one evaluation at a time:
//
//	rules, err := applicability.Parse(fragment)
//	machine, err := applicability.NewMachine(facts)
//	installed := rules.Installed(&applicability.Context{Machine: machine})
//
// # What is not supported
//
// b.GenericQuery, b.InstalledOnce, b.Platform and cluster resources are
// unknown. The upgrade codes and patch sequences of the Windows Installer are
// not evaluated. The part of WQL that is understood is listed in wql.go; any
// other query needs a recorded answer. Text of the registry is compared
// without case, which Microsoft does not document either way.
//
// # Sources
//
// Microsoft's schemas BaseApplicabilityRules (bb972749), MsiApplicabilityRules
// (bb972757), PatchApplicability (bb972753) and Update (bb972751), the guide
// "Update Applicability Rules" (bb902473), MS-WUSP 3.1.1.1 for the prefixes,
// and the operators that occur in published archives. The operators and what
// is unproven about each are listed in docs/formats/applicability.md.
package applicability
