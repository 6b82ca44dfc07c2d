package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/catalog"
	"waptwua/internal/cmdline"
	"waptwua/internal/hugepages"
	"waptwua/store/catalogdb"
	"waptwua/wsusscn2"
)

// catalogueFlag names the catalogue that a command asks.
type catalogueFlag struct {
	catalogue, archive string
	limits             *limits // of an archive that is read
}

// register adds the flags to a command that asks a catalogue.
func (q *catalogueFlag) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&q.catalogue, "catalogue", "c", "", "the catalogue `FILE` that \"catalog build\" made, or a scan archive")
	f.StringVar(&q.archive, "archive", "", "the scan archive `FILE`, instead of --catalogue")
	cmdline.Exclusive(f, "catalogue", "archive")
}

// open opens what the flags, or the arguments of a command that takes a FILE,
// name.
func (q *catalogueFlag) open(ctx context.Context, args ...string) (*openCatalogue, error) {
	flag := cmp.Or(q.catalogue, q.archive)
	switch {
	case len(args) > 0 && flag != "":
		return nil, cmdline.Usagef("which catalogue, %s or %s? Name one", args[0], flag)
	case len(args) > 0:
		return openCatalogueFile(ctx, args[0], q.limits)
	case flag != "":
		return openCatalogueFile(ctx, flag, q.limits)
	}
	return nil, cmdline.Usagef("which catalogue? Name it with --catalogue FILE (\"waptserver catalog build wsusscn2.cab\" makes one), or the scan archive with --archive wsusscn2.cab")
}

// openCatalogue is a catalogue, from a file that was built or from an archive.
type openCatalogue struct {
	*catalog.Graph
	path string
	file *catalogdb.Catalogue // nil: the graph is in memory
	view *catalogdb.View
}

// sqliteMagic begins every SQLite file, and so every catalogue.
const sqliteMagic = "SQLite format 3"

// graphMemory is about what an open catalogue of Microsoft's size takes.
const graphMemory = 64 << 20

// openCatalogueFile tells a catalogue from an archive by how it begins.
func openCatalogueFile(ctx context.Context, path string, l *limits) (*openCatalogue, error) {
	f, _, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	var magic [16]byte
	_, err = io.ReadFull(f, magic[:])
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	switch {
	case err == nil && bytes.HasPrefix(magic[:], []byte(sqliteMagic)):
		hugepages.Prepare(graphMemory)
		c, err := l.openBuilt(ctx, path)
		if err != nil {
			return nil, err
		}
		v := c.View()
		return &openCatalogue{Graph: v.Graph, path: path, file: c, view: v}, nil
	case err == nil && bytes.HasPrefix(magic[:], []byte("MSCF")):
		g, err := loadGraph(ctx, path, l)
		return &openCatalogue{Graph: g, path: path}, err
	}
	return nil, fmt.Errorf("%s is neither a catalogue nor a scan archive", path)
}

// openBuilt opens a catalogue that was built, within the limits of rules.
func (l *limits) openBuilt(ctx context.Context, path string) (*catalogdb.Catalogue, error) {
	c, err := catalogdb.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	c.LimitRules(l.rules)
	return c, nil
}

// Err tells whether every answer so far could be read.
func (o *openCatalogue) Err() error {
	if o.view == nil {
		return nil
	}
	return o.view.Err()
}

func (o *openCatalogue) Close() error {
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}

// loadGraph reads a scan archive's catalogue into memory.
func loadGraph(ctx context.Context, name string, l *limits) (*catalog.Graph, error) {
	f, size, err := openRegular(name)
	if err != nil {
		return nil, fmt.Errorf("the scan archive: %w", err)
	}
	defer f.Close()
	a, err := wsusscn2.Open(f, size, wsusscn2.Options{Spool: diskSpool{os.TempDir()}, Limits: l.archive})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	g, err := catalog.Load(ctx, a, catalog.Options{Limits: l.rules})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return g, nil
}

// findUpdates finds updates by KB number, by id (GUID_REVISION) or by GUID.
func findUpdates(g *catalog.Graph, name string) ([]waptwua.UpdateID, error) {
	if id, err := waptwua.ParseUpdateID(name); err == nil && g.Has(id) {
		return []waptwua.UpdateID{id}, nil
	}
	ids := g.ByGUID(name)
	if kb, err := waptwua.ParseKB(name); err == nil && len(ids) == 0 {
		ids = g.ByKB(kb)
	}
	if len(ids) == 0 {
		err := fmt.Errorf("%q: %w: the catalogue has no update of this KB number or id", name, waptwua.ErrNotFound)
		return nil, &statusError{err, statusNotFound}
	}
	return ids, nil
}

// answer opens the catalogue, lets ask answer from it, and prints what it
// returns as JSON or by print. An answer that could not be read to its end is
// an error and is not printed.
func answer[T any](cmd *cobra.Command, q *catalogueFlag, args []string, asJSON bool, ask func(*openCatalogue) (T, error), print func(io.Writer, T) error) error {
	c, err := q.open(cmd.Context(), args...)
	if err != nil {
		return err
	}
	defer c.Close()
	v, err := ask(c)
	if err = errors.Join(err, c.Err()); err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), v)
	}
	return print(cmd.OutOrStdout(), v)
}
