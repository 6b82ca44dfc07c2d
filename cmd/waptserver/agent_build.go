package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"waptwua/installer"
	"waptwua/internal/cmdline"
	"waptwua/server"
)

// buildFlags are what `agent build` is given.
type buildFlags struct {
	data, out, version, server, waptwua string
	programs, ca, admins, releases, set []string
	arch                                []string
	overwrite                           bool
	token, tokenFile, expires           string
	newToken                            bool
	uses                                int
	signing                             installer.Signing
	asJSON                              bool
}

// newAgentBuildCommand is `waptserver agent build`.
func newAgentBuildCommand() *cobra.Command {
	var o buildFlags
	cmd := &cobra.Command{
		Use:   "build --data DIR --out DIR",
		Short: "Build the Windows Installer packages of the agent",
		Long: `Builds one package (.msi) for each processor that a wapt-get.exe is given for,
and beside it the program as it will be installed. The address, the CA and the
administrators' certificates are those of the server's data directory unless
others are given. Without --data, the address and the CA must be: by --server
and --ca, or as options of wapt-get.ini by --set (wapt_server, and verify_cert or
server_fingerprint). What contradicts itself, or would have no effect, is refused.

Programs are looked for beside waptserver (windows-amd64/wapt-get.exe and
windows-arm64/wapt-get.exe, there or one folder up), or given by --program.

The token that is built in can be read by whoever has the package. Give it few
uses and a short life, or give TOKEN= to msiexec instead.

Needs wixl and msibuild (Debian: wixl, msitools), to sign osslsigncode.

Exit status: 0 when every package was built, 1 otherwise.`,
		Example: `  waptserver agent build --data DIR --out agents --waptwua manage --set waptwua.install_delay=7d --new-token --uses 50 --expires 7d
  waptserver agent build --server https://wapt.example.org:8443 --ca ca.crt --admin-cert alice.crt --out agents \
      --sign-cert code.pem --sign-key code.key --timestamp http://timestamp.example.org
  msiexec /i wapt-get-1.4.0-amd64.msi /qn SERVER=https://wapt.example.org:8443 TOKEN=…`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "the server's data `directory`")
	f.StringVar(&o.out, "out", "", "folder for the packages (required)")
	f.StringVar(&o.version, "version", version, "version of the program, MAJOR.MINOR.PATCH")
	f.StringArrayVar(&o.programs, "program", nil, "wapt-get.exe of one processor; may be repeated")
	f.StringSliceVar(&o.arch, "arch", nil, "build only for these: amd64, arm64")
	f.StringVar(&o.server, "server", "", "address of the agents' listener (default: server_name and waptserver_port of the data directory)")
	f.StringArrayVar(&o.ca, "ca", nil, "PEM file with the server's CA (default: that of the data directory)")
	f.StringArrayVar(&o.admins, "admin-cert", nil, "certificate of an administrator; may be repeated (default: those of the data directory)")
	f.StringArrayVar(&o.releases, "release-cert", nil, "certificate that may sign new versions of the agent; may be repeated")
	f.StringVar(&o.waptwua, "waptwua", "leave", "manage (WAPT updates Windows), disable (Windows Update is given back) or leave (nothing is set)")
	f.StringArrayVar(&o.set, "set", nil, "set an option of wapt-get.ini, as `SECTION.NAME=VALUE`; may be repeated")
	f.BoolVar(&o.overwrite, "overwrite", false, "these options win over those that a host has already")
	f.StringVar(&o.token, "token", "", "enrolment token to build in; --token-file keeps it off the command line")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the enrolment token to build in")
	f.BoolVar(&o.newToken, "new-token", false, "make an enrolment token and build it in")
	f.IntVar(&o.uses, "uses", 1, "how many hosts may enrol with the new token")
	f.StringVar(&o.expires, "expires", "24h", "how long the new token is valid, e.g. 7d")
	f.StringVar(&o.signing.Certificates, "sign-cert", "", "PEM file with the code-signing certificate and those above it")
	f.StringVar(&o.signing.Key, "sign-key", "", "PEM file with its key")
	f.StringVar(&o.signing.PasswordFile, "sign-password-file", "", "file with the key's password")
	f.StringVar(&o.signing.Timestamp, "timestamp", "", "address of a timestamp authority (RFC 3161)")
	f.StringVar(&o.signing.CA, "sign-ca", "", "PEM file with the root to verify the signature against (default: the self-signed one of --sign-cert, else the system's)")
	f.BoolVar(&o.asJSON, "json", false, "print the result as JSON")
	cmdline.Require(cmd, "out")
	return cmd
}

