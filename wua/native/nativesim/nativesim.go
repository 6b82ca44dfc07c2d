// Package nativesim simulates the services and the registry of a Windows
// host in one JSON file, or in memory, for systems that are no Windows and for tests. It
// keeps the contract of native.System (package nativetest).
//
// # Limits
//
// Services do nothing: they start and stop at once, have no dependencies and
// are never started by anybody else. The registry has one hive, no access
// rights and no view for 32-bit programs. The file is read for each question
// and replaced for each change, so that two processes see the same host; two
// that change it at the same moment overwrite each other. A host in memory is
// for one goroutine.
package nativesim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"waptwua"
	"waptwua/internal/atomicfile"
	"waptwua/wua"
	"waptwua/wua/native"
)

// maxFile bounds the file that is read, in bytes.
const maxFile = 4 << 20

// Host is the simulated host of a file. The zero value is not usable.
type Host struct {
	path string // empty: the host is in memory
	text []byte // the host in memory; nil: as Windows comes
	// Refuse, when set, is asked before each change and may refuse it, as a
	// protected service or key does. what is a service's name or a key.
	Refuse func(what string) error
}

var _ native.System = (*Host)(nil)

// Open is the host of the file at path. A missing file is a host as Windows
// 11 comes: wuauserv and bits started on demand, no policies. With an empty
// path the host is in memory.
func Open(path string) *Host { return &Host{path: path} }

// content is the file. Names are in lower case, as they are compared.
type content struct {
	Services map[string]native.Service          `json:"services"`
	Keys     map[string]map[string]native.Value `json:"keys"`
}

func fresh() *content {
	return &content{
		Services: map[string]native.Service{
			"wuauserv":     {Start: native.Manual},
			"bits":         {Start: native.Manual},
			"usosvc":       {Start: native.Automatic, Running: true},
			"waasmedicsvc": {Start: native.Manual},
		},
		Keys: map[string]map[string]native.Value{
			`software`: {}, `software\policies`: {}, `software\policies\microsoft`: {}, `software\policies\microsoft\windows`: {},
		},
	}
}

func (h *Host) read() (*content, error) {
	text, err := h.JSON()
	if err != nil {
		return nil, fmt.Errorf("the simulated host: %w", err)
	}
	if text == nil {
		return fresh(), nil
	}
	c := &content{Services: map[string]native.Service{}, Keys: map[string]map[string]native.Value{}}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("the simulated host: %s: %w", h.path, err)
	}
	return c, nil
}

// JSON is the whole host as it is stored; nil: nothing has been changed yet.
func (h *Host) JSON() ([]byte, error) {
	if h.path == "" {
		return h.text, nil
	}
	fi, err := os.Stat(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if fi.Size() > maxFile {
		return nil, fmt.Errorf("%s: %d bytes: %w", h.path, fi.Size(), waptwua.ErrLimit)
	}
	return os.ReadFile(h.path)
}

// change reads the host, lets f change it, and writes it.
func (h *Host) change(what string, f func(*content) error) error {
	if h.Refuse != nil {
		if err := h.Refuse(what); err != nil {
			return err
		}
	}
	c, err := h.read()
	if err != nil {
		return err
	}
	if err := f(c); err != nil {
		return err
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if h.path == "" {
		h.text = text
		return nil
	}
	return atomicfile.WriteFile(h.path, append(text, '\n'), 0o600)
}

func fold(s string) string { return strings.ToLower(strings.Trim(s, `\`)) }

// Service implements native.Services.
func (h *Host) Service(_ context.Context, name string) (native.Service, error) {
	c, err := h.read()
	if err != nil {
		return native.Service{}, err
	}
	return c.service(name)
}

func (c *content) service(name string) (native.Service, error) {
	s, ok := c.Services[fold(name)]
	if !ok {
		return s, fmt.Errorf("service %s: %w", name, waptwua.ErrNotFound)
	}
	return s, nil
}

// SetStart implements native.Services.
func (h *Host) SetStart(_ context.Context, name string, mode native.Start) error {
	return h.change(name, func(c *content) error {
		s, err := c.service(name)
		if err != nil {
			return err
		}
		if mode != native.Automatic && mode != native.Manual && mode != native.Disabled {
			return fmt.Errorf("service %s: there is no start mode %q", name, mode)
		}
		s.Start = mode
		c.Services[fold(name)] = s
		return nil
	})
}

// SetRunning implements native.Services.
func (h *Host) SetRunning(ctx context.Context, name string, running bool) error {
	return h.change(name, func(c *content) error {
		s, err := c.service(name)
		if err != nil || s.Running == running {
			return err
		}
		if running && s.Start == native.Disabled {
			return &wua.Error{Op: "starting " + name, Code: wua.ServiceDisabled}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		s.Running = running
		c.Services[fold(name)] = s
		return nil
	})
}

// Value implements native.Values.
func (h *Host) Value(_ context.Context, key, name string) (native.Value, error) {
	c, err := h.read()
	if err != nil {
		return native.Value{}, err
	}
	v, ok := c.Keys[fold(key)][fold(name)]
	switch {
	case !ok:
		return v, fmt.Errorf(`registry value %s\%s: %w`, key, name, waptwua.ErrNotFound)
	case len(v.Bytes) > native.MaxValue:
		return native.Value{}, fmt.Errorf(`registry value %s\%s: %d bytes: %w`, key, name, len(v.Bytes), waptwua.ErrLimit)
	}
	return v, nil
}

// SetValue implements native.Values.
func (h *Host) SetValue(_ context.Context, key, name string, v native.Value) error {
	return h.change(key, func(c *content) error {
		for i, r := range fold(key) + `\` {
			if above := fold(key)[:i]; r == '\\' && c.Keys[above] == nil {
				c.Keys[above] = map[string]native.Value{}
			}
		}
		c.Keys[fold(key)][fold(name)] = v
		return nil
	})
}

// DeleteValue implements native.Values.
func (h *Host) DeleteValue(_ context.Context, key, name string) error {
	return h.change(key, func(c *content) error {
		delete(c.Keys[fold(key)], fold(name))
		return nil
	})
}

// HasKey implements native.Keys.
func (h *Host) HasKey(_ context.Context, key string) (bool, error) {
	c, err := h.read()
	if err != nil {
		return false, err
	}
	_, ok := c.Keys[fold(key)]
	return ok, nil
}

func (c *content) hasBelow(key string) bool {
	for k := range c.Keys {
		if strings.HasPrefix(k, key+`\`) {
			return true
		}
	}
	return false
}

// DeleteEmptyKey implements native.Keys.
func (h *Host) DeleteEmptyKey(_ context.Context, key string) error {
	return h.change(key, func(c *content) error {
		if len(c.Keys[fold(key)]) == 0 && !c.hasBelow(fold(key)) {
			delete(c.Keys, fold(key))
		}
		return nil
	})
}
