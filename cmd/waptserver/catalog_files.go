package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/catalog"
	"waptwua/transport"
)

// updateFiles is what would be downloaded for one update.
type updateFiles struct {
	ID     waptwua.UpdateID      `json:"id"`
	Title  string                `json:"title,omitempty"`
	Bytes  int64                 `json:"bytes"` // of all files, each counted once
	Leaves []transport.LeafFiles `json:"leaves"`
}

func newCatalogFilesCommand(q *catalogueFlag) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "files KB|UPDATE",
		Short: "List exactly which files would be downloaded for an update",
		Long: `Lists the files that the server would download for every update of a KB number,
or for one update: name, size, digests and address, and the route by which they
reach the host's installer: wua (put into the Windows Update Agent's cache) or
dism (installed by servicing, for OSInstaller updates, which need fewer files
than they declare).

Exit status: 0; 5 when the catalogue has no such update; 1 when it cannot be
read.`,
		Example: `  waptserver catalog files KB5060842 -c wsusscn2.sqlite
  waptserver catalog files KB5060842 -c wsusscn2.sqlite --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(cmd, q, nil, asJSON, func(c *openCatalogue) ([]updateFiles, error) {
				return filesOf(c.Graph, args[0])
			}, printFiles)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func filesOf(g *catalog.Graph, name string) ([]updateFiles, error) {
	ids, err := findUpdates(g, name)
	if err != nil {
		return nil, err
	}
	var out []updateFiles
	for _, id := range ids {
		u, _ := g.Update(id)
		f := updateFiles{ID: id, Title: u.Title, Leaves: routed(g.Leaves(id))}
		seen := map[waptwua.SHA1]bool{}
		for _, l := range f.Leaves {
			for _, file := range l.Files {
				if !seen[file.SHA1] {
					seen[file.SHA1] = true
					f.Bytes += file.Size
				}
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// routed chooses how the files of each part reach the host's installer.
func routed(leaves []catalog.Leaf) []transport.LeafFiles {
	out := make([]transport.LeafFiles, len(leaves))
	for i, l := range leaves {
		out[i] = transport.LeafFiles{ID: l.ID, Handler: l.Handler, Route: transport.RouteWUA, Files: l.Files}
		switch {
		case len(l.Packages) > 0:
			out[i].Route, out[i].Files = transport.RouteDISM, l.Packages
		case len(l.Files) == 0:
			out[i].Route = transport.RouteNone
		}
	}
	return out
}

// printFiles lists one file below the other: digests and addresses are longer
// than the columns of a table may be.
func printFiles(out io.Writer, list []updateFiles) error {
	var b strings.Builder
	for _, u := range list {
		u.print(&b)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (u *updateFiles) print(b *strings.Builder) {
	fmt.Fprintf(b, "%s %s\n", u.ID, u.Title)
	before := b.Len()
	for _, l := range u.Leaves {
		for _, f := range l.Files {
			fmt.Fprintf(b, "\n  %s (%s, %s)\n", f.Name, cmp.Or(byteSize(f.Size), "size unknown"), l.Route)
			fmt.Fprintf(b, "    SHA-1    %s\n", f.SHA1)
			if !f.SHA256.IsZero() {
				fmt.Fprintf(b, "    SHA-256  %s\n", f.SHA256)
			}
			fmt.Fprintf(b, "    %s\n", f.URL)
		}
	}
	if b.Len() == before {
		b.WriteString("\n  No files.\n\n")
		return
	}
	fmt.Fprintf(b, "\n  %s in all\n\n", cmp.Or(byteSize(u.Bytes), "size unknown"))
}
