package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"waptwua/blob/file"
	"waptwua/notify/inproc"
	"waptwua/server"
	"waptwua/transport"
)

// newAgentReleaseCommand is `waptserver agent release`.
func newAgentReleaseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "release",
		Short: "Sign and publish new versions of the agent",
		Long: `Hosts replace their agent by a newer one when a key for releases has signed it.
Make that key and sign with it on a computer that is not the server; publish
the result on the server, which cannot sign. Hosts know the certificate from
their installer (agent build --release-cert).`,
	}
	cmd.AddCommand(newReleaseKeyCommand(), newReleaseSignCommand(), newReleasePublishCommand(), newReleaseListCommand(), newReleaseWithdrawCommand())
	return cmd
}

// openReleases opens the releases of a data directory.
func (s *site) openReleases() (*file.Store, error) {
	dir := s.path("releases")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("releases of the agent: %w", err)
	}
	return file.Open(dir)
}

// withReleases runs fn with the releases of a data directory, as the command line.
func withReleases(cmd *cobra.Command, dir string, fn func(*server.Releases) error) (err error) {
	s, err := openSite(dir)
	if err != nil {
		return err
	}
	db, err := s.openStore(cmd.Context())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := s.openReleases()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	releases, err := server.NewReleases(server.Parts{Store: db, Notify: new(inproc.Notifier), Settings: s.server, Releases: files, Log: log})
	if err != nil {
		return err
	}
	cmd.SetContext(server.WithActor(cmd.Context(), server.CommandLine()))
	return fn(releases)
}

func newReleasePublishCommand() *cobra.Command {
	var dir, programs string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "publish --data DIR RELEASE.json", Short: "Offer a signed release to the hosts", Args: cobra.ExactArgs(1),
		Long: `Takes a signed release and the programs it names, which lie beside it or in
--programs, and offers it to the hosts from now on. Its version must be above
every one published before. Works beside a running server.

Exit status: 0 when it was taken, 1 otherwise.`,
		Example: "  waptserver agent release publish --data DIR wapt-get-1.4.0.release.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readBounded(args[0], transport.MaxRelease)
			if err != nil {
				return fmt.Errorf("reading the release: %w", err)
			}
			if programs == "" {
				programs = filepath.Dir(args[0])
			}
			return withReleases(cmd, dir, func(r *server.Releases) error {
				v, err := r.Publish(cmd.Context(), text, func(name string) (io.ReadCloser, error) { return os.OpenInRoot(programs, name) })
				if errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("%w; give the programs' folder with --programs", err)
				}
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(v)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "release %s, signed by %s, is offered to the hosts until %s\n", v.Version, v.Signer, v.NotAfter.Format(time.DateOnly))
				return err
			})
		},
	}
	addData(cmd, &dir)
	cmd.Flags().StringVar(&programs, "programs", "", "folder of the programs (default: that of the release)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func newReleaseListCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --data DIR", Short: "List the releases, the one offered first", Args: cobra.NoArgs,
		Example: "  waptserver agent release list --data DIR --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReleases(cmd, dir, func(r *server.Releases) error {
				vs, err := r.List(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(vs)
				}
				t := newTable(cmd, "version", "offered", "signer", "made", "until", "for")
				for _, v := range vs {
					var platforms []string
					for _, f := range v.Files {
						platforms = append(platforms, f.Platform)
					}
					t.AppendRow(table.Row{v.Version, v.Current, v.Signer, shortTime(v.Created), shortTime(v.NotAfter), strings.Join(platforms, ", ")})
				}
				t.Render()
				return nil
			})
		},
	}
	addData(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func newReleaseWithdrawCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "withdraw --data DIR VERSION", Short: "Stop offering a release; hosts that have it keep it", Args: cobra.ExactArgs(1),
		Long: `Stops offering a release. Hosts that have seen it take no lower version: to
replace what is wrong with it, sign a higher one.`,
		Example: "  waptserver agent release withdraw --data DIR 1.4.0",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withReleases(cmd, dir, func(r *server.Releases) error {
				if err := r.Withdraw(cmd.Context(), args[0]); err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{"withdrawn": args[0]})
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "release %s is not offered any more\n", args[0])
				return err
			})
		},
	}
	addData(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}
