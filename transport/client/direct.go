package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"waptwua"
)

// ArchiveURL is where Microsoft publishes the scan archive.
const ArchiveURL = "https://download.windowsupdate.com/microsoftupdate/v6/wsusscan/wsusscn2.cab"

// IsMicrosoft tells whether u is an http or https address, at its usual
// port, of a host from which Microsoft hands out updates.
func IsMicrosoft(u *url.URL) bool {
	if u.User != nil || u.Opaque != "" {
		return false
	}
	switch {
	case u.Scheme == "https" && (u.Port() == "" || u.Port() == "443"):
	case u.Scheme == "http" && (u.Port() == "" || u.Port() == "80"):
	default:
		return false
	}
	return waptwua.MatchHost(waptwua.MicrosoftHosts(), u.Hostname())
}

// Direct loads files from Microsoft, for allow_direct_download. It never
// sends the host's certificate. What it loads is not to be believed before
// its digest or signature is checked: most addresses are plain http.
type Direct struct {
	http  *http.Client
	stall time.Duration
	agent string
}

// NewDirect makes a loader that uses the given proxy, or none.
func NewDirect(proxy *url.URL, userAgent string) *Direct {
	tr := newTransport(&tls.Config{MinVersion: tls.VersionTLS12}, func(*http.Request) (*url.URL, error) { return proxy, nil })
	return newDirect(tr, userAgent)
}

func newDirect(tr http.RoundTripper, userAgent string) *Direct {
	return &Direct{http: &http.Client{Transport: tr, CheckRedirect: onlyMicrosoft}, stall: defaultStall, agent: userAgent}
}

// Close drops idle connections.
func (d *Direct) Close() { d.http.CloseIdleConnections() }

// File opens address, which must be one of Microsoft's; otherwise the error
// wraps waptwua.ErrNotTrusted. req.Name is only for messages.
func (d *Direct) File(ctx context.Context, address string, req FileRequest) (*FileResponse, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("fetching %s from Microsoft: %w", req.Name, err)
	}
	if !IsMicrosoft(u) {
		return nil, fmt.Errorf("fetching %s: %s is not an address of Microsoft's update hosts: %w", req.Name, u.Redacted(), waptwua.ErrNotTrusted)
	}
	return fetch(ctx, d.do, u, req, d.stall)
}

func (d *Direct) do(r *http.Request) (*http.Response, error) {
	return send(d.http, r, d.agent)
}

func onlyMicrosoft(r *http.Request, via []*http.Request) error {
	if !IsMicrosoft(r.URL) {
		return fmt.Errorf("%w: %s is not one of Microsoft's update hosts", errRedirect, r.URL.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d in a row", errRedirect, maxRedirects)
	}
	return nil
}
