package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// pipeListener makes one instance of a named pipe after the other. There is
// always one that waits for a client, so that the name stays taken. (Package
// go-winio would do the same; under Wine its reads never end.)
type pipeListener struct {
	path   string
	name   *uint16
	sa     *windows.SecurityAttributes
	closed windows.Handle // event, set by Close

	mu   sync.Mutex // held while Accept waits
	next windows.Handle
	done bool
}

// listenPipe takes the name; an error when somebody has it already.
func listenPipe(path, access string) (*pipeListener, error) {
	l := &pipeListener{path: path}
	sd, err := windows.SecurityDescriptorFromString(access)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	l.sa = &windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: sd}
	if l.name, err = windows.UTF16PtrFromString(path); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	if l.next, err = l.instance(windows.FILE_FLAG_FIRST_PIPE_INSTANCE); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	if l.closed, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), windows.CloseHandle(l.next))
	}
	return l, nil
}

func (l *pipeListener) instance(flags uint32) (windows.Handle, error) {
	return windows.CreateNamedPipe(l.name, windows.PIPE_ACCESS_DUPLEX|windows.FILE_FLAG_OVERLAPPED|flags,
		windows.PIPE_TYPE_BYTE|windows.PIPE_REJECT_REMOTE_CLIENTS, windows.PIPE_UNLIMITED_INSTANCES, MaxBody, MaxBody, 0, l.sa)
}

// Accept waits for a client.
func (l *pipeListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.done {
			return nil, net.ErrClosed
		}
		err := l.connect(l.next)
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		h := l.next
		if l.next, _ = l.instance(0); l.next == windows.InvalidHandle {
			l.done = true // the name is lost
			return nil, errors.Join(fmt.Errorf("%s: no further instance", l.path), windows.CloseHandle(h), windows.CloseHandle(l.closed))
		}
		if err == nil {
			return pipeConn{os.NewFile(uintptr(h), l.path), pipeAddr(l.path)}, nil
		}
		_ = windows.CloseHandle(h) // the client went away at once
	}
}

// connect waits until a client has opened the instance, or until Close.
func (l *pipeListener) connect(h windows.Handle) error {
	event, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(event) }()
	o := &windows.Overlapped{HEvent: event}
	switch err := windows.ConnectNamedPipe(h, o); {
	case err == nil, errors.Is(err, windows.ERROR_PIPE_CONNECTED):
		return nil
	case !errors.Is(err, windows.ERROR_IO_PENDING):
		return err
	}
	which, err := windows.WaitForMultipleObjects([]windows.Handle{l.closed, event}, false, windows.INFINITE)
	if err == nil && which == windows.WAIT_OBJECT_0 {
		_ = windows.CancelIoEx(h, o)
		err = net.ErrClosed
	}
	var n uint32
	if end := windows.GetOverlappedResult(h, o, &n, true); err == nil { // o is the kernel's until here
		err = end
	}
	return err
}

// Close ends Accept and gives the name up.
func (l *pipeListener) Close() error {
	if err := windows.SetEvent(l.closed); err != nil {
		return net.ErrClosed
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return net.ErrClosed
	}
	l.done = true
	return errors.Join(windows.CloseHandle(l.next), windows.CloseHandle(l.closed))
}

// Addr is the pipe's path.
func (l *pipeListener) Addr() net.Addr { return pipeAddr(l.path) }

// busyWait is how long a client waits before it tries an occupied pipe again.
const busyWait = 20 * time.Millisecond

// dialPipe opens the pipe anonymously: who listens cannot act as the caller.
func dialPipe(ctx context.Context, path string) (net.Conn, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	for {
		h, err := windows.CreateFile(name, pipeAccess, 0, nil, windows.OPEN_EXISTING,
			windows.FILE_FLAG_OVERLAPPED|windows.SECURITY_SQOS_PRESENT|windows.SECURITY_ANONYMOUS, 0)
		if err == nil {
			return pipeConn{os.NewFile(uintptr(h), path), pipeAddr(path)}, nil
		}
		if !errors.Is(err, windows.ERROR_PIPE_BUSY) {
			return nil, fmt.Errorf("opening %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(busyWait):
		}
	}
}

// pipeConn is one end of a pipe. Its deadlines are those of os.File.
type pipeConn struct {
	*os.File
	addr pipeAddr
}

// LocalAddr is the pipe's path.
func (c pipeConn) LocalAddr() net.Addr { return c.addr }

// RemoteAddr is the pipe's path.
func (c pipeConn) RemoteAddr() net.Addr { return c.addr }

type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }
