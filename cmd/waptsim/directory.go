package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"waptwua/internal/filelock"
)

// marker is the file by which a directory is known as one of ours, so that
// no other is ever emptied. Who works in the directory holds its lock; it is
// never removed, so that nobody else can hold a lock of the same name.
const marker = ".waptsim"

// prepare takes the directory, which unlock gives up, and makes it anew.
func (d *demo) prepare() (unlock func() error, err error) {
	if d.dir, err = filepath.Abs(d.dir); err != nil {
		return nil, err
	}
	if err := d.mark(); err != nil {
		return nil, err
	}
	lock, err := d.lock(marker)
	if err != nil {
		return nil, err
	}
	if err := d.renew(); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return lock.Unlock, nil
}

// mark makes an absent or empty directory one of ours.
func (d *demo) mark() error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(d.dir, marker)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty and was not made by waptsim; choose another --dir", d.dir)
	}
	return os.WriteFile(path, []byte("made by waptsim run; may be removed\n"), 0o644)
}

// lock takes a lock that those hold who work in the directory.
func (d *demo) lock(name string) (*filelock.Lock, error) {
	l, err := filelock.Try(filepath.Join(d.dir, name))
	if errors.Is(err, filelock.ErrLocked) {
		return nil, fmt.Errorf("%s is in use by another waptsim or its server; stop that first, or choose another --dir: %w", d.dir, err)
	}
	return l, err
}

// renew removes what an earlier run left, and makes the folders and the log.
func (d *demo) renew() error {
	if err := d.serverGone(); err != nil {
		return err
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == marker {
			continue
		}
		if err := os.RemoveAll(filepath.Join(d.dir, e.Name())); err != nil {
			return fmt.Errorf("clearing %s: %w", d.dir, err)
		}
	}
	for _, sub := range []string{"origin", "administrator", "hosts"} {
		if err := os.MkdirAll(filepath.Join(d.dir, sub), 0o755); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(d.dir, "fleet.log"))
	if err != nil {
		return err
	}
	d.log = slog.New(slog.NewTextHandler(f, nil))
	return nil
}

// serverGone makes sure that no server has outlived the waptsim that started
// it, where the system does not end it.
func (d *demo) serverGone() error {
	lock := filepath.Join("server", "lock") // that waptserver holds while it serves
	if _, err := os.Stat(filepath.Join(d.dir, lock)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	l, err := d.lock(lock)
	if err != nil {
		return err
	}
	return l.Unlock()
}
