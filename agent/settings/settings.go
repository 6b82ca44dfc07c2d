// Package settings reads an agent's wapt-get.ini.
//
// # File
//
// Sections [global] and [waptwua] with WAPT's option names; the operations
// guide lists every option with its default. Option names compare without
// case, values are taken as they stand (no quotes, no interpolation, no
// comments behind a value), a later line wins over an earlier one.
// Sections of other programs are passed over.
//
// # When a value cannot be read
//
// An option that does not parse never allows more than its author can have
// meant, and the agent reports it:
//
//	a switch                false; enabled counts as unset, offline as true
//	a schedule              never
//	windows, freeze_dates   no window opens
//	missed_window           the next window
//	install_delay           everything is held
//	an entry of forbidden_  everything is held
//	an entry of allowed_    only this entry is left out
//	an address, a limit     the option's default, or an error where there is none
//
// An option of [waptwua] that does not exist is reported too, because it is
// probably a misspelled one. A file that cannot be read at all is an error
// of [Load]; a running agent then keeps the settings it has.
package settings

import (
	"net/url"
	"strings"
	"time"

	"waptwua/policy"
	"waptwua/schedule"
)

// The sections.
const (
	Global  = "global"
	WaptWUA = "waptwua"
)

// Tristate is a switch that may also be unset.
type Tristate int

// The states of a Tristate.
const (
	Unset Tristate = iota
	False
	True
)

// Settings are the effective settings.
type Settings struct {
	// [global]
	RepoURLs       []*url.URL // folders of the packages; the update files lie beside them, see Files
	Server         *url.URL
	UUID           string // as given; empty: the agent makes one
	VerifyCert     string // PEM file with the server's CA; empty: what enrolment stored
	Fingerprint    string // SHA-256 of the server's CA, instead of a PEM file
	Certificates   string // folder of administrators' certificates
	SelfUpdate     SelfUpdate
	Dir            string // folder of the agent's own files
	Proxy          *url.URL
	ProxyForServer bool
	ProxyForRepo   bool
	Bandwidth      int64 // bytes per second; 0: no limit; see BandwidthAt
	BandwidthHours []BandwidthHours
	CacheQuota     int64 // bytes of payload files; 0: no quota
	UpdatePeriod   schedule.Period
	LogLevel       string
	LogSize        int64 // bytes of one log file of the service
	LogCount       int   // older log files that are kept
	Exit           Exit

	// [waptwua]
	Enabled           Tristate
	ServiceIdle       string // how wuauserv is left between operations while enabled: disabled, manual or restore
	Offline           bool
	AllowDirect       bool
	ArchiveRoots      string // PEM file with the roots of the scan archive's signature; empty: Microsoft's, pinned
	Filter            string
	DownloadEvery     schedule.Period
	InstallEvery      schedule.Period
	InstallAtShutdown bool
	PostbootDelay     time.Duration
	UserLocale        uint32
	ScanCalmly        bool               // searches with low priority
	InstallOnBattery  bool               // installs by schedule also on the battery
	DownloadOnMetered bool               // works by schedule also on a network that is paid by volume
	InstallWindows    *schedule.Calendar // nil: not set
	RestartWindows    *schedule.Calendar // nil: not set
	Freeze            schedule.Freeze    // days on which nothing is installed; already in both calendars
	MissedWindow      schedule.CatchUp
	InstallSpread     *time.Duration  // nil: a tenth of the window, at most half an hour
	Rules             policy.Settings // default_allow, install_delay and all lists

	Restart schedule.RestartRules // Zone and Spread are the agent's to set

	Problems []Problem // what could not be read, in the order of the options
	options  []Option
	given    map[string]string // section.name: as it stands in the file
}

// Option is one option as it is in force.
type Option struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Value   string `json:"value"`
	Origin  string `json:"origin"` // the file's path, or Default
}

// Default is the origin of a value that the file does not give.
const Default = "default"

// Problem is an option that could not be read.
type Problem struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Text    string `json:"text"` // what is wrong, what holds instead
}

// String is a sentence for people.
func (p Problem) String() string { return "[" + p.Section + "] " + p.Name + ": " + p.Text }

// Options lists every option in force, in the order of the guide.
func (s *Settings) Options() []Option { return s.options }

// Effective are the options of [waptwua] by name, as hosts report them.
func (s *Settings) Effective() map[string]string {
	m := map[string]string{}
	for _, o := range s.options {
		if o.Section == WaptWUA {
			m[o.Name] = o.Value
		}
	}
	return m
}

// Files are the folders of the update files: WAPT puts them beside the
// folder of the packages, with "wua" added to its name.
func (s *Settings) Files() []*url.URL {
	var folders []*url.URL
	for _, repo := range s.RepoURLs {
		u := *repo
		u.Path = strings.TrimRight(u.Path, "/") + "wua/"
		folders = append(folders, &u)
	}
	return folders
}
