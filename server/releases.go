package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"waptwua"
	"waptwua/blob"
	"waptwua/signing"
	"waptwua/store"
	"waptwua/transport"
)

// Releases keeps the signed releases of the agent and hands out the newest.
// They are kept exactly as published: hosts verify them with certificates
// that their installer brought, this server has neither the key nor the say.
//
// In the store a release is "release-VERSION.json", beside it lie the
// programs under the names that the release gives.
type Releases struct {
	*base
	files blob.Store // nil: there are none
}

const (
	releasePrefix = "release-"
	releaseSuffix = ".json"
)

// ReleaseView is a release for people and programs.
type ReleaseView struct {
	Version  string                `json:"version"`
	Signer   string                `json:"signer"` // as the envelope says; not checked here
	Created  time.Time             `json:"created"`
	NotAfter time.Time             `json:"not_after"`
	Current  bool                  `json:"current"` // hosts are offered this one
	Files    []signing.ReleaseFile `json:"files"`
}

// kept is a stored release.
type kept struct {
	signing.Release
	text []byte
	env  *signing.Envelope
}

// Publish keeps a release. open gives the content of each program that it
// names, and is asked once for each.
//
// What is not a release, or has ended, gives ErrInvalid; content that does
// not fit it waptwua.ErrDigest; a version that is not above every one kept
// here waptwua.ErrStale: hosts would refuse it. The release itself appears
// last, so that hosts are never offered what is not there.
func (r *Releases) Publish(ctx context.Context, envelope []byte, open func(name string) (io.ReadCloser, error)) (ReleaseView, error) {
	k, err := readRelease(envelope)
	if err != nil {
		return ReleaseView{}, err
	}
	if !r.now().Before(k.NotAfter) {
		return ReleaseView{}, fmt.Errorf("release %s ended on %s: %w", k.Version, k.NotAfter.Format(time.DateOnly), ErrInvalid)
	}
	all, err := r.all(ctx)
	if err != nil {
		return ReleaseView{}, err
	}
	if len(all) > 0 && signing.CompareVersions(k.Version, all[0].Version) <= 0 {
		return ReleaseView{}, fmt.Errorf("release %s is not above %s, which was published here; hosts never go back: %w", k.Version, all[0].Version, waptwua.ErrStale)
	}
	for _, f := range k.Files {
		if err := r.keep(ctx, f, open); err != nil {
			return ReleaseView{}, fmt.Errorf("release %s: %w", k.Version, err)
		}
	}
	v := k.view()
	v.Current = true
	err = r.audited(ctx, "release.publish", k.Version, "signer "+v.Signer, func(store.Records) error {
		return r.files.Put(ctx, releasePrefix+k.Version+releaseSuffix, k.text)
	})
	return v, err
}

// keep stores one program after checking it.
func (r *Releases) keep(ctx context.Context, f signing.ReleaseFile, open func(name string) (io.ReadCloser, error)) error {
	if strings.HasPrefix(f.Name, releasePrefix) {
		return fmt.Errorf("file %s: the name is that of a release: %w", f.Name, ErrInvalid)
	}
	in, err := open(f.Name)
	if err != nil {
		return err
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, f.Size+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", f.Name, err)
	}
	if sum := sha256.Sum256(content); int64(len(content)) != f.Size || sum != f.SHA256 {
		return fmt.Errorf("file %s is not the one that was signed: %w", f.Name, waptwua.ErrDigest)
	}
	return r.files.Put(ctx, f.Name, content)
}

// Withdraw stops offering a release; hosts that have it keep it. Programs
// that no other release names are removed.
func (r *Releases) Withdraw(ctx context.Context, version string) error {
	all, err := r.all(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(k kept) bool { return k.Version == version })
	if i < 0 {
		return fmt.Errorf("release %s: %w", version, waptwua.ErrNotFound)
	}
	err = r.audited(ctx, "release.withdraw", version, "", func(store.Records) error {
		return r.files.Remove(ctx, releasePrefix+version+releaseSuffix)
	})
	for _, f := range all[i].Files {
		if err == nil && !named(slices.Delete(slices.Clone(all), i, i+1), f.Name) {
			err = r.files.Remove(ctx, f.Name)
		}
	}
	return err
}

