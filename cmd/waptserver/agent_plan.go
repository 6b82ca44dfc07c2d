package main

import (
	"bytes"
	"crypto/x509"
	"debug/pe"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"waptwua/agent/settings"
	"waptwua/installer"
)

// maxProgram bounds a program that is read, in bytes.
const maxProgram = 256 << 20

// plans turns the flags into one plan for each program.
func (o *buildFlags) plans(now time.Time) ([]installer.Plan, error) {
	if _, err := installer.NumericVersion(o.version); err != nil {
		return nil, fmt.Errorf("--version: %w", err)
	}
	if err := o.fromSite(); err != nil {
		return nil, err
	}
	common := installer.Plan{Version: o.version}
	var err error
	if common.CA, err = readAll(o.ca, installer.CACertificates); err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	signers := func(name string, text []byte) ([]*x509.Certificate, error) {
		return installer.SigningCertificates(name, text, now)
	}
	if common.Administrators, err = readAll(o.admins, signers); err != nil {
		return nil, fmt.Errorf("--admin-cert: %w", err)
	}
	if common.Releases, err = readAll(o.releases, signers); err != nil {
		return nil, fmt.Errorf("--release-cert: %w", err)
	}
	options, err := o.settings(len(common.CA) > 0)
	if err != nil {
		return nil, err
	}
	if o.server, err = connectable(options); err != nil {
		return nil, err
	}
	if o.overwrite {
		options = append(options, settings.Assignment{Section: "installer", Name: "overwrite", Value: "true"})
	}
	common.Settings = string(settings.Edit([]byte("; What the installer was built with; wapt-get configure takes it over.\n"), options...))
	return o.programPlans(common)
}

// fromSite takes from the data directory what was not given.
func (o *buildFlags) fromSite() error {
	if o.data == "" {
		return nil
	}
	s, err := openSite(o.data)
	if err != nil {
		return err
	}
	if o.server == "" {
		o.server = (&url.URL{Scheme: "https", Host: net.JoinHostPort(s.serverNames[0], strconv.Itoa(s.port))}).String()
	}
	if len(o.ca) == 0 {
		o.ca = []string{s.path("pki", "ca.crt")}
	}
	if len(o.admins) > 0 {
		return nil
	}
	entries, err := os.ReadDir(s.trusted)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("administrators' certificates: %w", err)
	}
	for _, e := range entries {
		if ext := strings.ToLower(filepath.Ext(e.Name())); ext == ".crt" || ext == ".pem" || ext == ".cer" {
			o.admins = append(o.admins, filepath.Join(s.trusted, e.Name()))
		}
	}
	return nil
}

// settings are the options in install.ini, each checked as the agent reads it.
func (o *buildFlags) settings(withCA bool) ([]settings.Assignment, error) {
	var list []settings.Assignment
	add := func(text string) error {
		a, err := settings.ParseAssignment(text)
		if err == nil && a.Value != "" {
			list = append(slices.DeleteFunc(list, func(b settings.Assignment) bool { return a.Section == b.Section && a.Name == b.Name }), a)
		}
		return err
	}
	if o.server != "" {
		if err := add("global.wapt_server=" + o.server); err != nil {
			return nil, fmt.Errorf("--server: %w", err)
		}
	}
	if withCA {
		if err := add("global.verify_cert=" + installer.CAFile); err != nil {
			return nil, err
		}
	}
	mode, err := settings.Mode(o.waptwua)
	if err != nil {
		return nil, fmt.Errorf("--waptwua: %w", err)
	}
	if mode.Value != "" {
		list = append(list, mode)
	}
	for _, s := range o.set {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("--set: %w", err)
		}
	}
	return list, nil
}

// programPlans completes the plan for each program that is wanted.
func (o *buildFlags) programPlans(common installer.Plan) ([]installer.Plan, error) {
	files, err := o.programFiles()
	if err != nil {
		return nil, err
	}
	var plans []installer.Plan
	for _, f := range files {
		p := common
		if p.Program, err = readBounded(f, maxProgram); err != nil {
			return nil, fmt.Errorf("--program: %w", err)
		}
		if p.Platform, err = platformOf(p.Program); err != nil {
			return nil, fmt.Errorf("--program %s: %w", f, err)
		}
		if len(o.arch) > 0 && !slices.Contains(o.arch, archOf(p)) {
			continue
		}
		if slices.ContainsFunc(plans, func(q installer.Plan) bool { return q.Platform == p.Platform }) {
			return nil, fmt.Errorf("--program %s: a second program for %s", f, p.Platform)
		}
		plans = append(plans, p)
	}
	for _, arch := range o.arch {
		if !slices.ContainsFunc(plans, func(p installer.Plan) bool { return archOf(p) == arch }) {
			return nil, fmt.Errorf("no wapt-get.exe for %s among %s; give it with --program", arch, strings.Join(files, ", "))
		}
	}
	return plans, nil
}

func archOf(p installer.Plan) string { return strings.TrimPrefix(string(p.Platform), "windows/") }

// programFiles are those given, or those that lie beside this program.
func (o *buildFlags) programFiles() ([]string, error) {
	if len(o.programs) > 0 {
		return o.programs, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("path of this program: %w", err)
	}
	var found []string
	for _, arch := range []string{"amd64", "arm64"} {
		for _, dir := range []string{".", ".."} {
			f := filepath.Join(filepath.Dir(self), dir, "windows-"+arch, "wapt-get.exe")
			if _, err := os.Stat(f); err == nil {
				found = append(found, f)
				break
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no windows-amd64/wapt-get.exe beside %s; give the program with --program", self)
	}
	return found, nil
}

// platformOf reads what a program is for from its head.
func platformOf(program []byte) (installer.Platform, error) {
	f, err := pe.NewFile(bytes.NewReader(program))
	if err != nil {
		return "", fmt.Errorf("not a Windows program: %w", err)
	}
	switch f.Machine {
	case pe.IMAGE_FILE_MACHINE_AMD64:
		return installer.AMD64, nil
	case pe.IMAGE_FILE_MACHINE_ARM64:
		return installer.ARM64, nil
	}
	return "", fmt.Errorf("it is for machine type 0x%x; agents are built for amd64 and arm64", f.Machine)
}

// readAll reads the certificates of several files.
func readAll(files []string, read func(name string, text []byte) ([]*x509.Certificate, error)) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, f := range files {
		text, err := readBounded(f, maxIni)
		if err != nil {
			return nil, err
		}
		certs, err := read(f, text)
		if err != nil {
			return nil, err
		}
		all = append(all, certs...)
	}
	return all, nil
}

// readLine reads a secret: the first line of a file.
func readLine(file string) (string, error) {
	text, err := readBounded(file, 4<<10)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return line, nil
}
