package catalog

import "waptwua"

// Disagreement is an update about which the host's Windows Update Agent and
// an evaluation differ. The host is the authority.
type Disagreement struct {
	Result
	Host waptwua.Status `json:"host,omitempty"` // what the host reported; "": it did not mention the update
}

// Agreement is an evaluation beside what the host reported.
type Agreement struct {
	Same      int            `json:"same"`      // verdicts that agree, of updates that the host or the evaluation finds installed or needed
	Undecided int            `json:"undecided"` // Unknown here, known to the host
	Waiting   int            `json:"waiting"`   // the host waits for a restart, so that neither can be right yet
	Foreign   int            `json:"foreign"`   // reported updates that the archive does not hold
	Differ    []Disagreement `json:"differ"`
}

// Against compares the evaluation with what the host reported about the
// updates that it has or needs.
//
// An update that the host offers, whatever it may do with it, is expected to
// be Applicable; one that it has, Installed; one that it does not mention,
// neither. What is installed here but not mentioned there counts as the same:
// the agent does not list everything that is installed.
func (e *Evaluation) Against(host []waptwua.OnHost) Agreement {
	var a Agreement
	said := map[index]waptwua.Status{}
	for _, h := range host {
		if i, ok := e.graph.find(h.ID); ok {
			said[i] = h.Status
		} else {
			a.Foreign++
		}
	}
	for i := range e.graph.nodes {
		if status, ok := said[index(i)]; ok || e.graph.nodes[i].kind == topLevel {
			a.add(e, index(i), status)
		}
	}
	return a
}

func (a *Agreement) add(e *Evaluation, i index, status waptwua.Status) {
	v := e.verdicts[i]
	switch {
	case status == "" && (v == NotApplicable || v == Superseded || v == Unknown):
	case status == waptwua.StatusReboot:
		a.Waiting++
	case v == Unknown:
		a.Undecided++
	case agrees(v, status):
		a.Same++
	default:
		a.Differ = append(a.Differ, Disagreement{e.result(i), status})
	}
}

func agrees(v Verdict, s waptwua.Status) bool {
	switch s {
	case "":
		return v == Installed
	case waptwua.StatusOK:
		return v == Installed
	case waptwua.StatusSuperseded:
		return v == Superseded
	}
	return v == Applicable
}
