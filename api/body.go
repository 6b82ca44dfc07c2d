package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"waptwua"
	"waptwua/server"
)

var errMediaType = errors.New("content encoding is not supported; use gzip or none")

// readBody reads the body, decompressed, at most limit bytes of it on either
// side of the decompression. More gives waptwua.ErrLimit.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, fmt.Errorf("body of %d bytes, at most %d: %w", r.ContentLength, limit, waptwua.ErrLimit)
	}
	var src io.Reader = http.MaxBytesReader(w, r.Body, limit)
	switch enc := r.Header.Get("Content-Encoding"); enc {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(src)
		if err != nil {
			return nil, bodyError(err)
		}
		src = z
	default:
		return nil, fmt.Errorf("%.40q: %w", enc, errMediaType)
	}
	b, err := io.ReadAll(io.LimitReader(src, limit+1))
	if err != nil {
		return nil, bodyError(err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("body of more than %d bytes after decompression: %w", limit, waptwua.ErrLimit)
	}
	return b, nil
}

func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fmt.Errorf("body of more than %d bytes: %w", tooLarge.Limit, waptwua.ErrLimit)
	}
	return fmt.Errorf("reading the body: %w: %w", server.ErrInvalid, err)
}

// readJSON reads one JSON value and nothing after it. Members it does not
// know are passed over: the other side may be newer.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	b, err := readBody(w, r, limit)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("reading the body: %w: %w", server.ErrInvalid, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more text after the body's JSON: %w", server.ErrInvalid)
	}
	return nil
}
