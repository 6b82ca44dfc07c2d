package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/catalog"
	"waptwua/internal/cmdline"
	"waptwua/policy"
)

// listedUpdate is a row of a list of updates.
type listedUpdate struct {
	ID        waptwua.UpdateID `json:"id"`
	KBs       []waptwua.KB     `json:"kbs,omitempty"`
	Title     string           `json:"title,omitempty"`
	Severity  waptwua.Severity `json:"severity,omitempty"`
	Published time.Time        `json:"published,omitzero"`
	Size      int64            `json:"size,omitempty"`  // bytes of all files declared
	Steps     int              `json:"steps,omitempty"` // of supersedence
}

func listUpdate(g *catalog.Graph, id waptwua.UpdateID) listedUpdate {
	u, _ := g.Update(id)
	return listedUpdate{ID: id, KBs: u.KBs, Title: u.Title, Severity: u.Severity, Published: u.Published, Size: u.MaxDownloadSize}
}

func listedAll(g *catalog.Graph, ids []waptwua.UpdateID) []listedUpdate {
	rows := make([]listedUpdate, len(ids))
	for i, id := range ids {
		rows[i] = listUpdate(g, id)
	}
	return rows
}

func printListed(out io.Writer, rows []listedUpdate) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(out, "No updates.")
		return err
	}
	t := plainTable("Published", "KB", "Severity", "Size", "Title", "Update")
	for _, r := range rows {
		t.AppendRow([]any{day(r.Published), kbList(r.KBs), string(r.Severity), byteSize(r.Size), r.Title, r.ID.String()})
	}
	return printTable(out, t, map[string]int{"Title": 70})
}

// search holds the flags of `catalog search`.
type search struct {
	product, class, severity, cve, since, until string
	current, asJSON                             bool
	most                                        int
}

func newCatalogSearchCommand(q *catalogueFlag) *cobra.Command {
	var s search
	cmd := &cobra.Command{
		Use:   "search [WORD…]",
		Short: "List updates by words, product, classification, severity, date or CVE",
		Long: `Lists the updates, the newest first, in whose titles, KB numbers, CVEs and
bulletins every WORD occurs, and that fit all the flags given. Without words
the flags alone decide.

Exit status: 0, also when nothing was found; 1 when the catalogue cannot be
read; 2 when a date or severity is none.`,
		Example: `  waptserver catalog search cumulative 24h2 -c wsusscn2.sqlite --current
  waptserver catalog search -c wsusscn2.sqlite --product "Windows 11" --severity Critical --since 2026-11-01
  waptserver catalog search -c wsusscn2.sqlite --cve CVE-2026-21337 --json`,
		RunE: func(cmd *cobra.Command, words []string) error {
			query, err := s.query(words)
			if err != nil {
				return err
			}
			return answer(cmd, q, nil, s.asJSON, func(c *openCatalogue) ([]listedUpdate, error) {
				ids := c.Search(query)
				if s.most > 0 {
					ids = ids[:min(len(ids), s.most)]
				}
				return listedAll(c.Graph, ids), nil
			}, printListed)
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.product, "product", "", "of a product or family: part of its `NAME`, or its GUID")
	f.StringVar(&s.class, "classification", "", "of a classification: part of its `NAME`, or its GUID")
	f.StringVar(&s.severity, "severity", "", "rated `Critical`, Important, Moderate or Low")
	f.StringVar(&s.cve, "cve", "", "correcting this `CVE`")
	f.StringVar(&s.since, "since", "", "published on this `DATE` (YYYY-MM-DD) or later")
	f.StringVar(&s.until, "until", "", "published before this `DATE`")
	f.BoolVar(&s.current, "current", false, "only those that no other update supersedes")
	f.IntVar(&s.most, "max", 0, "at most so many; 0: all")
	f.BoolVar(&s.asJSON, "json", false, "print JSON")
	return cmd
}

func (s *search) query(words []string) (q catalog.Query, err error) {
	if s.most < 0 {
		return q, cmdline.Usagef("--max %d: want a number of updates, or 0 for all", s.most)
	}
	q = catalog.Query{Words: words, Product: s.product, Classification: s.class, CVE: s.cve, Current: s.current}
	if q.Severity, err = parseRating(s.severity); err != nil {
		return q, err
	}
	if q.Since, err = parseDay("since", s.since); err != nil {
		return q, err
	}
	q.Until, err = parseDay("until", s.until)
	return q, err
}

// parseRating reads a severity; "": any.
func parseRating(text string) (waptwua.Severity, error) {
	if text == "" {
		return "", nil
	}
	rating, err := policy.ParseSeverity(text)
	if err != nil || rating == waptwua.Unrated {
		return "", cmdline.Usagef("--severity %s: want Critical, Important, Moderate or Low", text)
	}
	return rating, nil
}

func parseDay(flag, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, value)
	if err != nil {
		return t, cmdline.Usagef("--%s %s: want a date like 2026-11-10", flag, value)
	}
	return t, nil
}

func newCatalogSupersedenceCommand(q *catalogueFlag, newer bool) *cobra.Command {
	var asJSON bool
	use, what := "supersedes KB|UPDATE", "that an update supersedes"
	related := (*catalog.Graph).Supersedes
	if newer {
		use, what = "superseded-by KB|UPDATE", "that supersede an update"
		related = (*catalog.Graph).SupersededBy
	}
	name, _, _ := strings.Cut(use, " ")
	cmd := &cobra.Command{
		Use:   use,
		Short: "List the updates " + what + ", directly or through others",
		Long: `Lists all updates ` + what + `, directly or through others, the
nearest first and of equally near ones the newest; with --json "steps" tells how
near. For a KB number those of all its updates are listed.

Exit status: 0, also when there are none; 5 when the catalogue has no such
update; 1 when it cannot be read.`,
		Example: "  waptserver catalog " + name + " KB5060842 -c wsusscn2.sqlite",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(cmd, q, nil, asJSON, func(c *openCatalogue) ([]listedUpdate, error) {
				return supersedence(c.Graph, args[0], related)
			}, printListed)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func supersedence(g *catalog.Graph, name string, related func(*catalog.Graph, waptwua.UpdateID) []catalog.Related) ([]listedUpdate, error) {
	ids, err := findUpdates(g, name)
	if err != nil {
		return nil, err
	}
	rows := []listedUpdate{}
	seen := map[waptwua.UpdateID]bool{}
	for _, id := range ids {
		for _, r := range related(g, id) {
			if !seen[r.ID] {
				seen[r.ID] = true
				row := listUpdate(g, r.ID)
				row.Steps = r.Steps
				rows = append(rows, row)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b listedUpdate) int {
		return cmp.Or(cmp.Compare(a.Steps, b.Steps), b.Published.Compare(a.Published))
	})
	return rows, nil
}
