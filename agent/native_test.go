package agent_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/settings"
	"waptwua/wua"
)

// updating notes when it is asked.
type updating struct {
	log []string
	err error
}

func (u *updating) Settle(_ context.Context, s *settings.Settings) ([]string, error) {
	u.log = append(u.log, "settle "+s.Enabled.String())
	return []string{"somebody changed it"}, u.err
}

func (u *updating) Rest(context.Context) error {
	u.log = append(u.log, "rest")
	return u.err
}

// TestNative: every operation settles native updating before it asks WUA and
// rests afterwards; what is to be known about it is reported, and no error of
// it keeps an operation from its work.
func TestNative(t *testing.T) {
	for name, failure := range map[string]error{"well": nil, "refused": errors.New("access is denied")} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			u := &updating{err: failure}
			r.change = func(o *agent.Options) {
				o.Native, o.WUA = u, searching{r.host, func() { u.log = append(u.log, "search") }}
			}
			r.register()
			r.offer(1, waptwua.Update{Title: "1"})
			u.log = nil
			r.do(func(ctx context.Context) error { return r.agent().Scan(ctx, agent.ScanOptions{Force: true}) })
			if want := []string{"settle true", "search", "rest"}; !slices.Equal(u.log, want) {
				t.Errorf("order: %q, want %q", u.log, want)
			}
			s, err := r.agent().Status()
			if err != nil {
				t.Fatal(err)
			}
			told := strings.Join(s.State.Problems, "\n")
			if !strings.Contains(told, "somebody changed it") || failure != nil && !strings.Contains(told, failure.Error()) {
				t.Errorf("reported problems: %q", told)
			}
		})
	}
}

// searching tells when it is searched.
type searching struct {
	wua.Host
	told func()
}

func (s searching) Search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	s.told()
	return s.Host.Search(ctx, q)
}

func TestAlone(t *testing.T) {
	dir := t.TempDir()
	failure := errors.New("failure")
	err := agent.Alone(dir, func() error {
		if err := agent.Alone(dir, func() error { t.Error("two at once"); return nil }); !errors.Is(err, agent.ErrBusy) {
			t.Errorf("a second one: %v", err)
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("Alone: %v", err)
	}
	if err := agent.Alone(dir, func() error { return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestTidy removes what no needed update uses, and keeps the rest.
func TestTidy(t *testing.T) {
	r := newRig(t)
	r.register()
	r.offer(1, waptwua.Update{Title: "1"})
	r.do(func(ctx context.Context) error { return r.agent().Download(ctx, agent.ScanOptions{Force: true}) })
	files := filepath.Join(r.dir, "cache", "files")
	needed, err := os.ReadDir(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(files, "left over.cab"), make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int64{100, 0} {
		if n, err := r.agent().Tidy(); err != nil || n != want {
			t.Errorf("Tidy = %d, %v; want %d", n, err, want)
		}
	}
	if left, err := os.ReadDir(files); err != nil || len(left) != len(needed) {
		t.Errorf("%d files are left of the %d that are needed: %v", len(left), len(needed), err)
	}
}
