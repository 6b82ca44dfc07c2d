package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// contents are the log's files, the oldest first.
func contents(t interface{ Fatal(...any) }, path string, count int) []string {
	var list []string
	for n := count + 1; n >= 0; n-- {
		name := path
		if n > 0 {
			name = fmt.Sprintf("%s.%d", path, n)
		}
		b, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(b))
	}
	return list
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log", "wapt-get.log")
	l, err := Open(path, Options{Size: 10, Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"1234\n", "5678\n", "9\n", "a line that is too long\n", "b\n", "c\n"} {
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := contents(t, path, 2), []string{"9\n", "a line that is too long\n", "b\nc\n"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the files hold %q, want %q", got, want)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if _, err := l.Write([]byte("x\n")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

func TestContinues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wapt-get.log")
	for range 3 {
		l, err := Open(path, Options{Size: 100, Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(l, "started")
		l.Close()
	}
	if got := contents(t, path, 1); len(got) != 1 || got[0] != "started\nstarted\nstarted\n" {
		t.Errorf("%q", got)
	}
}

// TestRoom: whatever is written and however often the log is opened, the
// files hold the newest lines whole and in order, and no more room is taken
// than was given.
func TestRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "logfile")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "l")
		o := Options{Size: rapid.Int64Range(1, 60).Draw(t, "size"), Count: rapid.IntRange(0, 3).Draw(t, "count")}
		var all strings.Builder
		longest := 0
		for n := range rapid.IntRange(1, 4).Draw(t, "opened") {
			l, err := Open(path, o)
			if err != nil {
				t.Fatal(err)
			}
			for m := range rapid.IntRange(0, 12).Draw(t, "lines") {
				line := fmt.Sprintf("%d.%d %s\n", n, m, strings.Repeat("x", rapid.IntRange(0, 20).Draw(t, "long")))
				longest = max(longest, len(line))
				all.WriteString(line)
				if _, err := l.Write([]byte(line)); err != nil {
					t.Fatal(err)
				}
			}
			l.Close()
		}
		files := contents(t, path, o.Count)
		if got := strings.Join(files, ""); !strings.HasSuffix(all.String(), got) || all.Len() > 0 && len(got) == 0 {
			t.Fatalf("the files hold %q, not the newest of %q", files, all.String())
		}
		if len(files) > o.Count+1 {
			t.Fatalf("%d files", len(files))
		}
		for _, f := range files {
			if int64(len(f)) > max(o.Size, int64(longest)) || len(f) > 0 && !strings.HasSuffix(f, "\n") {
				t.Fatalf("a file of %d bytes: %q", len(f), f)
			}
		}
	})
}

func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	l, err := Open(path, Options{Size: 100, Count: 100})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				fmt.Fprintln(l, "one line")
			}
		})
	}
	wg.Wait()
	l.Close()
	if got := strings.Count(strings.Join(contents(t, path, 100), ""), "one line\n"); got != 200 {
		t.Errorf("%d lines", got)
	}
}

// TestNameThatCannotBeMoved: the log goes on in the old file.
func TestNameThatCannotBeMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	if err := os.MkdirAll(path+".1/occupied", 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path, Options{Size: 5, Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 3 {
		if _, err := fmt.Fprintln(l, "line"); err != nil {
			t.Fatal(err)
		}
	}
	if b, _ := os.ReadFile(path); string(b) != "line\nline\nline\n" {
		t.Errorf("%q", b)
	}
}

func TestFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "l"), Options{}); err == nil {
		t.Error("no error")
	}
}
