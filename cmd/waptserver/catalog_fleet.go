package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua"
)

// evaluatedMachine is one line of `catalog evaluate --machines --json`.
type evaluatedMachine struct {
	File    string             `json:"file"`
	Machine string             `json:"machine"`
	Counts  map[string]int     `json:"counts"` // updates by verdict
	Doubts  map[string]int     `json:"doubts,omitempty"`
	Missing []waptwua.UpdateID `json:"missing"`
}

// runFleet evaluates all machines of a directory and prints them in the order
// of their file names.
func (e *evaluation) runFleet(ctx context.Context, q *catalogueFlag, out, progress io.Writer) error {
	files, err := filepath.Glob(filepath.Join(e.machines, "*.json"))
	if err != nil || len(files) == 0 { // Glob fails on a malformed pattern only
		return fmt.Errorf("machines: no *.json files in %s", e.machines)
	}
	c, err := q.open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	start := time.Now()
	if err := e.evaluateAll(ctx, c, files, out); err != nil {
		return err
	}
	took := time.Since(start)
	_, err = fmt.Fprintf(progress, "%d machines in %.2f s: %.0f machines per second.\n", len(files), took.Seconds(), float64(len(files))/took.Seconds())
	return err
}

// evaluateAll evaluates several machines at a time and prints each as soon as
// all before it are printed.
func (e *evaluation) evaluateAll(ctx context.Context, c *openCatalogue, files []string, out io.Writer) error {
	workers := e.workers
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	// The window bounds how far one slow machine lets the others run ahead.
	window := make(chan chan evaluatedMachine, 4*workers)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.printMachines(ctx, window, out) })
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
				m, err := e.evaluateFile(c, file)
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

func (e *evaluation) evaluateFile(c *openCatalogue, file string) (evaluatedMachine, error) {
	m, err := readMachine(file)
	if err != nil {
		return evaluatedMachine{}, err
	}
	result := c.Evaluate(m, e.options())
	if err := c.Err(); err != nil {
		return evaluatedMachine{}, err
	}
	out := evaluatedMachine{File: filepath.Base(file), Machine: m.Name(), Counts: countsByName(result.Counts()), Doubts: countsByName(result.Doubts())}
	if e.asJSON {
		out.Missing = result.Missing()
	}
	return out, nil
}

func (e *evaluation) printMachines(ctx context.Context, window <-chan chan evaluatedMachine, out io.Writer) error {
	for place := range window {
		select {
		case m := <-place:
			if err := e.printMachine(out, m); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (e *evaluation) printMachine(out io.Writer, m evaluatedMachine) error {
	if e.asJSON {
		return json.NewEncoder(out).Encode(m)
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", m.Machine, summary(m.Counts, m.Doubts))
	return err
}
