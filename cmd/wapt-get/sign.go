package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/internal/atomicfile"
	"waptwua/internal/pki"
	"waptwua/policy"
	"waptwua/signing"
)

func (a *app) createKeycertCommand() *cobra.Command {
	var name, dir, keyType, passwordFile string
	var days int
	c := &cobra.Command{
		Use:   "create-keycert --name NAME",
		Short: "Make an administrator's key and certificate",
		Long: `Makes the key with which an administrator signs rules, and its certificate.
Put NAME.crt into the folder of trusted certificates of every host (ssl). Keep
NAME.pem off the server: whoever has it decides what hosts install.`,
		Example: "  wapt-get create-keycert --name alice --password-file pw.txt --dir ~/keys",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := pki.CheckOwner(name); err != nil {
				return usageError(fmt.Errorf("--name: %w", err))
			}
			return a.createKeycert(name, dir, pki.KeyType(keyType), passwordFile, days)
		},
	}
	f := c.Flags()
	f.StringVar(&name, "name", "", "name of the administrator: letters, digits, '-', '_', '.'")
	f.StringVar(&dir, "dir", ".", "folder for the two files")
	f.StringVar(&keyType, "type", string(pki.ECDSAP256), "kind of key: ecdsa-p256 or rsa-3072")
	f.StringVar(&passwordFile, "password-file", "", "file with the password that encrypts the key; none: the key is not encrypted")
	f.IntVar(&days, "days", 3650, "validity of the certificate")
	return c
}

func (a *app) createKeycert(name, dir string, kt pki.KeyType, passwordFile string, days int) error {
	cert, key := filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".pem")
	for _, p := range []string{cert, key} {
		if _, err := os.Lstat(p); err == nil {
			return fmt.Errorf("%s exists; remove it or choose another name: %w", p, waptwua.ErrConflict)
		}
	}
	var password string
	if passwordFile != "" {
		var err error
		if password, err = readSecret(passwordFile); err != nil {
			return err
		}
	}
	id, err := pki.NewAdministrator(name, kt, time.Duration(days)*24*time.Hour, a.now())
	if err != nil {
		return err
	}
	if err := id.Save(cert, key, []byte(password)); err != nil {
		return err
	}
	made := map[string]string{"certificate": cert, "key": key, "fingerprint": pki.Fingerprint(id.Leaf())}
	return a.print(made, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "certificate  %s\nkey          %s\nfingerprint  %s\n", cert, key, made["fingerprint"])
		return err
	})
}

// signFlags say what is signed, and with what.
type signFlags struct {
	kind, name, out         string
	version                 int
	cert, key, passwordFile string
}

func (a *app) signCommand() *cobra.Command {
	var o signFlags
	c := &cobra.Command{
		Use:   "sign --type rules --name NAME --version N --cert CERT --key KEY RULES.json",
		Short: "Sign rules as an administrator",
		Long: `Checks a waptwua_rules.json and signs it as one version of a rule package, in
a DSSE envelope. Hosts refuse a version below the one they have. To withdraw a
package, sign a higher version of it with the rules {}.`,
		Example: "  wapt-get sign --type rules --name servers --version 3 --cert alice.crt --key alice.pem waptwua_rules.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if o.kind != "rules" {
				return usageError(fmt.Errorf("--type %q: only rules can be signed", o.kind))
			}
			return a.sign(o, args[0])
		},
	}
	f := c.Flags()
	f.StringVar(&o.kind, "type", "rules", "kind of document")
	f.StringVar(&o.name, "name", "", "name of the rule package")
	f.IntVar(&o.version, "version", 1, "version of the rule package, rising")
	f.StringVar(&o.cert, "cert", "", "certificate of the administrator")
	f.StringVar(&o.key, "key", "", "key of the administrator")
	f.StringVar(&o.passwordFile, "password-file", "", "file with the key's password")
	f.StringVarP(&o.out, "out", "o", "", "envelope to write (default: NAME.dsse.json); - for the standard output")
	return c
}

func (a *app) sign(o signFlags, path string) error {
	rules, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if _, err := policy.ParseRules(o.name, rules); err != nil {
		return err
	}
	signer, err := loadSigner(o)
	if err != nil {
		return err
	}
	payload, err := signing.RulesStatement{Name: o.name, Version: o.version, Created: a.now().UTC(), Rules: json.RawMessage(rules)}.Encode()
	if err != nil {
		return err
	}
	env, err := signing.Sign(signing.TypeRules, payload, signer)
	if err != nil {
		return err
	}
	text, err := env.Encode()
	if err != nil {
		return err
	}
	if o.out == "-" {
		_, err := a.stdout.Write(append(text, '\n'))
		return err
	}
	if o.out == "" {
		o.out = strings.Map(fileRune, o.name) + ".dsse.json"
	}
	if err := atomicfile.WriteFile(o.out, text, 0o644); err != nil {
		return err
	}
	return a.print(map[string]any{"envelope": o.out, "name": o.name, "version": o.version}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "signed %s version %d: %s\n", o.name, o.version, o.out)
		return err
	})
}

// fileRune keeps a package's name from being a path.
func fileRune(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_' {
		return r
	}
	return '_'
}

func loadSigner(o signFlags) (*signing.Signer, error) {
	if o.cert == "" || o.key == "" {
		return nil, usageError(errors.New("give --cert and --key; make them with: wapt-get create-keycert"))
	}
	cert, err := os.ReadFile(o.cert)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(o.key)
	if err != nil {
		return nil, err
	}
	var password string
	if o.passwordFile != "" {
		if password, err = readSecret(o.passwordFile); err != nil {
			return nil, err
		}
	}
	s, err := signing.LoadSigner(cert, key, []byte(password))
	if errors.Is(err, pki.ErrPassword) {
		return nil, fmt.Errorf("%w; give the right one with --password-file", err)
	}
	return s, err
}

// maxSecret bounds a file with a token or password, in bytes.
const maxSecret = 4 << 10

// readSecret reads a token or password: the first line of a file.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return line, nil
}