func named(all []kept, name string) bool {
	return slices.ContainsFunc(all, func(k kept) bool {
		return slices.ContainsFunc(k.Files, func(f signing.ReleaseFile) bool { return f.Name == name })
	})
}

// List returns the releases, the newest first.
func (r *Releases) List(ctx context.Context) ([]ReleaseView, error) {
	all, err := r.all(ctx)
	views := make([]ReleaseView, len(all))
	for i, k := range all {
		views[i] = k.view()
		views[i].Current = i == 0
	}
	return views, err
}

// Current is the envelope of the newest release and its digest, or
// waptwua.ErrNotFound.
func (r *Releases) Current(ctx context.Context) (envelope []byte, digest string, err error) {
	all, err := r.all(ctx)
	if err != nil {
		return nil, "", err
	}
	if len(all) == 0 {
		return nil, "", fmt.Errorf("no release of the agent is published: %w", waptwua.ErrNotFound)
	}
	sum := sha256.Sum256(all[0].text)
	return all[0].text, hex.EncodeToString(sum[:]), nil
}

// Open opens a program of a release, which the caller closes.
func (r *Releases) Open(ctx context.Context, name string) (io.ReadSeekCloser, FileInfo, error) {
	all, err := r.all(ctx)
	if err != nil {
		return nil, FileInfo{}, err
	}
	for _, k := range all {
		for _, f := range k.Files {
			if f.Name != name {
				continue
			}
			file, info, err := r.files.Open(ctx, name)
			if err != nil {
				return nil, FileInfo{}, err
			}
			return file, FileInfo{Size: info.Size, Modified: info.Modified, ETag: quote(f.SHA256.String())}, nil
		}
	}
	return nil, FileInfo{}, fmt.Errorf("program %.100q of a release: %w", name, waptwua.ErrNotFound)
}

// all reads every release, the newest first. One that cannot be read is
// passed over and logged: it must not keep hosts from the others.
func (r *Releases) all(ctx context.Context) ([]kept, error) {
	if r.files == nil {
		return nil, nil
	}
	var list []kept
	err := r.files.List(ctx, func(i blob.Info) error {
		if !strings.HasPrefix(i.Name, releasePrefix) || !strings.HasSuffix(i.Name, releaseSuffix) {
			return nil
		}
		k, err := r.read(ctx, i.Name)
		if err != nil {
			r.log.WarnContext(ctx, "release cannot be read", "name", i.Name, "err", err)
			return nil
		}
		list = append(list, k)
		return nil
	})
	slices.SortFunc(list, func(a, b kept) int { return signing.CompareVersions(b.Version, a.Version) })
	return list, err
}

func (r *Releases) read(ctx context.Context, name string) (kept, error) {
	f, _, err := r.files.Open(ctx, name)
	if err != nil {
		return kept{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, transport.MaxRelease+1))
	if err != nil {
		return kept{}, err
	}
	return readRelease(text)
}

// readRelease checks the shape of an envelope.
func readRelease(text []byte) (kept, error) {
	if len(text) > transport.MaxRelease {
		return kept{}, fmt.Errorf("release of %d bytes, at most %d: %w", len(text), transport.MaxRelease, waptwua.ErrLimit)
	}
	env, err := signing.Decode(text)
	if err != nil {
		return kept{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if env.PayloadType != signing.TypeRelease || len(env.Signatures) == 0 {
		return kept{}, fmt.Errorf("the document has type %.100q and %d signatures; want %s, signed: %w",
			env.PayloadType, len(env.Signatures), signing.TypeRelease, ErrInvalid)
	}
	rel, err := signing.ParseRelease(env.Payload)
	if err != nil {
		return kept{}, errors.Join(ErrInvalid, err)
	}
	return kept{Release: rel, text: text, env: env}, nil
}

func (k kept) view() ReleaseView {
	return ReleaseView{Version: k.Version, Signer: claimedSigner(k.env), Created: k.Created, NotAfter: k.NotAfter, Files: k.Files}
}
