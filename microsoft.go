package waptwua

import "strings"

// MicrosoftHosts returns the hosts that Microsoft serves updates from, for
// MatchHost. The server and the agents that may ask Microsoft themselves use
// the same ones.
func MicrosoftHosts() []string {
	return []string{
		"go.microsoft.com",
		"download.microsoft.com",
		"*.download.microsoft.com",
		"windowsupdate.com",
		"*.windowsupdate.com",
		"windowsupdate.microsoft.com",
		"*.windowsupdate.microsoft.com",
		"*.update.microsoft.com",
		"*.dl.delivery.mp.microsoft.com",
		"dl.delivery.mp.microsoft.com",
		"ntservicepack.microsoft.com",
	}
}

// MatchHost tells whether a host is on a list: of exact names in lower case,
// or "*." and a name for all below it. A name that only ends or begins like
// one of them is another host.
func MatchHost(list []string, host string) bool {
	host = strings.ToLower(host)
	for _, pattern := range list {
		below, wild := strings.CutPrefix(pattern, "*.")
		if pattern == host || wild && len(host) > len(below)+1 && strings.HasSuffix(host, "."+below) {
			return true
		}
	}
	return false
}
