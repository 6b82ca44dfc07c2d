package main

import (
	"fmt"
	"io"

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

func printFiles(out io.Writer, list []updateFiles) error {
	for _, u := range list {
		if _, err := fmt.Fprintf(out, "%s %s\n%s in all\n", u.ID, u.Title, byteSize(u.Bytes)); err != nil {
			return err
		}
		t := plainTable("Route", "Size", "File", "SHA-1", "SHA-256", "Address")
		for _, l := range u.Leaves {
			for _, f := range l.Files {
				sum := ""
				if !f.SHA256.IsZero() {
					sum = f.SHA256.String()
				}
				t.AppendRow([]any{string(l.Route), byteSize(f.Size), f.Name, f.SHA1.String(), sum, f.URL})
			}
		}
		if err := printTable(out, t, nil); err != nil {
			return err
		}
	}
	return nil
}
