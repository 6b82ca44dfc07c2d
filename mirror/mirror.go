// Package mirror keeps on the server what agents need from Microsoft: the
// scan archive and the payload files.
//
// # Downloading
//
// Bytes arrive in a staging folder as NAME.part, with what is needed to go on
// later beside them in NAME.part.json. A transfer is resumed with Range and
// If-Range when the origin gave a strong ETag or a Last-Modified date; a
// changed file starts anew. A complete file is checked against its size,
// SHA-1 and, where known, SHA-256, and only then moved into the store. Bytes
// with a wrong digest are thrown away, and the next attempt asks caches on
// the way for a fresh copy. Attempts, waits, silence of the peer, redirects
// and sizes are all bounded.
//
// # Where it goes
//
// Only to hosts on a list (Hosts) or, where set, to one Upstream that stands
// in for all of them; redirects are held to the same list. The environment's
// proxy settings are ignored: the proxy is the server's own setting. No
// credentials are ever sent.
//
// # The scan archive
//
// Headers are hints; the truth about a new archive is its content. It is
// published only if Microsoft's signature is right and it is not older than
// the one held. The last good archive stays until a better one is complete.
package mirror

import (
	"fmt"
	"net/url"
	"strings"

	"waptwua"
)

// Origin says where files may come from.
type Origin struct {
	Hosts    []string // as waptwua.MatchHost takes them
	Upstream *url.URL // when set, every file comes from here; the path is kept
}

// Resolve turns an address as the archive gives it into the one to ask, or
// returns waptwua.ErrForbidden when its host is not on the list.
func (o Origin) Resolve(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", raw, err)
	}
	if o.Upstream != nil {
		up := *o.Upstream
		up.Path = strings.TrimSuffix(up.Path, "/") + "/" + strings.TrimPrefix(u.Path, "/")
		up.RawQuery = u.RawQuery
		return &up, nil
	}
	if err := o.allow(u); err != nil {
		return nil, err
	}
	return u, nil
}

// allow checks an address that is about to be asked.
func (o Origin) allow(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("address %s: scheme %q is not http or https: %w", u.Redacted(), u.Scheme, waptwua.ErrForbidden)
	}
	if u.User != nil {
		return fmt.Errorf("address %s holds credentials: %w", u.Redacted(), waptwua.ErrForbidden)
	}
	if o.Upstream != nil && u.Host == o.Upstream.Host {
		return nil
	}
	if u.Port() != "" && u.Port() != "80" && u.Port() != "443" {
		return fmt.Errorf("address %s: port %s: %w", u.Redacted(), u.Port(), waptwua.ErrForbidden)
	}
	if waptwua.MatchHost(o.Hosts, u.Hostname()) {
		return nil
	}
	return fmt.Errorf("host %s is not one that files may come from: %w", u.Hostname(), waptwua.ErrForbidden)
}
