package cache

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"waptwua"
	"waptwua/transport/client"
)

// places are a source with several places for a file; the first is asked
// until it is rejected or its body breaks.
type places struct {
	bodies []io.Reader
	sizes  []int64
	asked  int
	more   bool // Reject says so also of the last
}

func (p *places) open(_ context.Context, req client.FileRequest) (*client.FileResponse, error) {
	i := min(p.asked, len(p.bodies)-1)
	p.asked++
	return &client.FileResponse{
		Body: io.NopCloser(p.bodies[i]), Size: p.sizes[i], ETag: `"1"`,
		Reject: func() bool { return i < len(p.bodies)-1 || p.more },
	}, nil
}

func (p *places) add(r io.Reader, size int) {
	p.bodies, p.sizes = append(p.bodies, r), append(p.sizes, int64(size))
}

func TestAnotherPlaceIsAsked(t *testing.T) {
	const right = "the right content"
	for name, first := range map[string]struct {
		body io.Reader
		size int
	}{
		"breaks before the first byte": {broken{}, len(right)},
		"breaks in the middle":         {io.MultiReader(strings.NewReader(right[:5]), broken{}), len(right)},
		"wrong content":                {strings.NewReader("the wrong content"), len(right)},
		"another size":                 {strings.NewReader("short"), len("short")},
		"too much":                     {strings.NewReader(right + right), -1},
	} {
		for _, archive := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", archive"}[archive], func(t *testing.T) {
				if archive && name == "too much" {
					t.Skip("the size of an archive is not known before")
				}
				c, p := open(t, nil), &places{}
				p.add(first.body, first.size)
				p.add(strings.NewReader(right), len(right))
				if archive {
					want := Expect{SHA256: fileOf(right).SHA256}
					_, err := c.RefreshArchive(t.Context(), "a", Source{Open: p.open, Expect: func(context.Context) (Expect, error) { return want, nil }})
					if err != nil || content(t, c) != right {
						t.Errorf("%v after %d requests", err, p.asked)
					}
					return
				}
				if err := c.Payload(t.Context(), fileOf(right), p.open); err != nil || !c.Has(fileOf(right)) {
					t.Errorf("%v after %d requests", err, p.asked)
				}
			})
		}
	}
}

// TestWrongPlacesAreNotAskedForEver: also when the source says there are more.
func TestWrongPlacesAreNotAskedForEver(t *testing.T) {
	c, p := open(t, nil), &places{more: true}
	for range tries + 1 {
		p.add(strings.NewReader("the wrong content"), 17)
	}
	if err := c.Payload(t.Context(), fileOf("the right content"), p.open); !errors.Is(err, waptwua.ErrDigest) || p.asked != tries {
		t.Errorf("%v after %d requests", err, p.asked)
	}
}
