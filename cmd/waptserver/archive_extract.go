package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"waptwua"
	"waptwua/cab"
)

const maxExtracted = 32 << 30

func newArchiveExtractCommand(l *limits) *cobra.Command {
	var nested, asJSON bool
	limit := byteCount(maxExtracted)
	cmd := &cobra.Command{
		Use:   "extract FILE DIR",
		Short: "Extract any cabinet into a directory",
		Long: `Extracts the files of a cabinet into DIR, which is made when it is missing. With
--nested, inner cabinets become directories that hold their files.

Nothing is written outside DIR. Names that would lead out, are absolute, are
reserved on Windows, or occur twice are refused and named, like files whose
content is damaged; the rest is extracted. A file appears under its name only
when it is complete.

Exit status: 0 when everything was extracted, 3 when some files were not, 1
when the cabinet cannot be read or DIR not written.`,
		Example: `  waptserver archive extract WSUSSCAN.cab out
  waptserver archive extract --nested wsusscn2.cab out`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := openCabinet(args[0], l.archive.Cabinet)
			if err != nil {
				return err
			}
			defer c.Close()
			x := &extraction{ctx: cmd.Context(), nested: nested, inner: newInnerCabinets(l), limit: int64(limit), asJSON: asJSON, stderr: cmd.ErrOrStderr()}
			return x.to(c.Reader, args[1], cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&nested, "nested", false, "extract inner cabinets too")
	cmd.Flags().Var(&limit, "max-bytes", "stop after so many `bytes` of content, such as 500MiB")
	return cmd
}

// to extracts the cabinet into dir and says on stdout how much it was.
func (x *extraction) to(r *cab.Reader, dir string, stdout io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	x.root, x.seen, x.dirs, x.start = root, map[string]bool{}, map[string]bool{".": true}, time.Now()
	if err := x.cabinet(r, "", 0); err != nil {
		return err
	}
	x.clearLine()
	if err := x.print(stdout); err != nil {
		return err
	}
	if x.refused > 0 {
		return &statusError{fmt.Errorf("%d files were not extracted", x.refused), statusPartly}
	}
	return nil
}

// extracted is what `archive extract --json` prints.
type extracted struct {
	Files   int           `json:"files"`
	Bytes   int64         `json:"bytes"`
	Refused []refusedFile `json:"refused,omitempty"`
}

// refusedFile is a file that was not extracted.
type refusedFile struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

func (x *extraction) print(w io.Writer) error {
	if x.asJSON {
		return json.NewEncoder(w).Encode(extracted{x.files, x.bytes, x.list})
	}
	_, err := fmt.Fprintf(w, "%d files, %d bytes\n", x.files, x.bytes)
	return err
}

// extraction writes the files of a cabinet below a directory.
type extraction struct {
	ctx     context.Context //nolint:containedctx // lives for one command
	root    *os.Root
	nested  bool
	inner   innerCabinets
	limit   int64
	stderr  io.Writer
	seen    map[string]bool // paths written, in lower case
	dirs    map[string]bool // directories made
	files   int
	bytes   int64
	refused int
	asJSON  bool
	list    []refusedFile // of what was refused, for JSON
	start   time.Time
	shown   time.Time
}

func (x *extraction) cabinet(r *cab.Reader, prefix string, depth int) error {
	return eachFile(r, func(f *cab.File, content io.Reader) error {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		name, err := x.target(prefix, f)
		if err != nil {
			x.refuse(prefix+f.Name, err)
			return nil
		}
		if x.nested && isInner(f) {
			return x.inner.open(f, content, depth, func(inner *cab.Reader) error { return x.cabinet(inner, name+"/", depth+1) },
				func(err error) { x.refuse(name, err) })
		}
		return x.file(name, f, content)
	})
}

// target is where f goes, or why it goes nowhere.
func (x *extraction) target(prefix string, f *cab.File) (string, error) {
	p, err := f.Path()
	if err != nil {
		return "", err
	}
	if r := reservedElement(p); r != "" {
		return "", fmt.Errorf("%q is a reserved name", r)
	}
	name := prefix + p
	key := strings.ToLower(name)
	if x.seen[key] {
		return "", errors.New("the name occurs twice")
	}
	x.seen[key] = true
	return name, nil
}

// reservedElement returns the element of p that names a device on Windows.
func reservedElement(p string) string {
	for e := range strings.SplitSeq(p, "/") {
		base, _, _ := strings.Cut(strings.ToLower(e), ".")
		base = strings.TrimRight(base, " ")
		switch base {
		case "con", "prn", "aux", "nul", "conin$", "conout$":
			return e
		}
		port, isPort := strings.CutPrefix(base, "com")
		if !isPort {
			port, isPort = strings.CutPrefix(base, "lpt")
		}
		if isPort && utf8.RuneCountInString(port) == 1 && strings.Contains("123456789¹²³", port) {
			return e
		}
	}
	return ""
}

// file writes one file under a temporary name first.
func (x *extraction) file(name string, f *cab.File, content io.Reader) error {
	if err := x.makeDir(path.Dir(name)); err != nil {
		x.refuse(name, err)
		return nil
	}
	tmp := path.Join(path.Dir(name), fmt.Sprintf(".waptserver-%d.part", x.files+x.refused))
	n, err := x.write(tmp, permissions(f.Attributes), content)
	x.bytes += n
	if err == nil && n != f.Size {
		err = fmt.Errorf("%d bytes instead of %d: %w", n, f.Size, io.ErrUnexpectedEOF)
	}
	if err == nil {
		err = x.settle(tmp, f)
	}
	if err == nil {
		err = x.root.Rename(tmp, name)
	}
	if err != nil {
		_ = x.root.Remove(tmp) // may not be there
		if errors.Is(err, waptwua.ErrLimit) || x.ctx.Err() != nil {
			return errors.Join(x.ctx.Err(), err)
		}
		x.refuse(name, err)
		return nil
	}
	x.files++
	x.show()
	return nil
}

func (x *extraction) makeDir(dir string) error {
	if x.dirs[dir] {
		return nil
	}
	if err := x.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	x.dirs[dir] = true
	return nil
}

// permissions are those of a new file: its Executable attribute counts, less
// the umask. ReadOnly is set when the file is complete; hidden and system
// files are ordinary files here.
func permissions(a cab.Attributes) os.FileMode {
	if a&cab.Executable != 0 {
		return 0o755
	}
	return 0o644
}

// settle gives the complete file tmp the time and the protection of f.
func (x *extraction) settle(tmp string, f *cab.File) error {
	if !f.Modified.IsZero() {
		if err := x.root.Chtimes(tmp, f.Modified, f.Modified); err != nil {
			return err
		}
	}
	if f.Attributes&cab.ReadOnly == 0 {
		return nil
	}
	fi, err := x.root.Stat(tmp)
	if err != nil {
		return err
	}
	return x.root.Chmod(tmp, fi.Mode().Perm()&^0o222)
}

func (x *extraction) write(tmp string, perm os.FileMode, content io.Reader) (int64, error) {
	out, err := x.root.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return 0, err
	}
	left := x.limit - x.bytes
	n, err := io.Copy(out, io.LimitReader(content, left+1))
	if n > left {
		err = fmt.Errorf("more than %d bytes of content (--max-bytes): %w", x.limit, waptwua.ErrLimit)
	}
	return n, errors.Join(err, out.Close())
}

func (x *extraction) refuse(name string, err error) {
	x.clearLine()
	x.refused++
	if x.asJSON {
		x.list = append(x.list, refusedFile{name, err.Error()})
	}
	fmt.Fprintf(x.stderr, "%q is not extracted: %v\n", name, err)
}

// show tells on a terminal how far it has come, once a second has passed.
func (x *extraction) show() {
	now := time.Now()
	if now.Sub(x.start) < time.Second || now.Sub(x.shown) < 200*time.Millisecond {
		return
	}
	if f, ok := x.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		x.shown = now
		fmt.Fprintf(x.stderr, "\r%d files, %d MB ", x.files, x.bytes>>20)
	}
}

func (x *extraction) clearLine() {
	if !x.shown.IsZero() {
		fmt.Fprint(x.stderr, "\r\033[K")
	}
}
