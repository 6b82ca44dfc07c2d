package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/transport"
)

func (a *app) statusCommand() *cobra.Command {
	var all, native, steps bool
	c := &cobra.Command{
		Use:   "waptwua-status",
		Short: "Print what is known about this host's updates, without searching",
		Args:  cobra.NoArgs,
		Long: `Prints what is known about this host's updates, without searching, and looks
whether Windows' own updating is under control. With --native, prints every
policy value and service that was looked at, what is wanted and what was
found, and which of them somebody else has changed. With --steps, prints of each
update when it was needed, downloaded, installed and verified; --json has all.`,
		Example: "  wapt-get waptwua-status --native\n  wapt-get waptwua-status --steps",
		RunE: func(c *cobra.Command, _ []string) error {
			if a.byService {
				return a.serviceStatus(c.Context(), all)
			}
			ag, _, err := a.open()
			if err != nil {
				return err
			}
			defer ag.Close()
			s, err := ag.Status()
			if err != nil {
				return err
			}
			out := statusOutput{Status: s}
			out.look(c.Context(), a.updating.control)
			return a.print(out, func(w io.Writer) error {
				switch {
				case native:
					return a.printProof(w, out)
				case steps:
					return a.printSteps(w, out.Status)
				}
				return a.printStatus(w, out, all)
			})
		},
	}
	c.Flags().BoolVar(&steps, "steps", false, "when each update came how far, and by what it was installed")
	c.Flags().BoolVar(&native, "native", false, "what shows whether Windows' own updating is under control")
	c.Flags().BoolVarP(&a.byService, "service", "S", false, "ask the running service; users who are no administrators get an overview")
	c.Flags().BoolVarP(&all, "all", "a", false, "also updates that are installed")
	return c
}

func (a *app) printStatus(w io.Writer, s statusOutput, all bool) error {
	if h := s.State.Host; h.UUID != "" { // of a host that has done something
		fmt.Fprintf(w, "host        %s %s\n", h.Name, h.UUID)
	}
	if s.Registered {
		fmt.Fprintf(w, "registered  until %s\n", s.Expires.Format(time.DateOnly))
	} else {
		fmt.Fprintln(w, "registered  no; run: wapt-get register --token-file FILE")
	}
	fmt.Fprintf(w, "scanned     %s\n", age(s.State.Scan.At, a.now()))
	if e := s.State.Scan.Error; e != nil {
		fmt.Fprintf(w, "scan failed %s: %s\n", age(e.At, a.now()), e)
	}
	for _, p := range s.State.Problems {
		fmt.Fprintf(w, "settings    %s\n", p)
	}
	printWindow(w, s.Window)
	for _, r := range s.State.Rules {
		fmt.Fprintf(w, "rules       %s %d by %s %s\n", r.Name, r.Version, r.Signer, r.Error)
	}
	s.printNative(w)
	printLoop(w, s.State.RestartLoop)
	a.printRestart(w, s.State.Restart)
	if err := summary(w, s.Status); err != nil {
		return err
	}
	return table(w, s.Status, all)
}

// printWindow says when the host may be changed.
func printWindow(w io.Writer, v *agent.Window) {
	const form = "Mon 2006-01-02 15:04"
	if v == nil {
		return
	}
	next := "never"
	if !v.Next.IsZero() {
		next = v.Next.Local().Format(form)
	}
	if v.OpenUntil.IsZero() {
		fmt.Fprintf(w, "window      closed, opens %s\n", next)
	} else {
		fmt.Fprintf(w, "window      open until %s, the next one opens %s\n", v.OpenUntil.Local().Format(form), next)
	}
	switch {
	case v.Missed.IsZero():
	case v.CatchUp.IsZero():
		fmt.Fprintf(w, "missed      the window until %s; waits for the next one\n", v.Missed.Local().Format(form))
	default:
		fmt.Fprintf(w, "missed      the window until %s; made up for from %s\n", v.Missed.Local().Format(form), v.CatchUp.Local().Format(form))
	}
}

