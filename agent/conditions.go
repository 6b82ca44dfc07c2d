package agent

import (
	"context"

	"waptwua/agent/settings"
)

// Conditions tell what work costs the host at the moment. What cannot be
// told counts as good: servers have no battery to ask for.
type Conditions interface {
	OnBattery(ctx context.Context) (bool, error)
	Metered(ctx context.Context) (bool, error)
}

// The reasons for which scheduled work waits.
const (
	onBattery = "the host runs on its battery (install_on_battery)"
	metered   = "the network is paid by volume (download_on_metered)"
)

// waits tells why a scheduled task is not begun now; "" when nothing speaks
// against it. Commands of people are not asked.
func (a *Agent) waits(ctx context.Context, s *settings.Settings, task string) string {
	c := a.opt.Conditions
	if c == nil {
		return ""
	}
	if task == taskInstall && !s.InstallOnBattery && holds(ctx, a, c.OnBattery) {
		return onBattery
	}
	if (task == taskInstall || task == taskDownload) && !s.DownloadOnMetered && holds(ctx, a, c.Metered) {
		return metered
	}
	return ""
}

// DownloadsWait tells why the host downloads nothing now unless a person asks
// for it; "" when nothing speaks against it. For downloads that the agent does
// not make itself.
func (a *Agent) DownloadsWait(ctx context.Context, s *settings.Settings) string {
	return a.waits(ctx, s, taskDownload)
}

func holds(ctx context.Context, a *Agent, ask func(context.Context) (bool, error)) bool {
	yes, err := ask(ctx)
	if err != nil {
		a.opt.Log.Debug("condition of the host is not known", "error", err)
	}
	return yes && err == nil
}

// suits tells whether a task may begin now. It logs when that has changed.
func (a *Agent) suits(ctx context.Context, s *settings.Settings, task string) bool {
	why := a.waits(ctx, s, task)
	if before := a.agenda.waiting[task]; before != why && why != "" {
		a.opt.Log.Info("task waits", "task", task, "reason", why)
	}
	if a.agenda.waiting == nil {
		a.agenda.waiting = map[string]string{}
	}
	a.agenda.waiting[task] = why
	return why == ""
}
