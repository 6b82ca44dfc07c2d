package cab_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"waptwua/cab"
	"waptwua/internal/fixture"
)

// exceptions are the published cabinets that are not simply read as a whole
// with the outcomes of cabextract: the hostile ones, and where the two
// programs differ.
var exceptions = map[string]struct {
	open       string   // what opening the cabinet says; "" if it opens
	kind       error    // of that error, or of the files' errors
	files      []string // what the files' errors say, "" for files that are read
	cabextract string   // what cabextract makes of it: "no cabinet", or its outcomes by letter: r(ead), f(ails)
}{
	"libarchive/test_read_format_cab_skip_malformed.cab": {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/bad_folderindex.cab":                      {"folder 1 of 1", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/bad_nofiles.cab":                          {"no files", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/bad_nofolders.cab":                        {"no folders", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/bad_signature.cab":                        {"no cabinet", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/cve-2010-2800-mszip-infinite-loop.cab":    {"", cab.ErrFormat, []string{"MSZIP"}, "f"},
	"libmspack/cve-2014-9732-folders-segfault.cab":       {"", cab.ErrUnsupported, []string{"", "method 15", ""}, "rfr"},
	"libmspack/cve-2015-4470-mszip-over-read.cab":        {"cut off", cab.ErrFormat, nil, "f"},
	"libmspack/cve-2015-4471-lzx-under-read.cab":         {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/filename-read-violation-1.cab":            {"without a name", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/filename-read-violation-2.cab":            {"cut off", cab.ErrFormat, nil, "f"},
	"libmspack/hidden-file-bad-folderid.cab":             {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/hidden-file-beyond-eof.cab":               {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/mszip_lzx_qtm.cab":                        {"", cab.ErrUnsupported, []string{"", "", "Quantum"}, "rrr"},
	"libmspack/partial_nodata.cab":                       {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/partial_nofiles.cab":                      {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/partial_nofolder.cab":                     {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/partial_shortextheader.cab":               {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/partial_shortfile1.cab":                   {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/partial_shortfile2.cab":                   {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/partial_shortfolder.cab":                  {"cut off", cab.ErrFormat, nil, "no cabinet"},
	"libmspack/partial_shortheader.cab":                  {"ends within the header", cab.ErrFormat, nil, "no cabinet"},
	// Two cabinets within another file: only cabextract searches for them.
	"libmspack/search_basic.cab": {"no cabinet", cab.ErrFormat, nil, "rrrr"},
}

func TestPublishedCabinets(t *testing.T) {
	for _, path := range fixture.Glob(t, "cabs/*/*.cab") {
		name := filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path)))
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, exceptional := exceptions[name]
			r, err := cab.NewReader(bytes.NewReader(b), int64(len(b)))
			if want.open != "" {
				checkFault(t, err, want.kind, want.open)
				checkCabextract(t, b, nil, want.cabextract)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, errs := outcomes(t, r)
			for i, err := range errs {
				if i < len(want.files) && want.files[i] != "" {
					checkFault(t, err, want.kind, want.files[i])
				} else if err != nil {
					t.Errorf("%s: %v", r.Files[i].Name, err)
				}
			}
			if !exceptional {
				want.cabextract = strings.Repeat("r", len(got))
			}
			checkCabextract(t, b, got, want.cabextract)
		})
	}
}

// checkCabextract compares with what cabextract makes of the files; those that
// only one of the two can read are told by want and the caller.
func checkCabextract(t *testing.T, cabinet []byte, ours []outcome, want string) {
	t.Helper()
	theirs := cabextractTest(t, cabinet)
	got := "no cabinet"
	if len(theirs) > 0 {
		got = ""
	}
	for i, o := range theirs {
		letter := "r"
		if o == "" {
			letter = "f"
		}
		got += letter
		if i < len(ours) && ours[i] != "" && o != ours[i] {
			t.Errorf("file %d: MD5 %s, by cabextract %s", i, ours[i], o)
		}
	}
	if got != want {
		t.Errorf("outcomes of cabextract: %s, want %s", got, want)
	}
}

// The list of files is where the header says (7-Zip agrees); cabextract 1.9
// reads it right after the folders, and so finds other names here.
func TestHiddenFiles(t *testing.T) {
	r := open(t, fixture.Read(t, "cabs/libmspack/hidden-files.cab"))
	if len(r.Files) != 2 || r.Files[0].Name != "hidden1.txt" || r.Files[1].Name != "hidden2.txt" {
		t.Errorf("files %q, %q", r.Files[0].Name, r.Files[1].Name)
	}
	out, err := exec.Command(tool(t, "7z"), "l", "-slt", fixture.Path(t, "cabs/libmspack/hidden-files.cab")).Output()
	if err != nil || !bytes.Contains(out, []byte("Path = hidden1.txt")) {
		t.Errorf("7z lists other files: %v\n%s", err, out)
	}
}

// No name leads out of the folder that a cabinet is extracted to.
func TestTraversal(t *testing.T) {
	r := open(t, fixture.Read(t, "cabs/libmspack/dirwalk-vulns.cab"))
	for _, f := range r.Files {
		name, err := f.Path()
		if err == nil && (!fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name))) {
			t.Errorf("%q is taken to be safe", name)
		}
		if strings.Contains("/"+f.Name+"/", "/../") && err == nil {
			t.Errorf("%q climbs and is taken to be safe", f.Name)
		}
	}
	err := fs.WalkDir(r, ".", func(path string, _ fs.DirEntry, err error) error {
		if !fs.ValidPath(path) {
			t.Errorf("the file system has %q", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestStoredNames(t *testing.T) {
	tests := []struct{ fixture, first string }{
		{"libarchive/test_read_format_cab_filename_cp932.cab", "\u0095/\u0082¾\u0082æ/\u008a¿\u008e\u009a.txt"},
		{"libmspack/encoding-latin1.cab", "\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿"},
		{"libmspack/utf8-stresstest.cab", "\u03ba\u1f79\u03c3\u03bc\u03b5"},
		{"libmspack/dir.cab", "plain.c"},
	}
	for _, tt := range tests {
		t.Run(tt.fixture, func(t *testing.T) {
			r := open(t, fixture.Read(t, "cabs/"+tt.fixture))
			if r.Files[0].Name != tt.first {
				t.Errorf("name %q, want %q", r.Files[0].Name, tt.first)
			}
		})
	}
}

// Microsoft's scan archive, outside and inside, against what two other
// programs extract.
func TestScanArchive(t *testing.T) {
	outer := open(t, fixture.Read(t, "offline-scan-2011/WSUSSCAN.cab"))
	if len(outer.Files) != 1 || outer.Folders[0].Window != 21 || len(outer.Header.Reserve) != 20 {
		t.Fatalf("%d files, window %d, %d bytes of reserve", len(outer.Files), outer.Folders[0].Window, len(outer.Header.Reserve))
	}
	inner, err := fs.ReadFile(outer, "package.cab")
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, inner)
	if len(r.Files) != 5026 || len(r.Folders) != 1 || len(r.Header.Reserve) != 6144 {
		t.Fatalf("%d files, %d folders, %d bytes of reserve", len(r.Files), len(r.Folders), len(r.Header.Reserve))
	}
	for name, args := range map[string][]string{
		"cabextract": {"-q", "-d"},
		"7z":         {"x", "-y", "-bd", "-o"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := extract(t, tool(t, name), args, fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"))
			theirs, err := os.ReadFile(filepath.Join(dir, "package.cab"))
			if err != nil || !bytes.Equal(theirs, inner) {
				t.Fatalf("package.cab is another, or error %v", err)
			}
			sameFiles(t, r, extract(t, tool(t, name), args, filepath.Join(dir, "package.cab")))
		})
	}
}

// extract has a program extract a cabinet; the last of args takes the folder.
func extract(t *testing.T, program string, args []string, cabinet string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	args = append([]string(nil), args...)
	if args[len(args)-1] == "-o" {
		args[len(args)-1] += dir
	} else {
		args = append(args, dir)
	}
	if out, err := exec.Command(program, append(args, cabinet)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return dir
}

func sameFiles(t *testing.T, r *cab.Reader, dir string) {
	t.Helper()
	for _, folder := range r.Folders {
		fr, err := folder.Open()
		if err != nil {
			t.Fatal(err)
		}
		for {
			f, err := fr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := sameFile(fr, filepath.Join(dir, filepath.FromSlash(f.Name))); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
	}
}

func sameFile(r io.Reader, path string) error {
	ours, err1 := io.ReadAll(r)
	theirs, err2 := os.ReadFile(path)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !bytes.Equal(ours, theirs) {
		return fmt.Errorf("%d bytes that differ from the %d extracted", len(ours), len(theirs))
	}
	return nil
}
