package console

import (
	"fmt"
	"strings"

	"waptwua"
	"waptwua/console/text"
	"waptwua/server"
)

// tone is a colour of the palette; it never stands without an icon and a word.
type tone string

const (
	toneOK      tone = "ok"
	tonePending tone = "pending"
	toneMissing tone = "missing"
	toneReboot  tone = "reboot"
	toneError   tone = "error"
	toneQuiet   tone = "quiet"
)

// mark is how a status looks: an icon and a word on a tint, and a sentence
// that says what the word means.
type mark struct {
	Tone  tone
	Icon  icon
	Word  string
	Means string
}

// updateStatuses lists the statuses of updates: what needs attention first.
var updateStatuses = []waptwua.Status{
	waptwua.StatusError, waptwua.StatusMissing, waptwua.StatusPending, waptwua.StatusReboot,
	waptwua.StatusDiscarded, waptwua.StatusOK, waptwua.StatusSuperseded,
}

// updateMark is the mark of an update's status, in WAPT's word.
func (f frame) updateMark(s waptwua.Status) mark {
	m := mark{Tone: toneQuiet, Icon: iconUnknown, Word: string(s)}
	switch s {
	case waptwua.StatusOK:
		m.Tone, m.Icon, m.Means = toneOK, iconCheck, f.Say(text.MeansOK)
	case waptwua.StatusPending:
		m.Tone, m.Icon, m.Means = tonePending, iconClock, f.Say(text.MeansPending)
	case waptwua.StatusMissing:
		m.Tone, m.Icon, m.Means = toneMissing, iconDownload, f.Say(text.MeansMissing)
	case waptwua.StatusDiscarded:
		m.Icon, m.Means = iconBan, f.Say(text.MeansDiscarded)
	case waptwua.StatusReboot:
		m.Tone, m.Icon, m.Means = toneReboot, iconRestart, f.Say(text.MeansReboot)
	case waptwua.StatusError:
		m.Tone, m.Icon, m.Means = toneError, iconAlert, f.Say(text.MeansError)
	case waptwua.StatusSuperseded:
		m.Icon, m.Means = iconLayers, f.Say(text.MeansSuperseded)
	}
	return m
}

// hostStatuses lists the statuses that hosts report.
var hostStatuses = []waptwua.HostStatus{
	waptwua.HostOK, waptwua.HostPending, waptwua.HostScanning, waptwua.HostDownloading,
	waptwua.HostInstalling, waptwua.HostReboot, waptwua.HostError,
}

// hostMark says how a host is: why its state is not known, or else the
// status that it reported.
func (f frame) hostMark(h server.HostView) mark {
	switch {
	case h.Standing == server.Awaiting:
		return mark{tonePending, iconPerson, f.Say(text.Awaiting), f.Say(text.AwaitingHint)}
	case h.Standing == server.Refused:
		return mark{toneQuiet, iconBan, f.Say(text.Refused), f.Say(text.RefusedHint)}
	}
	switch h.Knowledge {
	case "silent":
		return mark{toneQuiet, iconSilent, f.Say(text.Silent), f.Say(text.SilentHint)}
	case "never_scanned":
		return mark{toneQuiet, iconUnknown, f.Say(text.NeverScanned), f.Say(text.NeverScannedHint)}
	case "scan_failed":
		return mark{toneError, iconAlert, f.Say(text.ScanFailed), f.Say(text.ScanFailedHint)}
	}
	return f.reportedMark(h.Status)
}

func (f frame) reportedMark(s waptwua.HostStatus) mark {
	m := mark{Tone: tonePending, Icon: iconClock, Word: strings.ReplaceAll(string(s), "_", " ")}
	switch s {
	case waptwua.HostOK:
		m.Tone, m.Icon, m.Means = toneOK, iconCheck, f.Say(text.MeansHostOK)
	case waptwua.HostPending:
		m.Means = f.Say(text.MeansHostPending)
	case waptwua.HostScanning:
		m.Icon, m.Means = iconSearch, f.Say(text.MeansHostScanning)
	case waptwua.HostDownloading:
		m.Icon, m.Means = iconDownload, f.Say(text.MeansHostDownloading)
	case waptwua.HostInstalling:
		m.Icon, m.Means = iconLayers, f.Say(text.MeansHostInstalling)
	case waptwua.HostReboot:
		m.Tone, m.Icon, m.Means = toneReboot, iconRestart, f.Say(text.MeansHostReboot)
	case waptwua.HostError:
		m.Tone, m.Icon, m.Means = toneError, iconAlert, f.Say(text.MeansHostError)
	default:
		m.Tone, m.Icon, m.Word = toneQuiet, iconUnknown, f.Say(text.Unknown)
	}
	return m
}

