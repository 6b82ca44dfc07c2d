package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"waptwua/cab"
)

// Exit statuses of the archive commands, beside 0 and 1.
const (
	statusPartly     = 3 // some files could not be extracted
	statusNotTrusted = 4 // the signature is missing or not right
)

// newArchiveCommand is `waptserver archive`: scan archives and cabinets as
// files.
func newArchiveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Look into scan archives and cabinets, check signatures, extract",
	}
	l := defaultLimits()
	l.register(cmd)
	cmd.AddCommand(newArchiveInfoCommand(l), newArchiveVerifyCommand(l), newArchiveListCommand(l), newArchiveExtractCommand(l))
	return cmd
}

// openedCabinet is a cabinet in a file of the disk.
type openedCabinet struct {
	*cab.Reader
	file *os.File
	size int64
}

func openCabinet(path string, l cab.Limits) (*openedCabinet, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	r, err := cab.NewReaderLimits(f, size, l)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &openedCabinet{Reader: r, file: f, size: size}, nil
}

func (c *openedCabinet) Close() error { return c.file.Close() }

func openRegular(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, fi.Size(), nil
}
