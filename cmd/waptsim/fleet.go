package main

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua/cmd/waptsim/fleet"
	"waptwua/internal/cmdline"
	"waptwua/internal/pki"
	"waptwua/internal/world"
)

// fleetFlags are the flags of `waptsim fleet`.
type fleetFlags struct {
	fleet.Options
	ca, token, admins, roots string
	updates                  int
	worldSeed                uint64
	settings                 []string
}

func newFleetCommand() *cobra.Command {
	var f fleetFlags
	cmd := &cobra.Command{
		Use:   "fleet --dir DIR --server URL --ca FILE",
		Short: "Run simulated hosts against a server",
		Long: `Runs simulated Windows hosts, each the real agent with its own folder, key and
certificate, against a server until it is interrupted. A fleet that was stopped
or killed goes on in the same folder.

The machines belong to the generated archive of the same --seed and --updates
(waptsim archive). They enrol with the token in --token-file.

Exit status: 0 after an interruption, 1 when a host could not be set up.`,
		Example: `  waptsim fleet --dir hosts --server https://127.0.0.1:8443 --ca server/pki/ca.crt \
      --token-file token.txt --admins demo.crt --roots authority.pem --hosts 100`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			if err := f.load(); err != nil {
				return err
			}
			return fleet.Run(cmd.Context(), f.Options)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.Dir, "dir", "", "`directory` with a folder for each host")
	fs.StringVar(&f.Server, "server", "", "address of the server's listener for hosts, https://…")
	fs.StringVar(&f.ca, "ca", "", "PEM `file` with the server's CA")
	fs.StringVar(&f.token, "token-file", "", "`file` with an enrolment token; not needed by hosts that are enrolled")
	fs.StringVar(&f.admins, "admins", "", "PEM `file` with the administrators' certificates that the hosts trust")
	fs.StringVar(&f.roots, "roots", "", "PEM `file` with the roots of the archive's signature (default: Microsoft's)")
	fs.IntVar(&f.Hosts, "hosts", 25, "number of hosts")
	fs.Uint64Var(&f.Seed, "host-seed", 1, "decides the identities of the hosts")
	fs.Uint64Var(&f.worldSeed, "seed", 1, "seed of the generated archive")
	fs.IntVar(&f.updates, "updates", 400, "size of the generated archive")
	fs.DurationVar(&f.RestartAfter, "restart-after", 2*time.Second, "restart a host so long after it asks for it; 0: never")
	fs.DurationVar(&f.ScanDuration, "scan-duration", 0, "how long a search takes")
	fs.DurationVar(&f.InstallDuration, "install-duration", 0, "how long the installation of one update takes")
	fs.StringArrayVar(&f.settings, "set", nil, "an option of [waptwua], as `NAME=VALUE`; may be repeated")
	cmdline.Require(cmd, "dir", "server", "ca")
	return cmd
}

// load reads the files that the flags name.
func (f *fleetFlags) load() error {
	w, err := world.New(world.Options{Updates: f.updates, Seed: f.worldSeed, Real: true})
	if err != nil {
		return err
	}
	f.Machine = w.Machine
	if f.CA, err = os.ReadFile(f.ca); err != nil {
		return err
	}
	if f.admins != "" {
		if f.Admins, err = os.ReadFile(f.admins); err != nil {
			return err
		}
	}
	if f.token != "" {
		b, err := os.ReadFile(f.token)
		if err != nil {
			return err
		}
		f.Token = strings.TrimSpace(string(b))
	}
	if f.roots != "" {
		if f.Roots, err = readCertificates(f.roots); err != nil {
			return err
		}
	}
	return f.parseSettings()
}

func (f *fleetFlags) parseSettings() error {
	f.Settings = map[string]string{}
	for _, s := range f.settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return cmdline.Usagef("--set %q: want NAME=VALUE", s)
		}
		f.Settings[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return nil
}

func readCertificates(path string) ([]*x509.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	certs, err := pki.DecodeCertificates(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certs, nil
}
