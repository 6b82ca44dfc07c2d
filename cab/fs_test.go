package cab_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"waptwua/cab"
	"waptwua/internal/cabwrite"
)

func TestFS(t *testing.T) {
	r := open(t, write(t, cabwrite.Options{Compression: cabwrite.MSZIP}, sample()...))
	if err := fstest.TestFS(r, "empty", "one", "folder/small.txt", "folder/sub/block.txt", "last.txt"); err != nil {
		t.Error(err)
	}
	b, err := fs.ReadFile(r, "folder/large.txt")
	if err != nil || string(b) != sample()[3].content {
		t.Errorf("other content, or error %v", err)
	}
}

func TestFileInfo(t *testing.T) {
	tests := []struct {
		name       string
		attributes cab.Attributes
		mode       fs.FileMode
	}{
		{"plain", cab.Archive, 0o644},
		{"read-only", cab.ReadOnly | cab.Hidden | cab.System, 0o444},
		{"executable", cab.Executable, 0o755},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := write(t, cabwrite.Options{}, entry{"dir/file", "12345"})
			put16(b, layoutOf(b).files[0]+14, uint16(tt.attributes))
			r := open(t, b)
			info, err := fs.Stat(r, "dir/file")
			if err != nil {
				t.Fatal(err)
			}
			if info.Name() != "file" || info.Size() != 5 || info.Mode() != tt.mode ||
				!info.ModTime().Equal(modified) || info.IsDir() || info.Sys() != r.Files[0] {
				t.Errorf("got %v", info)
			}
		})
	}
}

// Names that are unsafe or ambiguous cannot be reached.
func TestFSRefuses(t *testing.T) {
	r := open(t, write(t, cabwrite.Options{},
		entry{"good", "1"}, entry{"../up", "2"}, entry{"/absolute", "3"}, entry{"a/../../up", "4"},
		entry{"twice", "5"}, entry{"twice", "6"}, entry{"d", "7"}, entry{"d/file", "8"}))
	var names []string
	err := fs.WalkDir(r, ".", func(path string, d fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{".", "d", "d/file", "good", "twice"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	tests := []struct {
		name string
		want error
	}{
		{"good", nil},
		{"d/file", nil},
		{"twice", cab.ErrFormat},
		{"up", fs.ErrNotExist},
		{"absolute", fs.ErrNotExist},
		{"../up", fs.ErrInvalid},
		{"/absolute", fs.ErrInvalid},
	}
	for _, tt := range tests {
		if _, err := r.Open(tt.name); !errors.Is(err, tt.want) {
			t.Errorf("opening %q: %v, want %v", tt.name, err, tt.want)
		}
	}
}
