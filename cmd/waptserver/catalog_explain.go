package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"waptwua/applicability"
	"waptwua/catalog"
)

// writeExplanations prints explanations for people.
func writeExplanations(out io.Writer, list []*catalog.Explanation) error {
	w := &explanationWriter{w: bufio.NewWriter(out)}
	for _, x := range list {
		w.explanation(x, 0)
	}
	return w.w.Flush()
}

// explanationWriter prints explanations as an indented tree. Errors stay in
// the buffered writer until Flush.
type explanationWriter struct{ w *bufio.Writer }

func (w *explanationWriter) line(depth int, format string, args ...any) {
	fmt.Fprintf(w.w, "%s%s\n", strings.Repeat("  ", depth), fmt.Sprintf(format, args...))
}

func (w *explanationWriter) explanation(x *catalog.Explanation, depth int) {
	w.line(depth, "%s %s", x.ID, x.Title)
	w.line(depth, "%s: %s", x.Verdict, x.Reason)
	w.details(x, depth+1)
}

func (w *explanationWriter) details(x *catalog.Explanation, depth int) {
	if x.Repeated {
		w.line(depth, "(explained above)")
		return
	}
	for _, c := range x.Prerequisites {
		w.clause("needs", c, depth)
	}
	for _, s := range x.Rules {
		w.step(s, depth)
	}
	for _, c := range x.Children {
		w.clause("child", c, depth)
	}
	for _, r := range x.ReplacedBy {
		w.line(depth, "can be replaced by %s %s: %s", r.ID, r.Title, r.Verdict)
	}
}

// clause prints the alternatives that decided: all of them, unless one is
// true.
func (w *explanationWriter) clause(what string, c catalog.Clause, depth int) {
	members := c.Members
	if what == "needs" && c.Result == applicability.True {
		members = satisfied(members)
	}
	if n := len(c.Members); n > 1 {
		w.line(depth, "%s one of %d: %s", what, n, c.Result)
		depth++
	}
	for _, m := range members {
		w.line(depth, "%s %s %s: %s", what, m.GUID, m.Title, m.Result)
		if len(m.Revisions) == 0 {
			w.line(depth+1, "(not in the archive)")
		}
		for _, x := range m.Revisions {
			w.line(depth+1, "revision %d %s: %s", x.ID.Revision, x.Verdict, x.Reason)
			w.details(x, depth+2)
		}
	}
}

func satisfied(members []catalog.Member) []catalog.Member {
	for i, m := range members {
		if m.Result == applicability.True {
			return members[i : i+1]
		}
	}
	return members
}

func (w *explanationWriter) step(s *applicability.Step, depth int) {
	var b strings.Builder
	b.WriteString(s.Operator)
	for _, a := range s.Attributes {
		fmt.Fprintf(&b, ` %s="%s"`, a.Name, a.Value)
	}
	b.WriteString(": " + s.Result.String())
	if s.Said != "" {
		b.WriteString(" (machine: " + s.Said + ")")
	}
	w.line(depth, "%s", b.String())
	for _, below := range s.Steps {
		w.step(below, depth+1)
	}
}
