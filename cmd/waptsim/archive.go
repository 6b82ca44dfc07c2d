package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"waptwua/internal/authsign"
	"waptwua/internal/cmdline"
	"waptwua/internal/world"
)

// archiveCommand is `waptsim archive`: a generated scan archive in a file.
type archiveCommand struct {
	world    world.Options
	workers  int
	signDir  string
	unsigned bool
	out      string // path of the archive
	stdout   io.Writer
	stderr   io.Writer
}

func newArchiveCommand() *cobra.Command {
	a := &archiveCommand{}
	cmd := &cobra.Command{
		Use:   "archive OUT.cab",
		Short: "Write a generated scan archive of any size",
		Long: `Writes a scan archive of the shape of Microsoft's wsusscn2.cab, with as many
updates as --updates says, and signs it.

The archive is signed by a test authority that is made for it; its root
certificate is written beside the archive, as OUT.cab.pem, for
"waptserver archive verify --roots". With --sign-dir the authority is that in the
directory (authority.pem and authority.key), where it is made when it is
absent, so that further archives can be signed below the same root.
Nothing but tests may ever trust such an authority.

The same options give the same content; only the signature differs. What the
archive is like is described in docs/formats/wsusscn2.md.`,
		Example: `  waptsim archive --updates 2000 small.cab
  waptsim archive --updates 137000 --seed 1 wsusscn2.cab
  waptserver archive verify --roots wsusscn2.cab.pem wsusscn2.cab`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.out, a.stdout, a.stderr = args[0], cmd.OutOrStdout(), cmd.ErrOrStderr()
			return a.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.IntVar(&a.world.Updates, "updates", 137_000, "number of updates, 50 to 200,000")
	f.Uint64Var(&a.world.Seed, "seed", 1, "the same seed makes the same archive")
	f.BoolVar(&a.world.Real, "real-payloads", false, "small payload files whose digests are true, as an origin can serve them; else sizes are realistic and digests stand for nothing")
	f.StringVar(&a.signDir, "sign-dir", "", "`directory` of the authority that signs; made when absent")
	f.BoolVar(&a.unsigned, "unsigned", false, "leave the archive without a signature")
	f.IntVar(&a.workers, "workers", runtime.NumCPU(), "inner cabinets compressed at the same time; each needs about 60 MB of memory")
	cmdline.Exclusive(f, "sign-dir", "unsigned")
	return cmd
}

func (a *archiveCommand) run(ctx context.Context) error {
	if a.workers < 1 {
		return cmdline.Usagef("--workers %d: want at least 1", a.workers)
	}
	w, err := world.New(a.world)
	if err != nil {
		return err
	}
	authority, err := a.authority()
	if err != nil {
		return err
	}
	start := time.Now()
	part := a.out + ".part"
	err = a.write(ctx, w, authority, part)
	if err == nil {
		err = a.publish(authority, part)
	}
	if err != nil {
		_ = os.Remove(part) // may not be there; the error says what happened
		return err
	}
	fi, err := os.Stat(a.out)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s: %d updates, %d bytes, in %s\n", a.out, w.Updates(), fi.Size(), time.Since(start).Round(100*time.Millisecond))
	if !a.unsigned {
		fmt.Fprintf(a.stdout, "signed below the root %s\n", a.rootFile())
	}
	return nil
}

// write writes and signs the archive at path.
func (a *archiveCommand) write(ctx context.Context, w *world.World, authority *authsign.Authority, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	progress, done := a.progress()
	err = w.Write(ctx, f, world.WriteOptions{Workers: a.workers, Dir: filepath.Dir(path), Progress: progress})
	done()
	if err == nil && authority != nil {
		_, err = authority.Sign(f, authsign.Options{Program: "generated scan archive"})
	}
	return errors.Join(err, f.Close())
}

// publish gives the finished archive its name, and its root a file.
func (a *archiveCommand) publish(authority *authsign.Authority, part string) error {
	if authority != nil && a.signDir == "" {
		if err := os.WriteFile(a.rootFile(), authority.RootPEM(), 0o644); err != nil {
			return err
		}
	}
	return os.Rename(part, a.out)
}

// authority is the one that signs, nil with --unsigned.
func (a *archiveCommand) authority() (*authsign.Authority, error) {
	switch {
	case a.unsigned:
		return nil, nil
	case a.signDir != "":
		return authsign.OpenAuthority(a.signDir, time.Now)
	}
	return authsign.NewAuthority(time.Now)
}

// rootFile is where the root certificate of the signature is.
func (a *archiveCommand) rootFile() string {
	if a.signDir != "" {
		return filepath.Join(a.signDir, authsign.CertificateFile)
	}
	return a.out + ".pem"
}

// progress returns what shows the shards on a terminal, and what ends it.
func (a *archiveCommand) progress() (func(done, shards int), func()) {
	f, ok := a.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, func() {}
	}
	bars := mpb.New(mpb.WithOutput(f), mpb.WithWidth(40))
	bar := bars.AddBar(0, mpb.PrependDecorators(decor.CountersNoUnit("%d of %d cabinets")),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_MMSS)))
	show := func(done, shards int) {
		bar.SetTotal(int64(shards), false)
		bar.SetCurrent(int64(done))
	}
	return show, func() { bar.Abort(false); bars.Wait() }
}
