package signing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"waptwua"
)

// TypeRelease is a Release, signed by the key for releases of the agent,
// which lies neither on the server nor with those who sign rules.
const TypeRelease = "application/vnd.waptwua.release+json"

// Limits on a Release.
const (
	maxReleaseFiles = 16
	maxReleaseSize  = 256 << 20 // bytes of one program
)

// Release is the document of TypeRelease: one version of the agent's
// program. A host that holds or has seen a version refuses a lower one.
type Release struct {
	Product  string    `json:"product"` // ProductAgent
	Version  string    `json:"version"` // MAJOR.MINOR.PATCH, with or without a suffix as in 1.4.0-rc1
	Created  time.Time `json:"created"`
	NotAfter time.Time `json:"not_after"` // no host begins to take it after that
	// MinVersion is the lowest version that may be replaced by this one;
	// empty: any.
	MinVersion string        `json:"min_version,omitempty"`
	Files      []ReleaseFile `json:"files"`
}

// ProductAgent is the Product of the agent's releases.
const ProductAgent = "wapt-get"

// ReleaseFile is the program for one platform.
type ReleaseFile struct {
	Platform string         `json:"platform"` // as Go names it: windows/amd64
	Name     string         `json:"name"`     // under which the server hands it out: letters, digits, '.', '-', '_'
	Size     int64          `json:"size"`     // bytes
	SHA256   waptwua.SHA256 `json:"sha256"`
}

// Encode writes the release, after checking it.
func (r Release) Encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding release %s: %w", r.Version, err)
	}
	return b, nil
}

// ParseRelease reads a payload of TypeRelease. Members it does not know are
// an error: a condition that an older program cannot see must not be passed
// over.
func ParseRelease(payload []byte) (Release, error) {
	var r Release
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("reading a release: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("reading a release: more text after its end")
	}
	return r, r.check()
}

// For returns the file for a platform, or waptwua.ErrNotFound.
func (r Release) For(platform string) (ReleaseFile, error) {
	for _, f := range r.Files {
		if f.Platform == platform {
			return f, nil
		}
	}
	return ReleaseFile{}, fmt.Errorf("release %s holds no program for %s: %w", r.Version, platform, waptwua.ErrNotFound)
}

func (r Release) check() error {
	switch {
	case r.Product != ProductAgent:
		return fmt.Errorf("release of %.60q; want %s", r.Product, ProductAgent)
	case !ValidVersion(r.Version):
		return fmt.Errorf("release: version %.60q; want MAJOR.MINOR.PATCH", r.Version)
	case r.MinVersion != "" && !ValidVersion(r.MinVersion):
		return fmt.Errorf("release %s: min_version %.60q; want MAJOR.MINOR.PATCH", r.Version, r.MinVersion)
	case r.Created.IsZero() || !r.NotAfter.After(r.Created):
		return fmt.Errorf("release %s: it must say when it was made, and end after that", r.Version)
	case len(r.Files) == 0 || len(r.Files) > maxReleaseFiles:
		return fmt.Errorf("release %s: %d files; want 1 to %d: %w", r.Version, len(r.Files), maxReleaseFiles, waptwua.ErrLimit)
	}
	platforms, names := map[string]bool{}, map[string]bool{}
	for _, f := range r.Files {
		if err := f.check(); err != nil {
			return fmt.Errorf("release %s: %w", r.Version, err)
		}
		if platforms[f.Platform] || names[f.Name] {
			return fmt.Errorf("release %s: %s or %s stands there twice", r.Version, f.Platform, f.Name)
		}
		platforms[f.Platform], names[f.Name] = true, true
	}
	return nil
}

func (f ReleaseFile) check() error {
	switch {
	case f.Platform == "" || len(f.Platform) > maxName:
		return fmt.Errorf("platform of %d bytes", len(f.Platform))
	case !validFileName(f.Name):
		return fmt.Errorf("file name %.150q: want letters, digits, '.', '-' and '_', the first not a dot", f.Name)
	case f.Size < 1 || f.Size > maxReleaseSize:
		return fmt.Errorf("file %s: %d bytes, at most %d: %w", f.Name, f.Size, maxReleaseSize, waptwua.ErrLimit)
	case f.SHA256 == (waptwua.SHA256{}):
		return fmt.Errorf("file %s: the digest is missing", f.Name)
	}
	return nil
}

func validFileName(s string) bool {
	if s == "" || len(s) > maxName || s[0] == '.' {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_')
	}) < 0
}

// ValidVersion tells whether s is a version that can be compared:
// MAJOR.MINOR.PATCH after a v or without, with or without a suffix (Semantic
// Versioning 2.0.0).
func ValidVersion(s string) bool {
	v := "v" + strings.TrimPrefix(s, "v")
	core := strings.TrimSuffix(strings.TrimSuffix(v, semver.Build(v)), semver.Prerelease(v))
	return len(s) <= maxName && semver.IsValid(v) && strings.Count(core, ".") == 2
}

// CompareVersions is -1, 0 or +1 as a is lower than, as high as or higher
// than b. A suffix counts below the version without it. An invalid version
// is lower than every valid one.
func CompareVersions(a, b string) int {
	return semver.Compare("v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v"))
}
