package com

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/wua"
	"waptwua/wua/com/comtest"
	"waptwua/wua/sim"
	"waptwua/wua/wuatest"
)

func search(t *testing.T, h *subject, q wua.Query) *wua.Found {
	t.Helper()
	found, err := h.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestOfflineSearch looks at what WUA is asked for, and in which order.
func TestOfflineSearch(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		h := open(t, by, w)
		search(t, h, wua.Query{Archive: w.Archive, Locale: 1033, IncludePotentiallySuperseded: true})
		want := []string{"IncludePotentiallySupersededUpdates", "ServerSelection", "ServiceID", "BeginSearch", "EndSearch"}
		if got := order(h.double, "Searcher"); !slices.Equal(got, want) {
			t.Errorf("the searcher was asked for %v, want %v", got, want)
		}
		if got := order(h.double, "Session"); !slices.Equal(got, []string{"ClientApplicationID", "UserLocale", "CreateUpdateSearcher"}) {
			t.Errorf("the session was asked for %v", got)
		}
		if n := h.double.Services(); n != 1 {
			t.Errorf("%d services while the offer stands, want 1", n)
		}
	})
}

func TestOnlineSearchAsksNoService(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		h := open(t, by, w)
		_, err := h.Search(t.Context(), wua.Query{})
		if !errors.Is(err, &wua.Error{Code: 0x8024402C}) && codeOf(err) != 0x8024402C {
			t.Errorf("online: %v, want the simulated host's missing network", err)
		}
		if slices.Contains(order(h.double, "Searcher"), "ServerSelection") {
			t.Error("an online search chose a service")
		}
	})
}

// online is a host whose update server knows what an archive holds.
type online struct {
	*sim.Host
	archive string
}

func (o online) Search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	if q.Archive == "" {
		q.Archive = o.archive
	}
	return o.Host.Search(ctx, q)
}

// TestOnlineSearch: no service is added, the offer is that of an offline
// search, and it can be installed.
func TestOnlineSearch(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		s := simulated(t, w, nil)
		h := openDouble(t, by, comtest.New(online{s, w.Archive}), s)
		found := search(t, h, wua.Query{})
		if offline := search(t, open(t, by, w), wua.Query{Archive: w.Archive}); len(found.Updates) == 0 || len(found.Updates) != len(offline.Updates) {
			t.Errorf("%d updates online, %d offline", len(found.Updates), len(offline.Updates))
		}
		if n := h.double.Services(); n != 0 || slices.Contains(order(h.double, "ServiceManager"), "AddScanPackageService") {
			t.Errorf("an online search added a service; %d are registered", n)
		}
		if err := h.Stage(t.Context(), w.Plain(), []string{w.File(w.Plain())}); err != nil {
			t.Fatal(err)
		}
		r, err := h.Install(t.Context(), []waptwua.UpdateID{w.Plain()}, nil)
		if err != nil || r.Code != wua.Succeeded {
			t.Errorf("installed with %+v, %v", r, err)
		}
		for _, u := range search(t, h, wua.Query{}).Updates {
			if u.ID == w.Plain() && !u.Installed {
				t.Error("it is not installed")
			}
		}
	})
}

// TestFailedSearchLeavesNoService makes each step of a search fail.
func TestFailedSearchLeavesNoService(t *testing.T) {
	w := wuatest.NewWorld(t)
	steps := map[string]struct{ class, member string }{
		"adding the service": {"ServiceManager", "AddScanPackageService"}, "its identity": {"Service", "ServiceID"},
		"the searcher": {"Session", "CreateUpdateSearcher"}, "an option": {"Searcher", "ServerSelection"},
		"begin": {"Searcher", "BeginSearch"}, "waiting": {"SearchJob", "IsCompleted"}, "end": {"Searcher", "EndSearch"},
		"the list": {"SearchResult", "Updates"}, "its length": {"UpdateCollection", "Count"}, "an item": {"UpdateCollection", "Item"},
	}
	everyWay(t, func(t *testing.T, by enter) {
		for name, at := range steps {
			for _, bare := range []bool{false, true} {
				h := open(t, by, w)
				h.double.Fail(at.class, at.member, comtest.Exception{Code: uint32(wua.ServerUnavailable), Bare: bare}, 1)
				if _, err := h.Search(t.Context(), wua.Query{Archive: w.Archive}); codeOf(err) != wua.ServerUnavailable {
					t.Errorf("%s fails (bare %v): %v, want %v", name, bare, err, wua.ServerUnavailable)
				}
				if n := h.double.Services(); n > 1 || n == 1 && at.class != "Service" {
					t.Errorf("%s fails: %d services are left", name, n)
				}
			}
		}
	})
}

