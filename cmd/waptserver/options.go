package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gopkg.in/ini.v1"

	"waptwua"
	"waptwua/mirror"
	"waptwua/schedule"
	"waptwua/server"
	"waptwua/server/jobs"
)

// iniSection is the section of waptserver.ini that is read.
const iniSection = "options"

// maxIni bounds waptserver.ini, in bytes.
const maxIni = 1 << 20

// options are the settings of a server, as waptserver.ini gives them.
type options struct {
	folder       string   // waptwua_folder
	serverNames  []string // server_name
	bind         string   // wapt_bind_interface
	port         int      // waptserver_port
	console      string   // console_listen
	proxy        *url.URL // http_proxy; nil: none
	archiveURL   string
	archiveRoots string // a PEM file; empty: Microsoft's roots
	allowSHA1    bool
	limits       *limits // archive_limits
	archiveAt    string  // "random" or HH:MM
	upstream     *url.URL
	trusted      string // trusted_users_certificates_folder
	bandwidth    float64
	level        slog.Level
	plan         jobs.Plan
	server       server.Settings

	given map[string]string // option → text, where the file gives one
}

// option is one line of waptserver.ini.
type option struct {
	name string
	def  string // as one would write it; %D% stands for the data directory
	help string
	set  func(o *options, value string) error
}

// optionTable is every option there is. docs/operations.md explains them.
func optionTable() []option {
	return []option{
		{"waptwua_folder", "%D%/waptwua", "folder of the scan archive and payload files", filePath(func(o *options) *string { return &o.folder })},
		{"server_name", "localhost, 127.0.0.1", "names and addresses by which hosts reach the server", setNames},
		{"wapt_bind_interface", "", "address to listen on for hosts; empty: all", verbatim(func(o *options) *string { return &o.bind })},
		{"waptserver_port", "8443", "port for hosts", number(func(o *options) *int { return &o.port }, 0, 65535)},
		{"console_listen", "127.0.0.1:8080", "address and port of the administration", setConsole},
		{"http_proxy", "", "proxy for downloads, http://host:port; empty: none", address(func(o *options) **url.URL { return &o.proxy })},
		{"archive_url", "https://catalog.s.download.windowsupdate.com/microsoftupdate/v6/wsusscan/wsusscn2.cab", "where the scan archive comes from", verbatim(func(o *options) *string { return &o.archiveURL })},
		{"archive_roots", "", "PEM file of roots that sign the archive; empty: Microsoft's", filePath(func(o *options) *string { return &o.archiveRoots })},
		{"archive_allow_sha1", "False", "accept SHA-1 signatures, for archives before 2020", boolean(func(o *options) *bool { return &o.allowSHA1 })},
		{"archive_limits", "", "other limits than the defaults for reading the archive, e.g. shards=8192, content-bytes=16GiB", setLimits},
		{"archive_schedule", "random", "time of day of the daily refresh, HH:MM, or random: one minute of the day, chosen once", setSchedule},
		{"upstream_url", "", "fetch everything from this base instead of Microsoft's hosts; the path is kept", address(func(o *options) **url.URL { return &o.upstream })},
		{"missing_files_period", "30m", "how often missing files are looked for", duration(func(o *options) *time.Duration { return &o.plan.FilesEvery }, time.Minute)},
		{"download_parallel", "4", "files fetched at a time", number(func(o *options) *int { return &o.plan.Downloads }, 1, 64)},
		{"limit_bandwidth", "0", "of downloads, in Mbit/s; 0: no limit", decimal(func(o *options) *float64 { return &o.bandwidth })},
		{"cleanup_kbs", "True", "remove payload files that no host needs", boolean(func(o *options) *bool { return &o.server.CleanUp })},
		{"cleanup_grace", "7d", "how long they stay", duration(func(o *options) *time.Duration { return &o.server.CleanUpGrace }, schedule.Day)},
		{"keep_runs", "30d", "how long runs and downloads are listed", duration(func(o *options) *time.Duration { return &o.server.KeepRuns }, schedule.Day)},
		{"host_silent_after", "7d", "a host not seen for so long counts as silent", duration(func(o *options) *time.Duration { return &o.server.HostSilentAfter }, schedule.Day)},
		{"host_approval", "False", "new hosts wait for an administrator", boolean(func(o *options) *bool { return &o.server.ApproveHosts })},
		{"client_certificate_lifetime", "3650d", "validity of host certificates", duration(func(o *options) *time.Duration { return &o.server.CertValidity }, schedule.Day)},
		{"trusted_users_certificates_folder", "%D%/administrators", "certificates (*.crt, *.pem) that rule packages must be signed by; empty folder: only hosts check", filePath(func(o *options) *string { return &o.trusted })},
		{"min_password_length", "10", "characters of a password", number(func(o *options) *int { return &o.server.MinPasswordLength }, 8, 128)},
		{"session_lifetime", "12h", "how long one stays signed in", duration(func(o *options) *time.Duration { return &o.server.SessionLifetime }, time.Hour)},
		{"report_max_updates", "20000", "updates in one report", number(func(o *options) *int { return &o.server.MaxReportUpdates }, 1, 1_000_000)},
		{"report_max_update_bytes", "65536", "what a host may say about one update", number(func(o *options) *int { return &o.server.MaxUpdateBytes }, 1024, 1<<24)},
		{"report_max_head_bytes", "1048576", "what a host may say besides", number(func(o *options) *int { return &o.server.MaxHeadBytes }, 1024, 1<<24)},
		{"loglevel", "info", "debug, info, warning or error", setLevel},
	}
}

