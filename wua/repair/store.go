package repair

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"waptwua"
	"waptwua/wua/native"
)

// StoreOptions say where the store of Windows Update is. All are needed but
// Why and RestartDue.
type StoreOptions struct {
	// Why the store is to be set aside, such as a failure that blames it;
	// empty: it shows no damage and is left alone, for Windows' history and
	// what it has downloaded are in it.
	Why      string
	Windows  string // the Windows folder, e.g. C:\Windows
	Services native.Services
	Now      func() time.Time
	Limit    time.Duration // for each service to stop or to start
	// RestartDue tells whether updates wait for a restart: they may still need
	// the store. nil: it is not asked.
	RestartDue func(context.Context) (bool, error)
}

// The folders that are set aside.
const (
	storeDir     = "SoftwareDistribution"
	backupSuffix = ".waptwua-"
	backupTime   = "20060102T150405Z"
	maxEntries   = 1_000_000 // files and folders that are counted
)

func storeFolders() []string { return []string{"Download", "DataStore"} }

// Store sets the store of Windows Update aside, so that Windows makes a new one.
func Store(o StoreOptions) Step {
	s := &store{StoreOptions: o}
	return Step{Name: "store", Look: s.look, Mend: s.mend}
}

type store struct {
	StoreOptions
	renamed bool // by mend; what is there now is new
}

// open is the folder of the store; nil: there is none.
func (s *store) open() (*os.Root, error) {
	r, err := os.OpenRoot(filepath.Join(s.Windows, storeDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return r, err
}

func (s *store) look(ctx context.Context) (Finding, error) {
	root, err := s.open()
	if err != nil || root == nil {
		return Finding{Text: "there is no " + storeDir, Sound: true}, err
	}
	defer root.Close()
	f := Finding{Sound: true}
	var texts []string
	for _, name := range storeFolders() {
		n, there, err := sizeOf(root, name)
		if err != nil {
			return f, err
		}
		if !there {
			texts = append(texts, name+" absent")
			continue
		}
		f.Sound = f.Sound && (n == 0 || s.Why == "" || s.renamed)
		texts = append(texts, name+" "+bytesText(n))
	}
	old, err := backups(root)
	if err != nil {
		return f, err
	}
	f.Text = strings.Join(append(texts, old...), ", ")
	switch {
	case s.renamed:
	case s.Why == "":
		f.Text += "; no sign of damage"
	default:
		f.Text += "; " + s.Why
	}
	return s.wait(ctx, f), nil
}

// wait skips the step while a restart is due. When that cannot be told, the
// broken store may be the cause.
func (s *store) wait(ctx context.Context, f Finding) Finding {
	if s.RestartDue == nil || f.Sound {
		return f
	}
	due, err := s.RestartDue(ctx)
	if err != nil {
		f.Text += "; whether a restart is due could not be told"
	}
	if err == nil && due {
		f.Skip = "a restart is due, and what waits for it may need these files: restart the host first, or use --force"
	}
	return f
}

// mend renames the folders while nobody has them open.
func (s *store) mend(ctx context.Context) (freed int64, err error) {
	root, err := s.open()
	if err != nil || root == nil {
		return 0, err
	}
	defer root.Close()
	restart, err := s.stop(ctx)
	defer func() { err = errors.Join(err, restart(context.WithoutCancel(ctx))) }()
	if err != nil {
		return 0, err
	}
	for _, name := range storeFolders() {
		n, e := s.setAside(root, name)
		freed, err = freed+n, errors.Join(err, e)
	}
	s.renamed = err == nil
	return freed, err
}

// setAside renames one folder and then removes its older backups.
func (s *store) setAside(root *os.Root, name string) (freed int64, err error) {
	backup := name + backupSuffix + s.Now().UTC().Format(backupTime)
	err = root.Rename(name, backup)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("setting %s aside: %w; a virus scanner or backup may have it open", name, err)
	}
	old, err := backups(root)
	for _, b := range old {
		if !strings.HasPrefix(b, name+backupSuffix) || b == backup {
			continue
		}
		n, _, e := sizeOf(root, b)
		e = errors.Join(e, removeTree(filepath.Join(s.Windows, storeDir, b)))
		if e == nil {
			freed += n
		}
		err = errors.Join(err, e)
	}
	return freed, err
}

// removeTree removes a folder without following links. os.RemoveAll does so
// by a system call that Wine, where this is tested, does not have.
func removeTree(path string) error {
	var found []string
	err := filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		if found = append(found, path); len(found) > maxEntries {
			return fmt.Errorf("removing %s: %w of %d files", path, waptwua.ErrLimit, maxEntries)
		}
		return err
	})
	for _, p := range slices.Backward(found) {
		if err == nil {
			err = passOver(os.Remove(p))
		}
	}
	return err
}

// stop stops the services that use the store. restart starts those that ran.
func (s *store) stop(ctx context.Context) (restart func(context.Context) error, err error) {
	var ran []string
	for _, name := range []string{native.UpdateService, native.TransferService} {
		was, e := s.Services.Service(ctx, name)
		if errors.Is(e, waptwua.ErrNotFound) || e == nil && !was.Running {
			continue
		}
		if e == nil {
			if e = setRunning(ctx, s.Services, name, false, s.Limit); e == nil {
				ran = append(ran, name)
			}
		}
		err = errors.Join(err, e)
	}
	return func(ctx context.Context) (err error) {
		for _, name := range slices.Backward(ran) {
			err = errors.Join(err, setRunning(ctx, s.Services, name, true, s.Limit))
		}
		return err
	}, err
}

// backups lists the backups of earlier repairs, by name.
func backups(root *os.Root) ([]string, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		for _, name := range storeFolders() {
			if strings.HasPrefix(e.Name(), name+backupSuffix) {
				list = append(list, e.Name())
			}
		}
	}
	return list, nil
}

// sizeOf sums up the files of a folder. Links count as nothing.
func sizeOf(root *os.Root, name string) (size int64, there bool, err error) {
	fi, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil || !fi.IsDir() {
		return 0, true, err
	}
	n := 0
	err = fs.WalkDir(root.FS(), name, func(_ string, e fs.DirEntry, err error) error {
		if n++; n > maxEntries {
			return fmt.Errorf("files in %s: %w of %d", name, waptwua.ErrLimit, maxEntries)
		}
		if err != nil || !e.Type().IsRegular() {
			return passOver(err)
		}
		fi, err := e.Info()
		if err == nil {
			size += fi.Size()
		}
		return passOver(err)
	})
	return size, true, err
}

// passOver ignores what vanished while it was looked at.
func passOver(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
