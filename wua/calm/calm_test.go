package calm

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"waptwua/wua"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// process notes what happens to it. It runs from the start-th look on.
type process struct {
	mu    sync.Mutex
	looks int
	start int
	err   error
	said  []string
	low   chan struct{} // closed when it was lowered
}

func (p *process) Lower() (func() error, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.looks++; p.looks < p.start {
		return nil, errNotNow
	}
	if p.err != nil {
		close(p.low)
		return nil, p.err
	}
	p.said = append(p.said, "lowered")
	close(p.low)
	return func() error {
		p.said = append(p.said, "restored")
		return nil
	}, nil
}

// host searches until the process was looked at as the test expects.
type host struct {
	wua.Host
	until <-chan struct{}
	err   error
}

func (h host) Search(ctx context.Context, _ wua.Query) (*wua.Found, error) {
	select {
	case <-h.until:
		return &wua.Found{}, h.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestSearchLowersAndRestores(t *testing.T) {
	broken := errors.New("broken")
	for _, tc := range []struct {
		name   string
		p      *process
		search error
		want   []string
	}{
		{"runs", &process{}, nil, []string{"lowered", "restored"}},
		{"is started by the search", &process{start: 3}, nil, []string{"lowered", "restored"}},
		{"search fails", &process{}, broken, []string{"lowered", "restored"}},
		{"cannot be lowered", &process{err: errors.New("access is denied")}, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := tc.p
			p.low = make(chan struct{})
			h := Searches(host{until: p.low, err: tc.search}, p, slog.New(slog.DiscardHandler))
			h.again = time.Microsecond
			if _, err := h.Search(t.Context(), wua.Query{}); !errors.Is(err, tc.search) {
				t.Errorf("search: %v", err)
			}
			if !slices.Equal(p.said, tc.want) {
				t.Errorf("%v, want %v", p.said, tc.want)
			}
		})
	}
}

func TestSearchEndsWhileNothingRuns(t *testing.T) {
	p := &process{start: 1 << 30, low: make(chan struct{})}
	h := Searches(host{until: p.low}, p, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Search(ctx, wua.Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("search: %v", err)
	}
	done := make(chan struct{})
	close(done)
	if _, err := Searches(host{until: done}, nil, nil).Search(t.Context(), wua.Query{}); err != nil {
		t.Errorf("without a process: %v", err)
	}
}