// loadOptions reads the ini file of the data directory dir.
func loadOptions(dir, file string) (*options, error) {
	raw, err := readBounded(file, maxIni)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	given, err := parseIni(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return newOptions(dir, file, given)
}

// newOptions joins what was given with the defaults.
func newOptions(dir, file string, given map[string]string) (*options, error) {
	o := &options{server: server.DefaultSettings(), limits: defaultLimits(), given: given}
	table := optionTable()
	known := make(map[string]bool, len(table))
	for _, opt := range table {
		known[opt.name] = true
		value, ok := given[opt.name]
		if !ok {
			value = opt.def
		}
		value = strings.ReplaceAll(value, "%D%", filepath.ToSlash(dir))
		if err := opt.set(o, value); err != nil {
			return nil, fmt.Errorf("%s: option %s = %q: %w", file, opt.name, value, err)
		}
	}
	for name := range given {
		if !known[name] {
			return nil, fmt.Errorf("%s: option %s is not known; docs/operations.md lists all", file, name)
		}
	}
	if err := o.checkArchiveURL(); err != nil {
		return nil, fmt.Errorf("%s: option archive_url = %q: %w", file, o.archiveURL, err)
	}
	return o, nil
}

// downloadFrom is where downloads may come from.
func (o *options) downloadFrom() mirror.Origin {
	return mirror.Origin{Hosts: waptwua.MicrosoftHosts(), Upstream: o.upstream}
}

// checkArchiveURL refuses an address that the server would never ask.
func (o *options) checkArchiveURL() error {
	if _, err := o.downloadFrom().Resolve(o.archiveURL); err != nil {
		return fmt.Errorf("%w; files come from Microsoft's hosts only. To fetch them from another server, leave archive_url as it is and name that one with upstream_url = http://host:port", err)
	}
	return nil
}

func parseIni(raw []byte) (map[string]string, error) {
	f, err := ini.LoadSources(ini.LoadOptions{Insensitive: true, IgnoreInlineComment: true, SkipUnrecognizableLines: false}, raw)
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	for _, s := range f.Sections() {
		if s.Name() != iniSection && len(s.Keys()) > 0 {
			return nil, fmt.Errorf("section [%s] is not known; all options belong to [%s]", s.Name(), iniSection)
		}
		for _, k := range s.Keys() {
			given[k.Name()] = strings.TrimSpace(k.Value())
		}
	}
	return given, nil
}

func readBounded(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", file, limit)
	}
	return b, err
}

func verbatim(at func(*options) *string) func(*options, string) error {
	return func(o *options, v string) error { *at(o) = v; return nil }
}

func filePath(at func(*options) *string) func(*options, string) error {
	return func(o *options, v string) error { *at(o) = filepath.FromSlash(v); return nil }
}

func boolean(at func(*options) *bool) func(*options, string) error {
	return func(o *options, v string) error {
		switch strings.ToLower(v) {
		case "true", "1", "yes", "on":
			*at(o) = true
		case "false", "0", "no", "off":
			*at(o) = false
		default:
			return errors.New("want True or False")
		}
		return nil
	}
}

func number(at func(*options) *int, low, high int) func(*options, string) error {
	return func(o *options, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < low || n > high {
			return fmt.Errorf("want a number from %d to %d", low, high)
		}
		*at(o) = n
		return nil
	}
}

func decimal(at func(*options) *float64) func(*options, string) error {
	return func(o *options, v string) error {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || f < 0 || f > 1e6 {
			return errors.New("want a number, at least 0")
		}
		*at(o) = f
		return nil
	}
}

func duration(at func(*options) *time.Duration, unit time.Duration) func(*options, string) error {
	return func(o *options, v string) error {
		d, err := schedule.ParseDuration(v, unit)
		if err != nil {
			return err
		}
		if d <= 0 {
			return errors.New("want a duration above 0")
		}
		*at(o) = d
		return nil
	}
}

func address(at func(*options) **url.URL) func(*options, string) error {
	return func(o *options, v string) error {
		if v == "" {
			return nil
		}
		u, err := url.Parse(v)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("want an address such as http://host:port")
		}
		*at(o) = u
		return nil
	}
}

func setNames(o *options, v string) error {
	o.serverNames = nil
	for name := range strings.SplitSeq(v, ",") {
		if name = strings.TrimSpace(name); name != "" {
			o.serverNames = append(o.serverNames, name)
		}
	}
	if len(o.serverNames) == 0 {
		return errors.New("want at least one name or address, separated by commas")
	}
	return nil
}

func setConsole(o *options, v string) error {
	if _, _, err := net.SplitHostPort(v); err != nil {
		return errors.New("want ADDRESS:PORT, e.g. 127.0.0.1:8080")
	}
	o.console = v
	return nil
}

func setLimits(o *options, v string) error {
	if v == "" {
		return nil
	}
	return o.limits.Set(v)
}

func setSchedule(o *options, v string) error {
	o.archiveAt = strings.ToLower(v)
	if o.archiveAt == "random" {
		return nil
	}
	_, err := parseClock(v)
	return err
}

func parseClock(v string) (jobs.Clock, error) {
	t, err := time.Parse("15:04", v)
	if err != nil {
		return jobs.Clock{}, errors.New("want HH:MM or random")
	}
	return jobs.Clock{Hour: t.Hour(), Minute: t.Minute()}, nil
}

func setLevel(o *options, v string) error {
	switch strings.ToLower(v) {
	case "debug":
		o.level = slog.LevelDebug
	case "info":
		o.level = slog.LevelInfo
	case "warning", "warn":
		o.level = slog.LevelWarn
	case "error", "critical":
		o.level = slog.LevelError
	default:
		return errors.New("want debug, info, warning or error")
	}
	return nil
}
