package lzx_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log"

	"waptwua/lzx"
)

// The shortest kind of frame: one uncompressed block.
func ExampleDecoder_Frame() {
	// One bit "no E8", three bits "uncompressed", 24 bits of size, padding;
	// R0, R1, R2; the bytes; a pad byte.
	frame, err := hex.DecodeString("0030" + "5000" + "010000000100000001000000" + "68656c6c6f" + "00")
	if err != nil {
		log.Fatal(err)
	}
	d, err := lzx.NewDecoder(18)
	if err != nil {
		log.Fatal(err)
	}
	content := make([]byte, 5)
	if err := d.Frame(content, frame); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", content)
	// Output: hello
}

// A folder is decoded frame by frame, its last one being shorter; Reset makes
// the decoder ready for the next folder of the same window.
func ExampleDecoder_Reset() {
	d, err := lzx.NewDecoder(15)
	if err != nil {
		log.Fatal(err)
	}
	content := make([]byte, 3)
	err = d.Frame(content, []byte("no LZX"))
	fmt.Println(errors.Is(err, lzx.ErrFormat))
	fmt.Println(d.Frame(content, nil) == err) // the error stays
	d.Reset()
	frame, err := hex.DecodeString("0030" + "3000" + "010000000100000001000000" + "616263" + "00")
	if err != nil {
		log.Fatal(err)
	}
	if err := d.Frame(content, frame); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", content)
	// Output:
	// true
	// true
	// abc
}
