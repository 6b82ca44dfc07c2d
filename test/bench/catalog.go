package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"waptwua"
	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/world"
	"waptwua/store/catalogdb"
	"waptwua/wsusscn2"
)

// The limits that answers of a catalogue are measured against.
const (
	buildMemory   = 512 << 20
	showLimit     = 20 * time.Millisecond
	evaluateLimit = 300 * time.Millisecond
	fleetMachines = 400
)

// catalogue measures building a catalogue beside merely decoding the same
// archive, building on last month's beside building anew, and its answers
// beside their limits.
func catalogue(b *bench) error {
	c := &catalogueBench{bench: b, program: filepath.Join(b.dir, "waptserver")}
	if err := c.prepare(); err != nil {
		return err
	}
	if err := c.building(); err != nil {
		return err
	}
	return c.answers()
}

type catalogueBench struct {
	*bench
	world             *world.World
	program           string
	next              string
	catalogue, second string // built from archive, and from next
	articles          []waptwua.KB
}

func (c *catalogueBench) prepare() (err error) {
	build := exec.CommandContext(c.ctx, "go", "build", "-o", c.program, "./cmd/waptserver")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building waptserver: %w", err)
	}
	if c.world, err = world.New(world.Options{Updates: c.updates, Seed: 1}); err != nil {
		return err
	}
	if _, err := c.fullArchive(); err != nil { // of the same options, also where -archive names one
		return err
	}
	c.next = filepath.Join(c.dir, "next.cab")
	c.catalogue, c.second = filepath.Join(c.dir, "generated.sqlite"), filepath.Join(c.dir, "next.sqlite")
	return c.writeArchive(c.world.Successor(world.Change{Share: 0.05}), c.next)
}

// building compares builds, each by the program in a process of its own.
func (c *catalogueBench) building() error {
	var memory int64
	build := func(args ...string) func() error {
		return func() error {
			used, err := c.run(append([]string{"catalog", "build"}, args...)...)
			memory = max(memory, used)
			return err
		}
	}
	took, err := timed(
		func() error { return decodeArchive(c.ctx, c.archive) },
		build(c.archive, "--full", "--out", c.catalogue),
		build(c.next, "--full", "--out", c.second),
		build(c.next, "--base", c.catalogue, "--out", c.second))
	if err != nil {
		return err
	}
	decoding, full, anew, onBase := took[0].Seconds(), took[1].Seconds(), took[2].Seconds(), took[3].Seconds()
	fmt.Printf("catalog: decoding %.2f s, building %.2f s in %d MB; next month's anew %.2f s, on this month's %.2f s\n",
		decoding, full, memory>>20, anew, onBase)
	c.ratio("catalog-build-vs-decode-cost", full/decoding, 1.25, "decoding the same archive with all processors")
	c.ratio("catalog-incremental-vs-full-cost", onBase/anew, 0.4, "building without a base")
	c.ratio("catalog-build-memory-cost", float64(memory)/buildMemory, 1, "512 MiB")
	return nil
}

