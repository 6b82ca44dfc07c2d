package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"waptwua/cab"
)

// listed is one file of a cabinet, as `archive list --json` prints it.
type listed struct {
	Name     string    `json:"name"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified,omitzero"`
}

func newArchiveListCommand(l *limits) *cobra.Command {
	var asJSON, nested bool
	cmd := &cobra.Command{
		Use:   "list FILE",
		Short: "List the files of any cabinet",
		Long: `Lists the files of a cabinet with their sizes. With --nested the files of inner
cabinets are listed too, below the name of the cabinet they lie in.

Exit status: 0, 3 when an inner cabinet could not be read, 1 when the file
could not.`,
		Example: `  waptserver archive list wsusscn2.cab
  waptserver archive list --nested --json wsusscn2.cab`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := openCabinet(args[0], l.archive.Cabinet)
			if err != nil {
				return err
			}
			defer c.Close()
			list := &lister{out: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(), asJSON: asJSON, nested: nested, inner: newInnerCabinets(l)}
			if err := list.cabinet(c.Reader, "", 0); err != nil {
				return err
			}
			return list.end()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	cmd.Flags().BoolVar(&nested, "nested", false, "list inner cabinets too")
	return cmd
}

// lister prints the files of a cabinet.
type lister struct {
	out, stderr    io.Writer
	asJSON, nested bool
	inner          innerCabinets
	failed         int
}

func (l *lister) cabinet(r *cab.Reader, prefix string, depth int) error {
	if !l.nested {
		for _, f := range r.Files {
			if err := l.file(prefix, f); err != nil {
				return err
			}
		}
		return nil
	}
	return eachFile(r, func(f *cab.File, content io.Reader) error {
		if err := l.file(prefix, f); err != nil {
			return err
		}
		if !isInner(f) {
			return nil
		}
		return l.inner.open(f, content, depth, func(inner *cab.Reader) error {
			return l.cabinet(inner, prefix+f.Name+"/", depth+1)
		}, func(err error) {
			l.failed++
			fmt.Fprintf(l.stderr, "%s%s: %v\n", prefix, f.Name, err)
		})
	})
}

func (l *lister) file(prefix string, f *cab.File) error {
	if l.asJSON {
		return json.NewEncoder(l.out).Encode(listed{prefix + f.Name, f.Size, f.Modified})
	}
	_, err := fmt.Fprintf(l.out, "%12d  %s  %q\n", f.Size, f.Modified.Format("2006-01-02 15:04:05"), prefix+f.Name)
	return err
}

func (l *lister) end() error {
	if l.failed > 0 {
		return &statusError{fmt.Errorf("%d inner cabinets could not be read", l.failed), statusPartly}
	}
	return nil
}

// eachFile makes one pass over every folder of a cabinet. visit gets each
// file with its content; an error of visit ends the pass.
func eachFile(r *cab.Reader, visit func(*cab.File, io.Reader) error) error {
	for _, folder := range r.Folders {
		if len(folder.Files) == 0 {
			continue
		}
		if err := eachInFolder(folder, visit); err != nil {
			return err
		}
	}
	return nil
}

func eachInFolder(folder *cab.Folder, visit func(*cab.File, io.Reader) error) error {
	fr, err := folder.Open()
	if err != nil { // the folder cannot be read at all: its files say so
		for _, f := range folder.Files {
			if err := visit(f, failing{err}); err != nil {
				return err
			}
		}
		return nil
	}
	defer fr.Close()
	for {
		f, err := fr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = visit(f, fr)
		}
		if err != nil {
			return err
		}
	}
}

// failing is the content of a file that cannot be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
