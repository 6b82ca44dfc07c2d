package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/cmdline"
)

// evaluation holds the flags of `catalog evaluate`.
type evaluation struct {
	machine           string
	machines          string
	explain           string
	workers           int
	asJSON            bool
	all               bool
	includeSuperseded bool
}

func newCatalogEvaluateCommand(q *catalogueFlag) *cobra.Command {
	var e evaluation
	cmd := &cobra.Command{
		Use:   "evaluate --machine FACTS.json | --machines DIR",
		Short: "Tell which updates a recorded machine has and lacks",
		Long: `Evaluates the applicability rules of a catalogue or scan archive against a
recorded machine (FACTS.json) and prints a verdict with its reason for each
update: applicable (the machine lacks it), installed, superseded, unknown or
not applicable. Not applicable ones are only counted, unless --all is given.

Unknown is a true answer, and the updates that are unknown are counted by its
cause: only Windows can tell (CbsPackageInstallable), the recording does not
hold what a rule asks, an operator is not understood, or the archive lacks what
is asked about. With --explain every rule that
decided the verdict is shown, with what the machine said.

With --machines every *.json file of a directory is evaluated, several at a
time, and one line for each machine counts its verdicts; with --json the line
is an object that also lists the updates that the machine lacks. Rules are
parsed once for all machines; the answers are the same as for each alone.

The signature of the archive is not checked here.

A file that is no recorded machine is named, with --json in a line with "error",
and the others are evaluated all the same.

Exit status: 0 when every machine was evaluated, whatever it lacks; 1 when a
file could not be read; 5 when the update to explain is not in the catalogue.`,
		Example: `  waptserver catalog evaluate -c wsusscn2.sqlite --machine FACTS.json
  waptserver catalog evaluate -c wsusscn2.sqlite --machine FACTS.json --explain KB5060842
  waptserver catalog evaluate -c wsusscn2.sqlite --machines ./inventory --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case e.machine == "" && e.machines == "":
				return cmdline.Usagef("which machine? Name its facts with --machine FACTS.json, or a folder of them with --machines DIR")
			case e.workers < 0:
				return cmdline.Usagef("--workers %d: want at least 0", e.workers)
			case e.machines != "":
				return e.runFleet(cmd.Context(), q, cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return e.run(cmd.Context(), q, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.machine, "machine", "", "the recorded machine, a `FACTS.json`")
	f.StringVar(&e.machines, "machines", "", "a `DIR` of recorded machines, *.json")
	f.IntVar(&e.workers, "workers", 0, "machines evaluated at the same time; 0: one for each processor")
	f.StringVar(&e.explain, "explain", "", "explain the verdicts on this `KB` number or update id")
	f.BoolVar(&e.asJSON, "json", false, "print JSON")
	f.BoolVar(&e.all, "all", false, "list updates that are not applicable, too")
	f.BoolVar(&e.includeSuperseded, "include-superseded", false, "count superseded updates as applicable")
	cmdline.Exclusive(f, "machine", "machines")
	cmdline.Exclusive(f, "machines", "explain")
	cmdline.Exclusive(f, "machines", "all")
	cmdline.Exclusive(f, "machine", "workers")
	cmdline.Exclusive(f, "explain", "all")
	return cmd
}

func (e *evaluation) options() catalog.EvaluateOptions {
	return catalog.EvaluateOptions{IncludeSuperseded: e.includeSuperseded}
}

func (e *evaluation) run(ctx context.Context, q *catalogueFlag, out io.Writer) error {
	m, err := readMachine(e.machine)
	if err != nil {
		return err
	}
	c, err := q.open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	result := c.Evaluate(m, e.options())
	if e.explain != "" {
		return e.printExplanations(out, c, result)
	}
	rows, name := e.rows(c.Graph, result), cmp.Or(m.Name(), filepath.Base(e.machine))
	if err := c.Err(); err != nil {
		return err
	}
	if e.asJSON {
		return printJSON(out, evaluationJSON{name, c.Head().Created.UTC(), countsByName(result.Counts()), countsByName(result.Doubts()), c.Stats(), rows})
	}
	return printEvaluation(out, name, c.Graph, result, rows)
}

// readMachine reads a FACTS.json.
func readMachine(name string) (*applicability.Machine, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("the machine's facts: %w; --machine names a FACTS.json, see docs/formats/machine.md", err)
	}
	f, err := applicability.ParseFacts(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m, err := applicability.NewMachine(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// evaluatedUpdate is one row of the answer.
type evaluatedUpdate struct {
	catalog.Result
	Title    string           `json:"title,omitempty"`
	KBs      []waptwua.KB     `json:"kbs,omitempty"`
	Severity waptwua.Severity `json:"severity,omitempty"`
	Size     int64            `json:"size,omitempty"` // bytes of all files declared
}

func (e *evaluation) rows(g *catalog.Graph, result *catalog.Evaluation) []evaluatedUpdate {
	rows := []evaluatedUpdate{}
	for _, id := range g.TopLevel() {
		if v, _ := result.Verdict(id); v == catalog.NotApplicable && !e.all {
			continue
		}
		r, _ := result.Result(id)
		u, _ := g.Update(id)
		rows = append(rows, evaluatedUpdate{r, u.Title, u.KBs, u.Severity, u.MaxDownloadSize})
	}
	return rows
}

func countsByName[K interface {
	comparable
	fmt.Stringer
}](counts map[K]int) map[string]int {
	named := map[string]int{}
	for k, n := range counts {
		named[k.String()] = n
	}
	return named
}

// summary says how many updates have which verdict, and why some are unknown.
func summary(counts, doubts map[string]int) string {
	n := func(v catalog.Verdict) int { return counts[v.String()] }
	why := make([]string, 0, len(doubts))
	for _, d := range slices.Sorted(maps.Keys(doubts)) {
		why = append(why, fmt.Sprintf("%s: %d", d, doubts[d]))
	}
	causes := ""
	if len(why) > 0 {
		causes = " (" + strings.Join(why, ", ") + ")"
	}
	return fmt.Sprintf("%d applicable, %d installed, %d superseded, %d unknown%s, %d not applicable", n(catalog.Applicable),
		n(catalog.Installed), n(catalog.Superseded), n(catalog.Unknown), causes, n(catalog.NotApplicable))
}

type evaluationJSON struct {
	Machine string            `json:"machine"`
	Archive time.Time         `json:"archive_created"`
	Counts  map[string]int    `json:"counts"`
	Doubts  map[string]int    `json:"doubts,omitempty"` // of the unknown ones
	Stats   catalog.Stats     `json:"stats"`
	Updates []evaluatedUpdate `json:"updates"`
}

func printEvaluation(out io.Writer, machine string, g *catalog.Graph, result *catalog.Evaluation, rows []evaluatedUpdate) error {
	if len(rows) > 0 {
		if err := printRows(out, rows); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%s against the archive of %s: %s.\n", machine, day(g.Head().Created),
		summary(countsByName(result.Counts()), countsByName(result.Doubts())))
	if n := len(g.Stats().Unsupported); n > 0 && err == nil {
		_, err = fmt.Fprintf(out, "Operators that could not be evaluated: %v.\n", g.Stats().Unsupported)
	}
	return err
}

func printRows(out io.Writer, rows []evaluatedUpdate) error {
	t := plainTable("KB", "Title", "Severity", "Size", "Verdict", "Reason")
	for _, r := range rows {
		t.AppendRow([]any{kbList(r.KBs), r.Title, string(r.Severity), byteSize(r.Size), r.Verdict.String(), r.Reason})
	}
	if err := printTable(out, t, map[string]int{"Title": 50, "Reason": 60}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

// printExplanations explains every update that --explain names.
func (e *evaluation) printExplanations(out io.Writer, c *openCatalogue, result *catalog.Evaluation) error {
	ids, err := findUpdates(c.Graph, e.explain)
	if err != nil {
		return fmt.Errorf("explain %w", err)
	}
	var list []*catalog.Explanation
	for _, id := range ids {
		list = append(list, result.Explain(id))
	}
	if err := c.Err(); err != nil {
		return err
	}
	if e.asJSON {
		return printJSON(out, list)
	}
	return writeExplanations(out, list)
}
