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
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua/cab"
	"waptwua/internal/world"
)

// engine compares decoding cabinets with cabextract and 7z on the same
// files: the inner cabinets of the real archive of 2011, where it can be had,
// and those of a generated archive.
func engine(b *bench) error {
	if path, ok := realArchive(); ok {
		inner, err := unpack(filepath.Join(b.dir, "real"), path)
		if err != nil {
			return err
		}
		if err := b.decoders("engine-2011", append(inner, path), 60); err != nil {
			return err
		}
	}
	path := filepath.Join(b.dir, "generated.cab")
	if err := b.generate(path); err != nil {
		return err
	}
	inner, err := unpack(filepath.Join(b.dir, "generated"), path)
	if err != nil {
		return err
	}
	return b.decoders("engine-full", inner, 1)
}

func realArchive() (string, bool) {
	dir := os.Getenv("WAPTWUA_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "shared", "fixtures")
	}
	path := filepath.Join(dir, "offline-scan-2011", "WSUSSCAN.cab")
	_, err := os.Stat(path)
	return path, err == nil
}

func (b *bench) generate(path string) error {
	w, err := world.New(world.Options{Updates: b.updates, Seed: 1})
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	start := time.Now()
	err = errors.Join(w.Write(b.ctx, f, world.WriteOptions{Workers: runtime.NumCPU(), Dir: b.dir}), f.Close())
	if err != nil {
		return err
	}
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Printf("generated %d updates, %d MB, in %.0f s\n", b.updates, fi.Size()>>20, time.Since(start).Seconds())
	return nil
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

// decoders times ours, cabextract and 7z over the cabinets, several times.
func (b *bench) decoders(name string, paths []string, times int) error {
	ours := func(workers int) (time.Duration, int64, error) {
		return timed(times, func() (int64, error) { return decode(b.ctx, paths, workers) })
	}
	one, bytes, err := ours(1)
	if err != nil {
		return err
	}
	two, _, err := ours(2)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d cabinets, %d MB decoded; ours %s, with two workers %s\n", name, len(paths), bytes>>20, rate(bytes, one), rate(bytes, two))
	for _, peer := range []struct {
		name       string
		args       []string
		aim1, aim2 float64
	}{{"cabextract", []string{"-q", "-p"}, 1.0, 1.8}, {"7z", []string{"e", "-so", "-bd", "-mmt=1"}, 1.0, 1.8}} {
		if _, err := exec.LookPath(peer.name); err != nil {
			fmt.Printf("%s: %s is not installed, left out\n", name, peer.name)
			continue
		}
		d, _, err := timed(times, func() (int64, error) { return 0, b.peer(peer.name, peer.args, paths) })
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s %s\n", name, peer.name, rate(bytes, d))
		b.ratio(name+"-1-vs-"+peer.name, d.Seconds()/one.Seconds(), peer.aim1, peer.name)
		b.ratio(name+"-2-vs-"+peer.name, d.Seconds()/two.Seconds(), peer.aim2, peer.name)
	}
	return nil
}

func rate(bytes int64, d time.Duration) string {
	return fmt.Sprintf("%.0f MB/s (%.2f s)", float64(bytes)/1e6/d.Seconds(), d.Seconds())
}

// timed returns the shortest of three measurements of run repeated times
// times, as the time of one.
func timed(times int, run func() (int64, error)) (best time.Duration, bytes int64, err error) {
	for range 3 {
		start := time.Now()
		for range times {
			if bytes, err = run(); err != nil {
				return 0, 0, err
			}
		}
		if d := time.Since(start) / time.Duration(times); best == 0 || d < best {
			best = d
		}
	}
	return best, bytes, nil
}

// peer runs a program that writes the content of all files of the cabinets
// to its standard output, which goes nowhere: one process for all paths, or
// one each for 7z, which takes a single archive.
func (b *bench) peer(name string, args, paths []string) error {
	if name != "7z" {
		return exec.CommandContext(b.ctx, name, append(slices.Clone(args), paths...)...).Run()
	}
	for _, p := range paths {
		if err := exec.CommandContext(b.ctx, name, append(slices.Clone(args), p)...).Run(); err != nil {
			return fmt.Errorf("7z %s: %w", p, err)
		}
	}
	return nil
}

// decode reads every file of every cabinet, workers cabinets at a time, and
// returns the number of bytes.
func decode(ctx context.Context, paths []string, workers int) (int64, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	sizes := make([]int64, len(paths))
	for i, p := range paths {
		g.Go(func() error {
			n, err := decodeOne(ctx, p)
			sizes[i] = n
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	var total int64
	for _, n := range sizes {
		total += n
	}
	return total, nil
}

func decodeOne(ctx context.Context, path string) (n int64, err error) {
	r, err := cab.OpenReader(path)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	err = eachFile(&r.Reader, func(_ *cab.File, content io.Reader) error {
		m, err := io.Copy(io.Discard, content)
		n += m
		return errors.Join(err, ctx.Err())
	})
	return n, err
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