// states lists the states of downloads and runs.
var states = []server.State{"running", "pending", "failed", "finished", "skipped", "interrupted"}

// stateMark is the mark of a download or run.
func (f frame) stateMark(s server.State) mark {
	switch s {
	case "pending":
		return mark{toneQuiet, iconClock, f.Say(text.StatePending), ""}
	case "running":
		return mark{tonePending, iconDownload, f.Say(text.StateRunning), ""}
	case "finished":
		return mark{toneOK, iconCheck, f.Say(text.StateFinished), ""}
	case "skipped":
		return mark{toneQuiet, iconCheck, f.Say(text.StateSkipped), ""}
	case "failed":
		return mark{toneError, iconAlert, f.Say(text.StateFailed), ""}
	case "interrupted":
		return mark{toneMissing, iconBan, f.Say(text.StateInterrupted), ""}
	}
	return mark{toneQuiet, iconUnknown, string(s), ""}
}

// jobs lists the jobs of the server.
var jobs = []server.Job{server.JobArchive, server.JobFiles, server.JobCleanUp, server.JobExpiry}

// jobName is what people call a job.
func (f frame) jobName(j server.Job) string {
	switch j {
	case server.JobArchive:
		return f.Say(text.JobArchive)
	case server.JobFiles:
		return f.Say(text.JobFiles)
	case server.JobCleanUp:
		return f.Say(text.JobCleanUp)
	case server.JobExpiry:
		return f.Say(text.JobExpiry)
	}
	return string(j)
}

// why says what decided about an update: which rule, of which package,
// until when.
func (f frame) why(v waptwua.Verdict) string {
	switch {
	case v.Reason == "":
		return ""
	case v.Decision == waptwua.Held:
		s := f.Say(text.WhyHeld, v.Origin, v.Detail)
		if !v.Until.IsZero() {
			s += ", " + f.Say(text.WhyUntil, f.Moment(v.Until.In(f.Now.Location())))
		}
		return s
	case v.Reason == "default_allow" && v.Decision == waptwua.Allowed:
		return f.Say(text.WhyDefault, v.Origin)
	case v.Reason == "default_allow":
		return f.Say(text.WhyNotAllowed, v.Origin)
	case v.Reason == "clauses":
		return f.Say(text.WhyClause, v.Origin, v.Detail)
	case v.Decision == waptwua.Denied:
		return f.Say(text.WhyForbidden, v.Reason, v.Origin, v.Detail)
	}
	return f.Say(text.WhyAllowed, v.Reason, v.Origin, v.Detail)
}

// hresult writes an error code as Windows does.
func hresult(code uint32) string { return fmt.Sprintf("0x%08X", code) }

// severities lists Microsoft's ratings; the last one means not rated.
var severities = []string{string(waptwua.Critical), string(waptwua.Important), string(waptwua.Moderate), string(waptwua.Low), "None"}

// severityMark is the mark of a rating.
func severityMark(s waptwua.Severity) mark {
	switch s {
	case waptwua.Critical:
		return mark{toneError, iconAlert, string(s), ""}
	case waptwua.Important:
		return mark{toneMissing, iconAlert, string(s), ""}
	case waptwua.Moderate, waptwua.Low:
		return mark{toneQuiet, iconInfo, string(s), ""}
	case waptwua.Unrated:
		return mark{Word: "None"}
	}
	return mark{toneQuiet, iconInfo, string(s), ""}
}

// rebootWord says whether installing an update asks for a restart.
func (f frame) rebootWord(r waptwua.Reboot) string {
	switch r {
	case waptwua.RebootNever:
		return f.Say(text.RebootNever)
	case waptwua.RebootAlways:
		return f.Say(text.RebootAlways)
	case waptwua.RebootCanRequest:
		return f.Say(text.RebootMaybe)
	case "":
		return f.Say(text.Unknown)
	}
	return string(r)
}
