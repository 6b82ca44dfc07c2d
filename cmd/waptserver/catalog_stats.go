package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
)

func newCatalogProductsCommand(q *catalogueFlag) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "products [FILE]",
		Short: "List products, families and classifications with their numbers of updates",
		Long: `Lists the categories in which the updates of a catalogue are placed: products,
product families, classifications, companies, each with its GUID, the number of
its updates, and how many of these no other update supersedes.

Exit status: 0; 1 when the catalogue cannot be read.`,
		Example: "  waptserver catalog products wsusscn2.sqlite",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(cmd, q, args, asJSON, func(c *openCatalogue) ([]catalog.Placement, error) { return c.Placements(), nil }, printPlacements)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printPlacements(out io.Writer, list []catalog.Placement) error {
	t := plainTable("Type", "Title", "Updates", "Current", "GUID")
	for _, p := range list {
		t.AppendRow([]any{p.Type, p.Title, p.Updates, p.Current, p.ID})
	}
	return printTable(out, t, nil)
}

// catalogStats is what `catalog stats` prints.
type catalogStats struct {
	PackageID string    `json:"package_id"`
	Created   time.Time `json:"creation_date"`
	catalog.Stats
	DifferentRules int `json:"different_rules"` // rule sets that are not equal to another
}

func newCatalogStatsCommand(q *catalogueFlag) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats [FILE]",
		Short: "Count what a catalogue holds, and what is wrong with its archive",
		Long: `Counts revisions by kind, rules and their operators, and everything that an
archive lacks or that cannot be evaluated: rules that only Windows can evaluate,
references that name nothing, cycles, operators that are unknown.

Exit status: 0; 1 when the catalogue cannot be read.`,
		Example: "  waptserver catalog stats wsusscn2.sqlite --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(cmd, q, args, asJSON, func(c *openCatalogue) (catalogStats, error) {
				return catalogStats{c.Head().ID, c.Head().Created.UTC(), c.CountRules(), c.RuleSets()}, nil
			}, printStats)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printStats(out io.Writer, s catalogStats) error {
	var b strings.Builder
	fmt.Fprintf(&b, "archive      %s of %s\n", s.PackageID, s.Created.Format(time.RFC3339))
	fmt.Fprintf(&b, "revisions    %d: %d updates that may be offered, %d children of bundles, %d categories and detectoids; %d bundles\n",
		s.Revisions, s.TopLevel, s.Children, s.Categories, s.Bundles)
	fmt.Fprintf(&b, "rules        %d, of which %d are different; %d operators\n", s.RuleSets, s.DifferentRules, s.Operators)
	for _, line := range []struct {
		n    int
		what string
	}{
		{s.AskWindows, "revisions ask what only Windows can tell (CbsPackageInstallable), and may be unknown"},
		{s.BadRules, "rules cannot be parsed and are unknown"},
		{s.WithoutCore, "revisions have no core fragment"},
		{s.StrayFragments, "fragments belong to no revision"},
		{s.DanglingIDs, "references name nothing in the archive"},
		{s.DependencyCycles, "cycles of prerequisites or bundles"},
		{s.SupersedenceCycles, "cycles of supersedence, which were cut"},
	} {
		if line.n > 0 {
			fmt.Fprintf(&b, "noted        %d %s\n", line.n, line.what)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Unsupported)) {
		fmt.Fprintf(&b, "unknown      operator %s, %d times\n", name, s.Unsupported[name])
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func newCatalogAskedCommand(q *catalogueFlag) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "asked [FILE]",
		Short: "List everything that the rules of a catalogue ask about machines",
		Long: `Lists the registry keys and values, files, WMI queries, MSI products, component
packages and so on that the applicability rules ask about: what an inventory of
a machine has to record (docs/formats/machine.md), and no more.

Exit status: 0; 1 when the catalogue cannot be read.`,
		Example: "  waptserver catalog asked wsusscn2.sqlite --json > asked.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(cmd, q, args, asJSON, func(c *openCatalogue) (applicability.Asked, error) { return c.Asked(), nil }, printAsked)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printAsked(out io.Writer, a applicability.Asked) error {
	var b strings.Builder
	for _, list := range []struct {
		what  string
		items []string
	}{
		{"registry key", a.Keys}, {"registry value", a.Values}, {"sub-keys of", a.Loops}, {"file", a.Files}, {"WMI query", a.Queries},
		{"licence value", a.Licenses}, {"MSI product", a.Products}, {"MSI feature", a.Features}, {"MSI component", a.Components},
		{"MSI patch", a.Patches}, {"component package", a.Packages},
		{"release", a.Releases}, {"device attribute", a.Attributes},
	} {
		for _, item := range list.items {
			fmt.Fprintf(&b, "%-18s %s\n", list.what, item)
		}
	}
	for _, m := range a.Metrics {
		fmt.Fprintf(&b, "%-18s %d\n", "system metric", m)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// archiveDifference is what `catalog diff` prints.
type archiveDifference struct {
	Old        time.Time      `json:"old"` // dates of the archives
	New        time.Time      `json:"new"`
	Added      []listedUpdate `json:"added"`
	Revised    []listedUpdate `json:"revised"`
	Superseded []listedUpdate `json:"superseded"`
	Removed    []listedUpdate `json:"removed"`
}

func newCatalogDiffCommand(l *limits) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Tell what a newer archive brought: new, revised, superseded, removed updates",
		Long: `Compares two catalogues or archives and lists the updates that are new, that
have another revision, that are newly superseded, and that are gone.

Exit status: 0, whether they differ or not; 1 when one cannot be read.`,
		Example: "  waptserver catalog diff 2026-10.sqlite 2026-11.sqlite",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			older, err := openCatalogueFile(cmd.Context(), args[0], l)
			if err != nil {
				return err
			}
			defer older.Close()
			return answer(cmd, &catalogueFlag{limits: l}, args[1:], asJSON, func(newer *openCatalogue) (archiveDifference, error) {
				return difference(older, newer.Graph), older.Err()
			}, printDifference)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func difference(older *openCatalogue, newer *catalog.Graph) archiveDifference {
	d := catalog.Compare(older.Graph, newer)
	revised := make([]waptwua.UpdateID, len(d.Revised))
	for i, r := range d.Revised {
		revised[i] = r.New
	}
	return archiveDifference{
		Old: older.Head().Created.UTC(), New: newer.Head().Created.UTC(),
		Added: listedAll(newer, d.Added), Revised: listedAll(newer, revised),
		Superseded: listedAll(newer, d.Superseded), Removed: listedAll(older.Graph, d.Removed),
	}
}

func printDifference(out io.Writer, d archiveDifference) error {
	_, err := fmt.Fprintf(out, "From %s to %s: %d new, %d revised, %d newly superseded, %d removed.\n",
		day(d.Old), day(d.New), len(d.Added), len(d.Revised), len(d.Superseded), len(d.Removed))
	for _, part := range []struct {
		title string
		rows  []listedUpdate
	}{{"New", d.Added}, {"Revised", d.Revised}, {"Newly superseded", d.Superseded}, {"Removed", d.Removed}} {
		if len(part.rows) == 0 || err != nil {
			continue
		}
		if _, err = fmt.Fprintf(out, "\n%s\n", part.title); err == nil {
			err = printListed(out, part.rows)
		}
	}
	return err
}
