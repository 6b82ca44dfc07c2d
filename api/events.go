package api

import (
	"fmt"
	"net/http"
	"time"
)

// keepAlive is how often a silent stream shows that it lives.
const keepAlive = 20 * time.Second

// events tells by server-sent events what kind of thing changed: the event's
// name is a topic (hosts, files, downloads, runs, rules, accounts), its data
// empty. What changed is then read as usual.
func (a *Administration) events(w http.ResponseWriter, r *http.Request) {
	topics, err := a.srv.Fleet.Watch(r.Context())
	if err != nil {
		writeError(w, r, a.log, err)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Time{}) // where it cannot be set, there is none
	beat := time.NewTicker(keepAlive)
	defer beat.Stop()
	for text := ": hello\n\n"; ; {
		if _, err := w.Write([]byte(text)); err != nil {
			return // the reader has gone
		}
		if err := c.Flush(); err != nil {
			return
		}
		select {
		case topic, ok := <-topics:
			if !ok {
				return
			}
			text = fmt.Sprintf("event: %s\ndata:\n\n", topic)
		case <-beat.C:
			text = ": alive\n\n"
		}
	}
}
