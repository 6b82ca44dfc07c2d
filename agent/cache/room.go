package cache

import (
	"fmt"
	"io"
	"sync"
)

// promises count the bytes that running downloads have yet to write. Each
// alone would find the room that all of them see.
type promises struct {
	mu sync.Mutex
	n  int64
}

// promise is the room of one download.
type promise struct {
	all  *promises
	left int64
}

// reserve promises n bytes to a download, if beside what is promised to
// others they leave the reserve free.
func (c *Cache) reserve(name string, n int64) (*promise, error) {
	c.promised.mu.Lock()
	defer c.promised.mu.Unlock()
	free, err := c.Free(c.dir)
	if err != nil {
		return nil, err
	}
	if need := n + c.promised.n + c.Reserve; free < uint64(need) {
		return nil, fmt.Errorf("file %s needs %d bytes, other downloads %d, and %d are to stay free, but the volume has %d: %w; remove files or move the cache",
			name, n, c.promised.n, c.Reserve, free, ErrNoRoom)
	}
	c.promised.n += n
	return &promise{all: &c.promised, left: n}, nil
}

// hasRoom tells whether n bytes more would leave the reserve free.
func (c *Cache) hasRoom(n int64) error {
	free, err := c.Free(c.dir)
	if err != nil {
		return err
	}
	if need := n + c.Reserve; free < uint64(need) {
		return fmt.Errorf("%d bytes are to come and %d to stay free, but the volume has %d: %w; remove files or move the cache", n, c.Reserve, free, ErrNoRoom)
	}
	return nil
}

// spend takes n bytes off, which the volume lacks from now on.
func (p *promise) spend(n int64) {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	n = min(n, p.left)
	p.left -= n
	p.all.n -= n
}

// release gives back what was not written.
func (p *promise) release() { p.spend(p.left) }

// writer spends what is written to w.
func (p *promise) writer(w io.Writer) io.Writer { return spending{w, p} }

type spending struct {
	io.Writer
	p *promise
}

func (s spending) Write(b []byte) (int, error) {
	n, err := s.Writer.Write(b)
	s.p.spend(int64(n))
	return n, err
}
