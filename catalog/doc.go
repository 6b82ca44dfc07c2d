// Package catalog joins the records of a scan archive into a graph of
// updates and tells what a machine lacks. It is pure: it imports no I/O, and
// a Graph, once built, never changes and may be shared by any number of
// goroutines.
//
//	graph, err := catalog.Load(ctx, archive, catalog.Options{})
//	missing := graph.Evaluate(machine, catalog.EvaluateOptions{}).Missing()
//
// # Where the rest is
//
// A Graph holds what relates revisions to each other, in flat lists. What
// describes one revision (rules, texts, files) it asks of a Source when an
// answer needs it. Load makes a graph in memory, with everything. To keep a
// catalogue elsewhere, a Gatherer turns the fragments of each shard into rows
// for a Source and into encoded facts; a Builder makes the graph of
// package.xml and facts (Node, Facts, GraphOver); WriteTo and ReadGraph
// store the graph itself. Both ways the same code answers.
//
// # Revisions
//
// Every <Update> of package.xml is a node. Its deployment action makes it a
// top-level update, which may be offered; a child of bundles; or a category
// or detectoid, which only other updates ask about. Nodes are addressed by
// waptwua.UpdateID; prerequisites name a GUID and mean any revision of it.
//
// # The state of a node
//
// Every node is installed and is applicable to a truth value each.
//
//   - Prerequisites are an AND of ORs over installed updates. When they are
//     false, the node is neither installed nor applicable, and its rules and
//     children do not count.
//   - A node with rules is installed when IsInstalled is true, and applicable
//     when IsInstalled and IsSuperseded are false and IsInstallable is true.
//   - A bundle has no rules; its clauses of children decide. It is installed
//     when at least one child is installed and none is applicable. It is
//     applicable when some child is applicable and in every clause at least
//     one child is applicable or installed.
//   - A node with neither, a prerequisite or child that the archive does not
//     hold, and a cycle of prerequisites or bundles are unknown.
//
// # Verdicts
//
// A top-level update is Installed, Applicable, NotApplicable or Unknown as
// its two truth values say. An update that is not installed, and applicable or
// possibly so, is Superseded when an update that supersedes it is itself
// applicable or installed, or when a newer revision of it is in the archive:
// then it is not missing, whatever its rules would say. An applicable one is
// Unknown when that is unknown.
// EvaluateOptions.IncludeSuperseded keeps superseded updates Applicable, as
// the Windows Update Agent's IncludePotentiallySupersededUpdates does. Cycles
// of supersedence are cut, so that two updates cannot hide each other.
//
// Each verdict has a Reason, and Explain gives the whole trace. An Unknown one
// has a Doubt, too: the first cause that was met, of several.
//
// # Tolerance
//
// Ids that name nothing in the archive are counted in Stats, not refused: the
// offline archives are a selection. The identity of a revision in package.xml
// and the one in its own fragment differ in some archives; package.xml counts,
// and the other one is accepted where bundles name their children.
//
// # Sources
//
// Microsoft's Update schema (bb972751) for the state of an update, MS-WUSP
// 3.1.1.1 for relationships, and published archives. How bundles follow from
// their children is inferred from these; docs/formats/applicability.md says
// what is documented and what is not.
package catalog
