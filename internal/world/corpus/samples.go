package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"

	"waptwua/applicability"
	"waptwua/cab"
	"waptwua/internal/world"
	"waptwua/wsusscn2"
)

// samples are parts of a generated archive.
type samples struct {
	index, graph []byte            // index.xml; package.xml, shortened
	fragments    map[string][]byte // one of each shape, by a name for it
	machines     []*applicability.Facts
}

// longest is the size up to which a fragment is taken.
const longest = 6000

func newSamples(ctx context.Context) (*samples, error) {
	w, err := world.New(world.Options{Updates: 160, Seed: 1, Real: true})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := w.Write(ctx, &b, world.WriteOptions{}); err != nil {
		return nil, err
	}
	s := &samples{fragments: map[string][]byte{}}
	if err := s.documents(b.Bytes()); err != nil {
		return nil, err
	}
	a, err := wsusscn2.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), wsusscn2.Options{})
	if err != nil {
		return nil, err
	}
	for _, n := range []int{0, 1, 3} {
		s.machines = append(s.machines, w.Machine(n))
	}
	return s, a.Fragments(ctx, wsusscn2.Selection{}, s.add)
}

// documents takes index.xml and package.xml out of the archive.
func (s *samples) documents(archive []byte) error {
	outer, err := cab.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return err
	}
	if s.index, err = fs.ReadFile(outer, "index.xml"); err != nil {
		return err
	}
	inner, err := fs.ReadFile(outer, "package.cab")
	if err != nil {
		return err
	}
	c, err := cab.NewReader(bytes.NewReader(inner), int64(len(inner)))
	if err != nil {
		return err
	}
	graph, err := fs.ReadFile(c, "package.xml")
	s.graph = shorten(graph)
	return err
}

// shorten keeps the first updates and locations of a package.xml.
func shorten(graph []byte) []byte {
	head, rest, _ := bytes.Cut(graph, []byte(`<Update `))
	updates := keep(rest, `<Update `, 12)
	_, rest, _ = bytes.Cut(rest, []byte(`<FileLocations>`))
	locations := keep(rest, `<FileLocation `, 5)
	return fmt.Appendf(nil, `%s<Update %s</Updates><FileLocations>%s</FileLocations></OfflineSyncPackage>`, head, updates, locations)
}

// keep returns what comes before the n-th occurrence of sep.
func keep(b []byte, sep string, n int) []byte {
	parts := bytes.SplitN(b, []byte(sep), n+1)
	return bytes.Join(parts[:min(n, len(parts))], []byte(sep))
}

// add keeps the first fragment of each shape.
func (s *samples) add(f wsusscn2.Fragment) error {
	if len(f.Data) > longest || f.Kind == wsusscn2.KindFile {
		return nil
	}
	name := fmt.Sprintf("%c-%s", f.Kind, shape(f.Data))
	if f.Language != "" && f.Language != "en" && f.Language != "ja" {
		return nil
	}
	if f.Language != "" {
		name = fmt.Sprintf("%c-%s", f.Kind, f.Language)
	}
	if _, ok := s.fragments[name]; !ok {
		s.fragments[name] = bytes.Clone(f.Data)
	}
	return nil
}

// shape names what a fragment has, by which one differs from others.
func shape(fragment []byte) string {
	name := "other"
	for _, mark := range []string{
		`Type="Category"`, "BundledUpdates", "SupersededUpdates", "ProductRelease", "CbsPackage", "m.MsiPatch", "b.RegSzToVersion", "b.RegDword", "b.FileVersion", "b.WindowsVersion",
		"OSInstaller", "WindowsInstaller", "CommandLine", "cat:Category", "CveID",
	} {
		if bytes.Contains(fragment, []byte(mark)) {
			name = mark
		}
	}
	return mapName(name)
}

// mapName makes a name that can be a file's.
func mapName(s string) string {
	keep := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}
	return string(bytes.Map(keep, []byte(s)))
}
