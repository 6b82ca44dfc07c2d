package agent_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"waptwua"
	"waptwua/agent"
)

// power is a host whose supply and network a test sets.
type power struct {
	battery, metered bool
	err              error
}

func (p *power) OnBattery(context.Context) (bool, error) { return p.battery, p.err }
func (p *power) Metered(context.Context) (bool, error)   { return p.metered, p.err }

func TestServiceWaitsForGoodConditions(t *testing.T) {
	for _, tc := range []struct {
		name              string
		now               power
		ini               string
		searches, install bool
	}{
		{"mains, free network", power{}, "", true, true},
		{"battery", power{battery: true}, "", true, false},
		{"battery, allowed", power{battery: true}, "install_on_battery = true\n", true, true},
		{"metered", power{metered: true}, "", false, false},
		{"metered, allowed", power{metered: true}, "download_on_metered = true\n", true, true},
		{"metered allowed, on battery", power{battery: true, metered: true}, "download_on_metered = true\n", true, false},
		{"not known", power{battery: true, metered: true, err: errors.New("no answer")}, "", true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			now := tc.now
			r.ini += "download_scheduling = 2h\ninstall_scheduling = 4h\n" + tc.ini
			r.change = func(o *agent.Options) { o.Conditions = &now }
			r.register()
			id := r.offer(1, waptwua.Update{})
			r.serve(9 * time.Hour)
			if got := r.host.Searches() > 0; got != tc.searches {
				t.Errorf("searched: %v", got)
			}
			if got := len(r.host.Calls()) > 0; got != tc.install {
				t.Errorf("installed: %v", got)
			}
			now = power{} // plugged in
			r.serve(time.Hour + 10*time.Minute)
			r.wantStatus(id, waptwua.StatusOK)
		})
	}
}

func TestCommandsDoNotWaitForConditions(t *testing.T) {
	r := newRig(t)
	r.ini += "install_at_shutdown = true\n"
	r.change = func(o *agent.Options) { o.Conditions = &power{battery: true, metered: true} }
	r.register()
	id := r.offer(1, waptwua.Update{})
	if err := r.agent().Shutdown(t.Context()); !errors.Is(err, waptwua.ErrUnchanged) {
		t.Errorf("installed at shutdown on the battery: %v", err)
	}
	r.install()
	r.wantStatus(id, waptwua.StatusOK)
}
