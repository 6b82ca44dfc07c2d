package waptwua

import "time"

// Update describes one update as the archive or a host's Windows Update
// Agent knows it. Unknown fields are zero.
type Update struct {
	ID              UpdateID  `json:"id"`
	Title           string    `json:"title,omitempty"`
	Type            string    `json:"type,omitempty"` // Software or Driver
	KBs             []KB      `json:"kbs,omitempty"`
	Severity        Severity  `json:"severity,omitempty"`
	Classifications []string  `json:"classifications,omitempty"` // English names, e.g. "Security Updates"
	Products        []string  `json:"products,omitempty"`        // English names, e.g. "Windows 11"
	CategoryIDs     []string  `json:"category_ids,omitempty"`    // GUIDs of all categories, lower case
	Published       time.Time `json:"published,omitzero"`        // LastDeploymentChangeTime or the archive's CreationDate
	Bulletins       []string  `json:"bulletins,omitempty"`       // e.g. MS11-025
	CVEs            []string  `json:"cves,omitempty"`
	MinDownloadSize int64     `json:"min_download_size,omitempty"` // bytes
	MaxDownloadSize int64     `json:"max_download_size,omitempty"` // bytes, sum over all files declared
	Reboot          Reboot    `json:"reboot,omitempty"`
	Handler         string    `json:"handler,omitempty"`    // Cbs, CommandLineInstallation, WindowsInstaller, OSInstaller
	Supersedes      []string  `json:"supersedes,omitempty"` // GUIDs of older updates
	MoreInfoURL     string    `json:"more_info_url,omitempty"`
	SupportURL      string    `json:"support_url,omitempty"`
	Exclusive       bool      `json:"exclusive,omitempty"` // must be installed alone
}

// Severity is Microsoft's rating (MSRC). The empty severity is "not rated".
type Severity string

// The severities that Microsoft gives.
const (
	Critical  Severity = "Critical"
	Important Severity = "Important"
	Moderate  Severity = "Moderate"
	Low       Severity = "Low"
	Unrated   Severity = ""
)

// Reboot says whether installing asks for a restart.
type Reboot string

// The reboot behaviours of an update (InstallationBehavior@RebootBehavior).
const (
	RebootNever      Reboot = "NeverReboots"
	RebootAlways     Reboot = "AlwaysRequiresReboot"
	RebootCanRequest Reboot = "CanRequestReboot"
)
