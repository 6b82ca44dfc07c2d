package catalog

import (
	"waptwua"
	"waptwua/applicability"
	"waptwua/wsusscn2"
)

// Source gives a Graph what it does not hold itself: rules, descriptions and
// the addresses of files. A Graph asks for no more than an answer needs, so a
// source may read from a file on demand. It must serve several goroutines.
//
// The methods return no errors, as a graph in memory has none. A source that
// can fail returns what it returns for a thing that does not exist, and has a
// way to ask afterwards whether anything failed.
type Source interface {
	// Rules are the rules of number set: Graph numbers different rules from
	// 0. revision is the RevisionId of a revision that has them. The result
	// is nil when the rules could not be parsed.
	Rules(set int, revision int) *applicability.Rules
	// Record describes a revision by its RevisionId; nil when the archive has
	// no fragment that does.
	Record(revision int) *Record
	// Payload lists the files that package.xml names for a revision, with
	// their addresses and digests only.
	Payload(revision int) []waptwua.File
	// Location is the address of a file; "" when the archive gives none.
	Location(digest waptwua.SHA1) string
}

// Record is what the fragments of a revision say beyond its relations.
type Record struct {
	Extended *wsusscn2.Extended   // nil: the archive has no such fragment; without HandlerData
	EulaID   string               // a GUID in lower case; "": no licence to accept
	Texts    []wsusscn2.Localized // the best language first
}

// text is the text in the best language there is.
func (r *Record) text() wsusscn2.Localized {
	if r == nil || len(r.Texts) == 0 {
		return wsusscn2.Localized{}
	}
	return r.Texts[0]
}

// extended is what the x/ fragment says; nil when there is none.
func (r *Record) extended() *wsusscn2.Extended {
	if r == nil {
		return nil
	}
	return r.Extended
}

// memory is the Source of a graph that was built in memory.
type memory struct {
	rules     []*applicability.Rules // by number
	records   map[int]*Record
	payload   map[int][]waptwua.SHA1
	locations map[waptwua.SHA1]string
}

func (m *memory) Rules(set, _ int) *applicability.Rules { return m.rules[set] }
func (m *memory) Record(revision int) *Record           { return m.records[revision] }
func (m *memory) Location(digest waptwua.SHA1) string   { return m.locations[digest] }

func (m *memory) Payload(revision int) []waptwua.File {
	var files []waptwua.File
	for _, digest := range m.payload[revision] {
		files = append(files, waptwua.File{SHA1: digest, URL: m.locations[digest]})
	}
	return files
}
