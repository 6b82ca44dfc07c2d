package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua"
	"waptwua/store"
)

func testUpdates(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.PutHost(ctx, host(hostA, "pc1")))
	put(t, s, hostA, onHost(1, waptwua.StatusMissing, waptwua.Allowed), onHost(2, waptwua.StatusOK, waptwua.Allowed))
	must(t, s.SeeUpdates(ctx, []waptwua.UpdateID{id(1)}, noon.Add(time.Hour)))
	other := id(1)
	other.Revision++
	unknown := get[[]waptwua.UpdateID](t)(s.Undescribed(ctx, []waptwua.UpdateID{id(2), other, id(1)}))
	if d := cmp.Diff([]waptwua.UpdateID{id(2), id(1)}, unknown); d != "" {
		t.Errorf("without a description (-want +got):\n%s", d)
	}
	u := get[store.Update](t)(s.FindUpdate(ctx, id(1)))
	if !u.SeenAt.Equal(noon) {
		t.Errorf("seen at %v, want the first time %v", u.SeenAt, noon)
	}
	u.Title, u.KBs, u.Published, u.Described, u.Archive = "Security Update", " KB5031234 ", noon, true, "aa"
	u.Severity, u.Products, u.Classifications = "Critical", store.Names([]string{"Windows 10", "Windows 11"}), store.Names([]string{"Security Updates"})
	u.About = waptwua.Update{ID: id(1), Title: u.Title, KBs: []waptwua.KB{5031234}}
	never := u
	never.GUID = id(7).GUID
	must(t, s.DescribeUpdates(ctx, []store.Update{u, never}))
	if d := cmp.Diff(u, get[store.Update](t)(s.FindUpdate(ctx, id(1)))); d != "" {
		t.Errorf("described (-want +got):\n%s", d)
	}
	for _, c := range []struct {
		name string
		q    store.UpdateQuery
		want int
	}{
		{"all", store.UpdateQuery{}, 2},
		{"by KB", store.UpdateQuery{Search: "kb5031"}, 1},
		{"by title", store.UpdateQuery{Search: "security"}, 1},
		{"by status", store.UpdateQuery{Status: waptwua.StatusOK}, 1},
		{"by severity", store.UpdateQuery{Severity: "Critical"}, 1},
		{"not rated", store.UpdateQuery{Severity: store.SeverityNone}, 1},
		{"by product", store.UpdateQuery{Product: "Windows 11"}, 1},
		{"a product by part of its name", store.UpdateQuery{Product: "Windows"}, 0},
		{"wildcards in a product", store.UpdateQuery{Product: "Windows%"}, 0},
		{"by classification", store.UpdateQuery{Classification: "Security Updates"}, 1},
		{"not on the server", store.UpdateQuery{Files: store.FilesAbsent}, 2},
		{"on the server", store.UpdateQuery{Files: store.FilesPresent}, 0},
		{"by both", store.UpdateQuery{Search: "security", Status: waptwua.StatusOK}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			us, n, err := s.ListUpdates(ctx, c.q)
			must(t, err)
			if len(us) != c.want || n != c.want {
				t.Errorf("got %d (total %d), want %d", len(us), n, c.want)
			}
		})
	}
	testUpdateOrders(t, s)
	want := store.Facets{Severities: map[string]int{"Critical": 1, store.SeverityNone: 1},
		Products: map[string]int{"Windows 10": 1, "Windows 11": 1}, Classifications: map[string]int{"Security Updates": 1}}
	if d := cmp.Diff(want, get[store.Facets](t)(s.CountFacets(ctx))); d != "" {
		t.Errorf("facets (-want +got):\n%s", d)
	}
	old := get[[]store.Update](t)(s.OutdatedUpdates(ctx, "aa", waptwua.UpdateID{}, 10))
	if len(old) != 1 || old[0].ID() != id(2) {
		t.Errorf("from another archive: %+v", old)
	}
	if next := get[[]store.Update](t)(s.OutdatedUpdates(ctx, "aa", id(2), 10)); len(next) != 0 {
		t.Errorf("after the last: %+v", next)
	}
}