// TestServiceOfAKilledProcess is found again by its name.
func TestServiceOfAKilledProcess(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		h := open(t, by, w)
		manager := h.double.Create(progServiceManager)
		for _, name := range []string{serviceName, serviceName, "somebody else's"} {
			if _, err := manager.Invoke(0, comtest.Method, "AddScanPackageService", []any{name, w.Archive, 1}); err != nil {
				t.Fatal(err)
			}
		}
		search(t, h, wua.Query{Archive: w.Archive})
		if n := h.double.Services(); n != 2 {
			t.Errorf("%d services, want the other's and the search's own", n)
		}
		for i := range 4 { // the other's is not touched by anybody else
			id := strings.Replace("00000000-5ca0-4000-8000-00000000000N", "N", string(rune('1'+i)), 1)
			_, _ = manager.Invoke(0, comtest.Method, "RemoveService", []any{id})
		}
	})
}

// TestCloseLeavesAnothersService is two processes, one after the other: what
// ends does not take away what the other has searched.
func TestCloseLeavesAnothersService(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		later := open(t, by, w)
		ending, err := newHost(Options{}, platform{enter: by(t, later.double)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ending.Search(t.Context(), wua.Query{Archive: w.Archive}); err != nil {
			t.Fatal(err)
		}
		search(t, later, wua.Query{Archive: w.Archive})
		if err := ending.Close(); err != nil {
			t.Errorf("close, after the other has removed the service: %v", err)
		}
		if n := later.double.Services(); n != 1 {
			t.Errorf("%d services, want the other's", n)
		}
	})
}

// TestAPropertyThatFails costs nothing but itself.
func TestAPropertyThatFails(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		all := len(search(t, open(t, by, w), wua.Query{Archive: w.Archive}).Updates)
		for _, property := range []string{
			"Title", "Type", "MsrcSeverity", "LastDeploymentChangeTime", "SecurityBulletinIDs", "CveIDs", "MinDownloadSize",
			"MaxDownloadSize", "HandlerID", "SupersededUpdateIDs", "SupportUrl", "MoreInfoUrls", "KBArticleIDs", "Categories",
			"InstallationBehavior", "IsInstalled", "IsHidden", "IsDownloaded", "EulaAccepted", "IsUninstallable",
			"RebootRequired", "BundledUpdates", "DownloadContents",
		} {
			h := open(t, by, w)
			h.double.Fail("Update", property, comtest.Exception{Code: uint32(wua.NotFound), Text: "gone"}, 1)
			found := search(t, h, wua.Query{Archive: w.Archive})
			if len(found.Updates) != all {
				t.Errorf("%s fails: %d updates of %d", property, len(found.Updates), all)
			}
			if len(found.Warnings) != 1 || found.Warnings[0].Code != wua.NotFound || !strings.Contains(found.Warnings[0].Op, property) {
				t.Errorf("%s fails: the warnings are %v", property, found.Warnings)
			}
		}
		h := open(t, by, w)
		h.double.Fail("Update", "Identity", comtest.Exception{Code: uint32(wua.NotFound)}, 1)
		if found := search(t, h, wua.Query{Archive: w.Archive}); len(found.Updates) != all-1 || len(found.Warnings) != 1 {
			t.Errorf("without an identity: %d updates, warnings %v", len(found.Updates), found.Warnings)
		}
	})
}

