package local

import (
	"context"
	"errors"
	"net"
)

// Listen opens both endpoints; the folder counts only on other systems.
func Listen(string) (admins, users net.Listener, err error) {
	a, err := listenPipe(adminPipe, adminAccess)
	if err != nil {
		return nil, nil, err
	}
	u, err := listenPipe(userPipe, userAccess)
	if err != nil {
		return nil, nil, errors.Join(err, a.Close())
	}
	return a, u, nil
}

// Admins dials the endpoint of administrators.
func Admins(string) func(context.Context) (net.Conn, error) { return dialer(adminPipe) }

// Users dials the endpoint of all users.
func Users(string) func(context.Context) (net.Conn, error) { return dialer(userPipe) }

func dialer(pipe string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return dialPipe(ctx, pipe) }
}
