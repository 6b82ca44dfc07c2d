package origin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// serve answers as this node does.
func (n node) serve(w http.ResponseWriter, r *http.Request, content io.ReadSeeker, modified time.Time) {
	size, err := content.Seek(0, io.SeekEnd)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "max-age=0")
	etag := fmt.Sprintf(`"%x:%x"`, modified.UnixNano()/1e6, size)
	if n.weak {
		etag = "W/" + etag
		r.Header.Del("If-None-Match")
		r.Header.Del("If-Modified-Since")
	}
	w.Header().Set("ETag", etag)
	if n.corrupt && size > 0 {
		content = &corrupt{ReadSeeker: content, at: int64(n.at * float64(size))}
	}
	if n.torn && r.Method == http.MethodGet {
		content = &torn{ReadSeeker: content, end: int64(n.at * float64(size))}
	}
	http.ServeContent(w, r, "", modified, content)
}

// corrupt flips a bit of one byte.
type corrupt struct {
	io.ReadSeeker
	at, pos int64
}

func (c *corrupt) Seek(offset int64, whence int) (int64, error) {
	n, err := c.ReadSeeker.Seek(offset, whence)
	c.pos = n
	return n, err
}

func (c *corrupt) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	if i := c.at - c.pos; i >= 0 && i < int64(n) {
		p[i] ^= 0x10
	}
	c.pos += int64(n)
	return n, err
}

var errTorn = errors.New("the connection ends here")

// torn ends with an error at a place; the server then drops the connection.
type torn struct {
	io.ReadSeeker
	end, pos int64
}

func (t *torn) Seek(offset int64, whence int) (int64, error) {
	n, err := t.ReadSeeker.Seek(offset, whence)
	t.pos = n
	return n, err
}

func (t *torn) Read(p []byte) (int, error) {
	if t.pos >= t.end {
		return 0, errTorn
	}
	n, err := t.ReadSeeker.Read(p[:min(int64(len(p)), t.end-t.pos)])
	t.pos += int64(n)
	return n, err
}
