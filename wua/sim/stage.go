package sim

import (
	"context"
	"crypto/sha1" // the archive names files by SHA-1
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"waptwua"
	"waptwua/catalog"
	"waptwua/wua"
)

// handlerOSInstaller is the handler whose updates load their files by
// themselves (UUP).
const handlerOSInstaller = "OSInstaller"

// Stage takes files as the content of a leaf, unless its handler is
// OSInstaller (InvalidOperation). Every file must be one of the
// leaf's (IncorrectFileHash), and every file that is needed must be among
// them (DownloadFileMissing).
func (h *Host) Stage(ctx context.Context, leaf waptwua.UpdateID, files []string) error {
	return h.serve(ctx, callStage, nil, func(c *call) error {
		l, ok := h.offer.leaves[leaf]
		if !ok {
			return &wua.Error{Op: callStage, Code: wua.ItemNotFound}
		}
		if l.Handler == handlerOSInstaller {
			return &wua.Error{Op: callStage, Code: wua.InvalidOperation}
		}
		f := c.scripted(callStage, &waptwua.Update{ID: leaf})
		if err := c.slow(ctx, f); err != nil {
			return err
		}
		if f != nil && f.code != wua.OK {
			return &wua.Error{Op: callStage, Code: f.code}
		}
		return c.stage(ctx, l, files)
	})
}

func (c *call) stage(ctx context.Context, l catalog.Leaf, files []string) error {
	have := make([]waptwua.SHA1, 0, len(files))
	for _, path := range files {
		digest, err := check(ctx, path, l.Files)
		if err != nil {
			return err
		}
		have = append(have, digest)
	}
	for _, f := range needed(l) {
		if !slices.Contains(have, f.SHA1) {
			return &wua.Error{Op: callStage, Code: wua.DownloadFileMissing, Text: "the file " + f.Name + " is missing"}
		}
	}
	c.dirty = true
	c.state.Staged[l.ID] = have
	return nil
}

// needed are the files without which a leaf cannot be installed: those that
// are complete by themselves, or all where the archive does not say.
func needed(l catalog.Leaf) []waptwua.File {
	if len(l.Packages) > 0 {
		return l.Packages
	}
	var complete []waptwua.File
	for _, f := range l.Files {
		if f.Kind == "" || f.Kind == "SelfContained" {
			complete = append(complete, f)
		}
	}
	if len(complete) > 0 {
		return complete
	}
	return l.Files
}

// check computes a file's digest and looks for it among the leaf's files.
func check(ctx context.Context, path string, of []waptwua.File) (digest waptwua.SHA1, err error) {
	fail := func(code wua.Code, text string) error { return &wua.Error{Op: callStage, Code: code, Text: text} }
	if !filepath.IsAbs(path) {
		return digest, fail(wua.InvalidName, "the path "+path+" is not absolute")
	}
	digest, size, err := digestOf(ctx, path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return digest, fail(wua.DownloadFileMissing, err.Error())
	case errors.Is(err, os.ErrPermission):
		return digest, fail(accessDenied, err.Error())
	case err != nil:
		return digest, err
	}
	for _, want := range of {
		if want.SHA1 == digest && (want.Size == 0 || want.Size == size) {
			return digest, nil
		}
	}
	return digest, fail(wua.IncorrectFileHash, "the file "+filepath.Base(path)+" is none of the update's")
}

// digestOf reads a file.
func digestOf(ctx context.Context, path string) (digest waptwua.SHA1, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return digest, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha1.New()
	size, err = io.Copy(h, contextReader{ctx, f})
	return waptwua.SHA1(h.Sum(nil)), size, err
}

// accessDenied is E_ACCESSDENIED.
const accessDenied wua.Code = 0x80070005
