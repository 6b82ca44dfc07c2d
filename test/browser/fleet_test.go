package browser

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"waptwua"
	"waptwua/signing"
	"waptwua/store"
	"waptwua/transport"
)

// addHost makes one of sixty hosts; the first few are in trouble.
func (s *site) addHost(t *testing.T, n int, now time.Time) {
	t.Helper()
	h := store.Host{UUID: hostUUID(n), Standing: store.Enrolled, LastSeen: now.Add(-time.Duration(n) * time.Minute), EnrolledAt: now.Add(-2000 * time.Hour), CertExpires: now.Add(80000 * time.Hour)}
	st := state(n, now)
	h.Name, h.OS, h.OSVersion, h.Architecture = st.Host.Name, st.Host.OS, st.Host.OSVersion, st.Host.Architecture
	switch n {
	case 4:
		h.LastSeen = now.Add(-20 * 24 * time.Hour)
	case 5:
		h.Standing = store.Awaiting
		check(t, s.db.PutHost(s.ctx, h))
		return
	}
	check(t, s.db.PutHost(s.ctx, h))
	s.report(t, h.UUID, st)
	if n == 4 {
		h = must(s.db.Host(s.ctx, h.UUID))(t)
		h.LastSeen, h.ReportedAt = now.Add(-20*24*time.Hour), now.Add(-20*24*time.Hour)
		check(t, s.db.PutHost(s.ctx, h))
	}
}

func (s *site) report(t *testing.T, uuid string, st *transport.State) {
	t.Helper()
	check(t, st.Normalize())
	r := must(transport.Diff(nil, st))(t)
	r.Seq, r.Sent = 1, time.Now()
	must(s.Reports.Ingest(s.ctx, uuid, r))(t)
}

// state is what host n reports.
func state(n int, now time.Time) *transport.State {
	kind := n % 3
	st := &transport.State{
		Host: waptwua.Host{UUID: hostUUID(n), Name: fmt.Sprintf("pc-%03d.example.org", n), AgentVersion: "0.1.0", WUAVersion: "1305.2311.18012.0", Architecture: "amd64",
			OS: []string{"Windows 11 Pro 24H2", "Windows Server 2022", "Windows 10 Enterprise 22H2"}[kind], OSVersion: []string{"10.0.26100.4652", "10.0.20348.4171", "10.0.19045.6456"}[kind]},
		Status: waptwua.HostOK,
		Scan:   waptwua.Scan{At: now.Add(-time.Duration(n+7) * time.Minute), Duration: 94 * time.Second, Archive: waptwua.SHA256{1, 2, 3}, ArchiveDate: now.Add(-300 * time.Hour)},
		Settings: map[string]string{"enabled": "true", "offline": "true", "default_allow": "false", "install_delay": "7d", "download_scheduling": "2h",
			"filter": "Type='Software' or Type='Driver'"},
		Rules:      []transport.RuleState{{Name: "servers", Version: 3, Signer: "alice"}},
		Updates:    map[waptwua.UpdateID]waptwua.OnHost{},
		LastAction: transport.Action{Kind: "scan", At: now.Add(-time.Duration(n+7) * time.Minute)},
	}
	put(st, 5, waptwua.OnHost{Status: waptwua.StatusOK, Verdict: allowed("allowed_classifications", "Update Rollups"), Installed: now.Add(-26 * time.Hour), Verified: now.Add(-25 * time.Hour)})
	trouble(st, n, now)
	return st
}

func put(st *transport.State, n int, u waptwua.OnHost) {
	u.ID = updateID(n)
	st.Updates[u.ID] = u
}

func allowed(reason, detail string) waptwua.Verdict {
	return waptwua.Verdict{Decision: waptwua.Allowed, Reason: reason, Detail: detail, Origin: "servers"}
}

