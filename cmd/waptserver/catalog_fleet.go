package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua"
)

// evaluatedMachine is one line of `catalog evaluate --machines --json`.
type evaluatedMachine struct {
	File    string             `json:"file"`
	Machine string             `json:"machine,omitempty"`
	Counts  map[string]int     `json:"counts,omitempty"` // updates by verdict
	Doubts  map[string]int     `json:"doubts,omitempty"`
	Missing []waptwua.UpdateID `json:"missing,omitzero"`
	Error   string             `json:"error,omitempty"` // of a file that is no machine
}

// fleet is an evaluation of all machines of a directory.
type fleet struct {
	*evaluation
	catalogue   *openCatalogue
	out, errors io.Writer
	failed      int // machines that could not be read
}

// runFleet evaluates all machines of a directory and prints them in the order
// of their file names. A file that cannot be read is named and does not keep
// the others.
func (e *evaluation) runFleet(ctx context.Context, q *catalogueFlag, out, progress io.Writer) error {
	files, err := machineFiles(e.machines)
	if err != nil {
		return err
	}
	c, err := q.open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	f, start := fleet{evaluation: e, catalogue: c, out: out, errors: progress}, time.Now()
	if err := f.evaluate(ctx, files); err != nil {
		return err
	}
	took := time.Since(start)
	_, err = fmt.Fprintf(progress, "%d machines in %.2f s: %.0f machines per second.\n", len(files)-f.failed, took.Seconds(), float64(len(files)-f.failed)/took.Seconds())
	if f.failed > 0 {
		return errors.Join(err, fmt.Errorf("%d of %d machines could not be evaluated; they are named above", f.failed, len(files)))
	}
	return err
}

// machineFiles lists the *.json files of a directory, by name.
func machineFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("the recorded machines: %w; --machines names a folder of *.json files", err)
	}
	var files []string
	for _, entry := range entries {
		if !entry.IsDir() && filepath.Ext(entry.Name()) == ".json" {
			files = append(files, filepath.Join(dir, entry.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("the recorded machines: no *.json files in %s; \"wapt-get inventory --json\" writes one", dir)
	}
	return files, nil
}

// evaluate evaluates several machines at a time and prints each as soon as
// all before it are printed.
func (f *fleet) evaluate(ctx context.Context, files []string) error {
	workers := f.workers
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	// The window bounds how far one slow machine lets the others run ahead.
	window := make(chan chan evaluatedMachine, 4*workers)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return f.printAll(ctx, window) })
	work, wctx := errgroup.WithContext(ctx)
	work.SetLimit(workers)
	g.Go(func() error {
		defer close(window)
		for _, file := range files {
			place := make(chan evaluatedMachine, 1)
			select {
			case window <- place:
			case <-wctx.Done():
				return work.Wait()
			}
			work.Go(func() error {
				m, err := f.evaluateFile(file)
				if err == nil {
					place <- m
				}
				return err
			})
		}
		return work.Wait()
	})
	return g.Wait()
}

// evaluateFile fails when the catalogue does. A file that is no machine is an
// answer of its own.
func (f *fleet) evaluateFile(file string) (evaluatedMachine, error) {
	m, err := readMachine(file)
	if err != nil {
		return evaluatedMachine{File: filepath.Base(file), Error: err.Error()}, nil
	}
	result := f.catalogue.Evaluate(m, f.options())
	name := filepath.Base(file)
	out := evaluatedMachine{File: name, Machine: cmp.Or(m.Name(), name), Counts: countsByName(result.Counts()), Doubts: countsByName(result.Doubts())}
	if f.asJSON {
		out.Missing = append([]waptwua.UpdateID{}, result.Missing()...)
	}
	return out, f.catalogue.Err()
}

func (f *fleet) printAll(ctx context.Context, window <-chan chan evaluatedMachine) error {
	for place := range window {
		select {
		case m := <-place:
			if err := f.print(m); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (f *fleet) print(m evaluatedMachine) error {
	if m.Error != "" {
		f.failed++
	}
	var err error
	switch {
	case f.asJSON:
		err = json.NewEncoder(f.out).Encode(m)
	case m.Error != "":
		_, err = fmt.Fprintln(f.errors, m.Error)
	default:
		_, err = fmt.Fprintf(f.out, "%s: %s\n", m.Machine, summary(m.Counts, m.Doubts))
	}
	return err
}
