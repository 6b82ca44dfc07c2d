package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// timers are the files of the agent's program that make timers, and when these
// run. An idle agent wakes up once a minute: what is not a nap of the schedule
// or the connection lasts only as long as something is being done.
var timers = map[string]string{
	"agent/agent.go":                     "naps of the schedule and waits between tries",
	"agent/bounded.go":                   "during an installation",
	"agent/estimate.go":                  "during a search",
	"agent/local/pipe_windows.go":        "while a client connects",
	"agent/selftest/selftest.go":         "during a self-test",
	"cmd/wapt-get/root.go":               "while a command waits for another operation",
	"cmd/wapt-get/self_update.go":        "during an exchange of programs",
	"cmd/wapt-get/waptexit.go":           "while a dialog is shown",
	"internal/winsvc/control_windows.go": "while a command waits for the service",
	"internal/winsvc/run_windows.go":     "while the service stops",
	"transport/client/files.go":          "during a transfer",
	"wua/calm/calm.go":                   "during a search",
	"wua/com/host.go":                    "after a call of WUA that was stopped",
	"wua/com/job.go":                     "during a search or an installation",
	"wua/native/services_windows.go":     "while a service starts or stops",
	"wua/sim/host.go":                    "during a simulated call; not on Windows",
}

var makesTimer = regexp.MustCompile(`\btime\.(NewTicker|NewTimer|Tick|After|AfterFunc)\(`)

// TestTimersOfTheAgent has whoever adds a timer to the agent say when it runs.
func TestTimersOfTheAgent(t *testing.T) {
	pkgs := list(t)
	i := slices.IndexFunc(pkgs, func(p *pkg) bool { return p.path() == "cmd/wapt-get" })
	if i < 0 {
		t.Fatal("there is no cmd/wapt-get")
	}
	dirs := []string{"cmd/wapt-get", "internal/taskdialog", "wua/com"} // also what only Windows has
	for _, d := range pkgs[i].Deps {
		if isOurs(d) {
			dirs = append(dirs, ours(d))
		}
	}
	found := map[string]bool{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimPrefix(filepath.ToSlash(f), "../../")
			if strings.HasSuffix(name, "_test.go") || !makesTimer.Match(b) {
				continue
			}
			found[name] = true
			if timers[name] == "" {
				t.Errorf("%s makes a timer: an idle agent wakes up once a minute; say in this test when the timer runs", name)
			}
		}
	}
	for name := range timers {
		if !found[name] {
			t.Errorf("%s makes no timer any more", name)
		}
	}
}
