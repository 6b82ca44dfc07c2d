package agent

import (
	"context"
	"io"

	"waptwua/agent/cache"
	"waptwua/transport/client"
)

// watched tells Options.Progress how far each file has come.
func (op *operation) watched(open cache.Opener) cache.Opener {
	return func(ctx context.Context, req client.FileRequest) (*client.FileResponse, error) {
		res, err := open(ctx, req)
		if err == nil {
			res.Body = &watchedBody{ReadCloser: res.Body, tell: op.opt.Progress, p: Progress{Operation: op.kind, Name: req.Name, Done: res.Offset, Total: res.Size}}
		}
		return res, err
	}
}

// tellEvery is how many bytes pass between two calls of Progress.
const tellEvery = 1 << 20

type watchedBody struct {
	io.ReadCloser
	tell func(Progress)
	p    Progress
	told int64
}

func (w *watchedBody) Read(b []byte) (int, error) {
	n, err := w.ReadCloser.Read(b)
	w.p.Done += int64(n)
	if w.p.Done-w.told >= tellEvery || err == io.EOF {
		w.told = w.p.Done
		w.tell(w.p)
	}
	return n, err
}
