package inventory

import (
	"fmt"
	"strings"

	"waptwua/applicability"
)

// Report says how far the questions were answered.
type Report struct {
	Sections []Tally   `json:"sections"`          // those in which something was asked
	Unknown  []Problem `json:"unknown,omitempty"` // the first of what is not known, with reasons
	More     int       `json:"more,omitempty"`    // how many further ones are left out of Unknown
}

// Tally counts the answers of one section of a recording.
type Tally struct {
	Section applicability.Section `json:"section"`
	Present int                   `json:"present"`
	Absent  int                   `json:"absent"`  // established to be absent
	Unknown int                   `json:"unknown"` // left out of the recording
}

// Problem is one thing that is not known.
type Problem struct {
	Section applicability.Section `json:"section"`
	Item    string                `json:"item"`
	Reason  string                `json:"reason"`
}

// String is one line for people.
func (p Problem) String() string { return fmt.Sprintf("%s %s: %s", p.Section, p.Item, p.Reason) }

// Answered counts the answers, and all things asked.
func (r *Report) Answered() (answered, asked int) {
	for _, t := range r.Sections {
		answered += t.Present + t.Absent
		asked += t.Present + t.Absent + t.Unknown
	}
	return answered, asked
}

// String is one line: the answers by section.
func (r *Report) String() string {
	answered, asked := r.Answered()
	parts := []string{fmt.Sprintf("%d of %d questions answered", answered, asked)}
	for _, t := range r.Sections {
		if t.Unknown > 0 {
			parts = append(parts, fmt.Sprintf("%d of %s unknown", t.Unknown, t.Section))
		}
	}
	return strings.Join(parts, ", ")
}

// tally finds the counts of a section.
func (r *Report) tally(s applicability.Section) *Tally {
	for i := range r.Sections {
		if r.Sections[i].Section == s {
			return &r.Sections[i]
		}
	}
	r.Sections = append(r.Sections, Tally{Section: s})
	return &r.Sections[len(r.Sections)-1]
}

// problem notes what is not known, the first limit things one by one.
func (r *Report) problem(s applicability.Section, item string, err error, limit int) {
	if len(r.Unknown) >= limit {
		r.More++
		return
	}
	r.Unknown = append(r.Unknown, Problem{s, item, err.Error()})
}