// TestDescription compares what comes through with what the host itself says.
func TestDescription(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		h := open(t, by, w)
		through := search(t, h, wua.Query{Archive: w.Archive})
		direct, err := h.sim.Search(t.Context(), wua.Query{Archive: w.Archive})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range direct.Updates {
			got := through.Updates[i]
			if got.ID != want.ID || got.MaxDownloadSize != want.MaxDownloadSize || !got.Published.Equal(want.Published.Truncate(time.Second)) ||
				got.Reboot != want.Reboot || got.Exclusive != want.Exclusive || got.Title != want.Title || !slices.Equal(got.KBs, want.KBs) ||
				!slices.Equal(got.Supersedes, want.Supersedes) || len(got.Leaves) != len(want.Leaves) || got.Leaves[0].Handler != want.Leaves[0].Handler {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		}
		if len(through.Warnings) > 0 {
			t.Errorf("warnings: %v", through.Warnings)
		}
	})
}

// TestThousandScans counts what they leave behind; open checks it in the end.
func TestThousandScans(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		h := open(t, by, w)
		q := wua.Query{Archive: w.Archive, Criteria: "IsInstalled=1"}
		search(t, h, q)
		after := h.double.Live()
		for range 1000 {
			search(t, h, q)
		}
		for class, n := range h.double.Live() {
			if n != after[class] {
				t.Errorf("%s: %d references after 1,001 scans, %d after one", class, n, after[class])
			}
		}
		threads := map[uint32]bool{}
		for _, c := range h.double.Trace() {
			if c.Thread != 0 {
				threads[c.Thread] = true
			}
		}
		if len(threads) != 1 {
			t.Errorf("%d threads made the calls, want one", len(threads))
		}
	})
}

func TestInstallFailsAtEachStep(t *testing.T) {
	w := wuatest.NewWorld(t)
	everyWay(t, func(t *testing.T, by enter) {
		for _, at := range []struct{ class, member string }{
			{"UpdateColl", "Add"}, {"Session", "CreateUpdateInstaller"}, {"Installer", "Updates"}, {"Installer", "ForceQuiet"},
			{"Installer", "BeginInstall"}, {"InstallationJob", "IsCompleted"}, {"Installer", "EndInstall"},
			{"InstallationResult", "GetUpdateResult"}, {"UpdateResult", "HResult"},
		} {
			h := open(t, by, w)
			search(t, h, wua.Query{Archive: w.Archive})
			h.double.Fail(at.class, at.member, comtest.Exception{Code: uint32(wua.ServerUnavailable)}, 1)
			r, err := h.Install(t.Context(), []waptwua.UpdateID{w.Plain()}, nil)
			if codeOf(err) != wua.ServerUnavailable || r != nil {
				t.Errorf("%s.%s fails: %+v, %v", at.class, at.member, r, err)
			}
		}
	})
}

// TestSummarize derives the whole from its parts.
func TestSummarize(t *testing.T) {
	res := wua.UpdateResult{Code: wua.Failed, HResult: wua.EulasDeclined}
	r := &wua.Result{Updates: []wua.UpdateResult{res, {Code: wua.Succeeded, RebootRequired: true}}}
	summarize(r, false)
	if r.Code != wua.SucceededWithErrors || !r.RebootRequired {
		t.Errorf("the whole is %+v", r)
	}
	if summarize(r, true); r.Code != wua.Aborted {
		t.Errorf("aborted, the whole is %+v", r)
	}
}

