package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"waptwua/cab"
)

// decodeCommand makes this program decode cabinets and do nothing else:
//
//	bench decode WORKERS FILE…
const decodeCommand = "decode"

func decodeProcess(args []string) error {
	workers, err := strconv.Atoi(args[0])
	if err != nil || workers < 1 {
		return fmt.Errorf("decode: %q is no number of workers", args[0])
	}
	if err := each(workers, args[1:], decode); err != nil {
		return err
	}
	fmt.Println(peakMemory())
	return nil
}

// peakMemory is the most memory that this process has had, in bytes; 0 where
// that is not known. (What the system tells of an ended process counts in its
// parent, by which it was forked.)
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscanf(rest, "%d kB", &kilobytes); err != nil {
		return 0
	}
	return kilobytes << 10
}

// decode reads every file of the cabinet.
func decode(path string) error {
	r, err := cab.OpenReader(path)
	if err != nil {
		return err
	}
	defer r.Close()
	return eachFile(&r.Reader, func(_ *cab.File, content io.Reader) error {
		_, err := io.Copy(io.Discard, content)
		return err
	})
}

// decoder decodes the cabinets in a process of its own, workers of them at a
// time, and returns the most memory that the process had, in bytes; 0 where
// that is not known.
func (b *bench) decoder(workers int, paths []string) (peak int64, err error) {
	program, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(b.ctx, program, append([]string{decodeCommand, strconv.Itoa(workers)}, paths...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("decoding: %w", err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
}

// contentOf is how many bytes all files of the cabinets have.
func contentOf(paths []string) (total int64, err error) {
	for _, p := range paths {
		r, err := cab.OpenReader(p)
		if err != nil {
			return 0, err
		}
		for _, f := range r.Files {
			total += f.Size
		}
		if err := r.Close(); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// allocations is how many allocations there are for each frame in passes over
// all folders of the cabinets, once the passes are open.
func allocations(paths []string) (perFrame float64, err error) {
	var count, frames uint64
	for _, p := range paths {
		r, err := cab.OpenReader(p)
		if err != nil {
			return 0, err
		}
		for _, folder := range r.Folders {
			n, err := passAllocations(folder)
			if err != nil {
				return 0, err
			}
			count += n
			frames += uint64(folder.Blocks)
		}
		if err := r.Close(); err != nil {
			return 0, err
		}
	}
	return float64(count) / float64(frames), nil
}

func passAllocations(folder *cab.Folder) (uint64, error) {
	pass, err := folder.Open()
	if err != nil {
		return 0, err
	}
	defer pass.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for {
		_, err := pass.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		if _, err := io.Copy(io.Discard, pass); err != nil {
			return 0, err
		}
	}
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs, nil
}
