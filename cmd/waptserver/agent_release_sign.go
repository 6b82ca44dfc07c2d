package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/internal/atomicfile"
	"waptwua/internal/cmdline"
	"waptwua/internal/pki"
	"waptwua/schedule"
	"waptwua/signing"
)

func newReleaseKeyCommand() *cobra.Command {
	var name, dir, passwordFile, keyType string
	var days int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "create-key --name NAME", Short: "Make the key that signs releases, and its certificate", Args: cobra.NoArgs,
		Long: `Makes NAME.pem, the key, and NAME.crt, the certificate that installers bring to
the hosts. Keep the key off the server: whoever has it decides what runs as
the system on every host.`,
		Example: "  waptserver agent release create-key --name releases --dir ~/keys --password-file pw.txt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := pki.CheckOwner(name); err != nil {
				return cmdline.Usagef("--name: %w", err)
			}
			cert, key := filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".pem")
			for _, p := range []string{cert, key} {
				if _, err := os.Lstat(p); err == nil {
					return fmt.Errorf("%s exists; remove it or choose another name: %w", p, waptwua.ErrConflict)
				}
			}
			password, err := optionalLine(passwordFile)
			if err != nil {
				return err
			}
			id, err := pki.NewAdministrator(name, pki.KeyType(keyType), time.Duration(days)*24*time.Hour, time.Now())
			if err != nil {
				return err
			}
			if err := id.Save(cert, key, []byte(password)); err != nil {
				return err
			}
			made := map[string]string{"certificate": cert, "key": key, "fingerprint": pki.Fingerprint(id.Leaf())}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "certificate  %s\nkey          %s\nfingerprint  %s\n", cert, key, made["fingerprint"])
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "name in the certificate: letters, digits, '-', '_', '.'")
	f.StringVar(&dir, "dir", ".", "folder for the two files")
	f.StringVar(&keyType, "type", string(pki.ECDSAP256), "kind of key: ecdsa-p256 or rsa-3072")
	f.StringVar(&passwordFile, "password-file", "", "file with the password that encrypts the key; none: it is not encrypted")
	f.IntVar(&days, "days", 3650, "validity of the certificate")
	f.BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

// releaseFlags say what is signed as a release, and with what.
type releaseFlags struct {
	version, minVersion, valid, out string
	cert, key, passwordFile         string
	asJSON                          bool
}

func newReleaseSignCommand() *cobra.Command {
	var o releaseFlags
	cmd := &cobra.Command{
		Use: "sign --version V --cert CERT --key KEY PROGRAM…", Short: "Sign programs as one version of the agent", Args: cobra.MinimumNArgs(1),
		Long: `Signs one program for each processor as one version of the agent. Give the
programs that agent build has put beside the packages: they carry the version,
and the Authenticode signature. Works without a server.

Exit status: 0 when the release was written, 1 otherwise.`,
		Example: "  waptserver agent release sign --version 1.4.0 --cert releases.crt --key releases.pem wapt-get-1.4.0-amd64.exe wapt-get-1.4.0-arm64.exe",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := o.sign(args, time.Now().UTC())
			if err != nil {
				return err
			}
			if o.asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{"release": path, "version": o.version})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "release %s: %s\n", o.version, path)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.version, "version", "", "version of the programs, MAJOR.MINOR.PATCH")
	f.StringVar(&o.minVersion, "min-version", "", "lowest version that may be replaced by this one")
	f.StringVar(&o.valid, "valid", "180d", "how long hosts may begin to take it")
	f.StringVar(&o.cert, "cert", "", "certificate for releases")
	f.StringVar(&o.key, "key", "", "its key")
	f.StringVar(&o.passwordFile, "password-file", "", "file with the key's password")
	f.StringVarP(&o.out, "out", "o", "", "file to write (default: wapt-get-VERSION.release.json beside the first program)")
	f.BoolVar(&o.asJSON, "json", false, "print as JSON")
	return cmd
}

// sign writes the release and returns its path.
func (o *releaseFlags) sign(programs []string, now time.Time) (string, error) {
	o.version = strings.TrimPrefix(o.version, "v")
	valid, err := schedule.ParseDuration(o.valid, schedule.Day)
	if err != nil {
		return "", cmdline.Usagef("--valid %q: %w", o.valid, err)
	}
	rel := signing.Release{Product: signing.ProductAgent, Version: o.version, Created: now, NotAfter: now.Add(valid), MinVersion: o.minVersion}
	for _, p := range programs {
		f, err := releaseFile(p, o.version)
		if err != nil {
			return "", err
		}
		rel.Files = append(rel.Files, f)
	}
	payload, err := rel.Encode()
	if err != nil {
		return "", err
	}
	signer, err := o.signer()
	if err != nil {
		return "", err
	}
	env, err := signing.Sign(signing.TypeRelease, payload, signer)
	if err != nil {
		return "", err
	}
	text, err := env.Encode()
	if err != nil {
		return "", err
	}
	if o.out == "" {
		o.out = filepath.Join(filepath.Dir(programs[0]), "wapt-get-"+o.version+".release.json")
	}
	return o.out, atomicfile.WriteFile(o.out, text, 0o644)
}

func (o *releaseFlags) signer() (*signing.Signer, error) {
	if o.cert == "" || o.key == "" {
		return nil, cmdline.Usagef("give --cert and --key; make them with: waptserver agent release create-key")
	}
	cert, err := readBounded(o.cert, maxIni)
	if err != nil {
		return nil, err
	}
	key, err := readBounded(o.key, maxIni)
	if err != nil {
		return nil, err
	}
	password, err := optionalLine(o.passwordFile)
	if err != nil {
		return nil, err
	}
	s, err := signing.LoadSigner(cert, key, []byte(password))
	if errors.Is(err, pki.ErrPassword) {
		return nil, fmt.Errorf("%w; give the right one with --password-file", err)
	}
	return s, err
}

// releaseFile describes a program, which must hold the version.
func releaseFile(path, version string) (signing.ReleaseFile, error) {
	program, err := readBounded(path, maxProgram)
	if err != nil {
		return signing.ReleaseFile{}, err
	}
	platform, err := platformOf(program)
	if err != nil {
		return signing.ReleaseFile{}, fmt.Errorf("%s: %w", path, err)
	}
	if !bytes.Contains(program, []byte(version)) {
		return signing.ReleaseFile{}, fmt.Errorf("%s does not hold the version %q; hosts would refuse it", path, version)
	}
	return signing.ReleaseFile{Platform: string(platform), Name: filepath.Base(path), Size: int64(len(program)), SHA256: sha256.Sum256(program)}, nil
}

// optionalLine reads a secret where a file is named.
func optionalLine(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	return readLine(file)
}
