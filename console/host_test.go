package console_test

import (
	"html"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/server"
	"waptwua/transport"
)

// TestHostSaysWhy shows a host with an update for each way to decide, and
// expects the sentence that names the rule, its package and the time.
func TestHostSaysWhy(t *testing.T) {
	verdict := func(d waptwua.Decision, reason, detail, origin string) waptwua.Verdict {
		return waptwua.Verdict{Decision: d, Reason: reason, Detail: detail, Origin: origin}
	}
	held := verdict(waptwua.Held, "install_delay", "7d", "wapt-get.ini")
	held.Until = noon.Add(30 * time.Hour)
	for _, c := range []struct {
		name    string
		verdict waptwua.Verdict
		want    string
	}{
		{"forbidden", verdict(waptwua.Denied, "forbidden_kbs", "KB5002803", "servers"), "Forbidden by forbidden_kbs of servers: KB5002803"},
		{"allowed", verdict(waptwua.Allowed, "allowed_severities", "Critical", "pilots"), "Allowed by allowed_severities of pilots: Critical"},
		{"clause", verdict(waptwua.Allowed, "clauses", "clause 2", "pilots"), "Decided by a clause of pilots: clause 2"},
		{"not mentioned, refused", verdict(waptwua.Denied, "default_allow", "false", "built-in"), "No rule allows it, and default_allow of built-in is false"},
		{"not mentioned, allowed", verdict(waptwua.Allowed, "default_allow", "true", "wapt-get.ini"), "No rule mentions it; default_allow of wapt-get.ini is true"},
		{"held", held, "Held by install_delay of wapt-get.ini (7d), until 2026-11-24 18:00:00 UTC"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fleet{detail: server.HostDetail{List: []server.HostUpdate{{Title: "x", OnHost: waptwua.OnHost{Status: waptwua.StatusDiscarded, Verdict: c.verdict}}}}}
			if body := html.UnescapeString(get(t, pages(t, f, server.Viewer), "/hosts/x").body); !strings.Contains(body, c.want) {
				t.Errorf("the page does not say %q", c.want)
			}
		})
	}
}

