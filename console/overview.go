package console

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"waptwua"
	"waptwua/console/text"
	"waptwua/server"
)

// archiveOld is when a scan archive deserves a word: Microsoft makes one at
// least once a month, on the second Tuesday, sometimes some days late.
const archiveOld = 35 * 24 * time.Hour

// overviewPage is /.
type overviewPage struct {
	frame
	server.Summary
	Todo []todo
}

// todo is something that needs attention, and where to see it.
type todo struct {
	Tone   tone
	Icon   icon
	Text   string
	Detail string
	Link   templ.SafeURL
}

func showOverview(summaries Summaries, hosts Hosts, tasks Tasks) handler {
	return func(q *request) (answer, error) {
		sum, err := summaries.Summary(q.Context())
		if err != nil {
			return answer{}, err
		}
		p := overviewPage{frame: q.frame, Summary: sum}
		if err := p.attend(q.Context(), hosts, tasks); err != nil {
			return answer{}, err
		}
		return show(p.view())
	}
}

// attend collects what needs attention, the most urgent first.
func (p *overviewPage) attend(ctx context.Context, hosts Hosts, tasks Tasks) error {
	if err := p.attendJobs(ctx, tasks); err != nil {
		return err
	}
	failed, err := count(ctx, hosts, waptwua.StatusError)
	if err != nil {
		return err
	}
	reboot, err := count(ctx, hosts, waptwua.StatusReboot)
	if err != nil {
		return err
	}
	p.hosts(toneError, iconAlert, text.AttentionErrors, failed, "/hosts?has=ERROR")
	p.hosts(toneError, iconAlert, text.AttentionScanFailed, p.Hosts.ScanFailed, "/hosts?condition=scan_failed")
	p.hosts(tonePending, iconPerson, text.AttentionAwaiting, p.Hosts.Awaiting, "/hosts?condition=awaiting")
	p.hosts(toneReboot, iconRestart, text.AttentionReboot, reboot, "/hosts?has=REBOOT")
	p.hosts(toneQuiet, iconSilent, text.AttentionSilent, p.Hosts.Silent, "/hosts?condition=silent")
	p.hosts(toneQuiet, iconUnknown, text.AttentionNeverScanned, p.Hosts.NeverScanned, "/hosts?condition=never_scanned")
	return nil
}

// count counts hosts that have an update of a status.
func count(ctx context.Context, hosts Hosts, s waptwua.Status) (int, error) {
	l, err := hosts.Hosts(ctx, server.HostFilter{Part: server.Part{Limit: 1}, Standing: server.Enrolled, Has: s})
	return l.Total, err
}

func (p *overviewPage) hosts(t tone, i icon, k text.Key, n int, link templ.SafeURL) {
	if n > 0 {
		p.Todo = append(p.Todo, todo{Tone: t, Icon: i, Text: p.Count(k, n), Link: link})
	}
}

// attendJobs looks at the archive and at the last runs of the jobs.
func (p *overviewPage) attendJobs(ctx context.Context, tasks Tasks) error {
	for _, j := range []struct {
		job server.Job
		say text.Key
	}{{server.JobArchive, text.AttentionArchiveError}, {server.JobFiles, text.AttentionFilesError}} {
		runs, err := tasks.Runs(ctx, j.job, server.Part{Limit: 1})
		if err != nil {
			return err
		}
		if len(runs.Items) > 0 && runs.Items[0].State == "failed" {
			p.Todo = append(p.Todo, todo{toneError, iconAlert, p.Say(j.say), runs.Items[0].Error, templ.SafeURL("/runs?job=" + string(j.job))})
		}
	}
	switch {
	case p.Archive == nil:
		p.Todo = append(p.Todo, todo{toneMissing, iconDownload, p.Say(text.AttentionNoArchive), "", "/runs?job=" + templ.SafeURL(server.JobArchive)})
	case p.Now.Sub(p.Archive.Created) > archiveOld:
		age := p.Count(text.Days, int(p.Now.Sub(p.Archive.Created)/(24*time.Hour)))
		p.Todo = append(p.Todo, todo{toneMissing, iconClock, p.Say(text.AttentionArchiveOld, age), "", "/runs?job=" + templ.SafeURL(server.JobArchive)})
	}
	return nil
}

// known counts the hosts whose state is known.
func (p overviewPage) known() int { return p.Hosts.Compliant + p.Hosts.Wanting }

// unknown counts the hosts whose state is not.
func (p overviewPage) unknown() int {
	return p.Hosts.Silent + p.Hosts.NeverScanned + p.Hosts.ScanFailed
}

// slice is a part of the bar that shows the fleet.
type slice struct {
	Tone     tone
	From, To float64 // of 1000
}

// bar divides the fleet.
func (p overviewPage) bar() []slice {
	var slices []slice
	at := 0
	for _, s := range []struct {
		tone tone
		n    int
	}{
		{toneOK, p.Hosts.Compliant}, {tonePending, p.Hosts.Wanting}, {toneError, p.Hosts.ScanFailed},
		{toneQuiet, p.Hosts.Silent + p.Hosts.NeverScanned},
	} {
		if s.n > 0 {
			scale := 1000 / float64(p.Hosts.Enrolled)
			slices = append(slices, slice{s.tone, float64(at) * scale, float64(at+s.n) * scale})
		}
		at += s.n
	}
	return slices
}

// group is a group of hosts by condition.
type group struct {
	mark
	Condition string
	N         int
}

// groups are the conditions of hosts with their counts; those without a
// host that are no part of the fleet's sum are left out.
func (f frame) groups(c server.HostCounts) []group {
	g := []group{
		{mark{toneOK, iconCheck, f.Say(text.Compliant), f.Say(text.CompliantHint)}, "compliant", c.Compliant},
		{mark{tonePending, iconClock, f.Say(text.Wanting), f.Say(text.WantingHint)}, "wanting", c.Wanting},
		{mark{toneError, iconAlert, f.Say(text.ScanFailed), f.Say(text.ScanFailedHint)}, "scan_failed", c.ScanFailed},
		{mark{toneQuiet, iconSilent, f.Say(text.Silent), f.Say(text.SilentHint)}, "silent", c.Silent},
		{mark{toneQuiet, iconUnknown, f.Say(text.NeverScanned), f.Say(text.NeverScannedHint)}, "never_scanned", c.NeverScanned},
	}
	if c.Awaiting > 0 {
		g = append(g, group{mark{tonePending, iconPerson, f.Say(text.Awaiting), f.Say(text.AwaitingHint)}, "awaiting", c.Awaiting})
	}
	if c.Refused > 0 {
		g = append(g, group{mark{toneQuiet, iconBan, f.Say(text.Refused), f.Say(text.RefusedHint)}, "refused", c.Refused})
	}
	return g
}
