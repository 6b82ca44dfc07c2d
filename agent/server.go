package agent

import (
	"fmt"
	"net/url"
	"os"

	"waptwua/internal/pki"
	"waptwua/transport/client"
)

// server is the connection to the server and the repository as a registered
// host. It is kept until the settings change.
func (op *operation) server() (*client.Client, error) {
	if op.conn != nil && op.connOf == op.settings {
		return op.conn, nil
	}
	id, err := op.identity()
	if err != nil {
		return nil, err
	}
	trust, err := op.trust()
	if err != nil {
		return nil, err
	}
	cfg := op.clientConfig(trust)
	cert := id.TLS()
	cfg.Identity = &cert
	c, err := client.New(cfg)
	if err != nil {
		return nil, err
	}
	op.dropConnection()
	op.Agent.conn, op.Agent.connOf = c, op.settings
	return c, nil
}

func (op *operation) dropConnection() {
	if op.conn != nil {
		op.conn.Close()
	}
	op.Agent.conn, op.Agent.connOf = nil, nil
}

func (op *operation) clientConfig(trust client.Trust) client.Config {
	s := op.settings
	cfg := client.Config{Server: s.Server, Repositories: s.Files(), Trust: trust, UserAgent: op.userAgent(), Stall: op.opt.Stall}
	if s.ProxyForServer {
		cfg.Proxy = s.Proxy
	}
	if s.ProxyForRepo {
		cfg.RepoProxy = s.Proxy
	}
	return cfg
}

func (op *operation) userAgent() string { return "wapt-get/" + op.opt.Version }

// direct is the way to Microsoft, through the proxy of the settings.
func (op *operation) direct() *client.Direct {
	var proxy *url.URL
	if op.settings.ProxyForRepo {
		proxy = op.settings.Proxy
	}
	return client.NewDirect(proxy, op.userAgent())
}

// trust is what says which server is the right one: the PEM file or the
// fingerprint of the settings, else what enrolment stored.
func (op *operation) trust() (client.Trust, error) {
	t := client.Trust{Now: op.opt.Clock.Now}
	if p := op.settings.VerifyCert; p != "" {
		text, err := os.ReadFile(p)
		if err != nil {
			return t, fmt.Errorf("[global] verify_cert: %w", err)
		}
		t.Roots, err = pki.DecodeCertificates(text)
		return t, err
	}
	var err error
	if t.Roots, err = op.certificates(fileCA); err != nil {
		return t, err
	}
	t.Fingerprint = op.settings.Fingerprint
	return t, nil
}
