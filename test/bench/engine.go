package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua/cab"
	"waptwua/internal/world"
)

// engine compares decoding cabinets with cabextract and 7z on the same
// files: the inner cabinets of the real archive of 2011 and a cabinet of long
// matches (LZX with a window of 2 MiB both), where they can be had, and those
// of a generated archive.
func engine(b *bench) error {
	if path, ok := fixture("cabs", "libmspack", "large-files-cab.cab"); ok {
		many, err := copies(filepath.Join(b.dir, "lzx21"), []string{path}, 30)
		if err != nil {
			return err
		}
		if err := b.decoders("engine-lzx21", many); err != nil {
			return err
		}
	}
	if path, ok := fixture("offline-scan-2011", "WSUSSCAN.cab"); ok {
		inner, err := unpack(filepath.Join(b.dir, "real"), path)
		if err != nil {
			return err
		}
		many, err := copies(filepath.Join(b.dir, "copies"), append(inner, path), 60)
		if err != nil {
			return err
		}
		if err := b.decoders("engine-2011", many); err != nil {
			return err
		}
	}
	path, err := b.fullArchive()
	if err != nil {
		return err
	}
	inner, err := unpack(filepath.Join(b.dir, "generated"), path)
	if err != nil {
		return err
	}
	if err := b.decoders("engine-full", inner); err != nil {
		return err
	}
	return b.memory("engine-full", inner)
}

// fixture is the path of a file that was not made by this project.
func fixture(names ...string) (string, bool) {
	dir := os.Getenv("WAPTWUA_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "shared", "fixtures")
	}
	path := filepath.Join(append([]string{dir}, names...)...)
	_, err := os.Stat(path)
	return path, err == nil
}

// fullArchive is the path of the generated archive, which is made once.
func (b *bench) fullArchive() (string, error) {
	if b.archive == "" {
		path := filepath.Join(b.dir, "generated.cab")
		if err := b.generate(path); err != nil {
			return "", err
		}
		b.archive = path
	}
	return b.archive, nil
}

func (b *bench) generate(path string) error {
	w, err := world.New(world.Options{Updates: b.updates, Seed: 1})
	if err != nil {
		return err
	}
	start := time.Now()
	if err := b.writeArchive(w, path); err != nil {
		return err
	}
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Printf("generated %d updates, %d MB, in %.0f s\n", b.updates, fi.Size()>>20, time.Since(start).Seconds())
	return nil
}

// writeArchive writes the archive of w to the disk, so that what is measured next does
// not wait for that.
func (b *bench) writeArchive(w *world.World, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(w.Write(b.ctx, f, world.WriteOptions{Workers: runtime.NumCPU(), Dir: b.dir}), f.Sync(), f.Close())
}

// unpack extracts the inner cabinets of the archive at path into dir.
func unpack(dir, path string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	r, err := cab.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var paths []string
	err = eachFile(&r.Reader, func(f *cab.File, content io.Reader) error {
		if filepath.Ext(f.Name) != ".cab" {
			return nil
		}
		p := filepath.Join(dir, filepath.Base(f.Name))
		paths = append(paths, p)
		out, err := os.Create(p)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, content)
		return errors.Join(err, out.Close())
	})
	return paths, err
}

// copies makes so many copies of files that are too small to be timed; of the
// same file several times cabextract reads the first.
func copies(dir string, paths []string, times int) (all []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for i, p := range paths {
		content, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		for n := range times {
			to := filepath.Join(dir, fmt.Sprintf("%d-%d.cab", i, n))
			if err := os.WriteFile(to, content, 0o644); err != nil {
				return nil, err
			}
			all = append(all, to)
		}
	}
	return all, nil
}

