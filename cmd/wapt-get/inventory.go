package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"waptwua/agent"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/atomicfile"
	"waptwua/inventory"
	"waptwua/wsusscn2"
)

// inventoryFlags are those of `wapt-get inventory`.
type inventoryFlags struct {
	questions, archive, machine, out, name string
	patience                               inventory.Patience
}

func (a *app) inventoryCommand() *cobra.Command {
	var o inventoryFlags
	c := &cobra.Command{
		Use:   "inventory {--questions FILE | --archive FILE}",
		Short: "Record this host, as far as the rules of updates ask about it",
		Long: `Records this host as a FACTS.json (docs/formats/machine.md), restricted to what
the rules of a scan archive ask: registry keys and values, files, WMI queries,
installed products and packages, and so on. waptserver catalog evaluate
--machine then tells elsewhere which updates the host lacks, and why.

What is asked comes from a list (--questions, as waptserver catalog asked
--json prints it) or from a scan archive (--archive), whose signature is not
checked here. Questions can only make this program read, and only on this
computer.

The FACTS.json goes to the file of --out; without --out, --json prints it.
What could not be found out is left out, never guessed, and listed with its
reason: on the standard error, or with --out and --json on the standard
output as JSON. Run as an administrator or as the system: what this account
may not read is unknown.

Where there is no Windows, the recorded machine of [simulator] in wapt-get.ini,
or of --machine, is restricted in the same way.

Exit code: 0 when the host was recorded, even if something is not known; 1
when nothing was written; 2 for a wrong command line; 130 when stopped.`,
		Example: `  waptserver catalog asked wsusscn2.cab --json > asked.json
  wapt-get inventory --questions asked.json --out FACTS.json
  wapt-get inventory --archive wsusscn2.cab --json > FACTS.json
  waptserver catalog evaluate --machine FACTS.json --archive wsusscn2.cab`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.inventory(c.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.questions, "questions", "", "list of questions, a JSON `FILE`")
	f.StringVar(&o.archive, "archive", "", "scan archive `FILE` whose rules ask")
	f.StringVar(&o.machine, "machine", "", "record this `FACTS.json` instead of the host")
	f.StringVarP(&o.out, "out", "o", "", "write the FACTS.json to this `FILE`")
	f.StringVar(&o.name, "name", "", "name of the recording (default: this host's)")
	f.DurationVar(&o.patience.Each, "query-limit", 30*time.Second, "how long one question to WMI, the installer or the licence service may take")
	f.DurationVar(&o.patience.Total, "queries-limit", 5*time.Minute, "how long all questions to one of them may take")
	return c
}

func (a *app) inventory(ctx context.Context, o inventoryFlags) error {
	if (o.questions == "") == (o.archive == "") {
		return usageError(errors.New("give either --questions or --archive; see: wapt-get inventory --help"))
	}
	asked, err := o.asked(ctx)
	if err != nil {
		return err
	}
	host, name, closeHost, err := openInventory(a.config, o.machine)
	if err != nil {
		return err
	}
	defer closeHost()
	if o.name != "" {
		name = o.name
	}
	show, clear := a.inventoryProgress()
	facts, report, err := inventory.Take(ctx, inventory.Patient(host, o.patience), asked,
		inventory.Options{Name: name, At: a.now(), Progress: show})
	clear()
	if err != nil {
		return err
	}
	return a.giveInventory(o.out, facts, report)
}

// asked reads the questions.
func (o *inventoryFlags) asked(ctx context.Context) (applicability.Asked, error) {
	if o.questions == "" {
		return askedByArchive(ctx, o.archive)
	}
	b, err := os.ReadFile(o.questions)
	if err != nil {
		return applicability.Asked{}, fmt.Errorf("the questions: %w; make them with: waptserver catalog asked --json", err)
	}
	asked, err := inventory.ParseQuestions(b)
	if err != nil {
		return asked, fmt.Errorf("%s: %w", o.questions, err)
	}
	return asked, nil
}

func askedByArchive(ctx context.Context, name string) (asked applicability.Asked, err error) {
	f, err := os.Open(name)
	if err != nil {
		return asked, fmt.Errorf("the scan archive: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return asked, fmt.Errorf("the scan archive: %w", err)
	}
	archive, err := wsusscn2.Open(f, info.Size(), wsusscn2.Options{})
	if err == nil {
		asked, err = catalog.AskedBy(ctx, archive, applicability.Limits{})
	}
	if err != nil {
		return asked, fmt.Errorf("%s: %w", name, err)
	}
	return asked, nil
}

// recordedMachine is the host of a FACTS.json.
func recordedMachine(file string) (h inventory.Host, name string, closeHost func(), err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return h, "", nil, fmt.Errorf("the recorded machine: %w", err)
	}
	facts, err := applicability.ParseFacts(b)
	if err != nil {
		return h, "", nil, fmt.Errorf("%s: %w", file, err)
	}
	m, err := applicability.NewMachine(facts)
	return inventory.Record(m), facts.Name, func() {}, err
}

// giveInventory writes the facts where they are wanted, and the report where
// the facts are not.
func (a *app) giveInventory(out string, facts *applicability.Facts, report *inventory.Report) error {
	b, err := json.MarshalIndent(facts, "", "  ")
	if err != nil {
		return fmt.Errorf("write the inventory: %w", err)
	}
	b = append(b, '\n')
	switch {
	case out != "":
		if err := atomicfile.WriteFile(out, b, 0o600); err != nil {
			return fmt.Errorf("write the inventory: %w", err)
		}
		return a.print(report, func(w io.Writer) error { return a.printReport(w, report) })
	case a.json:
		if _, err := a.stdout.Write(b); err != nil {
			return err
		}
		return a.printReport(a.stderr, report)
	}
	return a.printReport(a.stdout, report)
}

// shortReport is how many unknown things are shown unless all are wanted.
const shortReport = 20

// printReport is the report for people.
func (a *app) printReport(w io.Writer, r *inventory.Report) error {
	shown := r.Unknown
	if len(shown) > shortReport && !a.verbose {
		shown = shown[:shortReport]
	}
	for _, p := range shown {
		fmt.Fprintln(w, "unknown:", p)
	}
	if more := len(r.Unknown) - len(shown) + r.More; more > 0 {
		fmt.Fprintf(w, "unknown: %d more; --verbose lists them\n", more)
	}
	_, err := fmt.Fprintln(w, r)
	return err
}

// inventoryProgress shows on a terminal which section is asked, until clear
// is called; elsewhere show is nil.
func (a *app) inventoryProgress() (show func(inventory.Progress), clear func()) {
	meter := a.progress()
	if meter == nil {
		return nil, func() {}
	}
	show = func(p inventory.Progress) {
		meter(agent.Progress{Operation: "inventory", Name: string(p.Section), Done: int64(p.Done), Total: int64(p.Total)})
	}
	return show, func() { meter(agent.Progress{Operation: "inventory", Done: 1, Total: 1}) }
}
