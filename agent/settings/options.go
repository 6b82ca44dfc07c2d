package settings

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"waptwua/policy"
	"waptwua/schedule"
)

// The defaults that are not zero.
const (
	defaultFilter   = "Type='Software' or Type='Driver'"
	defaultPostboot = 10 * time.Minute
	defaultLocale   = 1033 // en-US: the same words on every host
	defaultUpdate   = 2 * time.Hour
	maxPostboot     = schedule.Day
)

func (r *reader) global() {
	s := r.s
	s.Certificates, s.Dir = r.below("ssl"), r.below("db")
	s.UpdatePeriod, s.LogLevel = schedule.Every(defaultUpdate), "info"

	r.option(Global, "wapt_server", address(&s.Server), shown(&s.Server))
	if s.Server != nil {
		s.RepoURLs = []*url.URL{s.Server.JoinPath("wapt")}
	}
	r.option(Global, "repo_url", addresses(&s.RepoURLs), func() string { return join(s.RepoURLs, (*url.URL).Redacted) })
	r.option(Global, "uuid", text(&s.UUID), func() string { return s.UUID })
	r.option(Global, "verify_cert", r.pathOf(&s.VerifyCert), func() string { return s.VerifyCert })
	r.option(Global, "server_fingerprint", text(&s.Fingerprint), func() string { return s.Fingerprint })
	r.option(Global, "public_certs_dir", r.pathOf(&s.Certificates), func() string { return s.Certificates })
	r.selfUpdate()
	r.option(Global, "dbdir", r.pathOf(&s.Dir), func() string { return s.Dir })
	r.option(Global, "http_proxy", address(&s.Proxy), shown(&s.Proxy))
	r.option(Global, "use_http_proxy_for_server", boolean(&s.ProxyForServer), showBool(&s.ProxyForServer))
	r.option(Global, "use_http_proxy_for_repo", boolean(&s.ProxyForRepo), showBool(&s.ProxyForRepo))
	r.option(Global, "limit_bandwidth", bandwidth(&s.Bandwidth), func() string { return showBandwidth(s.Bandwidth) })
	r.option(Global, "limit_bandwidth_hours", bandwidthHours(&s.BandwidthHours), func() string { return showHours(s.BandwidthHours) })
	r.option(Global, "cache_quota", size(&s.CacheQuota), func() string { return showSize(s.CacheQuota) })
	r.option(Global, "waptupdate_task_period", period(&s.UpdatePeriod, time.Minute), func() string { return s.UpdatePeriod.String() })
	r.logging()
	r.option(Global, "loglevel", level(&s.LogLevel), func() string { return s.LogLevel })
	r.exit()
}

func (r *reader) waptwua() {
	s := r.s
	s.Offline, s.Filter, s.PostbootDelay, s.UserLocale = true, defaultFilter, defaultPostboot, defaultLocale
	s.Rules.Name, s.ServiceIdle = "wapt-get.ini", "disabled"

	r.option(WaptWUA, "enabled", tristate(&s.Enabled), func() string { return s.Enabled.String() })
	r.option(WaptWUA, "wuauserv_idle", serviceIdle(&s.ServiceIdle), func() string { return s.ServiceIdle })
	r.option(WaptWUA, "offline", boolean(&s.Offline), showBool(&s.Offline))
	r.option(WaptWUA, "allow_direct_download", boolean(&s.AllowDirect), showBool(&s.AllowDirect))
	r.option(WaptWUA, "archive_roots", r.pathOf(&s.ArchiveRoots), func() string { return s.ArchiveRoots })
	r.option(WaptWUA, "default_allow", r.defaultAllow, func() string { return showPointer(s.Rules.DefaultAllow) })
	r.option(WaptWUA, "filter", text(&s.Filter), func() string { return s.Filter })
	r.option(WaptWUA, "download_scheduling", period(&s.DownloadEvery, schedule.Day), func() string { return s.DownloadEvery.String() })
	r.option(WaptWUA, "install_scheduling", period(&s.InstallEvery, schedule.Day), func() string { return s.InstallEvery.String() })
	r.option(WaptWUA, "install_at_shutdown", boolean(&s.InstallAtShutdown), showBool(&s.InstallAtShutdown))
	r.option(WaptWUA, "install_delay", r.installDelay, r.showDelay)
	r.option(WaptWUA, "postboot_delay", postboot(&s.PostbootDelay), func() string { return schedule.Format(s.PostbootDelay) })
	s.ScanCalmly = true
	r.option(WaptWUA, "scan_priority", scanPriority(&s.ScanCalmly), func() string {
		if s.ScanCalmly {
			return "low"
		}
		return "normal"
	})
	r.option(WaptWUA, "install_on_battery", boolean(&s.InstallOnBattery), showBool(&s.InstallOnBattery))
	r.option(WaptWUA, "download_on_metered", boolean(&s.DownloadOnMetered), showBool(&s.DownloadOnMetered))
	r.windows()
	r.restarts()
	r.option(WaptWUA, "include_potentially_superseded_updates", r.superseded, func() string { return showPointer(s.Rules.IncludePotentiallySuperseded) })
	r.option(WaptWUA, "user_locale", locale(&s.UserLocale), func() string { return strconv.FormatUint(uint64(s.UserLocale), 10) })
	r.lists("allowed_", &s.Rules.Allowed, func(string) {})
	r.lists("forbidden_", &s.Rules.Forbidden, r.hold)
}

