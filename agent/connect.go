package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"waptwua/internal/pki"
	"waptwua/signing"
	"waptwua/transport/client"
)

// Connect is a connection of its own to the server, as the registered host,
// for what is no operation of the agent. The caller closes it.
func (a *Agent) Connect() (*client.Client, error) {
	s, err := a.opt.Settings()
	if err != nil {
		return nil, err
	}
	op := &operation{Agent: a, settings: s}
	id, err := a.identity()
	if err != nil {
		return nil, err
	}
	trust, err := op.trust()
	if err != nil {
		return nil, err
	}
	cfg, cert := op.clientConfig(trust), id.TLS()
	cfg.Identity = &cert
	return client.New(cfg)
}

// LoadTrust is the trust in the certificates (.crt, .pem, .cer) of a folder;
// it trusts nobody when there are none, or no folder.
func LoadTrust(dir string) (*signing.Trust, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return signing.NewTrust(), nil
	}
	if err != nil {
		return nil, err
	}
	var text []byte
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".crt", ".pem", ".cer":
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return nil, err
			}
			text = append(append(text, b...), '\n')
		}
	}
	if len(text) == 0 {
		return signing.NewTrust(), nil
	}
	certs, err := pki.DecodeCertificates(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return signing.NewTrust(certs...), nil
}
