package upgrade

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/signing"
	"waptwua/transport/client"
)

// reserve is the room that a download leaves on the volume, in bytes: the
// program lies there four times while it is exchanged.
const reserve = 512 << 20

// fetch brings the program into the agent's folder and returns its path.
// What an earlier attempt has left is used: bytes count only by the digest
// of the whole.
func (u *Upgrader) fetch(ctx context.Context, f signing.ReleaseFile) (string, error) {
	dir := filepath.Join(u.opt.Dir, "upgrade")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("fetching %s: %w", f.Name, err)
	}
	path := filepath.Join(dir, f.SHA256.String()+".part")
	if err := keepOnly(dir, filepath.Base(path)); err != nil {
		return "", err
	}
	if fits(path, f.Size, f.SHA256) == nil {
		return path, nil
	}
	free, err := u.opt.Free(dir)
	if err != nil {
		return "", err
	}
	if free < uint64(f.Size)+reserve {
		return "", fmt.Errorf("fetching %s: %d bytes are free, %d are needed: %w", f.Name, free, f.Size+reserve, cache.ErrNoRoom)
	}
	if err := u.receive(ctx, f, path); err != nil {
		return "", fmt.Errorf("fetching %s: %w", f.Name, err)
	}
	if err := fits(path, f.Size, f.SHA256); err != nil {
		return "", errors.Join(fmt.Errorf("fetching %s: the server's file is not the one that was signed: %w", f.Name, err), os.Remove(path))
	}
	u.opt.Reached("fetched")
	return path, nil
}

// receive loads what is missing. The entity tag is the digest: a server that
// has other bytes under this name begins anew, and they are refused.
func (u *Upgrader) receive(ctx context.Context, f signing.ReleaseFile, path string) error {
	req := client.FileRequest{Name: f.Name}
	if fi, err := os.Stat(path); err == nil && fi.Size() < f.Size {
		req.Offset, req.IfRange = fi.Size(), `"`+f.SHA256.String()+`"`
	}
	res, err := u.opt.Source.ReleaseFile(ctx, req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.Size >= 0 && res.Size != f.Size {
		return fmt.Errorf("the server has %d bytes, %d were signed: %w", res.Size, f.Size, waptwua.ErrDigest)
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := out.Truncate(res.Offset); err != nil {
		return err
	}
	if _, err := out.Seek(res.Offset, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(out, cache.Limited(ctx, io.LimitReader(res.Body, f.Size-res.Offset+1), u.opt.Limit)); err != nil {
		return err
	}
	return errors.Join(out.Sync(), out.Close())
}

// keepOnly removes what earlier versions have left in dir.
func keepOnly(dir, name string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != name && !e.IsDir() {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// fits returns nil when the file at path has the size and the digest; a size
// below zero is not compared.
func fits(path string, size int64, want waptwua.SHA256) error {
	got, n, err := digestOf(path)
	if err != nil {
		return err
	}
	if got != want || size >= 0 && n != size {
		return fmt.Errorf("%s: %w", filepath.Base(path), waptwua.ErrDigest)
	}
	return nil
}

func digestOf(path string) (sum waptwua.SHA256, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	copy(sum[:], h.Sum(nil))
	return sum, size, err
}

// copyFile makes to a durable copy of from that has the digest.
func copyFile(from, to string, want waptwua.SHA256) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := remove(to); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return err
	}
	return fits(to, -1, want)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