// defaultAllow sets the ini's word, which wins over packages: also false
// when it cannot be read.
func (r *reader) defaultAllow(v string) error {
	if strings.EqualFold(v, "none") {
		return nil
	}
	b := false
	err := boolean(&b)(v)
	r.s.Rules.DefaultAllow = &b
	return err
}

func (r *reader) superseded(v string) error {
	if strings.EqualFold(v, "none") {
		return nil
	}
	b := false
	err := boolean(&b)(v)
	r.s.Rules.IncludePotentiallySuperseded = &b
	return err
}

func (r *reader) installDelay(v string) error {
	if strings.EqualFold(v, "none") {
		return nil
	}
	d, err := schedule.ParseDuration(v, schedule.Day)
	if err != nil {
		r.hold("install_delay of wapt-get.ini cannot be read")
		return err
	}
	r.s.Rules.InstallDelay = &d
	return nil
}

func (r *reader) showDelay() string {
	switch {
	case r.s.Rules.InstallDelay != nil:
		return schedule.Format(*r.s.Rules.InstallDelay)
	case r.s.Rules.HoldAll != "":
		return "everything is held"
	}
	return "None"
}

// hold makes the policy hold everything, for the first reason given.
func (r *reader) hold(why string) {
	if r.s.Rules.HoldAll == "" {
		r.s.Rules.HoldAll = why
	}
}

// lists reads the five lists of one direction.
func (r *reader) lists(prefix string, l *policy.Lists, bad func(why string)) {
	list(r, prefix+"updates", &l.Updates, policy.ParseRevision, policy.Revision.String, bad)
	list(r, prefix+"kbs", &l.KBs, parseKB, showKB, bad)
	list(r, prefix+"products", &l.Products, policy.ParseCategory, same, bad)
	list(r, prefix+"classifications", &l.Classifications, policy.ParseCategory, same, bad)
	list(r, prefix+"severities", &l.Severities, policy.ParseSeverity, showSeverity, bad)
}

// list reads entries separated by commas or line ends. "None" alone is no
// list, as everywhere in the file; updates that are not rated are "Other".
func list[T any](r *reader, name string, into *[]T, parse func(string) (T, error), show func(T) string, bad func(why string)) {
	r.option(WaptWUA, name, func(v string) error {
		if strings.EqualFold(v, "none") {
			return nil
		}
		var first error
		for _, entry := range strings.FieldsFunc(v, func(c rune) bool { return c == ',' || c == '\n' }) {
			if entry = strings.TrimSpace(entry); entry == "" {
				continue
			}
			x, err := parse(entry)
			if err == nil {
				*into = append(*into, x)
			} else if first == nil {
				first = err
			}
		}
		if first != nil {
			bad(fmt.Sprintf("%s of wapt-get.ini cannot be read: %v", name, first))
		}
		return first
	}, func() string { return join(*into, show) })
}
