// Command bench runs the project's benchmarks, each beside a peer or a
// physical limit measured in the same run, and prints for every one a line
//
//	ratio NAME VALUE AIM
//
// VALUE is ours over the peer: of throughputs, so that more is better, or of
// costs where the name ends in -cost, so that less is better. With -out the
// results are written as JSON, too. Benchmarks whose peer is not installed
// are named and left out.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
)

// result is one line of bench/latest.json.
type result struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Aim     float64 `json:"aim"`
	Met     bool    `json:"met"`
	Peer    string  `json:"peer"`
	Command string  `json:"command"`
}

// bench is what a group of benchmarks gets.
type bench struct {
	ctx     context.Context //nolint:containedctx // lives for one run of the command
	dir     string          // for files, removed afterwards
	updates int             // size of the generated archive
	archive string          // its path; "" until it is needed
	results []result
	command string
}

// ratio records and prints one result.
func (b *bench) ratio(name string, value, aim float64, peer string) {
	met := value >= aim
	if strings.HasSuffix(name, "-cost") {
		met = value <= aim
	}
	b.results = append(b.results, result{name, value, aim, met, peer, b.command})
	fmt.Printf("ratio %s %.2f %.2f\n", name, value, aim)
}

// group is a set of benchmarks that share preparation.
type group struct {
	name string
	run  func(*bench) error
}

func groups() []group {
	return []group{{"engine", engine}, {"catalog", catalogue}}
}

func main() {
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// start runs the benchmarks, or, as a process of its own, what is measured.
func start() error {
	if len(os.Args) > 2 && os.Args[1] == decodeCommand {
		return decodeProcess(os.Args[2:])
	}
	if len(os.Args) > 2 && os.Args[1] == memoryCommand {
		return memoryProcess(os.Args[2:])
	}
	return run()
}

func run() error {
	only := flag.String("only", ".", "run the groups whose name matches this `regexp`")
	out := flag.String("out", "", "write the results to this JSON `FILE`")
	updates := flag.Int("updates", 137_000, "size of the generated archive, in updates")
	archive := flag.String("archive", "", "take this scan archive, `FILE`, instead of generating one")
	flag.Parse()
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "waptwua-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{ctx: ctx, dir: dir, updates: *updates, archive: *archive, command: "go run ./test/bench " + strings.Join(os.Args[1:], " ")}
	for _, g := range groups() {
		if !match.MatchString(g.name) {
			continue
		}
		if err := g.run(b); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
	}
	return b.write(*out)
}

func (b *bench) write(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(b.results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
