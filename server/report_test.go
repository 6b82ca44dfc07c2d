package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/server"
	"waptwua/transport"
)

func TestReports(t *testing.T) {
	r := newRig(t)
	r.enrolled(t, uuidA)
	first := r.state(uuidA, onHost(1, waptwua.StatusMissing, waptwua.Allowed), onHost(2, waptwua.StatusOK, ""))
	second := r.state(uuidA, onHost(1, waptwua.StatusOK, waptwua.Allowed), onHost(3, waptwua.StatusDiscarded, waptwua.Denied))

	ack := r.report(t, nil, first, 1)
	if want := must(first.Digest())(t); ack.Digest != want || ack.Seq != 1 || ack.NeedFull {
		t.Fatalf("first report: %+v, want digest %s", ack, want)
	}
	ack = r.report(t, first, second, 2)
	if want := must(second.Digest())(t); ack.Digest != want {
		t.Fatalf("delta: %+v, want digest %s", ack, want)
	}
	expectUpdates(t, r, uuidA, map[waptwua.UpdateID]waptwua.Status{id(1): waptwua.StatusOK, id(3): waptwua.StatusDiscarded})

	t.Run("the same again", func(t *testing.T) {
		if again := r.report(t, first, second, 2); again.Digest != ack.Digest || again.NeedFull {
			t.Errorf("answer to the second copy: %+v", again)
		}
	})
	t.Run("an older one, late", func(t *testing.T) {
		if late := r.report(t, nil, first, 1); late.Digest != ack.Digest || late.Seq != 2 {
			t.Errorf("answer to the old report: %+v", late)
		}
		expectUpdates(t, r, uuidA, map[waptwua.UpdateID]waptwua.Status{id(1): waptwua.StatusOK, id(3): waptwua.StatusDiscarded})
	})
	t.Run("from a state that is not held", func(t *testing.T) {
		if a := r.report(t, first, second, 3); !a.NeedFull || a.Digest != "" {
			t.Errorf("answer: %+v, want NeedFull", a)
		}
	})
	t.Run("that does not lead where it says", func(t *testing.T) {
		rep := must(transport.Diff(second, first))(t)
		rep.Seq, rep.Digest = 4, strings.Repeat("0", 64)
		if a := must(r.Reports.Ingest(t.Context(), uuidA, rep))(t); !a.NeedFull {
			t.Errorf("answer: %+v, want NeedFull", a)
		}
	})
	t.Run("a whole one replaces all", func(t *testing.T) {
		r.report(t, nil, r.state(uuidA, onHost(4, waptwua.StatusReboot, waptwua.Allowed)), 5)
		expectUpdates(t, r, uuidA, map[waptwua.UpdateID]waptwua.Status{id(4): waptwua.StatusReboot})
	})
}

func expectUpdates(t *testing.T, r *rig, uuid string, want map[waptwua.UpdateID]waptwua.Status) {
	t.Helper()
	got := map[waptwua.UpdateID]waptwua.Status{}
	for _, u := range must(r.Fleet.Host(t.Context(), uuid))(t).List {
		got[u.ID] = u.Status
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("updates of host %s (-want +got):\n%s", uuid, d)
	}
}

// TestReportOfHostileText checks that text a database would refuse neither
// stops a report nor makes the next one start from another state.
func TestReportOfHostileText(t *testing.T) {
	r := newRig(t)
	r.enrolled(t, uuidA)
	u := onHost(1, waptwua.StatusError, waptwua.Allowed)
	u.Failure = &waptwua.Failure{Sentence: "a\x00b'; DROP TABLE hosts; --\u2028", At: r.now}
	first := r.state(uuidA, u)
	first.Host.Name = "pc\x00<script>"
	first.Settings = map[string]string{"filter": "x\x00"}
	check(t, first.Normalize())
	r.report(t, nil, first, 1)
	second := r.state(uuidA, u, onHost(2, waptwua.StatusOK, ""))
	second.Host, second.Settings = first.Host, first.Settings
	check(t, second.Normalize())
	if ack := r.report(t, first, second, 2); ack.NeedFull {
		t.Error("the state was not held exactly")
	}
	if got := must(r.Fleet.Host(t.Context(), uuidA))(t).Name; got != "pc<script>" {
		t.Errorf("name %q", got)
	}
}

