package winhost

import (
	"errors"
	"fmt"
	"strings"
)

var (
	errRemote = errors.New("is not on this computer")
	errUser   = errors.New("belongs to a user")
	errForm   = errors.New("has a form that is not asked about")
)

// The 32-bit view of HKLM\SOFTWARE in recordings.
const wow = `HKLM\SOFTWARE\Wow6432Node`

// splitKey takes a key's path apart: the hive, what is below it, and whether
// to read it through the 32-bit view.
func splitKey(path string) (hive, rest string, narrow bool) {
	if n := len(wow); len(path) >= n && strings.EqualFold(path[:n], wow) && (len(path) == n || path[n] == '\\') {
		return "HKLM", `SOFTWARE` + path[n:], true
	}
	hive, rest, _ = strings.Cut(path, `\`)
	return strings.ToUpper(hive), rest, false
}

// checkFile refuses what is not a file's full path on a drive: paths to other
// computers, devices, streams of a file, and relative paths.
func checkFile(path string) error {
	switch {
	case strings.HasPrefix(path, `\\`):
		return fmt.Errorf("%s %w", path, errRemote)
	case len(path) < 4 || path[1] != ':' || path[2] != '\\' || !letter(path[0]),
		strings.ContainsAny(path[3:], ":*?\"<>|\x00"):
		return fmt.Errorf("%q %w", path, errForm)
	}
	return nil
}

func letter(c byte) bool { return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' }

// checkNamespace refuses namespaces of other computers.
func checkNamespace(namespace string) error {
	if strings.HasPrefix(namespace, `\`) || strings.HasPrefix(namespace, "/") {
		return fmt.Errorf("namespace %s %w", namespace, errRemote)
	}
	for _, c := range namespace {
		if !(c < 0x80 && letter(byte(c)) || '0' <= c && c <= '9' || strings.ContainsRune(`\/_-`, c)) {
			return fmt.Errorf("namespace %q %w", namespace, errForm)
		}
	}
	return nil
}

// checkQuery lets queries for instances through.
func checkQuery(wql string) error {
	if words := strings.Fields(wql); len(words) == 0 || !strings.EqualFold(words[0], "SELECT") {
		return fmt.Errorf("query %q %w", wql, errForm)
	}
	return nil
}

// The CSIDL numbers of folders that all users of a computer share: fonts, the
// common start menu, desktop, application data, templates, documents,
// administrative tools, music, pictures and video, Windows, System, Program
// Files and its common folder in both widths.
var machineFolders = [...]int{20, 22, 23, 24, 25, 35, 36, 37, 38, 41, 42, 43, 44, 45, 46, 47, 53, 54, 55}

func checkFolder(csidl int) error {
	for _, known := range machineFolders {
		if csidl == known {
			return nil
		}
	}
	return fmt.Errorf("folder %d %w, or is not known", csidl, errUser)
}
