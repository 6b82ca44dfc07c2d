package cab_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	var content bytes.Buffer
	var names []string
	for _, e := range readFolder(t, r.Folders[0]) {
		content.WriteString(e.content)
		names = append(names, e.name)
	}
	path := filepath.Join(t.TempDir(), "package.cab")
	if err := os.WriteFile(path, inner, 0o600); err != nil {
		t.Fatal(err)
	}
	archive := fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
	for name, toOutput := range map[string][]string{
		"cabextract": {"-q", "-p"},
		"7z":         {"e", "-so"},
	} {
		t.Run(name, func(t *testing.T) {
			program := tool(t, name)
			if !bytes.Equal(output(t, program, append(toOutput, archive)...), inner) {
				t.Error("package.cab is another")
			}
			if !bytes.Equal(output(t, program, append(toOutput, path)...), content.Bytes()) {
				t.Error("the files in package.cab are others")
			}
		})
	}
	t.Run("names", func(t *testing.T) {
		list := string(output(t, tool(t, "7z"), "l", "-slt", path))
		var theirs []string
		for line := range strings.Lines(list) {
			if name, ok := strings.CutPrefix(line, "Path = "); ok {
				theirs = append(theirs, strings.TrimSpace(name))
			}
		}
		if diff := cmp.Diff(theirs[1:], names); diff != "" { // the first is the cabinet's
			t.Errorf("(-7z +ours):\n%.1000s", diff)
		}
	})
}

func output(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return out
}
