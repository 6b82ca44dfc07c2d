package settings

import (
	"strings"
	"testing"
)

func TestBandwidthHoursAndQuota(t *testing.T) {
	for _, tc := range []struct{ line, name, want, problem string }{
		{"limit_bandwidth_hours = Mon-Fri 08:00-18:00 = 2 Mbit/s ; 22:00-06:00=none", "limit_bandwidth_hours", "mon,tue,wed,thu,fri 08:00-18:00 = 2 Mbit/s; daily 22:00-06:00 = None", ""},
		{"limit_bandwidth_hours = None", "limit_bandwidth_hours", "", ""},
		{"limit_bandwidth_hours = 08:00-18:00 2 Mbit/s", "limit_bandwidth_hours", "", "want hours and a limit"},
		{"limit_bandwidth_hours = = 2 Mbit/s", "limit_bandwidth_hours", "", "hours are missing"},
		{"limit_bandwidth_hours = 8-18 = 2 Mbit/s", "limit_bandwidth_hours", "", "8-18"},
		{"limit_bandwidth_hours = 08:00-18:00 = fast", "limit_bandwidth_hours", "", "want a number and a unit"},
		{"limit_bandwidth_hours = " + strings.Repeat("08:00-18:00 = 1;", 33), "limit_bandwidth_hours", "", "at most 32"},
		{"cache_quota = 20 GB", "cache_quota", "20 GB", ""},
		{"cache_quota = 512 MiB", "cache_quota", "0.536870912 GB", ""},
		{"cache_quota = none", "cache_quota", "None", ""},
		{"cache_quota = 20", "cache_quota", "None", "want a number and a unit"},
		{"cache_quota = -1 GB", "cache_quota", "None", "want a number and a unit"},
		{"cache_quota = 1e30 GB", "cache_quota", "None", "want a number and a unit"},
		{"repo_url = https://a.example.org/wapt, https://b.example.org/wapt", "repo_url", "https://a.example.org/wapt, https://b.example.org/wapt", ""},
		{"repo_url = https://a.example.org/wapt ftp://b", "repo_url", "", "is not an address"},
		{"repo_url = " + strings.Repeat("https://a.example.org/wapt ", 17), "repo_url", "", "at most 16"},
	} {
		t.Run(tc.line[:min(len(tc.line), 60)], func(t *testing.T) {
			s := parse(t, "[global]\n"+tc.line+"\n")
			for _, o := range s.Options() {
				if o.Name == tc.name && o.Value != tc.want {
					t.Errorf("in force: %q, want %q", o.Value, tc.want)
				}
			}
			if tc.problem == "" && len(s.Problems) > 0 || tc.problem != "" && (len(s.Problems) != 1 || !strings.Contains(s.Problems[0].Text, tc.problem)) {
				t.Errorf("problems %v, want %q", s.Problems, tc.problem)
			}
		})
	}
}
