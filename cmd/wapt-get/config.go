package main

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"waptwua/agent/settings"
)

func (a *app) showConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show-config",
		Short: "Print every option in force, with where it comes from",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.settings()
			if err != nil {
				return err
			}
			return a.print(shownConfig{s.Options(), s.Problems}, func(w io.Writer) error { return printConfig(w, s) })
		},
	}
}

type shownConfig struct {
	Options  []settings.Option  `json:"options"`
	Problems []settings.Problem `json:"problems,omitempty"`
}

func printConfig(w io.Writer, s *settings.Settings) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	section := ""
	for _, o := range s.Options() {
		if o.Section != section {
			section = o.Section
			fmt.Fprintf(t, "[%s]\n", section)
		}
		fmt.Fprintf(t, "%s\t= %s\t%s\n", o.Name, cmp.Or(o.Value, "-"), o.Origin)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range s.Problems {
		fmt.Fprintln(w, "problem:", p)
	}
	return nil
}
