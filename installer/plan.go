package installer

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/semver"

	"waptwua/internal/pki"
)

// Platform is what a package is for, as Go names it.
type Platform string

// The platforms.
const (
	AMD64 Platform = "windows/amd64"
	ARM64 Platform = "windows/arm64"
)

// arch is the word of the platform in file names.
func (p Platform) arch() string { return strings.TrimPrefix(string(p), "windows/") }

// template is the platform in an MSI's summary information.
func (p Platform) template() string {
	if p == ARM64 {
		return "Arm64;1033"
	}
	return "x64;1033"
}

// Plan is what one package installs.
type Plan struct {
	Platform Platform
	// Program is the content of wapt-get.exe for the platform.
	Program []byte
	// Version of the program: MAJOR.MINOR.PATCH, a leading v and a suffix as
	// in v1.2.3-rc1 are allowed. Windows Installer compares the three numbers.
	Version string
	// Settings is the text of install.ini: what was chosen for all hosts.
	Settings string
	CA       []*x509.Certificate // of the server; empty: given at installation
	// Administrators may sign rules, Releases new versions of the agent.
	Administrators []*x509.Certificate
	Releases       []*x509.Certificate
	// Token lets hosts register; empty: TOKEN= at installation, or none.
	Token string
}

// Limits of Windows Installer on the parts of ProductVersion.
const (
	maxMajor = 255
	maxPatch = 65535
)

// maxSettings bounds install.ini, in bytes.
const maxSettings = 256 << 10

// tokenForm is what a token may consist of: it becomes part of a command line.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// check refuses what would make a package that cannot be installed.
func (p *Plan) check() error {
	if p.Platform != AMD64 && p.Platform != ARM64 {
		return fmt.Errorf("platform %q: want %s or %s", p.Platform, AMD64, ARM64)
	}
	if _, err := NumericVersion(p.Version); err != nil {
		return err
	}
	if p.Token != "" && !tokenForm.MatchString(p.Token) {
		return errors.New("the token has characters that no token has; give it as the server printed it")
	}
	if len(p.Settings) > maxSettings {
		return fmt.Errorf("settings of %d bytes, at most %d", len(p.Settings), maxSettings)
	}
	return checkProgram(p.Program, p.Platform, p.Version)
}

// NumericVersion is the version as Windows Installer and version resources
// know it: three numbers.
func NumericVersion(version string) (string, error) {
	v := "v" + strings.TrimPrefix(version, "v")
	core := strings.TrimSuffix(semver.Canonical(v), semver.Prerelease(v))
	if core == "" || strings.Count(strings.SplitN(v, "-", 2)[0], ".") != 2 {
		return "", fmt.Errorf("version %q: want MAJOR.MINOR.PATCH, for example 1.4.0", version)
	}
	parts := strings.Split(strings.TrimPrefix(core, "v"), ".")
	for i, limit := range []int{maxMajor, maxMajor, maxPatch} {
		if n, err := strconv.Atoi(parts[i]); err != nil || n > limit {
			return "", fmt.Errorf("version %q: Windows Installer allows at most %d.%d.%d", version, maxMajor, maxMajor, maxPatch)
		}
	}
	return strings.Join(parts, "."), nil
}

// file is one file of a package.
type file struct {
	id      string // in the database
	dir     string // identifier of the folder
	name    string
	content []byte
}

// files lists what is installed, the program first.
func (p *Plan) files() []file {
	list := []file{
		{id: programID, dir: "INSTALLDIR", name: "wapt-get.exe", content: p.Program},
		{id: "InstallIni", dir: "INSTALLDIR", name: "install.ini", content: []byte(p.Settings)},
	}
	if len(p.CA) > 0 {
		list = append(list, file{id: "ServerCA", dir: "INSTALLDIR", name: CAFile, content: pki.EncodeCertificates(p.CA...)})
	}
	list = append(list, certificateFiles("SSLDIR", p.Administrators)...)
	return append(list, certificateFiles("RELEASESDIR", p.Releases)...)
}

const programID = "WaptGet"

// CAFile is the name of the server's CA beside the program; install.ini
// names it as verify_cert.
const CAFile = "server-ca.pem"

// certificateFiles names each certificate by its owner and fingerprint: two
// of the same name do not collide, and a renewed one is another file.
func certificateFiles(dir string, certs []*x509.Certificate) []file {
	var list []file
	seen := map[string]bool{}
	for _, c := range certs {
		print8 := pki.Fingerprint(c)[:8]
		if seen[print8] {
			continue
		}
		seen[print8] = true
		list = append(list, file{
			id: dir + "_" + print8, dir: dir,
			name:    strings.Map(fileRune, c.Subject.CommonName) + "-" + print8 + ".crt",
			content: pki.EncodeCertificates(c),
		})
	}
	return list
}

// fileRune keeps a certificate's name from being a path, or anything that
// wixl's preprocessor would interpret.
func fileRune(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
		return r
	}
	return '_'
}

// digest is a name for the content of the whole plan.
func (p *Plan) digest() string {
	h := sha256.New()
	for _, f := range p.files() {
		fmt.Fprintf(h, "%s/%s %d\n", f.dir, f.name, len(f.content))
		h.Write(f.content)
	}
	fmt.Fprintf(h, "%s %s %s", p.Platform, p.Version, p.Token)
	return hex.EncodeToString(h.Sum(nil))
}
