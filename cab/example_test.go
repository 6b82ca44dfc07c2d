package cab_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"strings"

	"waptwua/cab"
)

// tiny is a cabinet of two stored files.
var tiny = fromHex(
	// header: 105 bytes, list of files at 44, version 1.3, 1 folder, 2 files
	"4d534346 00000000 69000000 00000000 2c000000 00000000 0301 0100 0200 0000 3930 0000",
	"54000000 0100 0000",                              // folder: data at 84, 1 block, stored
	"06000000 00000000 0000 ee5c c06e 2000 635c3100",  // "c\\1": 6 bytes at 0
	"07000000 06000000 0000 ee5c c06e 2000 635c3200",  // "c\\2": 7 bytes at 6
	"00000000 0d00 0d00 68656c6c6f 0a 676f6f64627965", // block: no checksum
)

func fromHex(lines ...string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(lines, ""), " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// One pass over each folder reads all files and decodes everything once.
func ExampleFolder_Open() {
	r, err := cab.NewReader(bytes.NewReader(tiny), int64(len(tiny)))
	if err != nil {
		log.Fatal(err)
	}
	for _, folder := range r.Folders {
		pass, err := folder.Open()
		if err != nil {
			log.Fatal(err)
		}
		for {
			f, err := pass.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				log.Fatal(err)
			}
			content, err := io.ReadAll(pass)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s: %q\n", f.Name, content)
		}
		if err := pass.Close(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// c/1: "hello\n"
	// c/2: "goodbye"
}

// A Reader is an fs.FS: convenient for a single file.
func ExampleReader_Open() {
	r, err := cab.NewReader(bytes.NewReader(tiny), int64(len(tiny)))
	if err != nil {
		log.Fatal(err)
	}
	b, err := fs.ReadFile(r, "c/2")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(b))
	// Output: goodbye
}

// What comes from strangers is read within limits, and a fault tells its kind
// and its place.
func ExampleNewReaderLimits() {
	limits := cab.Limits{Files: 1000, FileBytes: 10}
	damaged := bytes.Clone(tiny)
	damaged[44] = 200 // the first file's size
	r, err := cab.NewReaderLimits(bytes.NewReader(damaged), int64(len(damaged)), limits)
	if err != nil {
		log.Fatal(err)
	}
	_, err = r.Files[0].Open()
	var fault *cab.FormatError
	if errors.As(err, &fault) {
		fmt.Println(errors.Is(err, cab.ErrLimit), fault.Offset)
	}
	fmt.Println(err)
	// Output:
	// true 44
	// cab: limit exceeded at offset 44: "c/1" has 200 bytes, the limit is 10
}

// Path is the name to create a file under: it never leads out of the
// directory that it is joined to.
func ExampleFile_Path() {
	for _, name := range []string{"c/1", "../../etc/passwd", "C:/boot.ini"} {
		path, err := (&cab.File{Name: name}).Path()
		fmt.Printf("%q %v\n", path, err != nil)
	}
	// Output:
	// "c/1" false
	// "" true
	// "" true
}
