package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"waptwua"
	"waptwua/transport"
)

// maxAck bounds the answer to a report or an enrolment, in bytes.
const maxAck = 4 << 20

// gzipFrom is the size from which a body is worth compressing, in bytes.
const gzipFrom = 1 << 10

// Enrol asks for a host certificate. The token travels in the body, over
// the pinned connection only.
func (c *Client) Enrol(ctx context.Context, req *transport.EnrolRequest) (*transport.EnrolResponse, error) {
	var out transport.EnrolResponse
	if err := c.post(ctx, transport.PathEnrol, req, &out); err != nil {
		return nil, fmt.Errorf("enrolling this host: %w", err)
	}
	if out.Certificate == "" || out.CA == "" || out.Signing == "" {
		return nil, errors.New("enrolling this host: the server's answer lacks a certificate; is it of the same version?")
	}
	return &out, nil
}

// Report sends a report and returns the server's acknowledgement.
func (c *Client) Report(ctx context.Context, r *transport.Report) (*transport.ReportAck, error) {
	var ack transport.ReportAck
	if err := c.post(ctx, transport.PathReport, r, &ack); err != nil {
		return nil, fmt.Errorf("reporting: %w", err)
	}
	return &ack, nil
}

// Rules fetches the rule packages. etag is the one of the last call, or
// empty; waptwua.ErrUnchanged says that nothing changed since.
func (c *Client) Rules(ctx context.Context, etag string) (*transport.RuleSet, string, error) {
	r, err := http.NewRequest(http.MethodGet, c.cfg.Server.JoinPath(transport.PathRules).String(), nil)
	if err != nil {
		return nil, "", fmt.Errorf("fetching rules: %w", err)
	}
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	var set transport.RuleSet
	err = c.call(ctx, r, func(resp *http.Response) error {
		etag = resp.Header.Get("ETag")
		return decode(resp.Body, transport.MaxRules, &set)
	})
	if err != nil {
		return nil, "", fmt.Errorf("fetching rules: %w", err)
	}
	return &set, etag, nil
}

func (c *Client) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, c.cfg.Server.JoinPath(path).String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if len(body) >= gzipFrom {
		body = compress(body)
		r.Header.Set("Content-Encoding", "gzip")
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return c.call(ctx, r, func(resp *http.Response) error { return decode(resp.Body, maxAck, out) })
}

// compress cannot fail: it writes to memory.
func compress(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

// decode reads one JSON text of at most limit bytes. Members it does not
// know are ignored, so that a newer server can say more.
func decode(r io.Reader, limit int64, out any) error {
	b, err := readAll(r, limit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("the server's answer is not what this version understands: %w", err)
	}
	return nil
}

func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: reading the answer: %w", ErrUnreachable, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("the server's answer has more than %d bytes: %w", limit, waptwua.ErrLimit)
	}
	return b, nil
}
