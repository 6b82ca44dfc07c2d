package installer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"waptwua"
)

// Built is what a build has made.
type Built struct {
	Platform    Platform       `json:"platform"`
	Version     string         `json:"version"`
	Package     string         `json:"package"` // path of the .msi
	Size        int64          `json:"size"`    // of the package, bytes
	SHA256      waptwua.SHA256 `json:"sha256"`  // of the package
	Program     string         `json:"program"` // path of the program as it is installed: what a release is made of
	ProductCode string         `json:"product_code"`
	Signed      bool           `json:"signed"`
}

// Build makes the package of p in the folder out, and beside it the program
// that it installs. Both appear whole or not at all; files of the same names
// are replaced. tell is told what is being done; nil: nobody is.
//
// A program that is needed and not installed gives ErrTool.
func Build(ctx context.Context, p Plan, s Signing, out string, tell func(step string)) (*Built, error) {
	if tell == nil {
		tell = func(string) {}
	}
	if err := errors.Join(p.check(), s.check()); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder for the packages: %w", err)
	}
	work, err := os.MkdirTemp(out, ".build-")
	if err != nil {
		return nil, fmt.Errorf("making the folder for the packages: %w", err)
	}
	defer os.RemoveAll(work)
	b := build{plan: p, signing: s, work: work, tell: tell}
	if err := b.make(ctx); err != nil {
		return nil, fmt.Errorf("building the package for %s: %w", p.Platform, err)
	}
	return b.publish(out)
}

// build is one package on its way, in the folder work.
type build struct {
	plan    Plan
	signing Signing
	work    string
	tell    func(string)
}

const packageName = "package.msi"

func (b *build) path(name string) string { return filepath.Join(b.work, name) }

func (b *build) make(ctx context.Context) error {
	if err := b.program(ctx); err != nil {
		return err
	}
	for _, f := range b.plan.files()[1:] {
		if err := os.WriteFile(b.path(f.id), f.content, 0o644); err != nil {
			return err
		}
	}
	source, err := b.plan.Source()
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.path("product.wxs"), source, 0o644); err != nil {
		return err
	}
	b.tell("making the package")
	// wixl knows no ARM64; the platform is set afterwards.
	if _, err := tool(ctx, b.work, "wixl", "-a", "x64", "-o", packageName, "product.wxs"); err != nil {
		return err
	}
	if err := b.plan.mend(ctx, b.work, packageName); err != nil {
		return err
	}
	if !b.signing.active() {
		return nil
	}
	b.tell("signing the package")
	return b.signing.sign(ctx, b.path(packageName))
}

// program stamps and signs the program; the plan then holds the result.
func (b *build) program(ctx context.Context) error {
	b.tell("stamping the program")
	stamped, err := Stamp(b.plan.Program, b.plan.Version)
	if err != nil {
		return err
	}
	path := b.path(programID)
	if err := os.WriteFile(path, stamped, 0o755); err != nil {
		return err
	}
	if b.signing.active() {
		b.tell("signing the program")
		if err := b.signing.sign(ctx, path); err != nil {
			return err
		}
	}
	b.plan.Program, err = os.ReadFile(path)
	return err
}

// publish gives the results their names.
func (b *build) publish(out string) (*Built, error) {
	p := &b.plan
	stem := "wapt-get-" + strings.TrimPrefix(p.Version, "v") + "-" + p.Platform.arch()
	r := &Built{
		Platform: p.Platform, Version: strings.TrimPrefix(p.Version, "v"), ProductCode: "{" + p.productCode() + "}", Signed: b.signing.active(),
		Package: filepath.Join(out, stem+".msi"), Program: filepath.Join(out, stem+".exe"),
	}
	var err error
	if r.Size, r.SHA256, err = sum(b.path(packageName)); err != nil {
		return nil, err
	}
	if err := os.Rename(b.path(programID), r.Program); err != nil {
		return nil, err
	}
	return r, os.Rename(b.path(packageName), r.Package)
}

func sum(path string) (size int64, digest waptwua.SHA256, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, digest, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	copy(digest[:], h.Sum(nil))
	return size, digest, err
}
