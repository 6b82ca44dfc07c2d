package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/catalog"
)

// shownUpdate is what `catalog show` tells of one update.
type shownUpdate struct {
	waptwua.Update
	Leaves        []shownLeaf       `json:"leaves"`
	Prerequisites [][]catalog.Named `json:"prerequisites,omitempty"` // of each list one must be installed
	Replaces      []catalog.Named   `json:"replaces,omitempty"`      // directly, the newest first
	SupersededBy  []catalog.Related `json:"superseded_by,omitempty"`
	EulaID        string            `json:"eula_id,omitempty"`
	Description   string            `json:"description,omitempty"`
}

// shownLeaf is a part of an update, with how it installs.
type shownLeaf struct {
	ID      waptwua.UpdateID `json:"id"`
	Handler string           `json:"handler,omitempty"`
	Files   int              `json:"files"`
	Bytes   int64            `json:"bytes"`
}

func newCatalogShowCommand(q *catalogueFlag) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show KB|UPDATE",
		Short: "Describe the updates of a KB number, or one update",
		Long: `Describes every update of a KB number, or the update of an id (GUID, or
GUID_REVISION): title, severity, products, CVEs, dates, sizes, how it installs
and restarts, what it needs, what it supersedes and what supersedes it.

Exit status: 0; 5 when the catalogue has no such update; 1 when it cannot be
read.`,
		Example: `  waptserver catalog show KB5060842 -c wsusscn2.sqlite
  waptserver catalog show 8d06a0ee-d9e0-478b-b168-5f0a514b78a6_100 -c wsusscn2.sqlite --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(cmd, q, nil, asJSON, func(c *openCatalogue) ([]shownUpdate, error) { return show(c.Graph, args[0]) }, printShown)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func show(g *catalog.Graph, name string) ([]shownUpdate, error) {
	ids, err := findUpdates(g, name)
	if err != nil {
		return nil, err
	}
	var out []shownUpdate
	for _, id := range ids {
		u, _ := g.Update(id)
		s := shownUpdate{Update: u, Prerequisites: g.Prerequisites(id), Replaces: g.Replaces(id), SupersededBy: g.SupersededBy(id)}
		if r := g.Record(id); r != nil {
			s.EulaID = r.EulaID
			if len(r.Texts) > 0 {
				s.Description = r.Texts[0].Description
			}
		}
		for _, l := range g.Leaves(id) {
			s.Leaves = append(s.Leaves, shownLeaf{l.ID, l.Handler, len(l.Files), totalSize(l.Files)})
		}
		out = append(out, s)
	}
	return out, nil
}

func totalSize(files []waptwua.File) (sum int64) {
	for _, f := range files {
		sum += f.Size
	}
	return sum
}

func printShown(out io.Writer, list []shownUpdate) error {
	var b strings.Builder
	for i := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		list[i].print(&b)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (s *shownUpdate) print(b *strings.Builder) {
	fmt.Fprintf(b, "%s\n", cmp.Or(s.Title, s.Type+" without a title"))
	for _, line := range [][2]string{
		{"id", s.ID.String()}, {"type", s.Type}, {"KB", kbList(s.KBs)}, {"severity", string(s.Severity)},
		{"class", strings.Join(s.Classifications, ", ")}, {"products", strings.Join(s.Products, ", ")},
		{"published", day(s.Published)}, {"bulletins", strings.Join(s.Bulletins, " ")}, {"CVEs", strings.Join(s.CVEs, " ")},
		{"handler", s.Handler}, {"restart", string(s.Reboot)}, {"licence", s.EulaID}, {"size", s.sizes()},
		{"more", s.MoreInfoURL}, {"about", s.Description}, {"replaced", s.replaced()},
	} {
		if line[1] != "" {
			fmt.Fprintf(b, "  %-10s %s\n", line[0], line[1])
		}
	}
	for _, name := range firstNames(s.Replaces, `%d others; "catalog supersedes" lists them`) {
		fmt.Fprintf(b, "  %-10s %s\n", "replaces", name)
	}
	for _, clause := range s.Prerequisites {
		fmt.Fprintf(b, "  %-10s %s\n", "needs", strings.Join(firstNames(clause, "one of %d others"), " or "))
	}
	for _, l := range s.Leaves {
		if l.Files == 0 && l.Handler == "" {
			continue // nothing that is installed
		}
		fmt.Fprintf(b, "  %-10s %s %s, %d files, %s\n", "part", l.ID, l.Handler, l.Files, byteSize(l.Bytes))
	}
}

func (s *shownUpdate) sizes() string {
	if s.MaxDownloadSize == 0 {
		return ""
	}
	return "up to " + byteSize(s.MaxDownloadSize)
}

// firstNames names the first three.
func firstNames(list []catalog.Named, others string) (names []string) {
	const shown = 3
	for _, n := range list[:min(shown, len(list))] {
		names = append(names, cmp.Or(n.Title, n.GUID))
	}
	if more := len(list) - shown; more > 0 {
		names = append(names, fmt.Sprintf(others, more))
	}
	return names
}

func (s *shownUpdate) replaced() string {
	if n := len(s.SupersededBy); n > 0 {
		return fmt.Sprintf("by %d updates, the nearest and newest of them %s", n, s.SupersededBy[0].ID)
	}
	return ""
}
