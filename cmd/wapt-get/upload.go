package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"waptwua/internal/pki"
	"waptwua/signing"
)

func (a *app) uploadRulesCommand() *cobra.Command {
	var server, tokenFile, ca string
	c := &cobra.Command{
		Use:     "upload-rules --server URL --token-file FILE ENVELOPE.dsse.json",
		Short:   "Give signed rules to the server, which hands them to the hosts",
		Long:    "Gives signed rules to the server's administration API, which hands them to the\nhosts. The token is an API token of an administrator; it is sent over https, or to\nthis machine itself, only.",
		Example: "  wapt-get upload-rules --server https://wapt.example.org --token-file api.txt servers.dsse.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			token, err := readSecret(tokenFile)
			if err != nil {
				return fmt.Errorf("--token-file: %w", err)
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			if _, err := signing.Decode(text); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return a.upload(c.Context(), server, token, ca, text)
		},
	}
	f := c.Flags()
	f.StringVar(&server, "server", "http://127.0.0.1:8080", "address of the console")
	f.StringVar(&tokenFile, "token-file", "", "file with an API token")
	f.StringVar(&ca, "ca", "", "PEM file with the CA of the console's certificate (default: this machine's roots)")
	return c
}

const uploadTimeout = time.Minute

func (a *app) upload(ctx context.Context, server, token, ca string, envelope []byte) error {
	u, err := consoleURL(server)
	if err != nil {
		return err
	}
	h, err := consoleClient(ca)
	if err != nil {
		return err
	}
	defer h.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.JoinPath("/api/v1/rules").String(), bytes.NewReader(envelope))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := h.Do(r)
	if err != nil {
		return fmt.Errorf("uploading rules: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("uploading rules: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("uploading rules: the server answers %s %s", resp.Status, detail(answer))
	}
	return a.print(json.RawMessage(answer), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "uploaded")
		return err
	})
}

// consoleURL lets a token go over plain http to this machine only.
func consoleURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return nil, usageError(fmt.Errorf("--server %q is not an address", s))
	}
	if u.Scheme == "https" {
		return u, nil
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return u, nil
	}
	return nil, usageError(fmt.Errorf("--server %s: use https; the token would be readable on the way", u.Redacted()))
}

// consoleClient follows no redirect, so that the token stays with the server.
func consoleClient(ca string) (*http.Client, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		certs, err := pki.DecodeCertificates(text)
		if err != nil {
			return nil, err
		}
		t.RootCAs = x509.NewCertPool()
		for _, c := range certs {
			t.RootCAs.AddCert(c)
		}
	}
	return &http.Client{
		Transport: &http.Transport{TLSClientConfig: t, Proxy: nil},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the server redirects; give its right address with --server")
		},
	}, nil
}

// detail takes the words out of an error answer (RFC 9457).
func detail(answer []byte) string {
	var v struct{ Detail, Title string }
	if json.Unmarshal(answer, &v) != nil {
		return ""
	}
	if v.Detail == "" {
		return v.Title
	}
	return v.Detail
}