// decoders times ours, cabextract and 7z over the cabinets.
//
// All are whole processes, started once for all cabinets, which lie in one
// directory; their content goes nowhere. The files have just been written, so
// that they are in memory. Each figure is the best of seven.
func (b *bench) decoders(name string, paths []string) error {
	content, err := contentOf(paths)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d cabinets, %d MB decoded\n", name, len(paths), content>>20)
	ours := func(workers int) func() error {
		return func() error { _, err := b.decoder(workers, paths); return err }
	}
	peers := []peer{
		{"cabextract", append([]string{"-q", "-p"}, paths...)},
		{"7z", []string{"t", "-bd", "-mmt=1", filepath.Join(filepath.Dir(paths[0]), "*.cab")}},
	}
	for _, p := range peers {
		if err := b.beside(name, p, content, ours); err != nil {
			return err
		}
	}
	return nil
}

// peer is a program that decodes the same cabinets.
type peer struct {
	name string
	args []string
}

// run runs the program; what it prints goes nowhere.
func (p peer) run(ctx context.Context) error {
	if err := exec.CommandContext(ctx, p.name, p.args...).Run(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// beside times ours, with one worker and with two, and a peer.
func (b *bench) beside(name string, p peer, bytes int64, ours func(workers int) func() error) error {
	if _, err := exec.LookPath(p.name); err != nil {
		fmt.Printf("%s: %s is not installed, left out\n", name, p.name)
		return nil
	}
	times, err := timed(ours(1), ours(2), func() error { return p.run(b.ctx) })
	if err != nil {
		return err
	}
	one, two, d := times[0], times[1], times[2]
	fmt.Printf("%s: ours %s, two at a time %s, %s %s\n", name, rate(bytes, one), rate(bytes, two), p.name, rate(bytes, d))
	b.ratio(name+"-1-vs-"+p.name, d.Seconds()/one.Seconds(), 1.0, p.name)
	b.ratio(name+"-2-vs-"+p.name, d.Seconds()/two.Seconds(), 1.8, p.name)
	return nil
}

// memory measures what decoding costs in memory: allocations in a pass, and
// the most memory of a process with two workers beside what it may take: for
// each worker a window and the lists of one cabinet, and Go's own needs.
func (b *bench) memory(name string, paths []string) error {
	perFrame, err := allocations(paths)
	if err != nil {
		return err
	}
	b.ratio(name+"-allocations-per-frame-cost", perFrame, 0.01, "none")
	const workers, eachWorker, ownNeeds = 2, 16 << 20, 24 << 20
	peak, err := b.decoder(workers, paths)
	if err != nil {
		return err
	}
	if peak == 0 {
		fmt.Printf("%s: the memory of a process cannot be measured on this system\n", name)
		return nil
	}
	fmt.Printf("%s: %d MB of memory with two workers\n", name, peak>>20)
	b.ratio(name+"-memory-cost", float64(peak)/(workers*eachWorker+ownNeeds), 1.0, "two windows and lists")
	return nil
}

func rate(bytes int64, d time.Duration) string {
	return fmt.Sprintf("%.0f MB/s (%.2f s)", float64(bytes)/1e6/d.Seconds(), d.Seconds())
}

// timed returns the shortest of seven runs of each. They take turns, so that
// what else the machine does hits all alike.
func timed(runs ...func() error) ([]time.Duration, error) {
	best := make([]time.Duration, len(runs))
	for range 7 {
		for i, run := range runs {
			start := time.Now()
			if err := run(); err != nil {
				return nil, err
			}
			if d := time.Since(start); best[i] == 0 || d < best[i] {
				best[i] = d
			}
		}
	}
	return best, nil
}

// each calls f for every path, so many at a time.
func each(parallel int, paths []string, f func(string) error) error {
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, p := range paths {
		g.Go(func() error { return f(p) })
	}
	return g.Wait()
}

// eachFile makes one pass over every folder.
func eachFile(r *cab.Reader, visit func(*cab.File, io.Reader) error) error {
	for _, folder := range r.Folders {
		fr, err := folder.Open()
		if err != nil {
			return err
		}
		for {
			f, err := fr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = visit(f, fr)
			}
			if err != nil {
				return errors.Join(err, fr.Close())
			}
		}
		if err := fr.Close(); err != nil {
			return err
		}
	}
	return nil
}