func TestHostSaysWhatToDo(t *testing.T) {
	failure := &waptwua.Failure{HResult: 0x80070070, Name: "ERROR_DISK_FULL", Sentence: "The disk is full.", Remedy: "Free 10 GB.", At: noon.Add(-3 * time.Hour), Attempts: 2}
	f := &fleet{detail: server.HostDetail{List: []server.HostUpdate{{OnHost: waptwua.OnHost{Status: waptwua.StatusError, Failure: failure}}}}}
	f.detail.State.Scan.Error = &waptwua.Failure{Sentence: "The scan archive is damaged.", Remedy: "It is fetched anew.", At: noon}
	body := get(t, pages(t, f, server.Viewer), "/hosts/x").body
	for _, want := range []string{"0x80070070", "ERROR_DISK_FULL", "The disk is full.", "What to do: Free 10 GB.", "3\u00a0h ago", "2 attempts",
		"The scan archive is damaged.", "What to do: It is fetched anew."} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestHostSaysItsWindow(t *testing.T) {
	f := &fleet{}
	if body := get(t, pages(t, f, server.Viewer), "/hosts/x").body; strings.Contains(body, "Installation window") {
		t.Error("a host without windows has one")
	}
	f.detail.State.NextWindow = noon.Add(30 * time.Hour)
	if body := get(t, pages(t, f, server.Viewer), "/hosts/x").body; !strings.Contains(body, "Installation window") || !strings.Contains(body, "2026-11-24 18:00") {
		t.Error("the page does not say when the window opens")
	}
}

func TestHostSaysItsRestart(t *testing.T) {
	f := &fleet{}
	if body := get(t, pages(t, f, server.Viewer), "/hosts/x").body; strings.Contains(body, "Restart needed since") {
		t.Error("a host that needs no restart has one")
	}
	f.detail.State.Restart = &transport.Restart{Due: noon.Add(-time.Hour), Snoozed: 2, Until: noon.Add(3 * time.Hour), Forced: noon.Add(71 * time.Hour)}
	body := get(t, pages(t, f, server.Viewer), "/hosts/x").body
	for _, want := range []string{"Restart needed since", "2026-11-23 11:00", "User is not asked again before", "2026-11-23 15:00", "Restarts at the latest", "2026-11-26 11:00", "Put off by the user", "2 ×"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(body, "Restart announced for") {
		t.Error("the page says that a restart is announced")
	}
}

// TestHostFilter narrows the updates of a host by status and text.
func TestHostFilter(t *testing.T) {
	f := &fleet{detail: server.HostDetail{List: []server.HostUpdate{
		{Title: "Update of Office", OnHost: waptwua.OnHost{Status: waptwua.StatusOK}},
		{Title: "Update of Windows", OnHost: waptwua.OnHost{Status: waptwua.StatusMissing}},
		{Title: "Driver of a printer", OnHost: waptwua.OnHost{Status: waptwua.StatusMissing}},
	}}}
	for address, want := range map[string]int{"": 3, "?status=MISSING": 2, "?q=UPDATE": 2, "?status=MISSING&q=update": 1, "?q=nothing": 0} {
		body := get(t, pages(t, f, server.Viewer), "/hosts/x"+address).body
		if got := strings.Count(body, `<th scope="row"`); got != want {
			t.Errorf("%s: %d rows, want %d", address, got, want)
		}
	}
}

// TestUnknownIsSplitByCause expects a word for each reason not to know.
func TestUnknownIsSplitByCause(t *testing.T) {
	for want, view := range map[string]server.HostView{
		"Silent":               {Knowledge: "silent", Standing: server.Enrolled, Status: waptwua.HostOK},
		"Never scanned":        {Knowledge: "never_scanned", Standing: server.Enrolled},
		"Scan failed":          {Knowledge: "scan_failed", Standing: server.Enrolled, Status: waptwua.HostOK},
		"Waiting for approval": {Knowledge: "never_scanned", Standing: server.Awaiting},
		"Refused":              {Knowledge: "known", Standing: server.Refused, Status: waptwua.HostOK},
		"PENDING UPDATES":      {Knowledge: "known", Standing: server.Enrolled, Status: waptwua.HostPending},
	} {
		f := &fleet{detail: server.HostDetail{HostView: view}}
		body := get(t, pages(t, f, server.Viewer), "/hosts/x").body
		_, head, _ := strings.Cut(body, `class="title-line"`)
		head, _, _ = strings.Cut(head, `head-actions`)
		if !strings.Contains(head, want) || strings.Contains(head, ">OK") {
			t.Errorf("%+v is not shown as %q", view, want)
		}
	}
}

// TestArchiveOfTheScan expects the date that Microsoft gave the archive
// rather than what the host took from the file, and a word when it is not
// the one published now.
func TestArchiveOfTheScan(t *testing.T) {
	published := &server.ArchiveView{Archive: waptwua.Archive{SHA256: waptwua.SHA256{1}, Created: noon.Add(-13 * 24 * time.Hour)}}
	for _, c := range []struct {
		name  string
		used  waptwua.SHA256
		says  string
		other bool
	}{
		{"the published one", waptwua.SHA256{1}, "13 days ago", false},
		{"another one", waptwua.SHA256{2}, "5\u00a0h ago", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fleet{summary: server.Summary{Archive: published}}
			f.detail.State.Scan = waptwua.Scan{At: noon, Archive: c.used, ArchiveDate: noon.Add(-5 * time.Hour)}
			body := get(t, pages(t, f, server.Viewer), "/hosts/x").body
			if !strings.Contains(body, c.says) || strings.Contains(body, "not the archive that the server publishes") != c.other {
				t.Errorf("the page does not say %q, or the wrong thing about the archive", c.says)
			}
		})
	}
}

// TestHostSteps shows the time line of an update, with dates, zone and age,
// and how it was installed, in both languages.
func TestHostSteps(t *testing.T) {
	u := waptwua.OnHost{ID: waptwua.UpdateID{GUID: "00000000-0000-4000-8000-000000000001", Revision: 200}, Status: waptwua.StatusError,
		Way: waptwua.Way{Tool: "dism", Why: waptwua.WaySeveralPackages}}
	u.Reach(waptwua.PhaseNeeded, noon.Add(-48*time.Hour), "")
	u.Reach(waptwua.PhaseWaiting, noon.Add(-5*time.Hour), "")
	u.Reach(waptwua.PhaseRolledBack, noon.Add(-3*time.Hour), "0x800F0922")
	f := &fleet{detail: server.HostDetail{List: []server.HostUpdate{{Title: "x", OnHost: u}, {Title: "y", OnHost: waptwua.OnHost{Status: waptwua.StatusOK}}}}}
	f.detail.State.RestartLoop = &waptwua.Failure{Sentence: "Windows still asks for a restart after 3 restarts (CBS).", At: noon, Attempts: 3}
	for language, wants := range map[string][]string{
		"en": {"Steps: rolled back at the restart", "needed", "2026-11-21 12:00:00 UTC", "2 days ago", "installed, waiting for the restart", "0x800F0922",
			"3\u00a0h ago", "Installed by DISM", "Restarts in vain", "after 3 restarts"},
		"fr": {"Étapes\u00a0: annulée au redémarrage", "nécessaire", "installée, en attente du redémarrage", "Installée par DISM", "Redémarrages sans effet"},
	} {
		body := html.UnescapeString(get(t, pages(t, f, server.Viewer), "/hosts/x", "Accept-Language: "+language).body)
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not say %q", language, want)
			}
		}
		if n := strings.Count(body, `class="steps"`); n != 1 {
			t.Errorf("%s: %d time lines, want one: the other update has no steps", language, n)
		}
	}
}
