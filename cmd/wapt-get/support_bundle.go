package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/bundle"
	"waptwua/agent/settings"
	"waptwua/internal/atomicfile"
	"waptwua/internal/diskfree"
	"waptwua/internal/winsvc"
)

func (a *app) supportBundleCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "support-bundle",
		Short: "Pack logs, status and settings into a file, without secrets",
		Long: `Packs what helps to find out what is wrong into one zip file, and lists what
is in it: the service's log, Windows' logs about updates, what the agent knows,
its journal, the settings in force, the state of the services and of the disk.
Keys, tokens and passwords are left out, yet titles of updates, names of this
computer and of the server are not: look before you hand the file on.`,
		Example: "  wapt-get support-bundle --out bundle.zip",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.supportBundle(c.Context(), out) },
	}
	c.Flags().StringVarP(&out, "out", "o", "", "the file (default: waptwua-support-TIME.zip)")
	return c
}

// supportOutput is the JSON form of the result.
type supportOutput struct {
	File  string        `json:"file"`
	Parts []bundle.Part `json:"parts"`
}

func (a *app) supportBundle(ctx context.Context, out string) error {
	now := a.now()
	out = cmp.Or(out, "waptwua-support-"+now.Format("20060102-150405")+".zip")
	f, err := atomicfile.Create(out, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := os.ReadFile(a.config)
	if err != nil {
		text = nil // the part about the settings says why
	}
	w := bundle.NewWriter(f, bundle.NewScrubber(string(text)), now)
	if err := a.collect(ctx, w); err != nil {
		return err
	}
	parts, err := w.Close()
	if err != nil {
		return err
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("writing %s: %w", out, err)
	}
	return a.print(supportOutput{out, parts}, func(w io.Writer) error {
		for _, p := range parts {
			fmt.Fprintln(w, p)
		}
		_, err := fmt.Fprintln(w, "written to", out)
		return err
	})
}

// collect adds all parts. What needs the settings is left out when they
// cannot be read: the bundle says why.
func (a *app) collect(ctx context.Context, w *bundle.Writer) error {
	s, err := a.settings()
	err = errors.Join(
		w.JSON("version.json", describeProgram(a.now()), nil),
		w.JSON("settings.json", shownSettings(s), err),
		a.collectServices(ctx, w, s),
		collectWindowsLogs(w),
	)
	if s == nil {
		return err
	}
	return errors.Join(err, a.collectStatus(ctx, w), collectFolder(w, s.Dir))
}

// programInfo says which program on which system made the bundle.
type programInfo struct {
	Version string    `json:"version"`
	Go      string    `json:"go"`
	System  string    `json:"system"`
	Module  string    `json:"module,omitempty"`
	At      time.Time `json:"at"`
	Program string    `json:"program"`
}

func describeProgram(now time.Time) programInfo {
	p := programInfo{Version: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, At: now}
	if b, ok := debug.ReadBuildInfo(); ok {
		p.Module = b.Main.Path + " " + b.Main.Version
	}
	p.Program, _ = os.Executable()
	return p
}

// shownSettings are the options in force, those with secrets left out.
func shownSettings(s *settings.Settings) shownConfig {
	if s == nil {
		return shownConfig{}
	}
	shown := shownConfig{Problems: s.Problems}
	for _, o := range s.Options() {
		if bundle.Secret(o.Name) && o.Value != "" {
			o.Value = bundle.Mark
		}
		shown.Options = append(shown.Options, o)
	}
	return shown
}

// collectStatus adds what the agent knows, and its failures as sentences.
func (a *app) collectStatus(ctx context.Context, w *bundle.Writer) error {
	ag, _, err := a.open()
	if err != nil {
		return w.JSON("status.json", nil, err)
	}
	defer ag.Close()
	s, err := ag.Status()
	if err != nil {
		return w.JSON("status.json", nil, err)
	}
	out := statusOutput{Status: s}
	out.look(ctx, a.updating.control)
	return errors.Join(w.JSON("status.json", out, nil), w.Text("failures.txt", failures(s)))
}

// failures are the last errors as sentences, with what to do.
func failures(s *agent.Status) string {
	var t strings.Builder
	if e := s.State.LastAction.Error; e != "" {
		fmt.Fprintf(&t, "last operation (%s, %s): %s\n", s.State.LastAction.Kind, s.State.LastAction.At.Format(time.DateTime), e)
	}
	if e := s.State.Scan.Error; e != nil {
		fmt.Fprintf(&t, "search: %s\n", failure(e))
	}
	for _, p := range s.State.Problems {
		fmt.Fprintf(&t, "settings: %s\n", p)
	}
	for _, r := range s.State.Rules {
		if r.Error != "" {
			fmt.Fprintf(&t, "rules %s: %s\n", r.Name, r.Error)
		}
	}
	for id, u := range s.State.Updates {
		if u.Failure != nil {
			fmt.Fprintf(&t, "%s: %s\n", cmp.Or(s.Updates[id].Title, id.String()), failure(u.Failure))
		}
	}
	return t.String()
}

func failure(f *waptwua.Failure) string {
	return f.At.Format(time.DateTime) + " " + f.String()
}

// collectServices adds the agent's service and what it does.
func (a *app) collectServices(ctx context.Context, w *bundle.Writer, s *settings.Settings) error {
	i, err := winsvc.Query(serviceName)
	err = w.JSON("service.json", i, err)
	if s == nil {
		return err
	}
	c := adminClient(s.Dir)
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	list, tasksErr := c.Tasks(ctx)
	return errors.Join(err, w.JSON("tasks.json", list, tasksErr))
}

// askWait is how long the bundle waits for the service's answer.
const askWait = 10 * time.Second

// room is the free space where it matters.
type room struct {
	Folder string `json:"folder"`
	Free   uint64 `json:"free"` // bytes
	Error  string `json:"error,omitempty"`
}

// collectFolder adds what lies in dbdir, but for private files.
func collectFolder(w *bundle.Writer, dir string) error {
	free := room{Folder: dir}
	var err error
	if free.Free, err = diskfree.At(dir); err != nil {
		free.Error = err.Error()
	}
	errs := []error{w.JSON("disk.json", free, nil), w.Tree("files.txt", dir), w.File("journal.log", filepath.Join(dir, "journal.log"))}
	logs, _ := filepath.Glob(filepath.Join(dir, logFolder, logName+"*"))
	for _, path := range logs {
		errs = append(errs, w.File(logFolder+"/"+filepath.Base(path), path))
	}
	return errors.Join(errs...)
}

// windowsLogs are Windows' own logs about updates, below its folder.
var windowsLogs = [...]string{"Logs/CBS/CBS.log", "Logs/DISM/dism.log", "SoftwareDistribution/ReportingEvents.log", "WindowsUpdate.log"}

func collectWindowsLogs(w *bundle.Writer) error {
	root := os.Getenv("SystemRoot")
	if root == "" {
		return nil // no Windows
	}
	var errs []error
	for _, name := range windowsLogs {
		errs = append(errs, w.File("windows/"+name, filepath.Join(root, filepath.FromSlash(name))))
	}
	return errors.Join(errs...)
}
