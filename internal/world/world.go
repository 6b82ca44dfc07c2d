// Package world generates scan archives of realistic shape, the payload files
// they name, and the machines that need them. Everything follows from
// Options: the same options give the same bytes (but for signatures, which
// are made by the caller).
//
// # Shape
//
// The archive is laid out as Microsoft's wsusscn2.cab of 2026: index.xml,
// package.cab with package.xml, and package2.cab … with the fragments of a
// range of RevisionIds each, everything compressed with LZX:21, inner cabinets
// in folders of about 16 MB. It holds the five classifications that occur
// there; products Windows 10 and 11, Server 2016 to 2025 and Office, and up to
// 192 invented ones; detectoids; bundles with one child
// or two; updates of which an earlier revision is there, too; lines of monthly
// cumulative updates of which each names all newer ones as its successors; and
// updates that stand alone. All four handlers occur: Cbs (component packages),
// OSInstaller (8 to 19 files), CommandLineInstallation (registry rules) and
// WindowsInstaller (Office patches). RevisionIds are in no order of time, one
// KB is several updates, and sizes of core fragments spread from half a
// kilobyte to tens of megabytes, as in a real archive. Titles and licences are
// in up to 37 languages; only the English ones are language.
//
// From 20,000 updates on what is rare in a real archive occurs too: fragments
// above 30 MB, licences in all languages. docs/formats/wsusscn2.md compares
// the figures of a full-size archive with the real one's.
//
// # Limits
//
// Titles, numbers and identities are invented (categories keep Microsoft's
// GUIDs, because rules and settings name them). The contents of payload files
// are pseudo-random bytes; nothing in them can be installed by Windows.
// For tests and for waptsim only.
package world

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Options say what to generate.
type Options struct {
	Updates int       // number of <Update> elements, 50 to 200,000
	Seed    uint64    // the same seed gives the same world
	Created time.Time // CreationDate; zero: Patch Tuesday of November 2026
	BaseURL string    // where payload files are said to lie; empty: Microsoft's host
	// Real says that payload files can be had: they are small, and their
	// digests are those of their content. Otherwise sizes are realistic (up
	// to several gigabytes) and digests are random.
	Real bool
}

const (
	minUpdates = 50
	maxUpdates = 200_000
)

// patchTuesday is the date of the newest updates unless Options say else.
var patchTuesday = time.Date(2026, 11, 10, 18, 0, 0, 0, time.UTC)

// World is a generated graph of updates. It is immutable and small: texts
// are rendered when they are written.
type World struct {
	opt       Options
	id        string // PackageId
	revisions []*revision
	packages  map[string][]string // component packages by platform name
	planner   *planner            // that planned it
	lines     [][]*revision       // bundles that supersede each other, the oldest first
	starts    []int               // where shards begin; nil: where they get the same size
}

// New plans the world that opt describes.
func New(opt Options) (*World, error) {
	if opt.Updates < minUpdates || opt.Updates > maxUpdates {
		return nil, fmt.Errorf("a world of %d updates: want %d to %d", opt.Updates, minUpdates, maxUpdates)
	}
	if opt.Created.IsZero() {
		opt.Created = patchTuesday
	}
	if opt.BaseURL == "" {
		opt.BaseURL = "http://download.windowsupdate.com"
	}
	w := &World{opt: opt, packages: map[string][]string{}}
	w.id = w.guid("package", opt.Created.Format(time.RFC3339))
	w.planner = newPlanner(w)
	w.planner.plan()
	return w, nil
}

// Updates is the number of <Update> elements.
func (w *World) Updates() int { return len(w.revisions) }

// guid is a GUID that follows from the seed and the parts.
func (w *World) guid(parts ...string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d", w.opt.Seed)
	for _, p := range parts {
		fmt.Fprintf(h, "\x00%s", p)
	}
	s := hex.EncodeToString(h.Sum(nil))
	return s[:8] + "-" + s[8:12] + "-4" + s[13:16] + "-8" + s[17:20] + "-" + s[20:32]
}
