package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"waptwua"
	"waptwua/transport"
)

// envChild names the data directory that this test binary serves when it is
// started again as a server.
const envChild = "WAPTSERVER_TEST_CHILD"

// TestChild is the server of TestKill.
func TestChild(t *testing.T) {
	dir := os.Getenv(envChild)
	if dir == "" {
		t.Skip("only as a child of TestKill")
	}
	if err := serve(context.Background(), dir, true, os.Stdout, os.Stderr); err != nil {
		t.Fatal(err)
	}
}

// child is a server in a process of its own.
type child struct {
	serving
	cmd *exec.Cmd
	log bytes.Buffer
}

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0], "-test.run=^TestChild$")}
	c.cmd.Env = append(os.Environ(), envChild+"="+dir)
	c.cmd.Stderr = &c.log
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if json.Unmarshal(lines.Bytes(), &c.serving) == nil && c.Agents != "" {
			return c
		}
	}
	c.kill()
	t.Fatalf("the server did not start:\n%s", c.log.String())
	return nil
}

// kill ends the process without notice; it may be called again.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // fails when it has ended
	_ = c.cmd.Wait()         // says that it was killed
}

// TestKill kills the server while a host reports, again and again. Whatever
// was acknowledged is held afterwards, and the report that was on its way can
// be sent again as it was.
func TestKill(t *testing.T) {
	const rounds = 8
	first := startServer(t)
	h, resp := first.enrol(t, command(t, "", "token", "create", "--data", first.dir), "00000000-0000-0000-0000-00000000000a")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("enrolling: %s", resp.Status)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	r := &reporter{host: h}
	for round := range rounds {
		c := startChild(t, first.dir)
		h.base = c.Agents
		h.http.CloseIdleConnections()
		if round > 0 && !r.send(t) {
			t.Fatalf("round %d: the report that was on its way is refused", round)
		}
		// The moment is random, but one that comes while reports go through,
		// however slow the machine is.
		armed, after := 1+rng.IntN(4), time.Duration(rng.IntN(30))*time.Millisecond
		for n := 0; ; n++ {
			if n == armed {
				time.AfterFunc(after, func() { _ = c.cmd.Process.Kill() })
			}
			if r.next(t); !r.send(t) {
				break
			}
		}
		c.kill()
	}
	if r.acknowledged < rounds {
		t.Errorf("only %d reports were acknowledged: the test tests nothing", r.acknowledged)
	}
}

// reporter is a host that goes from state to state.
type reporter struct {
	*host
	held, wanted *transport.State
	report       *transport.Report
	seq          uint64
	acknowledged int
}

// next makes the next state and the report that leads to it.
func (r *reporter) next(t *testing.T) {
	t.Helper()
	r.seq++
	id := waptwua.UpdateID{GUID: fmt.Sprintf("11111111-0000-0000-0000-%012d", r.seq%7), Revision: 1}
	next := &transport.State{Host: waptwua.Host{UUID: r.uuid, Name: "pc1"}, Status: waptwua.HostOK, Updates: map[waptwua.UpdateID]waptwua.OnHost{
		id: {ID: id, Status: waptwua.StatusOK, Verdict: waptwua.Verdict{Detail: fmt.Sprint(r.seq)}},
	}}
	var err error
	if r.report, err = transport.Diff(r.held, next); err != nil {
		t.Fatal(err)
	}
	r.report.Seq, r.wanted = r.seq, next
}

// send sends the report. It returns false when the server has gone.
func (r *reporter) send(t *testing.T) bool {
	t.Helper()
	b, err := json.Marshal(r.report)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.http.Post(r.base+transport.PathReport, "application/json", bytes.NewReader(b))
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var ack transport.ReportAck
	if err := json.NewDecoder(resp.Body).Decode(&ack); err != nil {
		return false // the answer was cut off
	}
	if resp.StatusCode == http.StatusServiceUnavailable {
		return false
	}
	if resp.StatusCode != http.StatusOK || ack.NeedFull || ack.Digest != r.report.Digest {
		t.Fatalf("report %d after a state that was acknowledged: %s, %+v", r.seq, resp.Status, ack)
	}
	r.held, r.acknowledged = r.wanted, r.acknowledged+1
	return true
}