func TestReportRefusals(t *testing.T) {
	r := newRig(t, func(p *server.Parts) { p.Settings.MaxReportUpdates, p.Settings.MaxUpdateBytes = 3, 2500 })
	r.enrolled(t, uuidA)
	r.enrolled(t, uuidB)
	long := onHost(1, waptwua.StatusError, waptwua.Allowed)
	long.Failure = &waptwua.Failure{Sentence: strings.Repeat("x", 3000)}
	stepping := onHost(1, waptwua.StatusOK, waptwua.Allowed)
	stepping.Steps = make([]waptwua.Step, waptwua.MaxSteps+1)
	for _, c := range []struct {
		name  string
		state *transport.State
		bend  func(*transport.Report)
		want  error
	}{
		{"another host's state", r.state(uuidB), nil, waptwua.ErrForbidden},
		{"too many updates", r.state(uuidA, onHost(1, waptwua.StatusOK, ""), onHost(2, waptwua.StatusOK, ""), onHost(3, waptwua.StatusOK, ""), onHost(4, waptwua.StatusOK, "")), nil, waptwua.ErrLimit},
		{"one update too large", r.state(uuidA, long), nil, waptwua.ErrLimit},
		{"too many steps", r.state(uuidA, stepping), nil, waptwua.ErrLimit},
		{"a status nobody knows", r.state(uuidA, onHost(1, "FINE", "")), nil, server.ErrInvalid},
		{"a decision nobody knows", r.state(uuidA, onHost(1, waptwua.StatusOK, "maybe")), nil, server.ErrInvalid},
		{"no sequence number", r.state(uuidA), func(p *transport.Report) { p.Seq = 0 }, server.ErrInvalid},
		{"a sequence number at the end of time", r.state(uuidA), func(p *transport.Report) { p.Seq = 1 << 63 }, server.ErrInvalid},
		{"a version of tomorrow", r.state(uuidA), func(p *transport.Report) { p.Version = 2 }, server.ErrInvalid},
		{"a whole report without a head", r.state(uuidA), func(p *transport.Report) { p.Head = nil }, server.ErrInvalid},
		{"updates in the head", r.state(uuidA), func(p *transport.Report) { p.Head = r.state(uuidA, onHost(1, waptwua.StatusOK, "")) }, server.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := must(transport.Diff(nil, c.state))(t)
			rep.Seq = 1
			if c.bend != nil {
				c.bend(rep)
			}
			_, err := r.Reports.Ingest(t.Context(), uuidA, rep)
			wantError(t, "ingest", err, c.want)
		})
	}
	if h := must(r.Fleet.Host(t.Context(), uuidA))(t); !h.Reported.IsZero() || len(h.List) != 0 {
		t.Errorf("something of a refused report stayed: %+v", h)
	}
	_, err := r.Reports.Ingest(t.Context(), "00000000-0000-0000-0000-00000000000f", must(transport.Diff(nil, r.state(uuidA)))(t))
	wantError(t, "a report without sequence of a stranger", err, server.ErrInvalid)
}

func TestDescriptions(t *testing.T) {
	r := newRig(t)
	r.archive.publish(1, 1)
	check(t, r.Upkeep.LoadCatalogue(t.Context()))
	r.enrolled(t, uuidA)
	s := r.state(uuidA, onHost(1, waptwua.StatusOK, ""), onHost(7, waptwua.StatusOK, ""))
	ack := r.report(t, nil, s, 1)
	if d := cmp.Diff([]waptwua.UpdateID{id(7)}, ack.Describe); d != "" {
		t.Fatalf("asked for (-want +got):\n%s", d)
	}
	if ack.Archive != r.archive.info.SHA256 {
		t.Errorf("archive %s, want %s", ack.Archive, r.archive.info.SHA256)
	}
	rep := must(transport.Diff(s, s))(t)
	rep.Seq = 1 // no new state, only descriptions
	rep.About = []waptwua.Update{{ID: id(7), Title: "From\x00 the host", KBs: []waptwua.KB{77}}, {ID: id(1), Title: "Lies"}, {ID: id(9), Title: "Never seen"}}
	ack = must(r.Reports.Ingest(t.Context(), uuidA, rep))(t)
	if ack.NeedFull || ack.Digest != rep.Digest {
		t.Errorf("answer to descriptions: %+v", ack)
	}
	check(t, r.Upkeep.MissingFiles(t.Context(), "test"))
	for n, want := range map[int]string{7: "From the host", 1: "Update 1"} {
		if got := must(r.Fleet.Update(t.Context(), id(n)))(t); got.Title != want {
			t.Errorf("title of update %d: %q, want %q", n, got.Title, want)
		}
	}
	_, err := r.Fleet.Update(t.Context(), id(9))
	wantError(t, "an update that no host has", err, waptwua.ErrNotFound)
}