// TestACallThatCannotBeAborted returns to its caller, and the host stays
// busy until the call has ended.
func TestACallThatCannotBeAborted(t *testing.T) {
	stuck, entered := make(chan struct{}), make(chan struct{})
	h, err := newHost(Options{Grace: time.Nanosecond}, platform{
		enter: func() (apartment, error) { return direct{comtest.New(nil)}, nil },
		edition: func() (edition, error) {
			close(entered)
			<-stuck
			return edition{}, errors.New("no edition")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := h.Info(ctx); ended <- err }()
	<-entered
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the call ended with %v", err)
	}
	if _, err := h.Info(t.Context()); codeOf(err) != wua.OperationInProgress {
		t.Errorf("the next call: %v, want %v", err, wua.OperationInProgress)
	}
	close(stuck)
	if err := h.Close(); err != nil { // waits for the call
		t.Error(err)
	}
}

func TestNoApartment(t *testing.T) {
	cause := errors.New("no COM")
	if _, err := newHost(Options{}, platform{enter: func() (apartment, error) { return nil, cause }}); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestEdition(t *testing.T) {
	for name, tt := range map[string]struct {
		in   edition
		want wua.Info
	}{
		"10":      {edition{product: "Windows 10 Pro", release: "22H2", major: 10, build: 19045, revision: 5, architecture: "amd64"}, wua.Info{OS: "Windows 10 Pro 22H2", Version: "10.0.19045.5", Architecture: "amd64"}},
		"11":      {edition{product: "Windows 10 Pro", release: "24H2", major: 10, build: 26100, architecture: "arm64"}, wua.Info{OS: "Windows 11 Pro 24H2", Version: "10.0.26100.0", Architecture: "arm64"}},
		"server":  {edition{product: "Windows Server 2025 Standard", release: "24H2", major: 10, build: 26100}, wua.Info{OS: "Windows Server 2025 Standard 24H2", Version: "10.0.26100.0"}},
		"no name": {edition{major: 6, minor: 1, build: 7601}, wua.Info{OS: "Windows 6", Version: "6.1.7601.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.in.info(); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// variant lays out a VARIANT.
func variant(vt uint16, reserved [6]byte, bits uint64) (b [16]byte) {
	b[0], b[1] = byte(vt), byte(vt>>8)
	copy(b[2:], reserved[:])
	for i := range 8 {
		b[8+i] = byte(bits >> (8 * i))
	}
	return b
}

func TestDecode(t *testing.T) {
	none := [6]byte{}
	day := func(d float64) uint64 { return math.Float64bits(d) }
	for name, tt := range map[string]struct {
		in   [16]byte
		want any // nil: an error, except for empty and null
	}{
		"true":            {variant(vtBool, none, 0xFFFF), true},
		"false":           {variant(vtBool, none, 0xABCD0000), false},
		"HRESULT":         {variant(vtI4, none, 0x80240007), int64(-2145124345)},
		"unsigned":        {variant(vtUI4, none, 0x80240007), int64(0x80240007)},
		"short":           {variant(vtI2, none, 0xFFFE), int64(-2)},
		"byte":            {variant(vtUI1, none, 0xFF), int64(255)},
		"currency":        {variant(vtCY, none, 120_000), int64(12)},
		"double":          {variant(vtR8, none, day(1.5)), 1.5},
		"decimal":         {variant(vtDecimal, none, 12_293_231_150), int64(12_293_231_150)},
		"negative":        {variant(vtDecimal, [6]byte{0, 0x80}, 5), int64(-5)},
		"fraction":        {variant(vtDecimal, [6]byte{2, 0}, 5), nil},
		"huge":            {variant(vtDecimal, [6]byte{0, 0, 1}, 5), nil},
		"too large":       {variant(vtDecimal, none, math.MaxUint64), nil},
		"date":            {variant(vtDate, none, day(46226.5)), time.Date(2026, 7, 23, 12, 0, 0, 0, time.UTC)},
		"before the zero": {variant(vtDate, none, day(-1.25)), time.Date(1899, 12, 29, 6, 0, 0, 0, time.UTC)},
		"no date":         {variant(vtDate, none, day(math.NaN())), nil},
		"far date":        {variant(vtDate, none, day(1e300)), nil},
		"array":           {variant(0x2003, none, 0), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decode(tt.in)
			if got != tt.want || (err == nil) != (tt.want != nil) {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
	for _, vt := range []uint16{vtEmpty, vtNull} {
		if got, err := decode(variant(vt, none, 7)); got != nil || err != nil {
			t.Errorf("type %d: %v, %v", vt, got, err)
		}
	}
}

// FuzzDecode checks that dates stay within what a VARIANT can say, and that
// nothing panics.
func FuzzDecode(f *testing.F) {
	f.Add(uint16(vtDate), math.Float64bits(46226.5))
	f.Add(uint16(vtDecimal), uint64(12))
	f.Fuzz(func(t *testing.T, vt uint16, bits uint64) {
		v, err := decode(variant(vt, [6]byte{}, bits))
		if when, ok := v.(time.Time); ok && (err != nil || when.Year() < 100 || when.Year() > 10000) {
			t.Errorf("a date in the year %d, %v", when.Year(), err)
		}
	})
}
