package upgrade

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/internal/diskfree"
	"waptwua/signing"
	"waptwua/transport/client"
)

// The errors of this package, beside those of package waptwua.
var (
	// ErrUnwell says that the new program's own check found something wrong.
	ErrUnwell = errors.New("the new version is not well")
	// ErrRolledBack says that the old program is back; the process must end,
	// so that the service is started anew.
	ErrRolledBack = errors.New("the new version was not confirmed, the old one was put back")
)

// FailedError says that a version failed here before.
type FailedError struct {
	Failure
	Next time.Time // when it may be tried again; zero: never
}

// Error says what failed and what comes next.
func (e *FailedError) Error() string {
	s := fmt.Sprintf("version %s failed here on %s: %s", e.Version, e.At.Format("2006-01-02 15:04"), e.Reason)
	if e.Next.IsZero() {
		return s + "; it is not tried again, publish a higher version"
	}
	return s + "; it is tried again after " + e.Next.Format("2006-01-02 15:04")
}

// Source is where releases come from: a *client.Client.
type Source interface {
	// Release returns the newest release's envelope, or waptwua.ErrNotFound.
	Release(ctx context.Context) ([]byte, error)
	ReleaseFile(ctx context.Context, req client.FileRequest) (*client.FileResponse, error)
}

// Health is what a program says of itself when it is run to check it.
type Health struct {
	Version  string   `json:"version"`
	Healthy  bool     `json:"healthy"`
	Offline  bool     `json:"offline,omitempty"` // all that is wrong: the server does not answer
	Problems []string `json:"problems,omitempty"`
}

// Options say what an Upgrader works with. All are needed but those marked.
type Options struct {
	Dir      string // the agent's folder, which exists
	Program  string // path of the program that is to be replaced
	Version  string // that runs
	Platform string // as Go names it: windows/amd64
	Trust    func() (*signing.Trust, error)
	Source   Source
	// Check runs the program at a path and returns what it says of itself.
	Check func(ctx context.Context, program string) (Health, error)
	Now   func() time.Time

	Limit   cache.Limiter                    // of the download; nil: none
	Free    func(dir string) (uint64, error) // nil: asks the system
	Reached func(step string)                // told each durable step; for tests that kill there. May be nil
}

// Upgrader takes a host from one version of the agent to the next. One
// process at a time uses it for a folder.
type Upgrader struct{ opt Options }

// New makes an Upgrader; nothing is read yet. A program without a version
// that can be compared (a development build) is refused.
func New(o Options) (*Upgrader, error) {
	if !signing.ValidVersion(o.Version) {
		return nil, fmt.Errorf("this program has the version %q, which cannot be compared: it does not replace itself", o.Version)
	}
	if o.Free == nil {
		o.Free = diskfree.At
	}
	if o.Reached == nil {
		o.Reached = func(string) {}
	}
	return &Upgrader{opt: o}, nil
}

// Offer is a release that this host may take.
type Offer struct {
	signing.Release
	File   signing.ReleaseFile
	Signer string
}

// Look asks for the newest release and returns it when this host may take
// it now.
//
// waptwua.ErrUnchanged says that it has it already, or that none is
// published; ErrNotTrusted that no key for releases signed it, or that it has
// ended; ErrStale that it is older than what was seen; ErrConflict that the
// version means something else now; ErrNotFound that there is no program
// for this platform; a *FailedError that it failed here.
func (u *Upgrader) Look(ctx context.Context) (*Offer, error) {
	text, err := u.opt.Source.Release(ctx)
	if errors.Is(err, waptwua.ErrNotFound) {
		return nil, fmt.Errorf("the server offers no release: %w", waptwua.ErrUnchanged)
	}
	if err != nil {
		return nil, err
	}
	o, digest, err := u.verify(text)
	if err != nil {
		return nil, fmt.Errorf("release of the agent: %w", err)
	}
	r, err := load(u.opt.Dir)
	if err != nil {
		return nil, err
	}
	if err := r.admit(o, digest, u.opt.Version); err != nil {
		return nil, err
	}
	if signing.CompareVersions(o.Version, r.Seen.Version) > 0 {
		r.Seen = seen{Version: o.Version, Digest: digest}
		if err := r.save(u.opt.Dir); err != nil {
			return nil, err
		}
		u.opt.Reached("offered")
	}
	if signing.CompareVersions(o.Version, r.floor(u.opt.Version)) == 0 {
		return nil, fmt.Errorf("this host has version %s already: %w", o.Version, waptwua.ErrUnchanged)
	}
	if o.File, err = o.For(u.opt.Platform); err != nil {
		return nil, err
	}
	return o, r.mayTry(o.Version, u.opt.Now())
}

// verify checks signature, shape and end of a release.
func (u *Upgrader) verify(text []byte) (*Offer, waptwua.SHA256, error) {
	var digest waptwua.SHA256
	env, err := signing.Decode(text)
	if err != nil {
		return nil, digest, fmt.Errorf("%w: %w", waptwua.ErrNotTrusted, err)
	}
	trust, err := u.opt.Trust()
	if err != nil {
		return nil, digest, err
	}
	v, err := trust.Verify(env, signing.TypeRelease, u.opt.Now())
	if err != nil {
		return nil, digest, err
	}
	rel, err := signing.ParseRelease(v.Payload)
	if err != nil {
		return nil, digest, err
	}
	if u.opt.Now().After(rel.NotAfter) {
		return nil, digest, fmt.Errorf("version %s ended on %s: %w", rel.Version, rel.NotAfter.Format(time.DateOnly), waptwua.ErrNotTrusted)
	}
	return &Offer{Release: rel, Signer: v.SignerName}, sha256.Sum256(v.Payload), nil
}

// admit refuses what would lead back, or what a version cannot mean.
func (r *record) admit(o *Offer, digest waptwua.SHA256, running string) error {
	floor := r.floor(running)
	switch {
	case signing.CompareVersions(o.Version, r.Seen.Version) < 0:
		return fmt.Errorf("the server offers version %s, after it offered %s: %w", o.Version, r.Seen.Version, waptwua.ErrStale)
	case signing.CompareVersions(o.Version, r.Seen.Version) == 0 && digest != r.Seen.Digest:
		return fmt.Errorf("the server offers another version %s than before: %w", o.Version, waptwua.ErrConflict)
	case signing.CompareVersions(o.Version, floor) < 0:
		return fmt.Errorf("the server offers version %s, this host had %s: %w", o.Version, floor, waptwua.ErrStale)
	case o.MinVersion != "" && signing.CompareVersions(running, o.MinVersion) < 0:
		return fmt.Errorf("version %s replaces %s at the lowest, this is %s; install it by hand, or a version between first: %w", o.Version, o.MinVersion, running, waptwua.ErrForbidden)
	}
	return nil
}

// Failures lists the versions that this host could not take, for reports.
func Failures(dir string) ([]Failure, error) {
	r, err := load(dir)
	return r.Failed, err
}

// Highest is the highest version that was ever well in the agent's folder
// dir; empty when none is known. An older program is not to be put there.
func Highest(dir string) (string, error) {
	r, err := load(dir)
	return r.Highest, err
}

// beside is the path of the program's companion: wapt-get.exe and "new"
// give wapt-get.new.exe.
func beside(program, word string) string {
	ext := filepath.Ext(program)
	if ext != ".exe" {
		ext = ""
	}
	return program[:len(program)-len(ext)] + "." + word + ext
}