// printRestart says how far the host has come with a restart.
func (a *app) printRestart(w io.Writer, r *transport.Restart) {
	if r == nil {
		return
	}
	parts := []string{"needed since " + age(r.Due, a.now())}
	for _, p := range []struct {
		text string
		at   time.Time
	}{{"told to Windows", r.Ordered}, {"announced for", r.At}, {"user last asked", r.Asked}, {"not asked again before", r.Until}, {"at the latest", r.Forced}} {
		if !p.at.IsZero() {
			parts = append(parts, p.text+" "+p.at.Local().Format("2006-01-02 15:04"))
		}
	}
	if r.Snoozed > 0 {
		parts = append(parts, fmt.Sprintf("put off %d times", r.Snoozed))
	}
	fmt.Fprintf(w, "restart     %s\n", strings.Join(parts, ", "))
}

// age is a moment with its distance from now.
func age(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return fmt.Sprintf("%s (%s ago)", t.Local().Format("2006-01-02 15:04"), now.Sub(t).Round(time.Minute))
}

// counts tells how many updates have which status.
func counts(s *agent.Status) map[waptwua.Status]int {
	count := map[waptwua.Status]int{}
	for _, u := range s.State.Updates {
		count[u.Status]++
	}
	return count
}

// summary is one line: the host's status and how many updates have which.
func summary(w io.Writer, s *agent.Status) error {
	count := counts(s)
	parts := []string{"status      " + cmp.Or(string(s.State.Status), "unknown")}
	for _, st := range []waptwua.Status{waptwua.StatusOK, waptwua.StatusPending, waptwua.StatusMissing, waptwua.StatusDiscarded, waptwua.StatusReboot, waptwua.StatusError, waptwua.StatusSuperseded} {
		if count[st] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[st], st))
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(parts, ", "))
	return err
}

// table lists the updates, the most pressing first, and then what is wrong
// with those that failed.
func table(w io.Writer, s *agent.Status, all bool) error {
	var rows []waptwua.OnHost
	for _, u := range s.State.Updates {
		if all || u.Status != waptwua.StatusOK {
			rows = append(rows, u)
		}
	}
	slices.SortFunc(rows, func(a, b waptwua.OnHost) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), strings.Compare(a.ID.String(), b.ID.String()))
	})
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, u := range rows {
		about := s.Updates[u.ID]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", u.Status, kbs(about.KBs), why(u), cmp.Or(about.Title, u.ID.String()))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printFailures(w, s, rows)
}

// printFailures says of each failed update what happened and what to do.
func printFailures(w io.Writer, s *agent.Status, rows []waptwua.OnHost) error {
	for _, u := range rows {
		if !failing(u) {
			continue
		}
		about := s.Updates[u.ID]
		if _, err := fmt.Fprintf(w, "\n%s %s\n  %s\n", kbs(about.KBs), cmp.Or(about.Title, u.ID.String()), u.Failure); err != nil {
			return err
		}
	}
	return nil
}

func failing(u waptwua.OnHost) bool { return u.Failure != nil && u.Status == waptwua.StatusError }

func kbs(list []waptwua.KB) string {
	texts := make([]string, len(list))
	for i, k := range list {
		texts[i] = k.String()
	}
	return cmp.Or(strings.Join(texts, " "), "-")
}

// why says in short why an update has its status.
func why(u waptwua.OnHost) string {
	switch {
	case failing(u):
		return fmt.Sprintf("attempt %d failed, see below", u.Failure.Attempts)
	case u.Status == waptwua.StatusDiscarded:
		return strings.TrimSpace(fmt.Sprintf("%s by %s: %s %s", u.Verdict.Decision, u.Verdict.Origin, u.Verdict.Reason, u.Verdict.Detail))
	case u.Downloaded:
		return "downloaded"
	}
	return "-"
}
