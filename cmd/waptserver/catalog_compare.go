package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/catalog"
	"waptwua/internal/cmdline"
)

// hostReport is the part of a host's report that is compared: of the first,
// whole report, or of its state as the server holds it.
type hostReport struct {
	Base    string                              `json:"base"`
	Changed []waptwua.OnHost                    `json:"changed"`
	Updates map[waptwua.UpdateID]waptwua.OnHost `json:"updates"`
}

type comparison struct {
	Machine string `json:"machine"`
	catalog.Agreement
}

func newCatalogCompareCommand(q *catalogueFlag) *cobra.Command {
	var report, machine string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compare --report HOSTREPORT.json --machine FACTS.json",
		Short: "Compare what a host's Windows Update Agent found with our own verdicts",
		Long: `Evaluates a recorded machine and compares the verdicts with what its Windows
Update Agent reported: a whole report of the agent (its JSON has "changed"), or
the host's state ("updates"). The host is the authority: a disagreement means
that the recording is incomplete or older than the scan, that the archives
differ, or that the evaluation is wrong; "evaluate --explain" tells which rule.

Exit status: 0, whether they agree or not; 1 when a file cannot be read.`,
		Example: "  waptserver catalog compare -c wsusscn2.sqlite --report report.json --machine FACTS.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			host, err := readReport(report)
			if err != nil {
				return err
			}
			m, err := readMachine(machine)
			if err != nil {
				return err
			}
			return answer(cmd, q, nil, asJSON, func(c *openCatalogue) (comparison, error) {
				return comparison{m.Name(), c.Evaluate(m, catalog.EvaluateOptions{}).Against(host)}, nil
			}, printComparison)
		},
	}
	f := cmd.Flags()
	f.StringVar(&report, "report", "", "the host's report, `HOSTREPORT.json`")
	f.StringVar(&machine, "machine", "", "the recorded machine, a `FACTS.json`")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	cmdline.Require(cmd, "report", "machine")
	return cmd
}

func readReport(name string) ([]waptwua.OnHost, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("the host's report: %w", err)
	}
	var r hostReport
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("the host's report %s: %w", name, err)
	}
	switch {
	case r.Base != "":
		return nil, fmt.Errorf("the host's report %s says only what changed; compare a whole report, or the host's state", name)
	case r.Changed == nil && r.Updates == nil:
		return nil, fmt.Errorf("the host's report %s has neither \"changed\" nor \"updates\"", name)
	}
	return append(r.Changed, slices.SortedFunc(maps.Values(r.Updates), byIdentity)...), nil
}

func byIdentity(a, b waptwua.OnHost) int {
	if a.ID.String() < b.ID.String() {
		return -1
	}
	return 1
}

func printComparison(out io.Writer, c comparison) error {
	_, err := fmt.Fprintf(out, "%s: %d verdicts agree, %d differ; %d are unknown here, %d wait for a restart, %d updates are not in the archive.\n",
		c.Machine, c.Same, len(c.Differ), c.Undecided, c.Waiting, c.Foreign)
	if len(c.Differ) == 0 || err != nil {
		return err
	}
	t := plainTable("Update", "Host", "Verdict", "Reason")
	for _, d := range c.Differ {
		host := string(d.Host)
		if host == "" {
			host = "not mentioned"
		}
		t.AppendRow([]any{d.ID.String(), host, d.Verdict.String(), d.Reason})
	}
	return errors.Join(err, printTable(out, t, map[string]int{"Reason": 60}))
}
