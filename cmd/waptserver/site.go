package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"waptwua/internal/pki"
	"waptwua/notify/inproc"
	"waptwua/server"
	"waptwua/signing"
	"waptwua/store/sqlite"
)

// site is a server's data directory:
//
//	waptserver.ini    the settings
//	server.db         what is remembered
//	pki/              the authority, the server's certificate, the one that signs statements
//	administrators/   certificates that rule packages must be signed by
//	waptwua/          the scan archive and payload files (waptwua_folder)
//	staging/          downloads on their way
//	releases/         signed releases of the agent
//	lock              held while a server runs
type site struct {
	dir string
	*options
}

// The validity of the server's own certificates.
const (
	validAuthority = 20 * 365 * 24 * time.Hour
	validSigner    = 10 * 365 * 24 * time.Hour
	validServer    = 397 * 24 * time.Hour
	renewBefore    = 30 * 24 * time.Hour // the server's certificate is made anew
)

func (s *site) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

func (s *site) iniFile() string { return s.path("waptserver.ini") }

// openSite reads the settings of a data directory.
func openSite(dir string) (*site, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	s := &site{dir: abs}
	if _, err := os.Stat(s.iniFile()); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not a server's data directory; make one with: waptserver init --data %s", dir, dir)
	}
	s.options, err = loadOptions(abs, s.iniFile())
	return s, err
}

// openStore opens the database.
func (s *site) openStore(ctx context.Context) (*sqlite.DB, error) {
	return sqlite.Open(ctx, s.path("server.db"))
}

// identity loads one of the certificates in pki/.
func (s *site) identity(name string) (pki.Identity, error) {
	return pki.Load(s.path("pki", name+".crt"), s.path("pki", name+".key"), nil)
}

// makeIdentities makes the authority and the certificate that signs statements.
func (s *site) makeIdentities(now time.Time) error {
	if err := os.MkdirAll(s.path("pki"), 0o700); err != nil {
		return fmt.Errorf("making the certificates: %w", err)
	}
	ca, err := pki.NewServerAuthority("waptwua server "+s.serverNames[0], validAuthority, now)
	if err != nil {
		return err
	}
	if err := ca.Save(s.path("pki", "ca.crt"), s.path("pki", "ca.key"), nil); err != nil {
		return err
	}
	authority, err := pki.NewAuthority(ca, func() time.Time { return now })
	if err != nil {
		return err
	}
	if err := s.makeSigner(authority); err != nil {
		return err
	}
	_, err = s.makeServerCertificate(authority)
	return err
}

func (s *site) makeSigner(a *pki.Authority) error {
	key, err := pki.GenerateKey(pki.ECDSAP256)
	if err != nil {
		return err
	}
	cert, err := a.IssueSigner(key.Public(), "waptwua statements of "+s.serverNames[0], validSigner)
	if err != nil {
		return err
	}
	id, err := pki.NewIdentity(key, cert)
	if err != nil {
		return err
	}
	return id.Save(s.path("pki", "signing.crt"), s.path("pki", "signing.key"), nil)
}

// serverCertificate returns the server's certificate, made anew when it is
// missing, about to end, or made for other names.
func (s *site) serverCertificate(a *pki.Authority, now time.Time) (pki.Identity, error) {
	id, err := s.identity("server")
	if errors.Is(err, fs.ErrNotExist) {
		return s.makeServerCertificate(a)
	}
	if err != nil {
		return id, err
	}
	if now.Add(renewBefore).Before(id.Leaf().NotAfter) && slices.Equal(certNames(id.Leaf()), sorted(s.serverNames)) {
		return id, nil
	}
	return s.makeServerCertificate(a)
}

func (s *site) makeServerCertificate(a *pki.Authority) (pki.Identity, error) {
	key, err := pki.GenerateKey(pki.ECDSAP256)
	if err != nil {
		return pki.Identity{}, err
	}
	cert, err := a.IssueServer(key.Public(), s.serverNames, validServer)
	if err != nil {
		return pki.Identity{}, err
	}
	id, err := pki.NewIdentity(key, cert, a.Certificate())
	if err != nil {
		return id, err
	}
	return id, id.Save(s.path("pki", "server.crt"), s.path("pki", "server.key"), nil)
}

func certNames(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return sorted(names)
}

func sorted(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}

// administrators loads the certificates that rule packages must be signed
// by; nil when there are none.
func (s *site) administrators() (*signing.Trust, error) {
	entries, err := os.ReadDir(s.trusted)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("administrators' certificates: %w", err)
	}
	var certs []*x509.Certificate
	for _, e := range entries {
		if ext := strings.ToLower(filepath.Ext(e.Name())); ext != ".crt" && ext != ".pem" && ext != ".cer" {
			continue
		}
		more, err := loadCertificates(filepath.Join(s.trusted, e.Name()))
		if err != nil {
			return nil, err
		}
		certs = append(certs, more...)
	}
	if len(certs) == 0 {
		return nil, nil
	}
	return signing.NewTrust(certs...), nil
}

func loadCertificates(file string) ([]*x509.Certificate, error) {
	raw, err := readBounded(file, maxIni)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	certs, err := pki.DecodeCertificates(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return certs, nil
}

// offline opens the services that commands use beside the data.
func (s *site) offline(ctx context.Context) (accounts *server.Accounts, rules *server.Rules, closeAll func() error, err error) {
	trust, err := s.administrators()
	if err != nil {
		return nil, nil, nil, err
	}
	db, err := s.openStore(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	accounts, rules, err = server.NewOffline(server.Parts{
		Store: db, Notify: new(inproc.Notifier), Settings: s.server, Administrators: trust, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	return accounts, rules, db.Close, nil
}
