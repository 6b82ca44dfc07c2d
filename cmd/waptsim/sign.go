package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"waptwua/internal/authsign"
	"waptwua/internal/world"
)

// writeSigned writes the archive of w to path, signed by a test authority
// that is made for it, whose root goes to rootFile.
func writeSigned(ctx context.Context, w *world.World, path, rootFile string, opt world.WriteOptions) ([]*x509.Certificate, error) {
	authority, err := authsign.NewAuthority(time.Now)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(rootFile, authority.RootPEM(), 0o644); err != nil {
		return nil, err
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err = w.Write(ctx, f, opt); err == nil {
		_, err = authority.Sign(f, authsign.Options{Program: "generated scan archive"})
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	return []*x509.Certificate{authority.Root}, nil
}
