package world

import (
	"crypto/sha1" // the archive's format names files by SHA-1
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"strings"

	"waptwua"
)

// content returns the bytes of a payload file: size bytes that follow from
// seed.
func content(seed uint64, size int64) io.Reader {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	copy(key[8:], "waptwua generated payload")
	return io.LimitReader(rand.NewChaCha8(key), size)
}

// newFile makes a payload file of about typical bytes. Worlds with real
// payloads scale it down and compute its digests.
func (p *planner) newFile(name string, typical int64, kind string) file {
	size := typical/2 + p.rand.Int64N(typical)
	f := file{content: p.rand.Uint64()}
	f.Name, f.Kind = name, kind
	if p.w.opt.Real {
		f.Size = max(512, min(size/4096, 400_000))
		h1, h256 := sha1.New(), sha256.New()
		if _, err := io.Copy(io.MultiWriter(h1, h256), content(f.content, f.Size)); err != nil {
			panic(err) // a generator that cannot fail
		}
		h1.Sum(f.SHA1[:0])
		h256.Sum(f.SHA256[:0])
	} else {
		f.Size = size
		fill(f.SHA1[:], p.rand)
		fill(f.SHA256[:], p.rand)
	}
	f.URL = fmt.Sprintf("%s/c/msdownload/update/software/secu/%s/%s_%s%s", p.w.opt.BaseURL,
		p.w.opt.Created.Format("2006/01"), url.PathEscape(stem(name)), f.SHA1, ext(name))
	return f
}

func fill(b []byte, r *rand.Rand) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

func stem(name string) string { return strings.ToLower(strings.TrimSuffix(name, ext(name))) }

func ext(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}

// Payloads returns every payload file once, by its SHA-1, with its content.
// It is empty for worlds whose payloads cannot be had.
func (w *World) Payloads() map[waptwua.SHA1]Payload {
	all := map[waptwua.SHA1]Payload{}
	if !w.opt.Real {
		return all
	}
	for _, r := range w.revisions {
		for _, f := range r.files {
			all[f.SHA1] = Payload{File: f.File, seed: f.content}
		}
	}
	return all
}

// Payload is a payload file that can be had.
type Payload struct {
	waptwua.File
	seed uint64
}

// Open returns the content from its start.
func (p Payload) Open() io.Reader { return content(p.seed, p.Size) }