// builtAgents is what `agent build --json` prints.
type builtAgents struct {
	Packages []*installer.Built `json:"packages"`
	Server   string             `json:"server"`
	Token    *server.TokenView  `json:"token,omitempty"` // the one that was made
}

func (o *buildFlags) run(cmd *cobra.Command) error {
	if err := o.check(cmd.Flags().Changed); err != nil {
		return cmdline.Usage(err)
	}
	plans, err := o.plans(time.Now())
	if err != nil {
		return err
	}
	if len(plans[0].Administrators) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning: no administrator's certificate is built in: hosts obey no rules and actions until one lies in their folder ssl; give --admin-cert")
	}
	out := builtAgents{Server: o.server}
	var secret string
	if out.Token, secret, err = o.secret(cmd); err != nil {
		return err
	}
	if out.Packages, err = o.packages(cmd, plans, secret); err != nil {
		return errors.Join(err, o.takeBack(cmd, out.Token))
	}
	if o.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(out)
	}
	return printBuilt(cmd.OutOrStdout(), out)
}

// packages builds one package for each plan.
func (o *buildFlags) packages(cmd *cobra.Command, plans []installer.Plan, token string) ([]*installer.Built, error) {
	var built []*installer.Built
	tell := func(string) {}
	for _, p := range plans {
		p.Token = token
		if !o.asJSON {
			tell = func(step string) { fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", p.Platform, step) }
		}
		b, err := installer.Build(cmd.Context(), p, o.signing, o.out, tell)
		if err != nil {
			return nil, err
		}
		built = append(built, b)
	}
	return built, nil
}

func printBuilt(w io.Writer, b builtAgents) error {
	for _, p := range b.Packages {
		signed := "not signed"
		if p.Signed {
			signed = "signed"
		}
		fmt.Fprintf(w, "package  %s (%s, %.1f MB, %s)\nsha256   %s\nprogram  %s\n", p.Package, p.Version, float64(p.Size)/1e6, signed, p.SHA256, p.Program)
	}
	fmt.Fprintf(w, "server   %s\n", b.Server)
	if t := b.Token; t != nil {
		fmt.Fprintf(w, "token    %s: good for %s until %s\n", t.ID, hostCount(t.UsesLeft), shortTime(t.Expires))
	}
	_, err := fmt.Fprintln(w, "install  msiexec /i PACKAGE /qn")
	return err
}

func hostCount(n int) string {
	if n == 1 {
		return "1 host"
	}
	return fmt.Sprintf("%d hosts", n)
}

// secret is the token to build in: given, made now, or none.
func (o *buildFlags) secret(cmd *cobra.Command) (made *server.TokenView, secret string, err error) {
	switch {
	case o.tokenFile != "":
		secret, err = optionalLine(o.tokenFile)
		return nil, secret, err
	case !o.newToken:
		return nil, o.token, nil
	}
	valid, err := optionalDuration(o.expires)
	if err != nil {
		return nil, "", cmdline.Usagef("--expires %q: %w", o.expires, err)
	}
	err = withAccounts(cmd, o.data, func(a *server.Accounts) error {
		return createToken(cmd.Context(), a, server.NewToken{Kind: server.KindEnrol, Note: "installer of the agent", Uses: o.uses, Valid: valid}, &made, &secret)
	})
	return made, secret, err
}

func createToken(ctx context.Context, a *server.Accounts, want server.NewToken, made **server.TokenView, secret *string) error {
	v, s, err := a.CreateToken(ctx, want)
	*made, *secret = &v, s
	return err
}

// takeBack revokes the token that was made for packages which were not built;
// nil: none was. An interrupted build takes its token back, too.
func (o *buildFlags) takeBack(cmd *cobra.Command, made *server.TokenView) error {
	if made == nil {
		return nil
	}
	cmd.SetContext(context.WithoutCancel(cmd.Context()))
	err := withAccounts(cmd, o.data, func(a *server.Accounts) error { return a.RevokeToken(cmd.Context(), made.ID) })
	if err != nil {
		return fmt.Errorf("token %s, which was made for the packages, is still good; revoke it: %w", made.ID, err)
	}
	return nil
}
