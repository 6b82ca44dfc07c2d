package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/wsusscn2"
)

// newCatalogCommand is `waptserver catalog`: questions about a scan archive
// that need no server.
func newCatalogCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "Answer questions about the updates in a scan archive",
	}
	cmd.AddCommand(newCatalogEvaluateCommand())
	return cmd
}

// evaluation holds the flags of `catalog evaluate`.
type evaluation struct {
	archive           string
	machine           string
	explain           string
	asJSON            bool
	all               bool
	includeSuperseded bool
}

func newCatalogEvaluateCommand() *cobra.Command {
	var e evaluation
	cmd := &cobra.Command{
		Use:   "evaluate --archive FILE --machine FACTS.json",
		Short: "Tell which updates of a scan archive a recorded machine has and lacks",
		Long: `Evaluates the applicability rules of a scan archive (wsusscn2.cab) against a
recorded machine (FACTS.json) and prints a verdict with its reason for each
update: applicable (the machine lacks it), installed, superseded, unknown or
not applicable. Not applicable ones are only counted, unless --all is given.

Unknown is a true answer: some rules can only be evaluated by Windows itself,
and a recording may not hold what a rule asks. With --explain every rule that
decided the verdict is shown, with what the machine said.

The signature of the archive is not checked here.

Exit status: 0 when the machine was evaluated, whatever it lacks; not 0 when
a file could not be read or the update to explain is not in the archive.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.archive, "archive", "", "the scan archive `FILE`")
	f.StringVar(&e.machine, "machine", "", "the recorded machine, a `FACTS.json`")
	f.StringVar(&e.explain, "explain", "", "explain the verdicts on this `KB` number or update id")
	f.BoolVar(&e.asJSON, "json", false, "print JSON")
	f.BoolVar(&e.all, "all", false, "list updates that are not applicable, too")
	f.BoolVar(&e.includeSuperseded, "include-superseded", false, "count superseded updates as applicable")
	for _, name := range []string{"archive", "machine"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag was defined above
		}
	}
	return cmd
}

func (e *evaluation) run(ctx context.Context, out io.Writer) error {
	m, err := readMachine(e.machine)
	if err != nil {
		return err
	}
	g, err := loadGraph(ctx, e.archive)
	if err != nil {
		return err
	}
	result := g.Evaluate(m, catalog.EvaluateOptions{IncludeSuperseded: e.includeSuperseded})
	if e.explain != "" {
		return e.printExplanations(out, g, result)
	}
	rows := e.rows(g, result)
	if e.asJSON {
		return printJSON(out, evaluationJSON{m.Name(), g.Head().Created.UTC(), countsByName(result), g.Stats(), rows})
	}
	return printEvaluation(out, m.Name(), g, result, rows)
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
	return applicability.NewMachine(f)
}

// loadGraph reads a scan archive's catalogue.
func loadGraph(ctx context.Context, name string) (*catalog.Graph, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the scan archive: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("the scan archive: %w", err)
	}
	a, err := wsusscn2.Open(f, info.Size(), wsusscn2.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	g, err := catalog.Load(ctx, a, catalog.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return g, nil
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

func countsByName(result *catalog.Evaluation) map[string]int {
	counts := map[string]int{}
	for v, n := range result.Counts() {
		counts[v.String()] = n
	}
	return counts
}

type evaluationJSON struct {
	Machine string            `json:"machine"`
	Archive any               `json:"archive_created"`
	Counts  map[string]int    `json:"counts"`
	Stats   catalog.Stats     `json:"stats"`
	Updates []evaluatedUpdate `json:"updates"`
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func printEvaluation(out io.Writer, machine string, g *catalog.Graph, result *catalog.Evaluation, rows []evaluatedUpdate) error {
	if len(rows) > 0 {
		if err := printRows(out, rows); err != nil {
			return err
		}
	}
	counts := result.Counts()
	_, err := fmt.Fprintf(out, "%s against the archive of %s: %d applicable, %d installed, %d superseded, %d unknown, %d not applicable.\n",
		machine, g.Head().Created.UTC().Format("2006-01-02"), counts[catalog.Applicable], counts[catalog.Installed],
		counts[catalog.Superseded], counts[catalog.Unknown], counts[catalog.NotApplicable])
	if n := len(g.Stats().Unsupported); n > 0 && err == nil {
		_, err = fmt.Fprintf(out, "Operators that could not be evaluated: %v.\n", g.Stats().Unsupported)
	}
	return err
}

func printRows(out io.Writer, rows []evaluatedUpdate) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(table.Row{"KB", "Title", "Severity", "Size", "Verdict", "Reason"})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Name: "Title", WidthMax: 50, WidthMaxEnforcer: text.WrapSoft},
		{Name: "Reason", WidthMax: 60, WidthMaxEnforcer: text.WrapSoft},
	})
	for _, r := range rows {
		t.AppendRow(table.Row{kbList(r.KBs), r.Title, string(r.Severity), byteSize(r.Size), r.Verdict.String(), r.Reason})
	}
	_, err := fmt.Fprintf(out, "%s\n\n", t.Render())
	return err
}

func kbList(kbs []waptwua.KB) string {
	names := make([]string, len(kbs))
	for i, kb := range kbs {
		names[i] = kb.String()
	}
	return strings.Join(names, " ")
}

// byteSize writes a size for people, in decimal units; "" when unknown.
func byteSize(n int64) string {
	switch {
	case n <= 0:
		return ""
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), 0
	for f >= 999.5 && unit < 4 {
		f, unit = f/1000, unit+1
	}
	return fmt.Sprintf("%.1f %cB", f, " kMGT"[unit])
}
