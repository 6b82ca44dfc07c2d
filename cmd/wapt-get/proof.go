package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"waptwua/agent"
	"waptwua/wua/native"
)

// statusOutput is what waptwua-status knows.
type statusOutput struct {
	*agent.Status
	Native      *native.Proof `json:"native,omitempty"`
	NativeError string        `json:"native_error,omitempty"` // why there is no proof
}

// look proves the state of native updating.
func (s *statusOutput) look(ctx context.Context, c *native.Control) {
	p, err := c.Prove(ctx)
	if err != nil {
		s.NativeError = err.Error()
		return
	}
	s.Native = p
}

// printNative says in short whether native updating is under control, and
// what is not as it should be.
func (s *statusOutput) printNative(w io.Writer) {
	p := s.Native
	switch {
	case p == nil && s.NativeError == "":
		return // nobody looked
	case p == nil:
		fmt.Fprintf(w, "native      unknown: %s\n", s.NativeError)
		return
	case p.Control:
		fmt.Fprintf(w, "native      under control of wapt-get since %s\n", day(p.Taken))
	case p.Owner == native.OwnerAgent:
		fmt.Fprintf(w, "native      NOT under control, although taken over on %s\n", day(p.Taken))
	default:
		fmt.Fprintln(w, "native      left to Windows")
	}
	for _, k := range p.Checks {
		if !k.OK {
			fmt.Fprintf(w, "native      %s is %s, wanted: %s. %s\n", k.Name, k.Found, cmp.Or(k.Wanted, "readable"), k.Note)
		}
	}
}

// printProof prints everything that was looked at.
func (a *app) printProof(w io.Writer, s statusOutput) error {
	s.printNative(w)
	if s.Native == nil {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nRESULT\tCHECK\tFOUND\tWANTED\tSINCE\tWHY")
	for _, k := range s.Native.Checks {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", result(k), k.Name, k.Found, cmp.Or(k.Wanted, "-"), day(k.Since), cmp.Or(k.Note, "-"))
	}
	if len(s.Native.Undone) > 0 {
		fmt.Fprintln(t, "\nCHANGED BY OTHERS\tTO\tBACK TO\tBETWEEN\tAND")
	}
	for _, u := range s.Native.Undone {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", u.What, u.Found, u.Wanted, moment(u.After), moment(u.Seen))
	}
	return t.Flush()
}

func result(k native.Check) string {
	switch {
	case !k.OK:
		return "FAIL"
	case k.Wanted == "":
		return "-"
	}
	return "ok"
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateOnly)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}