// testUpdateOrders expects update 1, critical and missing on a host, and
// update 2, about which nothing is known.
func testUpdateOrders(t *testing.T, s store.Store) {
	for _, c := range []struct {
		name  string
		q     store.UpdateQuery
		first int
	}{
		{"newest first, undated last", store.UpdateQuery{}, 1},
		{"oldest first, undated last", store.UpdateQuery{Ascending: true}, 1},
		{"title", store.UpdateQuery{Sort: store.UpdatesByTitle, Ascending: true}, 2},
		{"title, falling", store.UpdateQuery{Sort: store.UpdatesByTitle}, 1},
		{"most severe first", store.UpdateQuery{Sort: store.UpdatesBySeverity}, 1},
		{"least severe first", store.UpdateQuery{Sort: store.UpdatesBySeverity, Ascending: true}, 2},
		{"most needed first", store.UpdateQuery{Sort: store.UpdatesByNeed}, 1},
		{"least needed first", store.UpdateQuery{Sort: store.UpdatesByNeed, Ascending: true}, 2},
		{"last downloaded first", store.UpdateQuery{Sort: store.UpdatesByDownloaded}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			us, _, err := s.ListUpdates(t.Context(), c.q)
			must(t, err)
			if len(us) != 2 || us[0].ID() != id(c.first) {
				t.Errorf("first is %s, want %s", us[0].ID(), id(c.first))
			}
		})
	}
}

func testNeeds(t *testing.T, s store.Store) {
	ctx := t.Context()
	stranger := host("00000000-0000-0000-0000-0000000000ff", "waiting")
	stranger.Standing = store.Awaiting
	for _, h := range []store.Host{host(hostA, "a"), host(hostB, "b"), stranger} {
		must(t, s.PutHost(ctx, h))
	}
	got2 := onHost(2, waptwua.StatusPending, waptwua.Allowed)
	got2.Downloaded = true
	put(t, s, hostA, onHost(1, waptwua.StatusOK, waptwua.Allowed), got2, onHost(3, waptwua.StatusDiscarded, waptwua.Held), onHost(4, waptwua.StatusDiscarded, waptwua.Denied))
	put(t, s, hostB, onHost(2, waptwua.StatusError, waptwua.Allowed))
	put(t, s, stranger.UUID, onHost(5, waptwua.StatusMissing, waptwua.Allowed))
	want := []store.Need{
		{GUID: id(2).GUID, Revision: id(2).Revision, Allowed: 2, Absent: 1},
		{GUID: id(3).GUID, Revision: id(3).Revision, Held: 1},
	}
	if d := cmp.Diff(want, get[[]store.Need](t)(s.NeededUpdates(ctx))); d != "" {
		t.Errorf("needed (-want +got):\n%s", d)
	}
}

