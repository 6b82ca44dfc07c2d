package agent_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/agenttest"
	"waptwua/wua"
)

// hanging is a host whose calls end only with their context.
type hanging struct {
	*agenttest.Host
	at     waptwua.UpdateID // the update that is said to be installed; zero: nothing is said
	search bool
}

func (h hanging) Search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	if !h.search {
		return h.Host.Search(ctx, q)
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (h hanging) Install(ctx context.Context, ids []waptwua.UpdateID, progress func(wua.Progress)) (*wua.Result, error) {
	var zero waptwua.UpdateID
	if h.at != zero {
		progress(wua.Progress{Update: h.at})
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestInstallerThatHangs(t *testing.T) {
	r := newRig(t)
	r.register()
	first, second := r.offer(1, waptwua.Update{}), r.offer(2, waptwua.Update{})
	packaged := r.offerPackages(3, waptwua.Update{KBs: []waptwua.KB{5101650}}, cumulative)
	host := hanging{Host: r.host, at: second}
	r.change = func(o *agent.Options) { o.WUA, o.InstallLimit = host, time.Millisecond }
	r.install()
	r.wantStatus(first, waptwua.StatusPending) // it was not its turn
	if u := r.wantStatus(second, waptwua.StatusError); u.Failure.HResult != uint32(wua.InstallerHung) {
		t.Errorf("failure %+v", u.Failure)
	}
	r.wantStatus(packaged, waptwua.StatusOK)
	host.at = waptwua.UpdateID{}
	r.clock.Advance(time.Hour)
	r.install()
	r.wantStatus(first, waptwua.StatusError)
}

func TestSearchThatHangs(t *testing.T) {
	r := newRig(t)
	r.register()
	r.change = func(o *agent.Options) { o.WUA, o.SearchLimit = hanging{Host: r.host, search: true}, time.Millisecond }
	err := r.agent().Scan(t.Context(), agent.ScanOptions{})
	if err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "ended after 1ms") {
		t.Errorf("got %v", err)
	}
	if f := r.held().Scan.Error; f == nil || !strings.Contains(f.Sentence, "restart the host") {
		t.Errorf("failure %+v", f)
	}
}
