package browser

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"waptwua"
	"waptwua/api"
	"waptwua/blob/file"
	"waptwua/console"
	"waptwua/internal/pki"
	"waptwua/notify/inproc"
	"waptwua/server"
	"waptwua/signing"
	"waptwua/store"
	"waptwua/store/sqlite"
)

// site is an administration with its services and database.
type site struct {
	*server.Server
	db    *sqlite.DB
	queue *queue
	url   string
	ctx   context.Context // of the command line
	admin *signing.Signer // an administrator of the fleet
}

const firstPassword = "printed by waptserver init"

// newSite starts an administration with one user, "admin", who must change
// the first password.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{queue: &queue{}, ctx: server.WithActor(t.Context(), server.CommandLine())}
	s.db = must(sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "server.db")))(t)
	t.Cleanup(func() { check(t, s.db.Close()) })
	shelf := must(file.Open(t.TempDir()))(t)
	t.Cleanup(func() { check(t, shelf.Close()) })
	ca := must(pki.NewServerAuthority("test", 10000*time.Hour, time.Now()))(t)
	authority := must(pki.NewAuthority(ca, time.Now))(t)
	key := must(pki.GenerateKey(pki.ECDSAP256))(t)
	signer := must(signing.NewSigner(must(pki.NewIdentity(key, must(authority.IssueSigner(key.Public(), "s", 9000*time.Hour))(t)))(t)))(t)
	alice := must(pki.NewAdministrator("alice", pki.ECDSAP256, 9000*time.Hour, time.Now()))(t)
	s.admin = must(signing.NewSigner(alice))(t)
	log := slog.New(slog.DiscardHandler)
	s.Server = must(server.New(server.Parts{
		Store: s.db, Shelf: shelf, Notify: new(inproc.Notifier), Queue: s.queue, Archiver: s.queue, Fetcher: s.queue, Scrubber: s.queue, Loader: s.queue,
		Authority: authority, Signer: signer, Settings: server.DefaultSettings(), Log: log,
	}))(t)
	sessions := api.NewSessions(s.Accounts, false, log, time.Now)
	pages := must(console.New(console.ForServer(s.Server, sessions, log)))(t)
	web := httptest.NewServer(api.NewAdministration(s.Server, sessions, pages, "test", log))
	t.Cleanup(web.Close)
	s.url = web.URL
	check(t, s.Accounts.AddUser(s.ctx, "admin", firstPassword, server.Administrator, true))
	return s
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// queue takes the place of the background jobs and of the way to Microsoft:
// it notes what it was asked for, and publishes the archive it is given.
type queue struct {
	asked   []server.Job
	archive waptwua.Archive
}

func (q *queue) Run(_ context.Context, j server.Job, _ string, _ bool) error {
	q.asked = append(q.asked, j)
	return nil
}
func (*queue) Download(context.Context, string) error                 { return nil }
func (*queue) RetryNow(context.Context) error                         { return nil }
func (*queue) Soon()                                                  {}
func (*queue) Scrub(context.Context) ([]string, error)                { return nil, nil }
func (*queue) Fetch(context.Context, waptwua.File, func(int64)) error { return waptwua.ErrNotFound }
func (*queue) Load(context.Context) (server.Catalogue, error)         { return nil, waptwua.ErrNotFound }
func (q *queue) Refresh(context.Context, bool, func(done, total int64)) (waptwua.Archive, error) {
	return q.archive, waptwua.ErrUnchanged
}
func (q *queue) Published(context.Context) (waptwua.Archive, error) {
	if q.archive.SHA256.IsZero() {
		return q.archive, waptwua.ErrNotFound
	}
	return q.archive, nil
}

// hostile is a name that a host could choose.
const hostile = `<script>alert("xss")</script>'"&.example.org`

