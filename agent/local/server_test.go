package local

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/agent"
	"waptwua/transport"
)

const secret = "hunter2"

var (
	pendingID = waptwua.UpdateID{GUID: "00000000-0000-4000-8000-000000000001", Revision: 1}
	heldID    = waptwua.UpdateID{GUID: "00000000-0000-4000-8000-000000000002", Revision: 1}
)

// aStatus has a secret wherever a text can be.
func aStatus() (*agent.Status, error) {
	return &agent.Status{
		Registered: true,
		State: transport.State{
			Host: waptwua.Host{Name: secret, UUID: secret}, Status: waptwua.HostPending, Settings: map[string]string{"filter": secret}, Problems: []string{secret},
			LastAction: transport.Action{Kind: "scan", Error: secret},
			Updates: map[waptwua.UpdateID]waptwua.OnHost{
				pendingID: {ID: pendingID, Status: waptwua.StatusPending, Failure: &waptwua.Failure{Sentence: secret}, Verdict: waptwua.Verdict{Origin: secret}},
				heldID:    {ID: heldID, Status: waptwua.StatusDiscarded, Verdict: waptwua.Verdict{Detail: secret}},
			},
		},
		Updates: map[waptwua.UpdateID]waptwua.Update{pendingID: {ID: pendingID, Title: "Cumulative update", KBs: []waptwua.KB{5040442}}},
	}, nil
}

// served runs a service on real sockets (pipes on Windows).
type served struct {
	dir    string
	desk   *Desk
	op     *operator
	admins *Client
	users  *Client
}

func serve(t *testing.T) *served {
	t.Helper()
	dir, err := os.MkdirTemp("", "w") // short: a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	a, u, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	desk, op := newDesk(t)
	s := &served{dir: dir, desk: desk, op: op, admins: NewClient(Admins(dir)), users: NewClient(Users(dir))}
	svc := &Service{Desk: desk, Status: aStatus, Version: "1.2"}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := svc.Serve(ctx, a, u); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { s.admins.Close(); s.users.Close(); cancel(); wg.Wait() })
	return s
}

func TestOverviewHasNoSecrets(t *testing.T) {
	s := serve(t)
	o, err := s.users.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Overview{Version: "1.2", Status: waptwua.HostPending, Pending: []Pending{{Title: "Cumulative update", KBs: []string{"KB5040442"}, Status: waptwua.StatusPending}}}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Error(diff)
	}
	if b, _ := json.Marshal(o); strings.Contains(string(b), secret) {
		t.Errorf("a secret is in %s", b)
	}
}

// TestUsersMayNot goes through everything that only administrators may.
func TestUsersMayNot(t *testing.T) {
	s := serve(t)
	for name, f := range map[string]func() error{
		"status": func() error { _, err := s.users.Status(t.Context()); return err },
		"tasks":  func() error { _, err := s.users.Tasks(t.Context()); return err },
		"order":  func() error { _, err := s.users.Order(t.Context(), Order{Kind: Scan}); return err },
		"cancel": func() error { _, err := s.users.Cancel(t.Context(), 1); return err },
		"events": func() error { _, err := s.users.Events(t.Context(), 0); return err },
	} {
		if err := f(); !errors.Is(err, waptwua.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.desk.Tasks()) != 0 {
		t.Error("a user's order was taken")
	}
}

func TestOrderIsFollowed(t *testing.T) {
	s := serve(t)
	task, err := s.admins.Order(t.Context(), Order{Kind: Scan, Force: true})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-s.op.begun
		s.desk.Progress(agent.Progress{Done: 50, Total: 100})
		s.op.let <- fmt.Errorf("scan: %w", agent.ErrNotRegistered)
	}()
	var states []TaskState
	end, err := s.admins.Follow(t.Context(), task, func(t Task) { states = append(states, t.State) })
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(end.Err(), agent.ErrNotRegistered) || states[0] != Waiting || states[len(states)-1] != Failed {
		t.Errorf("ended with %v after %v", end.Err(), states)
	}
}

func TestStatusAndTasks(t *testing.T) {
	s := serve(t)
	got, err := s.admins.Status(t.Context())
	want, _ := aStatus()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	task, err := s.admins.Order(t.Context(), Order{Kind: Scan})
	if err != nil {
		t.Fatal(err)
	}
	<-s.op.begun
	if _, err := s.admins.Cancel(t.Context(), task.ID); err != nil {
		t.Fatal(err)
	}
	until(t, s.desk, task.ID, TaskCancel)
	if list, err := s.admins.Tasks(t.Context()); err != nil || len(list) != 1 || list[0].State != Canceled {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestHostileRequests sends what no client of ours sends.
func TestHostileRequests(t *testing.T) {
	s := serve(t)
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"large body":      {"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{\"id\":\"" + strings.Repeat("x", 99000), http.StatusRequestEntityTooLarge},
		"large head":      {"GET /v1/overview HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 20<<10) + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"no JSON":         {"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nnope", http.StatusBadRequest},
		"unknown members": {"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{\"run\":\"\"} ", http.StatusBadRequest},
		"two values":      {"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{} {}", http.StatusBadRequest},
		"no path":         {"GET /v2/overview HTTP/1.1\r\nHost: x\r\n\r\n", http.StatusNotFound},
		"climbing":        {"GET /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", http.StatusTemporaryRedirect},
		"no HTTP":         {"\x16\x03\x01\r\n\r\n", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := Admins(s.dir)(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go io.WriteString(conn, c.request)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != c.status {
				t.Errorf("status %s, want %d", res.Status, c.status)
			}
		})
	}
}

// TestBadNumbers: paths and queries of administrators are checked as well.
func TestBadNumbers(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"events?after=-1", "events?after=x", "tasks/0x1"} {
		method := http.MethodGet
		if strings.HasPrefix(path, "tasks") {
			method = http.MethodDelete
		}
		if err := s.admins.call(t.Context(), method, path, nil, &struct{}{}); err == nil || errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestManyConnections: users who take all of their connections do not keep
// administrators out, and get no more than their share.
func TestManyConnections(t *testing.T) {
	s := serve(t)
	var held []net.Conn
	for range maxConns {
		conn, err := Users(s.dir)(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
		fmt.Fprint(conn, "GET /v1/overview HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
	}
	late := make(chan error)
	go func() { _, err := s.users.Overview(t.Context()); late <- err }()
	if _, err := s.admins.Overview(t.Context()); err != nil {
		t.Errorf("administrators are kept out: %v", err)
	}
	select {
	case err := <-late:
		t.Errorf("a connection too many was served (%v)", err)
	default:
	}
	for _, c := range held {
		c.Close()
	}
	if err := <-late; err != nil {
		t.Errorf("who waited was not served: %v", err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	if _, err := NewClient(dialer(filepath.Join(os.TempDir(), "waptwua-none", "none"))).Overview(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("%v", err)
	}
}

func TestStateThatCannotBeRead(t *testing.T) {
	s := &Service{Desk: NewDesk(nil, noTime), Status: func() (*agent.Status, error) { return nil, errors.New(secret) }}
	if _, err := s.overview(); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("%v", err)
	}
}
