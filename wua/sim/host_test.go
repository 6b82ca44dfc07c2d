package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/applicability"
	"waptwua/internal/filelock"
	"waptwua/wua"
)

func options(t *testing.T) Options {
	return Options{Dir: t.TempDir(), Machine: bare(), Now: time.Now, Graphs: NewGraphs(GraphsOptions{Now: time.Now})}
}

func mustOpen(t *testing.T, o Options) *Host {
	t.Helper()
	h, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func wantCode(t *testing.T, err error, code wua.Code) {
	t.Helper()
	if e, ok := err.(*wua.Error); !ok || e.Code != code {
		t.Errorf("got %v, want an error with code %v", err, code)
	}
}

func TestOpenRefuses(t *testing.T) {
	whole := options(t)
	for name, change := range map[string]func(*Options){
		"no folder":  func(o *Options) { o.Dir = "" },
		"no machine": func(o *Options) { o.Machine = nil },
		"no graphs":  func(o *Options) { o.Graphs = nil },
		"no clock":   func(o *Options) { o.Now = nil },
		"a machine that cannot be evaluated": func(o *Options) {
			o.Machine = &applicability.Facts{Format: 1, Products: map[string]*applicability.Product{"{x}": {Version: "one"}}}
		},
	} {
		o := whole
		change(&o)
		if _, err := Open(o); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestOpenRefusesAStateItDoesNotKnow(t *testing.T) {
	for name, state := range map[string]string{"newer format": `{"format": 2}`, "torn": `{"format": 1, "boots"`} {
		o := options(t)
		if err := os.WriteFile(filepath.Join(o.Dir, stateFile), []byte(state), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), stateFile) {
			t.Errorf("%s: %v, want an error that names %s", name, err, stateFile)
		}
	}
}

func TestOnlineSearchHasNoNetwork(t *testing.T) {
	_, err := mustOpen(t, options(t)).Search(t.Context(), wua.Query{})
	wantCode(t, err, networkMissing)
}

func TestAnotherProcessIsAtWork(t *testing.T) {
	o := options(t)
	h := mustOpen(t, o)
	lock, err := filelock.Try(filepath.Join(o.Dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Info(t.Context())
	wantCode(t, err, wua.OperationInProgress)
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Info(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	h := mustOpen(t, options(t))
	const restarts = maxHistory/100 + 5
	err := h.serve(t.Context(), "test", nil, func(c *call) error {
		for range maxHistory {
			c.record(Event{Operation: OpInstall, ID: waptwua.UpdateID{GUID: "6c209660-aaaa-4bbb-8ccc-0123456789ab"}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range restarts {
		if err := h.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s, err := h.load()
	if err != nil || len(s.Events) != maxHistory || s.Boots != restarts {
		t.Errorf("%d events, %d restarts, %v", len(s.Events), s.Boots, err)
	}
	events, err := ReadLog(h.opt.Dir)
	if err != nil || len(events) != maxHistory+restarts {
		t.Errorf("the log has %d events, %v", len(events), err)
	}
	if entries, err := h.History(t.Context(), 2*maxHistory); err != nil || len(entries) != maxHistory-restarts {
		t.Errorf("the history has %d entries, %v; restarts are none of it", len(entries), err)
	}
}

func TestDescribe(t *testing.T) {
	for _, tt := range []struct {
		os   applicability.OS
		want string
	}{
		{applicability.OS{Major: 10, Build: 22631, Revision: 4317, ProductType: 1, Edition: "Pro"}, "Windows 11 Pro 23H2"},
		{applicability.OS{Major: 6, Minor: 1, Build: 7601, ServicePackMajor: 1, ProductType: 1, Edition: "Professional"}, "Windows 7 Professional SP1"},
		{applicability.OS{Major: 6, Minor: 1, Build: 7601, ServicePackMajor: 1, ProductType: 3, Edition: "Standard"}, "Windows Server 2008 R2 Standard SP1"},
		{applicability.OS{Major: 10, Build: 20348, ProductType: 2}, "Windows Server 2022"},
		{applicability.OS{Major: 10, Build: 99999, ProductType: 1}, "Windows 10.0.99999.0"},
	} {
		got := describe(&applicability.Facts{OS: &tt.os, Processor: &applicability.Processor{Architecture: applicability.ArchARM64}})
		version := fmt.Sprintf("%d.%d.%d.%d", tt.os.Major, tt.os.Minor, tt.os.Build, tt.os.Revision)
		if got.OS != tt.want || got.Version != version || got.Architecture != "arm64" {
			t.Errorf("got %+v, want %q", got, tt.want)
		}
	}
}