func testFiles(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.PutHost(ctx, host(hostA, "a")))
	put(t, s, hostA, onHost(1, waptwua.StatusMissing, waptwua.Allowed), onHost(2, waptwua.StatusOK, waptwua.Allowed))
	must(t, s.SetUpdateFiles(ctx, id(1), []waptwua.File{file(1), file(2), file(1)}, noon))
	must(t, s.SetUpdateFiles(ctx, id(2), []waptwua.File{file(2), file(3)}, noon))
	expectNames(t, s.NeededFiles, file(1), file(2))
	if us := get[[]store.Update](t)(s.UpdatesOfFile(ctx, file(2).StoredName())); len(us) != 2 || us[0].ID() != id(1) {
		t.Errorf("updates of a shared file: %+v", us)
	}
	name := file(1).StoredName()
	must(t, s.FailedFile(ctx, name, "connection refused", noon.Add(time.Hour)))
	f := get[store.File](t)(s.FindFile(ctx, name))
	if f.Attempts != 1 || f.Error == "" || !f.NextAttempt.Equal(noon.Add(time.Hour)) || f.File != file(1) {
		t.Errorf("after a failure: %+v", f)
	}
	must(t, s.RetryFiles(ctx))
	if f := get[store.File](t)(s.FindFile(ctx, name)); !f.NextAttempt.IsZero() {
		t.Errorf("still waiting: %+v", f)
	}
	must(t, s.SetPresence(ctx, name, noon))
	must(t, s.SetPresence(ctx, name, noon.Add(time.Hour)))
	if f := get[store.File](t)(s.FindFile(ctx, name)); !f.PresentAt.Equal(noon) || f.Error != "" || f.Attempts != 0 {
		t.Errorf("after its arrival: %+v", f)
	}
	want := store.FileSummary{Needed: 2, NeededBytes: 3000, Missing: 1, MissingBytes: 2000, Present: 1, PresentBytes: 1000}
	if d := cmp.Diff(want, get[store.FileSummary](t)(s.SumFiles(ctx))); d != "" {
		t.Errorf("summary (-want +got):\n%s", d)
	}
	must(t, s.SetPresence(ctx, file(2).StoredName(), noon.Add(time.Minute)))
	if u := get[store.Update](t)(s.FindUpdate(ctx, id(1))); !u.DownloadedOn.Equal(noon.Add(time.Minute)) {
		t.Errorf("downloaded on %v, want the time of the last file", u.DownloadedOn)
	}
	if err := s.SetPresence(ctx, "nothing", noon); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("presence of an unknown file: %v, want ErrNotFound", err)
	}
	must(t, s.SetUpdateFiles(ctx, id(1), []waptwua.File{file(1), file(4)}, noon))
	if u := get[store.Update](t)(s.FindUpdate(ctx, id(1))); !u.DownloadedOn.IsZero() {
		t.Errorf("downloaded on %v although a new file is absent", u.DownloadedOn)
	}
}

func testUnneeded(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.PutHost(ctx, host(hostA, "a")))
	put(t, s, hostA, onHost(1, waptwua.StatusMissing, waptwua.Allowed), onHost(2, waptwua.StatusDiscarded, waptwua.Held), onHost(3, waptwua.StatusOK, waptwua.Allowed))
	for n := range 3 {
		must(t, s.SetUpdateFiles(ctx, id(n+1), []waptwua.File{file(n + 1)}, noon))
	}
	unneeded := func() (names []string) {
		for _, f := range get[[]store.File](t)(s.ListFiles(ctx)) {
			if !f.UnneededAt.IsZero() {
				names = append(names, f.File.Name)
			}
		}
		return names
	}
	must(t, s.MarkUnneeded(ctx, noon))
	if d := cmp.Diff([]string{"file3.cab"}, unneeded()); d != "" {
		t.Errorf("installed everywhere (-want +got):\n%s", d)
	}
	put(t, s, hostA, onHost(3, waptwua.StatusMissing, waptwua.Allowed), onHost(1, waptwua.StatusOK, waptwua.Allowed))
	must(t, s.MarkUnneeded(ctx, noon.Add(time.Hour)))
	if d := cmp.Diff([]string{"file1.cab"}, unneeded()); d != "" {
		t.Errorf("needed again (-want +got):\n%s", d)
	}
	must(t, s.SetUpdateFiles(ctx, id(1), nil, noon))
	if n := get[int](t)(s.ForgetFiles(ctx)); n != 1 {
		t.Errorf("forgot %d files, want 1", n)
	}
}

func expectNames(t *testing.T, list func(context.Context) ([]store.File, error), want ...waptwua.File) {
	t.Helper()
	fs, err := list(t.Context())
	must(t, err)
	var got []waptwua.File
	for _, f := range fs {
		got = append(got, f.File)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}