// run runs waptserver and returns the most memory it used, in bytes; 0 where
// that is not known.
func (c *catalogueBench) run(args ...string) (int64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(c.ctx, self, append([]string{memoryCommand, c.program}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("waptserver %v: %w", args, err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
}

// memoryCommand makes this program run another and print how much memory
// that used. It has to be a small process that does so: on Linux a process
// counts as used what its parent had when it was started.
const memoryCommand = "memory-of"

func memoryProcess(args []string) error {
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	_, err := fmt.Println(maxRSS(cmd.ProcessState))
	return err
}

// decodeArchive decodes every fragment of every shard and looks at none.
func decodeArchive(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	a, err := wsusscn2.Open(f, info.Size(), wsusscn2.Options{})
	if err != nil {
		return err
	}
	shards := make(chan *wsusscn2.Shard)
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.NumCPU() {
		g.Go(func() error {
			for s := range shards {
				err := s.Fragments(ctx, wsusscn2.Selection{}, func(wsusscn2.Fragment) error { return nil })
				if err := errors.Join(err, s.Close()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(shards)
		return a.Shards(ctx, wsusscn2.Selection{}, func(s *wsusscn2.Shard) error {
			select {
			case shards <- s:
				return nil
			case <-ctx.Done():
				return errors.Join(ctx.Err(), s.Close())
			}
		})
	})
	return g.Wait()
}

// answers measures what a reader of the catalogue waits for.
func (c *catalogueBench) answers() error {
	db, err := catalogdb.Open(c.ctx, c.catalogue)
	if err != nil {
		return err
	}
	defer db.Close()
	machines, err := c.machines(fleetMachines)
	if err != nil {
		return err
	}
	c.world = nil                                     // or the collector works on it all the time
	if err := evaluate(db, machines, 2); err != nil { // warms the catalogue
		return err
	}
	if err := c.pick(db.View()); err != nil {
		return err
	}
	slowest := newSlowest(db, c.articles)
	took, err := timed(c.openAndShow, slowest.show,
		func() error { return evaluate(db, machines[:1], 1) },
		func() error { return evaluate(db, machines, 1) },
		func() error { return evaluate(db, machines, 2) })
	if err != nil {
		return err
	}
	first, one, single, double := took[0], took[2], took[3], took[4]
	fmt.Printf("catalog: open and show %.1f ms, the slowest of %d shows %.2f ms; evaluate %.1f ms; %.0f machines a second, with two workers %.0f\n",
		ms(first), len(c.articles), ms(slowest.took()), ms(one), fleetMachines/single.Seconds(), fleetMachines/double.Seconds())
	c.ratio("catalog-open-and-show-cost", ms(first)/ms(showLimit), 1, "20 ms")
	c.ratio("catalog-show-cost", ms(slowest.took())/ms(showLimit), 1, "20 ms")
	c.ratio("catalog-evaluate-cost", ms(one)/ms(evaluateLimit), 1, "300 ms")
	c.ratio("catalog-fleet-2-vs-1", single.Seconds()/double.Seconds(), 1.8, "one worker")
	return nil
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// shows is how many KB numbers are asked for.
const shows = 500

// pick chooses KB numbers from all over the catalogue.
func (c *catalogueBench) pick(v *catalogdb.View) error {
	top := v.TopLevel()
	for i := range shows {
		u, ok := v.Update(top[i*len(top)/shows])
		if ok && len(u.KBs) > 0 {
			c.articles = append(c.articles, u.KBs[0])
		}
	}
	if len(c.articles) < shows/2 {
		return fmt.Errorf("only %d of %d updates have a KB number", len(c.articles), shows)
	}
	return v.Err()
}

// openAndShow opens the catalogue and describes one KB.
func (c *catalogueBench) openAndShow() error {
	db, err := catalogdb.Open(c.ctx, c.catalogue)
	if err != nil {
		return err
	}
	return errors.Join(show(db, c.articles[0]), db.Close())
}

// show describes the updates of a KB as "catalog show" does.
func show(db *catalogdb.Catalogue, kb waptwua.KB) error {
	v := db.View()
	ids := v.ByKB(kb)
	if len(ids) == 0 {
		return fmt.Errorf("%s: no update", kb)
	}
	for _, id := range ids {
		v.Update(id)
		v.Leaves(id)
		v.SupersededBy(id)
	}
	return v.Err()
}

// slowest finds the KB that takes longest, each in the best of its runs.
type slowest struct {
	db   *catalogdb.Catalogue
	best map[waptwua.KB]time.Duration
}

func newSlowest(db *catalogdb.Catalogue, articles []waptwua.KB) *slowest {
	s := &slowest{db, map[waptwua.KB]time.Duration{}}
	for _, kb := range articles {
		s.best[kb] = time.Hour
	}
	return s
}

func (s *slowest) show() error {
	for kb, best := range s.best {
		start := time.Now()
		if err := show(s.db, kb); err != nil {
			return err
		}
		s.best[kb] = min(best, time.Since(start))
	}
	return nil
}

func (s *slowest) took() time.Duration { return slices.Max(slices.Collect(maps.Values(s.best))) }

func (c *catalogueBench) machines(n int) ([]*applicability.Machine, error) {
	machines := make([]*applicability.Machine, n)
	for i := range machines {
		var err error
		if machines[i], err = applicability.NewMachine(c.world.Machine(i)); err != nil {
			return nil, err
		}
	}
	return machines, nil
}

func evaluate(db *catalogdb.Catalogue, machines []*applicability.Machine, workers int) error {
	var g errgroup.Group
	g.SetLimit(workers)
	for _, m := range machines {
		g.Go(func() error {
			v := db.View()
			if len(v.Evaluate(m, catalog.EvaluateOptions{}).Missing()) == 0 {
				return fmt.Errorf("%s lacks nothing", m.Name())
			}
			return v.Err()
		})
	}
	return g.Wait()
}
