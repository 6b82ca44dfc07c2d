//go:build !windows

package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"waptwua"
)

// The sockets in dbdir.
const (
	adminSocket = "admin.sock"
	userSocket  = "user.sock"
)

// maxSocket is the longest path of a socket: the smallest of the systems'
// limits.
const maxSocket = 103

// Listen opens both endpoints in the folder dir. Sockets that a killed
// service left are replaced.
func Listen(dir string) (admins, users net.Listener, err error) {
	if admins, err = listen(filepath.Join(dir, adminSocket), 0o600); err != nil {
		return nil, nil, err
	}
	if users, err = listen(filepath.Join(dir, userSocket), 0o666); err != nil {
		return nil, nil, errors.Join(err, admins.Close())
	}
	return admins, users, nil
}

// listen makes the socket under another name, so that it can be opened only
// when its mode is set.
func listen(path string, mode os.FileMode) (net.Listener, error) {
	if c, err := net.Dial("unix", path); err == nil {
		return nil, errors.Join(fmt.Errorf("opening the socket %s: another service answers there", path), c.Close())
	}
	private, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, fmt.Errorf("opening the socket %s: %w", path, err)
	}
	defer os.RemoveAll(private)
	hidden := filepath.Join(private, "s")
	if len(hidden) > maxSocket {
		return nil, fmt.Errorf("opening the socket %s: its path is too long for a socket; use a shorter dbdir: %w", path, waptwua.ErrLimit)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("opening the socket %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(hidden, mode)
	if err == nil {
		err = os.Rename(hidden, path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the socket %s: %w", path, err), l.Close())
	}
	return socket{l, path}, nil
}

// socket removes its file when it is closed.
type socket struct {
	*net.UnixListener
	path string
}

func (s socket) Close() error {
	_ = os.Remove(s.path) // gone already: a second Close
	return s.UnixListener.Close()
}

// Admins dials the endpoint of administrators in the folder dir.
func Admins(dir string) func(context.Context) (net.Conn, error) {
	return dialer(filepath.Join(dir, adminSocket))
}

// Users dials the endpoint of all users in the folder dir.
func Users(dir string) func(context.Context) (net.Conn, error) {
	return dialer(filepath.Join(dir, userSocket))
}

func dialer(path string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "unix", path) }
}
