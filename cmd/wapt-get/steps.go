package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"waptwua"
	"waptwua/agent"
)

// printSteps prints the time line of each update that has one, the one that
// moved last first.
func (a *app) printSteps(w io.Writer, s *agent.Status) error {
	var rows []waptwua.OnHost
	for _, u := range s.State.Updates {
		if len(u.Steps) > 0 {
			rows = append(rows, u)
		}
	}
	slices.SortFunc(rows, func(a, b waptwua.OnHost) int {
		return cmp.Or(b.Steps[len(b.Steps)-1].At.Compare(a.Steps[len(a.Steps)-1].At), strings.Compare(a.ID.String(), b.ID.String()))
	})
	for _, u := range rows {
		about := s.Updates[u.ID]
		fmt.Fprintf(w, "%s %s %s\n", u.Status, kbs(about.KBs), cmp.Or(about.Title, u.ID.String()))
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, step := range u.Steps {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", step.Phase, age(step.At, a.now()), step.Note)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if u.Way.Tool != "" {
			fmt.Fprintf(w, "  by %s: %s\n", u.Way.Tool, u.Way.Why)
		}
	}
	return nil
}

// printLoop says that restarts achieve nothing.
func printLoop(w io.Writer, f *waptwua.Failure) {
	if f != nil {
		fmt.Fprintf(w, "restarts    %s %s\n", f.Sentence, f.Remedy)
	}
}
