// Package usersession finds the sessions in which people are logged in to
// this Windows, and runs a program in one of them with the rights of its
// user: what a service does to show a dialog, since its own session has no
// desktop.
//
// The program gets the user's environment and the user's token as Windows
// hands it out, which for an administrator is the one without
// administrator's rights. It inherits no handles. Its answer is its exit
// code: nobody else can give that in its place, unlike a file or a pipe.
//
// Only the system account may do this. Sessions at the screen and from afar
// (Remote Desktop) count; a disconnected session has a user, but nobody who
// looks at it.
package usersession

import "errors"

// Session is a session with a user.
type Session struct {
	ID     uint32
	Active bool // somebody is connected to it; it may be locked
}

// ErrUnsupported says that this system has no sessions.
var ErrUnsupported = errors.New("sessions of users are known on Windows only")