// trouble makes the first hosts differ from the others.
func trouble(st *transport.State, n int, now time.Time) {
	switch {
	case n == 0:
		st.Host.Name, st.Status = hostile, waptwua.HostPending
		put(st, 0, waptwua.OnHost{Status: waptwua.StatusMissing, Verdict: allowed("allowed_severities", "Critical")})
		put(st, 2, waptwua.OnHost{Status: waptwua.StatusPending, Verdict: allowed("allowed_severities", "Important"), Downloaded: true})
		put(st, 3, waptwua.OnHost{Status: waptwua.StatusDiscarded, Verdict: waptwua.Verdict{Decision: waptwua.Denied, Reason: "forbidden_kbs", Detail: "KB5002803", Origin: "servers"}})
		put(st, 4, waptwua.OnHost{Status: waptwua.StatusDiscarded, Verdict: waptwua.Verdict{Decision: waptwua.Held, Reason: "install_delay", Detail: "7d", Origin: "wapt-get.ini", Until: now.Add(40 * time.Hour)}})
	case n == 1:
		st.Status = waptwua.HostError
		put(st, 1, waptwua.OnHost{Status: waptwua.StatusError, Verdict: allowed("allowed_severities", "Critical"), Failure: &waptwua.Failure{
			HResult: 0x80070070, Name: "ERROR_DISK_FULL", Sentence: "There is not enough space on the disk.", Remedy: "Free at least 10 GB on the system drive, then install again.", At: now.Add(-3 * time.Hour), Attempts: 2}})
		st.Rules = append(st.Rules, transport.RuleState{Name: "pilots", Version: 1, Error: "signed by a key that this host does not trust"})
		st.Problems = []string{"install_scheduling: \"often\" is no duration; want a number and s, m, h, d or w"}
	case n == 2:
		st.Scan.Error = &waptwua.Failure{HResult: 0x80247001, Name: "WU_E_OL_INVALID_SCANFILE", Sentence: "The scan archive is damaged or of another version.",
			Remedy: "The agent fetches it anew; if it stays so, compare its digest with the server's.", At: now.Add(-20 * time.Minute), Attempts: 3}
		st.Status = waptwua.HostError
	case n == 3:
		st.Scan, st.Status = waptwua.Scan{}, waptwua.HostUnknown
	case n == 6:
		st.Status, st.Reboot = waptwua.HostReboot, []string{"component servicing has changes to finish"}
		st.Restart = &transport.Restart{Due: now.Add(-50 * time.Minute), Asked: now.Add(-40 * time.Minute), Snoozed: 1, Until: now.Add(20 * time.Minute), Forced: now.Add(71 * time.Hour)}
		put(st, 0, waptwua.OnHost{Status: waptwua.StatusReboot, Verdict: allowed("allowed_severities", "Critical"), Installed: now.Add(-50 * time.Minute)})
	case n%4 == 3:
		st.Status = waptwua.HostPending
		put(st, 0, waptwua.OnHost{Status: waptwua.StatusMissing, Verdict: allowed("allowed_severities", "Critical")})
	default:
		put(st, 1, waptwua.OnHost{Status: waptwua.StatusOK, Verdict: allowed("allowed_severities", "Critical"), Installed: now.Add(-5 * time.Hour), Verified: now.Add(-4 * time.Hour)})
	}
}

// addWork makes runs and downloads in every state.
func (s *site) addWork(t *testing.T, now time.Time) {
	t.Helper()
	ago := func(m int) time.Time { return now.Add(-time.Duration(m) * time.Minute) }
	for _, r := range []store.Run{
		{Kind: "refresh-archive", Reason: "daily at 03:17", State: store.Finished, Done: 658_123_456, Total: 658_123_456, Speed: 48_000_000, StartedAt: ago(250), FinishedAt: ago(240), Message: "archive of 2026-11-11 published"},
		{Kind: "clean-up", Reason: "daily", State: store.Finished, StartedAt: ago(200), FinishedAt: ago(200), Message: "removed 3 files, 812 MB"},
		{Kind: "refresh-archive", Reason: "on demand of admin", State: store.Skipped, StartedAt: ago(90), FinishedAt: ago(90), Message: "Microsoft has nothing new"},
		{Kind: "missing-files", Reason: "a host needs a file", State: store.Failed, StartedAt: ago(20), FinishedAt: ago(18), Error: "1 of 4 files not fetched: windows-kb5002803-x64.cab: digest mismatch"},
	} {
		must(s.db.AddRun(s.ctx, r))(t)
	}
	for _, d := range []store.Download{
		{StoredName: "0200_windows-kb5068787-x64.cab", State: store.Finished, Attempt: 1, Done: 412_345_678, Total: 412_345_678, Speed: 51_000_000, StartedAt: ago(70), FinishedAt: ago(69), Updates: "KB5068787"},
		{StoredName: "0400_windows-kb5002803-x64.cab", State: store.Failed, Attempt: 3, Done: 0, Total: 21_000_000, StartedAt: ago(19), FinishedAt: ago(18), Updates: "KB5002803", Error: "digest mismatch: SHA-1 is 5d41402a…, the archive says 0400…"},
		{StoredName: "0100_windows-kb5068861-x64.cab", State: store.Running, Attempt: 1, Done: 2_100_000_000, Total: 4_812_345_678, Speed: 47_500_000, StartedAt: ago(1), Updates: "KB5068861"},
		{StoredName: "0500_windows-kb4052623-x64.cab", State: store.Pending, Attempt: 1, Total: 9_100_000, Updates: "KB4052623"},
	} {
		d.CreatedAt = ago(75)
		must(s.db.AddDownload(s.ctx, d))(t)
	}
}

func (s *site) addRules(t *testing.T, now time.Time) {
	t.Helper()
	must(s.Rules.Upload(s.ctx, s.envelope(t, "servers", 3, now)))(t)
}

// envelope is a rule package as an administrator signs it.
func (s *site) envelope(t *testing.T, name string, version int, now time.Time) []byte {
	t.Helper()
	rules := `{"allowed_severities":["Critical","Important"],"allowed_classifications":["Update Rollups"],"forbidden_kbs":["KB5002803"]}`
	st := signing.RulesStatement{Name: name, Version: version, Created: now.UTC(), Rules: json.RawMessage(rules)}
	payload := must(st.Encode())(t)
	env := must(signing.Sign(signing.TypeRules, payload, s.admin))(t)
	return must(env.Encode())(t)
}
