package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"waptwua/internal/authsign"
	"waptwua/internal/cabwrite"
	"waptwua/internal/lzxenc"
	"waptwua/wsusscn2"
)

func targets(s *samples) []target {
	return []target{
		{"lzx", "FuzzFrame", s.frames},
		{"cab", "FuzzReader", s.cabinets},
		{"wsusscn2", "FuzzIndex", func() (map[string]seed, error) { return map[string]seed{"index": {s.index}}, nil }},
		{"wsusscn2", "FuzzPackage", func() (map[string]seed, error) { return map[string]seed{"package": {s.graph}}, nil }},
		{"wsusscn2", "FuzzFragment", s.allFragments},
		{"applicability", "FuzzParse", s.rules},
		{"applicability", "FuzzFacts", s.facts},
	}
}

// frames are two frames of a stream, for every window and kind of block. The
// arguments are the window above 15, the second frame's size less one, and
// the compressed frames.
func (s *samples) frames() (map[string]seed, error) {
	kinds := map[string]lzxenc.Options{
		"verbatim": {Blocks: lzxenc.Verbatim}, "aligned": {Blocks: lzxenc.Aligned}, "mixed": {Blocks: lzxenc.Mixed, E8: true},
	}
	text := bytes.Repeat(s.graph[:2500], 15)
	for i := range len(text) / 100 { // so that not all is one match
		text[i*100] = byte(i * 7)
	}
	const second = 400
	seeds := map[string]seed{}
	for window := lzxenc.MinWindow; window <= lzxenc.MaxWindow; window++ {
		for name, opt := range kinds {
			if name != "mixed" && window%3 != 0 {
				continue
			}
			e := lzxenc.NewEncoder(window, opt)
			one := e.Frame(nil, text[:lzxenc.FrameSize])
			two := e.Frame(nil, text[lzxenc.FrameSize:lzxenc.FrameSize+second])
			seeds[fmt.Sprintf("%s %d", name, window)] = seed{uint8(window - lzxenc.MinWindow), uint16(second - 1), one, two}
		}
	}
	return seeds, nil
}

// cabinets are small cabinets of all methods, with reserves and folders.
func (s *samples) cabinets() (map[string]seed, error) {
	options := map[string]cabwrite.Options{
		"stored":            {},
		"stored reserves":   {HeaderReserve: make([]byte, 20), FolderReserve: []byte{1, 2}, DataReserve: 3},
		"mszip":             {Compression: cabwrite.MSZIP},
		"mszip folders":     {Compression: cabwrite.MSZIP, FolderBytes: 1},
		"lzx 15":            {Compression: cabwrite.LZX, Window: 15},
		"lzx 18 folders":    {Compression: cabwrite.LZX, Window: 18, FolderBytes: 1, DataReserve: 1},
		"lzx 21":            {Compression: cabwrite.LZX, HeaderReserve: make([]byte, 20)},
		"lzx 21 e8 aligned": {Compression: cabwrite.LZX, LZX: lzxenc.Options{Blocks: lzxenc.Aligned, E8: true}},
	}
	seeds := map[string]seed{}
	for name, opt := range options {
		b, err := s.cabinet(opt)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		seeds[name] = seed{b}
	}
	return seeds, nil
}

// cabinet is a cabinet of three files as in a shard.
func (s *samples) cabinet(opt cabwrite.Options) ([]byte, error) {
	var b bytes.Buffer
	w, err := cabwrite.NewWriter(&b, opt)
	if err != nil {
		return nil, err
	}
	for _, file := range [][2]string{{"c/1", "c-bWindowsVersion"}, {"l/ja/1", "l-ja"}, {"x/1", "x-catCategory"}} {
		f, err := w.Create(file[0], date, 0x20)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(s.fragments[file[1]]); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}

// date is that of everything generated here.
var date = time.Date(2026, 7, 14, 14, 0, 0, 0, time.UTC)

func (s *samples) allFragments() (map[string]seed, error) {
	seeds := map[string]seed{}
	for name, b := range s.fragments {
		seeds[name] = seed{b}
	}
	return seeds, nil
}

// rules are those of the core fragments.
func (s *samples) rules() (map[string]seed, error) {
	seeds := map[string]seed{}
	for name, b := range s.fragments {
		if !strings.HasPrefix(name, "c-") {
			continue
		}
		c, err := wsusscn2.ParseCore(b)
		if err != nil {
			return nil, err
		}
		if c.Rules != nil {
			seeds[name] = seed{c.Rules}
		}
	}
	return seeds, nil
}

func (s *samples) facts() (map[string]seed, error) {
	seeds := map[string]seed{}
	for _, m := range s.machines {
		b, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		seeds[m.Name] = seed{b}
	}
	return seeds, nil
}

// writeSigned writes cabinets with either kind of timestamp and the root
// under which they verify.
func writeSigned(dir string) error {
	a, err := authsign.NewAuthority(func() time.Time { return date })
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "root.pem"), a.RootPEM(), 0o644); err != nil {
		return err
	}
	for name, opt := range map[string]authsign.Options{"rfc3161.cab": {Program: "seed"}, "pkcs9.cab": {Countersign: true}} {
		if err := sign(a, filepath.Join(dir, name), opt); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func sign(a *authsign.Authority, path string, opt authsign.Options) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	w, err := cabwrite.NewWriter(f, cabwrite.Options{HeaderReserve: make([]byte, 20)})
	if err != nil {
		return err
	}
	e, err := w.Create("index.xml", date, 0x20)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(e, "content of the archive"); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err = a.Sign(f, opt)
	return err
}
