package mirror

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"waptwua"
	"waptwua/blob"
)

// Scrub reads every payload in the store and removes those whose bytes do
// not have the SHA-1 that their name begins with. It returns the names.
func (p *Payloads) Scrub(ctx context.Context) (removed []string, err error) {
	err = p.Store.List(ctx, func(bi blob.Info) error {
		want, ok := payloadDigest(bi.Name)
		if !ok {
			return nil
		}
		bad, err := p.wrong(ctx, bi.Name, want)
		if err != nil || !bad {
			return err
		}
		removed = append(removed, bi.Name)
		return p.Store.Remove(ctx, bi.Name)
	})
	if err != nil {
		return removed, fmt.Errorf("checking stored payloads: %w", err)
	}
	return removed, nil
}

// payloadDigest returns the SHA-1 in a payload's stored name; false when the
// name is not a payload's.
func payloadDigest(name string) (d waptwua.SHA1, ok bool) {
	hex, _, ok := strings.Cut(name, "_")
	if !ok || d.UnmarshalText([]byte(hex)) != nil {
		return waptwua.SHA1{}, false
	}
	return d, true
}

// IsPayload tells whether a stored name is that of a payload file.
func IsPayload(name string) bool {
	_, ok := payloadDigest(name)
	return ok
}

func (p *Payloads) wrong(ctx context.Context, name string, want waptwua.SHA1) (bool, error) {
	f, _, err := p.Store.Open(ctx, name)
	if errors.Is(err, waptwua.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	_, got, _, err := digests(f)
	return got != want, err
}
