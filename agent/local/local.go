// Package local is how the programs of one computer talk to its agent
// service: the command line, and whoever looks what is going on. What users
// answer in dialogs does not come this way: the service starts those itself.
//
// # Two endpoints
//
// The service listens at two places, which the operating system guards. Who
// may open one may ask everything it offers; nothing else is asked of a
// caller.
//
//	           Windows, named pipe                                Unix, socket in dbdir
//	admins     \\.\pipe\ProtectedPrefix\Administrators\waptwua    admin.sock, mode 0600
//	users      …\waptwua-user                                     user.sock, mode 0666
//
// Only administrators and the system may open the first. Everybody who is
// logged on at the computer may open the second, nobody over the network.
// The prefix keeps other users' programs from listening under these names.
// On Unix dbdir's own mode decides as well.
//
// # What they offer
//
// HTTP/1.1 with bodies of JSON. The version is part of the path.
//
//	GET    /v1/overview       both    Overview: what a user may know
//	GET    /v1/status         admins  agent.Status: all that is known
//	GET    /v1/tasks          admins  the tasks under way and the last finished ones
//	POST   /v1/tasks          admins  Order → 202 Task
//	DELETE /v1/tasks/ID       admins  ends a task, or takes it out of the queue
//	GET    /v1/events?after=N admins  Events after number N; waits up to PollLimit for one
//
// A failure is a Problem. An overview holds no settings, no addresses, no
// names of administrators and no texts of errors.
//
// # Tasks and events
//
// One task runs at a time; orders wait in a queue of four, and an order that
// is waiting already is not queued twice. What the schedule does is a task,
// too. Of the finished tasks the newest 30 are kept, and as many events:
// progress replaces the progress before it. Who looks too rarely misses
// events, but each tells the whole state of its task.
//
// # Limits
//
// A request has at most 64 KiB, five seconds for its head and ten in all; an
// endpoint serves 16 connections at once, further ones wait. Users cannot
// use up the connections of administrators. What a user's program can do is
// to keep other users' programs waiting.
package local

import (
	"time"

	"waptwua"
)

// The limits.
const (
	MaxBody   = 64 << 10         // bytes of a request
	PollLimit = 25 * time.Second // longest wait for an event
	kept      = 30               // finished tasks, and events
	maxQueue  = 4                // orders that wait
	maxConns  = 16               // of one endpoint
	maxOnly   = 200              // updates of one order
)

// Kind is what a task does.
type Kind string

// The kinds that can be ordered. The schedule has these and others.
const (
	Update   Kind = "update"    // fetch rules, report
	Scan     Kind = "scan"      // search, report
	Download Kind = "download"  // scan, fetch files
	Install  Kind = "install"   // scan, fetch, install, scan
	Remove   Kind = "uninstall" // remove updates, scan
)

// Order asks for a task.
type Order struct {
	Kind  Kind     `json:"kind"`
	Force bool     `json:"force,omitempty"` // as the commands' --force
	Now   bool     `json:"now,omitempty"`   // install: as --now
	Only  []string `json:"only,omitempty"`  // install, uninstall: KBs or identities, at most 200
}

// TaskState is how far a task is.
type TaskState string

// The states of a task.
const (
	Waiting  TaskState = "WAITING"
	Active   TaskState = "RUNNING"
	Done     TaskState = "DONE"
	Failed   TaskState = "ERROR"
	Canceled TaskState = "CANCELLED"
)

// Task is something the service does, will do or has done.
type Task struct {
	ID       uint64    `json:"id"` // counts up from 1 since the service was started
	Kind     Kind      `json:"kind"`
	Origin   string    `json:"origin"` // order or schedule
	State    TaskState `json:"state"`
	Created  time.Time `json:"created"`
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
	Progress *Progress `json:"progress,omitempty"`
	Code     Code      `json:"code,omitempty"`  // of Error
	Error    string    `json:"error,omitempty"` // a sentence
}

// Ended reports whether the task is over.
func (t Task) Ended() bool { return t.State == Done || t.State == Failed || t.State == Canceled }

// The origins of tasks.
const (
	ByOrder    = "order"
	BySchedule = "schedule"
)

// Progress is how far a task has come.
type Progress struct {
	Name    string `json:"name,omitempty"` // of the update or file; empty: the task as a whole
	Percent int    `json:"percent"`
}

// EventType says what has happened to a task, in WAPT's words.
type EventType string

// The types of events.
const (
	TaskAdd    EventType = "TASK_ADD"
	TaskStart  EventType = "TASK_START"
	TaskStatus EventType = "TASK_STATUS" // progress
	TaskFinish EventType = "TASK_FINISH"
	TaskCancel EventType = "TASK_CANCEL"
	TaskError  EventType = "TASK_ERROR"
)

// Event is something that has happened to a task.
type Event struct {
	N    uint64    `json:"n"` // counts up; numbers may be missing
	At   time.Time `json:"at"`
	Type EventType `json:"type"`
	Task Task      `json:"task"` // as it was then
}

// Overview is what every user of the computer may know.
type Overview struct {
	Version string             `json:"version"` // of the agent
	Status  waptwua.HostStatus `json:"status"`
	Scanned time.Time          `json:"scanned,omitzero"` // when this was found out
	Restart bool               `json:"restart"`          // Windows waits for a restart
	Pending []Pending          `json:"pending"`          // what will be installed
	Running *Activity          `json:"running,omitempty"`
}

// Pending is an update that waits to be installed or verified.
type Pending struct {
	Title  string         `json:"title"`
	KBs    []string       `json:"kbs,omitempty"`
	Status waptwua.Status `json:"status"`
}

// Activity is what the service is doing now.
type Activity struct {
	Kind     Kind      `json:"kind"`
	Started  time.Time `json:"started"`
	Progress *Progress `json:"progress,omitempty"`
}
