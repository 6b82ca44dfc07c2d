package console_test

import (
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/server"
)

func TestOverview(t *testing.T) {
	f := &fleet{summary: server.Summary{
		Hosts:   server.HostCounts{Enrolled: 1250, Compliant: 1200, Wanting: 30, Silent: 15, ScanFailed: 5, Awaiting: 2},
		Updates: map[waptwua.Status]int{waptwua.StatusMissing: 7},
		OnHosts: map[waptwua.Status]int{waptwua.StatusMissing: 1031},
		Files:   server.FileCounts{Needed: 9, NeededBytes: 3_000_000_000, Missing: 1, MissingBytes: 1000, Present: 12},
		Archive: &server.ArchiveView{Archive: waptwua.Archive{Created: noon.Add(-40 * 24 * time.Hour), Size: 658_000_000, Signer: "Microsoft Corporation"}, LastError: "no route to host"},
	}}
	body := get(t, pages(t, f, server.Viewer), "/").body
	for _, want := range []string{
		"96%", "1,200 of 1,250 hosts compliant", "State known of 1,230 of 1,250 hosts",
		`href="/hosts?condition=silent"`, `href="/updates?status=MISSING"`, ">1,031<",
		"The scan archive is 40 days old", "no route to host", "15 hosts are silent", "2 hosts wait for approval", "5 hosts whose last scan failed",
		"9 files", "1 file<", "3.0\u00a0GB", "As of <time datetime=\"2026-11-23T12:00:00Z\">2026-11-23 12:00:00 UTC",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the overview does not say %q", want)
		}
	}
	if strings.Contains(body, `action="/fetch"`) {
		t.Error("a viewer is offered to fetch")
	}
}

// TestNothingToDo expects a quiet page when all is well, and 100% only then.
func TestNothingToDo(t *testing.T) {
	f := &fleet{summary: server.Summary{
		Hosts:   server.HostCounts{Enrolled: 25, Compliant: 25},
		Archive: &server.ArchiveView{Archive: waptwua.Archive{Created: noon.Add(-time.Hour)}},
	}}
	body := get(t, pages(t, f, server.Operator), "/").body
	for _, want := range []string{"100%", "Nothing needs your attention", `action="/fetch"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the overview does not say %q", want)
		}
	}
}
