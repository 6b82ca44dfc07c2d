package cache

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"waptwua/transport/client"
)

// TestParallelDownloadsShareTheRoom: the volume has room for one of two
// files. While the first is on its way, none of its bytes written yet, the
// second finds no room; afterwards the room is given back.
func TestParallelDownloadsShareTheRoom(t *testing.T) {
	const size = 100
	c := open(t, func(o *Options) {
		o.Reserve = 10
		o.Free = func(string) (uint64, error) { return 10 + size + size/2, nil }
	})
	one, two := fileOf(strings.Repeat("1", size)), fileOf(strings.Repeat("2", size))
	reading, goOn := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- c.Payload(t.Context(), one, func(context.Context, client.FileRequest) (*client.FileResponse, error) {
			body := io.MultiReader(signal{reading, goOn}, strings.NewReader(strings.Repeat("1", size)))
			return &client.FileResponse{Body: io.NopCloser(body), Size: size}, nil
		})
	}()
	<-reading
	second := &origin{content: []byte(strings.Repeat("2", size))}
	if err := c.Payload(t.Context(), two, second.open); !errors.Is(err, ErrNoRoom) {
		t.Errorf("beside the first: %v", err)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := c.Payload(t.Context(), two, second.open); err != nil {
		t.Errorf("after the first: %v", err)
	}
	if c.promised.n != 0 {
		t.Errorf("%d bytes are promised to nobody", c.promised.n)
	}
}

// signal is an empty reader that says when it is read, and waits.
type signal struct{ reading, goOn chan struct{} }

func (s signal) Read([]byte) (int, error) {
	close(s.reading)
	<-s.goOn
	return 0, io.EOF
}
