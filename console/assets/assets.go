// Package assets holds the console's style sheet, script and icon, embedded
// and served under names that contain a digest of their content, so that
// browsers keep them for ever and never use an old one.
//
// The palette is in style.css as custom properties, once for light and once
// for dark; a test computes the contrast of every pair that is used.
package assets

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed style.css console.js icon.svg
var files embed.FS

// Prefix is where the assets are served.
const Prefix = "/assets/"

// Set is the assets with their addresses.
type Set struct {
	Style  string // the address of style.css
	Script string // of console.js
	Icon   string // of icon.svg

	content map[string][]byte // by name in the address
}

// Load reads the embedded files.
func Load() (*Set, error) {
	s := &Set{content: map[string][]byte{}}
	for name, address := range map[string]*string{"style.css": &s.Style, "console.js": &s.Script, "icon.svg": &s.Icon} {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading asset %s: %w", name, err)
		}
		hashed := hashedName(name, b)
		s.content[hashed] = b
		*address = Prefix + hashed
	}
	return s, nil
}

// hashedName puts the beginning of the content's SHA-256 before the extension.
func hashedName(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
}

// ServeHTTP implements http.Handler for the addresses of s.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	b, ok := s.content[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
}
