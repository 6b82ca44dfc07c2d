package agent_test

import (
	"context"
	"errors"
	"testing"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/cache"
)

// Payloads of the rig have 51 bytes.
func TestUpdatesWaitForRoomInTheCache(t *testing.T) {
	r := newRig(t)
	r.global = "cache_quota = 0.06 kB"
	r.register()
	first, second := r.offer(1, waptwua.Update{}), r.offer(2, waptwua.Update{})
	r.download()
	if !r.wantStatus(first, waptwua.StatusPending).Downloaded || r.wantStatus(second, waptwua.StatusPending).Downloaded {
		t.Error("the cache does not hold exactly one of the two")
	}
	r.install() // makes room
	r.wantStatus(first, waptwua.StatusOK)
	r.wantStatus(second, waptwua.StatusPending)
	r.install()
	r.wantStatus(second, waptwua.StatusOK)
}

func TestUpdateLargerThanTheQuotaIsReported(t *testing.T) {
	r := newRig(t)
	r.global = "cache_quota = 0.05 kB"
	r.register()
	id := r.offer(1, waptwua.Update{})
	err := r.agent().Download(t.Context(), agent.ScanOptions{})
	if !errors.Is(err, cache.ErrQuota) || !errors.Is(err, waptwua.ErrLimit) {
		t.Errorf("download: %v", err)
	}
	r.wantStatus(id, waptwua.StatusPending)
	if a := r.held().LastAction; a.Error == "" {
		t.Error("the server was not told why")
	}
	r.global = ""
	r.do(func(ctx context.Context) error { return r.agent().Install(ctx, agent.InstallOptions{}) })
	r.wantStatus(id, waptwua.StatusOK)
}
