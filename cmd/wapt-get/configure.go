package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/eventlog"
	"waptwua/agent/settings"
	"waptwua/agent/upgrade"
	"waptwua/signing"
)

// configureFlags are what `configure` is given; empty values keep what there is.
type configureFlags struct {
	from                           string
	server, repo, token, tokenFile string
	fingerprint, waptwua           string
	set                            []string
	list                           string
	overwrite, uninstall           bool
	purge                          string
}

func (a *app) configureCommand() *cobra.Command {
	var o configureFlags
	c := &cobra.Command{
		Use:   "configure",
		Short: "Change wapt-get.ini: what an installation does",
		Long: `Writes the options given into wapt-get.ini and leaves everything else in it as
it is. An empty value keeps what there is. The Windows Installer package calls
this at installation, upgrade and repair.

Options of --from are taken over only where wapt-get.ini has none, unless it
says so in a section [installer] (overwrite = true), or --overwrite is given.

A token is kept in the agent's folder, which only administrators can read,
until the service has registered the host with it. A host that is registered
does not need it, except with another --server.

With --uninstall, run before the program is removed: the shutdown script of
add-upgrade-shutdown and the source of events are taken away, Windows Update is
given back as it was; settings and identity stay, with --purge 1 they go, too.`,
		Example: `  wapt-get configure --server https://wapt.example.org:8443 --waptwua manage --set waptwua.install_delay=7d
  wapt-get configure --uninstall --purge 1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.uninstall {
				return a.unconfigure(c.Context(), o)
			}
			if o.purge != "" {
				return usageError(errors.New("--purge is for the removal of the program; give --uninstall, too"))
			}
			return a.configure(o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.from, "from", "", "settings file to take over")
	f.StringVar(&o.server, "server", "", "address of the server, https")
	f.StringVar(&o.repo, "repo", "", "address of the nearest repository's package folder")
	f.StringVar(&o.token, "token", "", "enrolment token; --token-file keeps it off the command line")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the enrolment token")
	f.StringVar(&o.fingerprint, "ca-fingerprint", "", "SHA-256 of the server's CA")
	f.StringVar(&o.waptwua, "waptwua", "", "manage, disable or leave: whether WAPT updates Windows, gives it back, or touches nothing")
	f.StringArrayVar(&o.set, "set", nil, "set an option, as `SECTION.NAME=VALUE`; may be repeated")
	f.StringVar(&o.list, "settings", "", "options as one text: `SECTION.NAME=VALUE;…`; a semicolon within a value stays in it")
	f.BoolVar(&o.overwrite, "overwrite", false, "options of --from win over those of wapt-get.ini")
	f.BoolVar(&o.uninstall, "uninstall", false, "prepare the removal of the program")
	f.StringVar(&o.purge, "purge", "", "with --uninstall: 1 removes settings, identity and cache")
	return c
}

// configured is what `configure --json` prints.
type configured struct {
	Config  string   `json:"config"`
	Changed []string `json:"changed"` // SECTION.NAME=VALUE
	Token   bool     `json:"token"`   // one was kept for the service
}

func (a *app) configure(o configureFlags) error {
	old, err := os.ReadFile(a.config)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	has, err := settings.Assignments(old)
	if err != nil {
		return err
	}
	if before, err := settings.Parse(a.config, old); err != nil {
		return err
	} else if err := refuseOlder(before.Dir); err != nil {
		return err
	}
	changes, err := o.changes(has)
	if err != nil {
		return err
	}
	changes = slices.DeleteFunc(changes, func(c settings.Assignment) bool { return unchanged(has, c) })
	if err := settings.EditFile(a.config, changes...); err != nil {
		return err
	}
	s, err := settings.Load(a.config)
	if err != nil {
		return err
	}
	if err := protect(s.Dir); err != nil {
		return err
	}
	out := configured{Config: a.config, Changed: []string{}}
	if out.Token, err = o.keepToken(s, changes); err != nil {
		return err
	}
	for _, c := range changes {
		out.Changed = append(out.Changed, c.String())
	}
	return a.print(out, func(w io.Writer) error { return printConfigured(w, out) })
}

// unchanged tells whether the file says already what c would make it say.
func unchanged(has []settings.Assignment, c settings.Assignment) bool {
	if c.Value != "" {
		return slices.Contains(has, c)
	}
	return !slices.ContainsFunc(has, func(h settings.Assignment) bool { return sameOption(h, c) })
}

// refuseOlder refuses to be installed where a newer version was in use: the
// agent may have replaced its program since the last package.
func refuseOlder(dir string) error {
	highest, err := upgrade.Highest(dir)
	if err != nil || highest == "" || !signing.ValidVersion(version) || signing.CompareVersions(version, highest) >= 0 {
		return err
	}
	return fmt.Errorf("version %s of the agent was in use here, this is %s; install that or a newer one: %w", highest, version, waptwua.ErrStale)
}

func printConfigured(w io.Writer, c configured) error {
	for _, s := range c.Changed {
		fmt.Fprintln(w, s)
	}
	if c.Token {
		fmt.Fprintln(w, "the service registers this host with the token")
	}
	_, err := fmt.Fprintf(w, "%d options changed in %s\n", len(c.Changed), c.Config)
	return err
}

// changes are those of --from that are wanted, then those given by
// themselves, which win.
func (o *configureFlags) changes(has []settings.Assignment) ([]settings.Assignment, error) {
	list, err := o.taken(has)
	if err != nil {
		return nil, err
	}
	given, err := o.given()
	if err != nil {
		return nil, usageError(err)
	}
	if o.fingerprint != "" { // otherwise the PEM file would win over it
		list = append(list, settings.Assignment{Section: settings.Global, Name: "verify_cert"})
	}
	for _, g := range given {
		list = slices.DeleteFunc(list, func(c settings.Assignment) bool { return sameOption(c, g) })
		list = append(list, g)
	}
	return list, nil
}

// taken are the options of --from.
func (o *configureFlags) taken(has []settings.Assignment) ([]settings.Assignment, error) {
	if o.from == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.from)
	if err != nil {
		return nil, fmt.Errorf("options to take over: %w", err)
	}
	list, err := settings.Assignments(text)
	if err != nil || o.overwrite || settings.Overwrites(text) {
		return list, err
	}
	return slices.DeleteFunc(list, func(c settings.Assignment) bool {
		return slices.ContainsFunc(has, func(h settings.Assignment) bool { return sameOption(c, h) })
	}), nil
}

func sameOption(a, b settings.Assignment) bool { return a.Section == b.Section && a.Name == b.Name }

// given are the options of the command line.
func (o *configureFlags) given() ([]settings.Assignment, error) {
	var texts []string
	for _, g := range []struct{ name, value string }{
		{"global.wapt_server", o.server}, {"global.repo_url", o.repo}, {"global.server_fingerprint", o.fingerprint},
	} {
		if g.value != "" {
			texts = append(texts, g.name+"="+g.value)
		}
	}
	texts = append(texts, o.set...)
	texts = append(texts, splitSettings(o.list)...)
	var list []settings.Assignment
	for _, t := range texts {
		g, err := settings.ParseAssignment(t)
		if err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	if o.waptwua == "" {
		return list, nil
	}
	enabled, err := settings.Mode(o.waptwua)
	return append(list, enabled), err
}

// optionBegins is how an assignment begins in the text of --settings.
var optionBegins = regexp.MustCompile(`(?i)^\s*[a-z-]+\.[a-z0-9_]+\s*=`)

// splitSettings cuts the text of --settings into assignments. A semicolon
// also separates the windows within one value: it ends the value only where
// another option begins behind it.
func splitSettings(text string) []string {
	var list []string
	for _, piece := range strings.Split(text, ";") {
		switch {
		case strings.TrimSpace(piece) == "":
		case len(list) == 0 || optionBegins.MatchString(piece):
			list = append(list, piece)
		default:
			list[len(list)-1] += ";" + piece
		}
	}
	return list
}

// keepToken leaves the token for the service, and tells whether it did.
func (o *configureFlags) keepToken(s *settings.Settings, changes []settings.Assignment) (bool, error) {
	token := o.token
	if o.tokenFile != "" {
		var err error
		if token, err = readSecret(o.tokenFile); err != nil {
			return false, err
		}
	}
	moved := o.server != "" && slices.ContainsFunc(changes, func(c settings.Assignment) bool { return c.Name == "wapt_server" })
	if token == "" || agent.Registered(s.Dir) && !moved {
		return false, nil
	}
	return true, agent.KeepToken(s.Dir, agent.EnrolToken{Token: token, Force: moved && agent.Registered(s.Dir)})
}

// unconfigure is what precedes the removal of the program: what Windows was
// told about it is taken back, and Windows Update becomes what it was. That
// something of it fails does not keep the rest from being done.
func (a *app) unconfigure(ctx context.Context, o configureFlags) error {
	err := eventlog.Remove(serviceName)
	s, settingsErr := a.settings()
	if errors.Is(settingsErr, os.ErrNotExist) {
		return err
	}
	if settingsErr != nil {
		return errors.Join(err, settingsErr)
	}
	err = errors.Join(err, a.undoShutdown(ctx, s))
	if e := a.giveBack(ctx); !errors.Is(e, os.ErrNotExist) { // otherwise nothing was ever taken over
		err = errors.Join(err, e)
	}
	if o.purge == "1" {
		err = errors.Join(err, purge(s.Dir), os.Remove(a.config))
	}
	return err
}

// removeTree removes what is at path, and all below it: one by one, because
// the way in which os.RemoveAll does it is unknown to Wine.
func removeTree(path string) error {
	var found []string
	err := filepath.WalkDir(path, func(p string, _ os.DirEntry, err error) error {
		found = append(found, p)
		return err
	})
	for _, p := range slices.Backward(found) {
		err = errors.Join(err, os.Remove(p))
	}
	return err
}

// ownFiles are what the agent makes in its folder, as patterns. The folder
// may be one that others use, too: nothing else is touched.
var ownFiles = []string{"private", "cache", "log", "packages", "upgrade", "*.json", "journal.log*", "*.lock", "*.tmp"}

// purge removes the agent's own files, and its folder when nothing is left.
func purge(dir string) error {
	var err error
	for _, pattern := range ownFiles {
		found, globErr := filepath.Glob(filepath.Join(dir, pattern))
		err = errors.Join(err, globErr)
		for _, f := range found {
			err = errors.Join(err, removeTree(f))
		}
	}
	_ = os.Remove(dir) // fails when something of others is left there
	return err
}
