package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"waptwua"
)

// statusNotFound is the exit status for an update that a catalogue lacks.
const statusNotFound = 5

// newCatalogCommand is `waptserver catalog`: questions about a scan archive
// that need no server.
func newCatalogCommand() *cobra.Command {
	q := &catalogueFlag{limits: defaultLimits()}
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "Answer questions about the updates in a scan archive",
		Long: `Answers questions about the updates in a scan archive (wsusscn2.cab). "build"
makes a catalogue of it, one file that answers at once; the other commands take
such a catalogue, or the archive itself, which they then read first.

The signature of the archive is not checked here; "archive verify" does that.`,
	}
	q.limits.register(cmd)
	cmd.AddCommand(newCatalogBuildCommand(q.limits), newCatalogDiffCommand(q.limits))
	for _, asking := range []*cobra.Command{
		newCatalogShowCommand(q), newCatalogSearchCommand(q), newCatalogSupersedenceCommand(q, true), newCatalogSupersedenceCommand(q, false),
		newCatalogFilesCommand(q), newCatalogProductsCommand(q), newCatalogStatsCommand(q), newCatalogAskedCommand(q),
		newCatalogEvaluateCommand(q), newCatalogCompareCommand(q),
	} {
		q.register(asking)
		cmd.AddCommand(asking)
	}
	return cmd
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// plainTable is a table without lines.
func plainTable(header ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(table.Row(header))
	return t
}

// printTable prints a table whose columns given wrap at a width.
func printTable(out io.Writer, t table.Writer, widths map[string]int) error {
	var columns []table.ColumnConfig
	for name, width := range widths {
		columns = append(columns, table.ColumnConfig{Name: name, WidthMax: width, WidthMaxEnforcer: text.WrapSoft})
	}
	t.SetColumnConfigs(columns)
	_, err := fmt.Fprintln(out, t.Render())
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

// day writes a date; "" when unknown.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
