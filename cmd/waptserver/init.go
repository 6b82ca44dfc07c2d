package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua/internal/atomicfile"
	"waptwua/internal/cmdline"
	"waptwua/internal/pki"
	"waptwua/server"
)

// firstUser is the administrator that init makes.
const firstUser = "admin"

// initialised is what `waptserver init --json` prints.
type initialised struct {
	Data        string `json:"data"`
	User        string `json:"user"`
	Password    string `json:"password"`       // once; it must be changed at the first sign-in
	CA          string `json:"ca"`             // file with the authority's certificate
	Fingerprint string `json:"ca_fingerprint"` // SHA-256, hexadecimal
	Settings    string `json:"settings"`
}

// newInitCommand is `waptserver init`.
func newInitCommand() *cobra.Command {
	var dir string
	var set []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "init --data DIR",
		Short: "Make the data directory of a new server",
		Long: `Makes the data directory of a new server: settings (waptserver.ini), database,
certificates, and an administrator with a password for the first sign-in, which
is shown once. An existing directory is refused and left as it is.

The directory holds private keys: keep it readable for the server alone, and
back it up.

Exit status: 0 when the directory was made, 1 otherwise.`,
		Example: `  waptserver init --data /var/lib/waptserver --set "server_name=wapt.example.org"
  waptserver init --data ./data --set waptserver_port=9443 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			made, err := initSite(cmd.Context(), dir, set, time.Now())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(made) //nolint:gosec // the password is shown once: that is what init is asked for
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), `Made the data directory %s.

  settings      %s
  authority     %s
  fingerprint   %s
  administrator %s
  password      %s   (shown only now; change it at the first sign-in)

Next: waptserver serve --data %s
`, made.Data, made.Settings, made.CA, made.Fingerprint, made.User, made.Password, dir)
			return err
		},
	}
	addData(cmd, &dir)
	cmd.Flags().StringArrayVar(&set, "set", nil, "set an option of waptserver.ini, as `NAME=VALUE`; may be repeated")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

// addData adds the flag that names the data directory.
func addData(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "data", "", "the server's data `directory` (required)")
	cmdline.Require(cmd, "data")
}

// initSite makes everything in a directory beside dir and gives it its name
// at the end: after a kill there is no half-made server.
func initSite(ctx context.Context, dir string, set []string, now time.Time) (initialised, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return initialised{}, fmt.Errorf("data directory %s: %w", dir, err)
	}
	if err := refuseExisting(abs); err != nil {
		return initialised{}, err
	}
	given, err := parseSet(set)
	if err != nil {
		return initialised{}, err
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o755); err != nil {
		return initialised{}, fmt.Errorf("making %s: %w", abs, err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(abs), "."+filepath.Base(abs)+".init-")
	if err != nil {
		return initialised{}, fmt.Errorf("making %s: %w", abs, err)
	}
	defer os.RemoveAll(tmp)
	made, err := fillSite(ctx, tmp, abs, given, now)
	if err != nil {
		return initialised{}, err
	}
	if err := os.Rename(tmp, abs); err != nil {
		return initialised{}, fmt.Errorf("making %s: %w", abs, err)
	}
	return made, nil
}

func refuseExisting(dir string) error {
	_, err := os.Lstat(dir)
	switch {
	case err == nil:
		return fmt.Errorf("%s exists already and is left as it is; choose another directory, or remove it first", dir)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("data directory: %w", err)
	}
	return nil
}

func parseSet(set []string) (map[string]string, error) {
	given := map[string]string{}
	for _, s := range set {
		name, value, ok := strings.Cut(s, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" || strings.ContainsAny(value, "\r\n") {
			return nil, cmdline.Usagef("--set %q: want NAME=VALUE on one line", s)
		}
		given[name] = strings.TrimSpace(value)
	}
	return given, nil
}

// fillSite makes the content of a data directory in tmp, for use as dir.
func fillSite(ctx context.Context, tmp, dir string, given map[string]string, now time.Time) (initialised, error) {
	s := &site{dir: tmp}
	var err error
	if s.options, err = newOptions(tmp, "--set", given); err != nil {
		return initialised{}, err
	}
	if err := atomicfile.WriteFile(s.iniFile(), []byte(iniText(given)), 0o600); err != nil {
		return initialised{}, err
	}
	for _, sub := range []string{"waptwua", "staging", "administrators"} {
		if err := os.MkdirAll(s.path(sub), 0o755); err != nil {
			return initialised{}, fmt.Errorf("making %s: %w", sub, err)
		}
	}
	if err := s.makeIdentities(now); err != nil {
		return initialised{}, err
	}
	ca, err := s.identity("ca")
	if err != nil {
		return initialised{}, err
	}
	password, err := s.firstAdministrator(ctx)
	if err != nil {
		return initialised{}, err
	}
	return initialised{
		Data: dir, User: firstUser, Password: password, Settings: filepath.Join(dir, "waptserver.ini"),
		CA: filepath.Join(dir, "pki", "ca.crt"), Fingerprint: pki.Fingerprint(ca.Leaf()),
	}, nil
}

func (s *site) firstAdministrator(ctx context.Context) (password string, err error) {
	accounts, _, closeAll, err := s.offline(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	if password, err = accounts.RandomPassword(); err != nil {
		return "", err
	}
	return password, accounts.AddUser(server.WithActor(ctx, server.CommandLine()), firstUser, password, server.Administrator, true)
}

// iniText is the settings file: what was given, and every other option with
// its default as a comment.
func iniText(given map[string]string) string {
	var b strings.Builder
	b.WriteString("; Settings of the server. docs/operations.md explains every option.\n; Options that begin with a semicolon have the default shown.\n\n[" + iniSection + "]\n")
	for _, o := range optionTable() {
		fmt.Fprintf(&b, "\n; %s\n", o.help)
		if v, ok := given[o.name]; ok {
			fmt.Fprintf(&b, "%s = %s\n", o.name, v)
		} else {
			fmt.Fprintf(&b, ";%s = %s\n", o.name, o.def)
		}
	}
	return b.String()
}