func updateID(n int) waptwua.UpdateID {
	return waptwua.UpdateID{GUID: fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", n), Revision: 200 + n}
}

func hostUUID(n int) string { return fmt.Sprintf("bbbbbbbb-0000-4000-8000-%012d", n) }

// updates are what Microsoft published, with a title that tries to break out.
func updates(now time.Time) []waptwua.Update {
	day := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour).Truncate(24 * time.Hour) }
	return []waptwua.Update{
		{Title: "2026-11 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5068861) (26100.7171)", KBs: []waptwua.KB{5068861},
			Severity: waptwua.Critical, Classifications: []string{"Security Updates"}, Products: []string{"Windows 11"}, Published: day(13), MaxDownloadSize: 4_812_345_678, Reboot: waptwua.RebootAlways, Handler: "OSInstaller"},
		{Title: "2026-11 Cumulative Update for Windows Server 2022 for x64-based Systems (KB5068787)", KBs: []waptwua.KB{5068787},
			Severity: waptwua.Critical, Classifications: []string{"Security Updates"}, Products: []string{"Microsoft Server operating system-21H2"}, Published: day(13), MaxDownloadSize: 412_345_678, Reboot: waptwua.RebootCanRequest, Handler: "Cbs",
			CVEs: []string{"CVE-2026-62215", "CVE-2026-60724"}, MoreInfoURL: "https://support.microsoft.com/help/5068787"},
		{Title: "2026-11 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11 (KB5066128)", KBs: []waptwua.KB{5066128},
			Severity: waptwua.Important, Classifications: []string{"Security Updates"}, Products: []string{"Windows 11"}, Published: day(13), MaxDownloadSize: 73_400_320, Handler: "Cbs"},
		{Title: "Security Update for Microsoft Office 2016 (KB5002803) 64-Bit Edition", KBs: []waptwua.KB{5002803},
			Severity: waptwua.Important, Classifications: []string{"Security Updates"}, Products: []string{"Office 2016"}, Published: day(41), MaxDownloadSize: 21_000_000, Handler: "WindowsInstaller"},
		{Title: `Update for "Quotes" & <b>Angles</b> 'x' onmouseover="alert(1)" (KB4052623)`, KBs: []waptwua.KB{4052623},
			Classifications: []string{"Definition Updates"}, Products: []string{"Microsoft Defender Antivirus"}, Published: day(5), MaxDownloadSize: 9_100_000, Handler: "CommandLineInstallation", MoreInfoURL: `javascript:alert(1)`},
		{Title: "Windows Malicious Software Removal Tool x64 - v5.137 (KB890830)", KBs: []waptwua.KB{890830},
			Classifications: []string{"Update Rollups"}, Products: []string{"Windows 10", "Windows 11"}, Published: day(13), MaxDownloadSize: 75_000_000},
	}
}

// furnish gives the site an archive, a fleet, downloads, runs and rules.
func (s *site) furnish(t *testing.T) {
	t.Helper()
	now := time.Now()
	s.queue.archive = waptwua.Archive{SHA256: waptwua.SHA256{1, 2, 3}, Size: 658_123_456, Created: now.Add(-300 * time.Hour), Published: now.Add(-4 * time.Hour),
		Signer: "Microsoft Corporation", Signed: now.Add(-301 * time.Hour)}
	s.describe(t, now)
	for n := range 60 {
		s.addHost(t, n, now)
	}
	s.addWork(t, now)
	s.addRules(t, now)
}

// describe makes the updates known; the second half of their files is here.
func (s *site) describe(t *testing.T, now time.Time) {
	t.Helper()
	for n, about := range updates(now) {
		id := updateID(n)
		about.ID = id
		check(t, s.db.SeeUpdates(s.ctx, []waptwua.UpdateID{id}, now.Add(-72*time.Hour)))
		check(t, s.db.DescribeUpdates(s.ctx, []store.Update{{GUID: id.GUID, Revision: id.Revision, Title: about.Title, Severity: string(about.Severity),
			KBs: " " + about.KBs[0].String() + " ", Products: store.Names(about.Products), Classifications: store.Names(about.Classifications),
			Published: about.Published, Described: true, Archive: "01", About: about}}))
		f := waptwua.File{Name: fmt.Sprintf("windows-kb%d-x64.cab", uint32(about.KBs[0])), Size: about.MaxDownloadSize, SHA1: waptwua.SHA1{byte(n + 1)}}
		check(t, s.db.SetUpdateFiles(s.ctx, id, []waptwua.File{f}, now))
		if n > 0 && n != 3 {
			check(t, s.db.SetPresence(s.ctx, f.StoredName(), now.Add(-time.Duration(n)*time.Hour)))
		}
		if n == 3 {
			check(t, s.db.FailedFile(s.ctx, f.StoredName(), "the origin's node gave bytes with another SHA-1", now.Add(30*time.Minute)))
		}
	}
}
