package lzxenc

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// fragments is text like that of update fragments, of n bytes: rules, texts
// and files, in which names recur and identities do not.
func fragments(rng *rand.Rand, n int) []byte {
	var b bytes.Buffer
	words := vocabulary(rng, 400)
	for b.Len() < n {
		fmt.Fprintf(&b, `<UpdateIdentity UpdateID="%s" RevisionNumber="%d" /><Properties UpdateType="Software" />`, guid(rng), 100+rng.IntN(9))
		fmt.Fprintf(&b, `<Relationships><Prerequisites><AtLeastOne IsCategory="true"><UpdateIdentity UpdateID="%s" /></AtLeastOne></Prerequisites></Relationships>`, guid(rng))
		for range rng.IntN(6) {
			fmt.Fprintf(&b, `<b.FileVersion Csidl="%d" Path="%s\%s.dll" Comparison="LessThan" Version="%d.%d.%d.%d" />`,
				36+rng.IntN(4), words[rng.IntN(400)], words[rng.IntN(400)], rng.IntN(12), rng.IntN(4), rng.IntN(30000), rng.IntN(9000))
		}
		b.WriteString("<LocalizedProperties><Language>en</Language><Description>")
		for range 10 + rng.IntN(60) {
			b.WriteString(words[min(rng.IntN(400), rng.IntN(400))])
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, `</Description></LocalizedProperties><File Digest="%x" DigestAlgorithm="SHA1" FileName="%s.cab" Size="%d" />`,
			noise(rng, 20), words[rng.IntN(400)], rng.IntN(1<<26))
	}
	return b.Bytes()[:n]
}

func guid(rng *rand.Rand) string {
	b := noise(rng, 16)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func vocabulary(rng *rand.Rand, n int) []string {
	words := make([]string, n)
	for i := range words {
		for range 1 + rng.IntN(4) {
			words[i] += string("bcdfghklmnprstvw"[rng.IntN(16)]) + string("aeiouy"[rng.IntN(6)])
		}
	}
	return words
}

// noise is n bytes that do not compress.
func noise(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}
