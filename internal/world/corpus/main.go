// Command corpus writes the seed corpora of the fuzz targets of lzx, cab,
// wsusscn2, applicability and authenticode, each into its package's testdata:
//
//	go run ./internal/world/corpus
//
// Run it in the project's root, when the generated world or a target's
// arguments have changed, and commit what it writes. The seeds come from a
// small generated archive, so that they look like what the decoders are made
// for; nothing of Microsoft's is in them. It replaces the files whose names
// begin with "generated-" and leaves others alone: those are findings, kept as
// regression tests.
//
// All but the signed cabinets are the same in every run. Those are signed by
// an authority whose keys are thrown away; its root is kept beside them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	if err := run(context.Background(), "."); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

// run writes all corpora below root, the project's root.
func run(ctx context.Context, root string) error {
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return fmt.Errorf("not in the project's root: %w", err)
	}
	s, err := newSamples(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range targets(s) {
		seeds, err := t.seeds()
		if err == nil {
			err = write(filepath.Join(root, t.pkg, "testdata", "fuzz", t.name), seeds)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s of %s: %w", t.name, t.pkg, err))
		}
	}
	return errors.Join(append(errs, writeSigned(filepath.Join(root, "authenticode", "testdata")))...)
}

// A target is a fuzz target of a package.
type target struct {
	pkg, name string
	seeds     func() (map[string]seed, error) // by the name of the seed
}

// A seed holds the arguments of one call: []byte, uint8 or uint16.
type seed []any

// String is the seed in the encoding of go test.
func (s seed) String() string {
	var b strings.Builder
	b.WriteString("go test fuzz v1\n")
	for _, v := range s {
		switch v := v.(type) {
		case []byte:
			fmt.Fprintf(&b, "[]byte(%s)\n", strconv.Quote(string(v)))
		case uint8:
			fmt.Fprintf(&b, "byte(%s)\n", strconv.QuoteRune(rune(v)))
		default:
			fmt.Fprintf(&b, "%T(%v)\n", v, v)
		}
	}
	return b.String()
}

const prefix = "generated-"

// write replaces the generated seeds in dir.
func write(dir string, seeds map[string]seed) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, s := range seeds {
		name = prefix + strings.ToLower(strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
