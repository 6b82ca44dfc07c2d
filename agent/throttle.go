package agent

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"waptwua/agent/cache"
	"waptwua/agent/settings"
)

// throttle keeps all downloads together within the settings' bandwidth, which
// may depend on the time of day. It is shared by operations, so that one that
// follows another at once gets no second burst.
type throttle struct {
	*rate.Limiter
	clock Clock
	zone  func() *time.Location

	mu       sync.Mutex
	settings *settings.Settings
	again    time.Time // when the time of day is looked at next
}

// throttle returns the agent's throttle with the settings of an operation.
func (a *Agent) throttle(s *settings.Settings) *throttle {
	a.limit.use(s)
	return a.limit
}

// Bandwidth is the limit of all downloads of this host, as the settings have
// it at each moment: for downloads that the agent does not make itself.
func (a *Agent) Bandwidth() (cache.Limiter, error) {
	s, err := a.opt.Settings()
	if err != nil {
		return nil, err
	}
	return a.throttle(s), nil
}

func newThrottle(c Clock, zone func() *time.Location) *throttle {
	return &throttle{Limiter: rate.NewLimiter(rate.Inf, limiterBurst), clock: c, zone: zone}
}

func (t *throttle) use(s *settings.Settings) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settings, t.again = s, time.Time{}
	t.adjust()
}

// adjust sets the rate of this time of day, once a minute.
func (t *throttle) adjust() {
	now := t.clock.Now()
	if now.Before(t.again) && now.Add(time.Minute).After(t.again) {
		return
	}
	t.again = now.Truncate(time.Minute).Add(time.Minute)
	limit := rate.Inf
	if n := t.settings.BandwidthAt(now, t.zone()); n > 0 {
		limit = rate.Limit(n)
	}
	if t.Limit() != limit {
		t.SetLimit(limit)
	}
}

// WaitN implements cache.Limiter.
func (t *throttle) WaitN(ctx context.Context, n int) error {
	t.mu.Lock()
	t.adjust()
	t.mu.Unlock()
	return t.Limiter.WaitN(ctx, n)
}
