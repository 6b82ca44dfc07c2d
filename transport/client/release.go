package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"waptwua/transport"
)

// Release fetches the newest release of the agent, a DSSE envelope, which
// nobody has verified yet. waptwua.ErrNotFound says that none is published.
func (c *Client) Release(ctx context.Context) (envelope []byte, err error) {
	r, err := http.NewRequest(http.MethodGet, c.cfg.Server.JoinPath(transport.PathRelease).String(), nil)
	if err != nil {
		return nil, fmt.Errorf("asking for a release: %w", err)
	}
	err = c.call(ctx, r, func(resp *http.Response) error {
		envelope, err = readAll(resp.Body, transport.MaxRelease)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("asking for a release: %w", err)
	}
	return envelope, nil
}

// ReleaseFile opens a program that a release names.
func (c *Client) ReleaseFile(ctx context.Context, req FileRequest) (*FileResponse, error) {
	return fetch(ctx, c.do, c.cfg.Server.JoinPath(transport.PathReleaseFiles, url.PathEscape(req.Name)), req, c.cfg.Stall)
}
