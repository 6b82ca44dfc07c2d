package main

import (
	"fmt"
	"time"

	"waptwua"
	"waptwua/agent"
)

// told is the line in which a command says what it did, from what is known
// when it ends and from when it began.
type told func(after *agent.Status, began time.Time) string

// always says the same.
func always(text string) told {
	return func(*agent.Status, time.Time) string { return text }
}

// toldDownload says which files are here.
func toldDownload(s *agent.Status, _ time.Time) string {
	count := counts(s)
	ready, missing := count[waptwua.StatusPending], count[waptwua.StatusMissing]
	switch {
	case ready+missing == 0:
		return "nothing to download"
	case missing == 0:
		return "downloaded: the files of " + updates(ready)
	case ready == 0:
		return "nothing could be downloaded: " + awaiting(missing)
	}
	return fmt.Sprintf("downloaded: the files of %s; %s", updates(ready), awaiting(missing))
}

// toldInstall says what was installed since the command began.
func toldInstall(s *agent.Status, began time.Time) string {
	installed, missing := 0, counts(s)[waptwua.StatusMissing]
	for _, u := range s.State.Updates {
		if installedSince(&u, began) {
			installed++
		}
	}
	switch {
	case installed > 0 && missing > 0:
		return fmt.Sprintf("installed: %s; %s", updates(installed), awaiting(missing))
	case installed > 0:
		return "installed: " + updates(installed)
	case missing > 0:
		return "nothing was installed: " + awaiting(missing)
	}
	return "nothing was installed"
}

// installedSince tells whether the update was installed after that time,
// although a restart may still be due.
func installedSince(u *waptwua.OnHost, began time.Time) bool {
	done := u.Phase() == waptwua.PhaseVerified || u.Phase() == waptwua.PhaseWaiting
	return done && !u.Steps[len(u.Steps)-1].At.Before(began)
}

func updates(n int) string {
	if n == 1 {
		return "1 update"
	}
	return fmt.Sprintf("%d updates", n)
}

func awaiting(n int) string {
	if n == 1 {
		return "1 update waits for files that the server does not have yet"
	}
	return fmt.Sprintf("%d updates wait for files that the server does not have yet", n)
}
