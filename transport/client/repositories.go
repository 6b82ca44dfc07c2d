package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"waptwua"
	"waptwua/transport"
)

// MaxRepositories bounds Config.Repositories.
const MaxRepositories = 16

// measureTimeout bounds the search for the nearest repository.
const measureTimeout = 5 * time.Second

// measureAgain is how long the order of the repositories holds: a laptop
// moves, and a repository that failed once comes back.
const measureAgain = time.Hour

// repositories are places that have the same files. Of several the nearest,
// the first to answer, is asked first; one that fails, breaks off or has
// wrong content goes to the end. The nearest is found anew after
// measureAgain, and when all have failed.
type repositories struct {
	now func() time.Time

	mu       sync.Mutex
	order    []*url.URL
	measured time.Time // zero: not yet
}

// inOrder returns the repositories as they are to be tried, nearest first.
func (c *Client) inOrder(ctx context.Context) []*url.URL {
	c.repos.mu.Lock()
	defer c.repos.mu.Unlock()
	now := c.repos.now()
	if len(c.repos.order) > 1 && now.Sub(c.repos.measured).Abs() >= measureAgain { // also when the clock was put back
		if i := c.nearest(ctx, c.repos.order); i >= 0 {
			c.repos.order = first(c.repos.order, i)
			c.repos.measured = now
		}
	}
	return slices.Clone(c.repos.order)
}

// nearest is the index of the repository that answers first, whatever it
// answers; -1 when none does.
func (c *Client) nearest(ctx context.Context, list []*url.URL) int {
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	answers := make(chan int, len(list))
	for i, u := range list {
		go func() { answers <- c.answers(ctx, u, i) }()
	}
	found := -1
	for range list { // all end soon after the first good one cancels them
		if i := <-answers; i >= 0 && found < 0 {
			found = i
			cancel()
		}
	}
	return found
}

// answers returns i when the repository says anything at all, else -1.
func (c *Client) answers(ctx context.Context, u *url.URL, i int) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, u.JoinPath(transport.ArchiveName).String(), nil)
	if err != nil {
		return -1
	}
	resp, err := c.do(r)
	var status *StatusError
	if err != nil && !(errors.As(err, &status) && status.Code < http.StatusInternalServerError) {
		return -1
	}
	if err == nil {
		resp.Body.Close()
	}
	return i
}

// first puts the element i before all others.
func first(list []*url.URL, i int) []*url.URL {
	return append([]*url.URL{list[i]}, slices.Delete(slices.Clone(list), i, i+1)...)
}

// failed puts a repository behind the others, and tells whether there are any.
func (c *Client) failed(u *url.URL) bool {
	c.repos.mu.Lock()
	defer c.repos.mu.Unlock()
	if i := slices.Index(c.repos.order, u); i >= 0 {
		c.repos.order = append(slices.Delete(c.repos.order, i, i+1), u)
	}
	return len(c.repos.order) > 1
}

// allFailed has the nearest found anew: probably this host is elsewhere now.
func (c *Client) allFailed() {
	c.repos.mu.Lock()
	defer c.repos.mu.Unlock()
	c.repos.measured = time.Time{}
}

// fromAny asks one repository after the other until one has what is asked.
// What none has and one certainly lacks is absent, although others could not
// be reached: were it not, a repository that is gone for good would keep
// hosts from ever asking the server for a file.
func (c *Client) fromAny(ctx context.Context, ask func(*url.URL) error) error {
	var absent, other error
	for _, u := range c.inOrder(ctx) {
		err := ask(u)
		switch {
		case err == nil || errors.Is(err, waptwua.ErrUnchanged) || ctx.Err() != nil:
			return err
		case errors.Is(err, waptwua.ErrNotFound):
			absent = err
		default:
			other = err
			c.failed(u)
		}
	}
	if absent != nil {
		return absent
	}
	c.allFailed()
	return other
}
