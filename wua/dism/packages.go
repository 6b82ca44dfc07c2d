package dism

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"waptwua"
	"waptwua/wua"
)

// maxList bounds the answer to a question, in bytes; a Windows has some
// thousand packages, each a line of about 150 bytes.
const maxList = 4 << 20

// maxPackages is how many packages are removed at once, and how many are
// asked for their description.
const maxPackages = 50

// RemovePackage implements wua.Packager. Packages are found by the KB in
// their identity or, for cumulative updates, whose packages are all called
// Package_for_RollupFix, in their description. Where DISM knows none, wusa is
// asked: it is the older way, and refuses updates that came together with a
// servicing stack.
func (s *Servicing) RemovePackage(ctx context.Context, kb waptwua.KB, progress func(wua.Progress)) (*wua.PackageResult, error) {
	return s.alone(func() (*wua.PackageResult, error) {
		ids, err := s.packagesOf(ctx, kb)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil || len(ids) == 0 {
			return s.install(ctx, command{tool: wua.ToolWUSA, args: []string{"/uninstall", fmt.Sprintf("/kb:%d", kb), "/quiet", "/norestart"}}, progress)
		}
		args := []string{"/Online", "/Remove-Package"}
		for _, id := range ids {
			args = append(args, "/PackageName:"+id)
		}
		return s.install(ctx, command{tool: wua.ToolDISM, args: append(args, "/NoRestart", "/English")}, progress)
	})
}

// packagesOf lists the identities of the installed packages of a KB.
func (s *Servicing) packagesOf(ctx context.Context, kb waptwua.KB) ([]string, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	var ids, rollups []string
	for _, p := range all {
		switch {
		case p.State != wua.PackageInstalled && p.State != wua.PackageInstallPending:
		case namesKB(p.Identity, kb):
			ids = append(ids, p.Identity)
		case strings.HasPrefix(p.Identity, "Package_for_RollupFix"):
			rollups = append(rollups, p.Identity)
		}
	}
	if len(ids) > maxPackages || len(rollups) > maxPackages {
		return nil, fmt.Errorf("%d packages of %s and %d cumulative ones, at most %d: %w", len(ids), kb, len(rollups), maxPackages, waptwua.ErrLimit)
	}
	if len(ids) > 0 {
		return ids, nil
	}
	for _, id := range rollups {
		about, err := s.ask(ctx, "/Get-PackageInfo", "/PackageName:"+id)
		if err != nil {
			return nil, err
		}
		if namesKB(field(about, "Description"), kb) || strings.HasSuffix(field(about, "Support Information"), fmt.Sprintf("/%d", kb)) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// namesKB tells whether the text names the KB, and not only a longer number.
func namesKB(text string, kb waptwua.KB) bool {
	name := strings.ToLower(kb.String())
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'z') }) {
		if word == name {
			return true
		}
	}
	return false
}

// field is a value in a list of "Name : value" lines; empty: not there.
func field(text, name string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if key, value, ok := strings.Cut(line, " : "); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// list asks DISM for all packages and their states.
func (s *Servicing) list(ctx context.Context) ([]wua.Package, error) {
	text, err := s.ask(ctx, "/Get-Packages", "/Format:Table")
	if err != nil {
		return nil, err
	}
	return parseTable(text), nil
}

// ask puts a question to DISM and returns its answer.
func (s *Servicing) ask(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, listLimit)
	defer cancel()
	out := &bounded{}
	exit, err := s.run(ctx, command{tool: wua.ToolDISM, args: slices.Concat([]string{"/Online"}, args, []string{"/English"})}, out)
	if err != nil {
		return "", err
	}
	if code, result, _ := wua.Outcome(exit); result == wua.Failed {
		return "", &wua.Error{Op: "dism " + args[0], Code: code}
	}
	if out.cut {
		return "", fmt.Errorf("dism %s: the answer has more than %d bytes: %w", args[0], maxList, waptwua.ErrLimit)
	}
	return out.String(), nil
}

// bounded keeps the first maxList bytes.
type bounded struct {
	bytes.Buffer
	cut bool
}

// Write implements io.Writer; it never fails.
func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), maxList-b.Len())
	b.cut = b.cut || n < len(p)
	b.Buffer.Write(p[:n])
	return len(p), nil
}

// parseTable reads the rows "identity | state | release type | install
// time". Other lines, the heading among them, are passed over.
func parseTable(text string) []wua.Package {
	var out []wua.Package
	for line := range strings.SplitSeq(text, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 2 {
			continue
		}
		id := strings.TrimSpace(cells[0])
		if isIdentity(id) {
			out = append(out, wua.Package{Identity: id, State: wua.PackageState(strings.TrimSpace(cells[1]))})
		}
	}
	return out
}

// isIdentity tells whether s is name~key~architecture~language~version. It
// becomes part of a command line, so nothing else passes.
func isIdentity(s string) bool {
	return strings.Count(s, "~") == 4 && len(s) <= maxIdentity && strings.Trim(s, identityChars) == "" && s[0] != '-'
}

const (
	maxIdentity   = 512
	identityChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~-"
)
