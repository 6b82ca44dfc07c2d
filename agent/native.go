package agent

import (
	"context"
	"time"

	"waptwua/agent/settings"
)

// Native is Windows' own updating, as far as the agent has it in hand
// (package wua/native). Only one operation at a time uses it.
type Native interface {
	// Settle brings it to what the settings want. It is called when an
	// operation begins, before anything is asked of WUA, and returns what
	// administrators should know, in sentences.
	Settle(ctx context.Context, s *settings.Settings) ([]string, error)
	// Rest is called when an operation has ended: WUA is not needed any more.
	Rest(ctx context.Context) error
}

// nativeLimit bounds each of the two calls. They are made to the end also
// when the operation was stopped.
const nativeLimit = 2 * time.Minute

// settle has native updating settled. What goes wrong with it is reported and
// does not keep the operation from its work.
func (op *operation) settle() {
	if op.opt.Native == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), nativeLimit)
	defer cancel()
	says, err := op.opt.Native.Settle(ctx, op.settings)
	if err != nil {
		says = append(says, "native updating: "+err.Error())
	}
	for _, text := range says {
		op.log.Warn("native updating", "problem", text)
	}
	op.mem.State.Problems = append(op.mem.State.Problems, says...)
}

// rest ends the use of WUA. What goes wrong shows, and is mended, when the
// next operation settles.
func (op *operation) rest() {
	if op.opt.Native == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), nativeLimit)
	defer cancel()
	if err := op.opt.Native.Rest(ctx); err != nil {
		op.log.Warn("native updating", "problem", err)
	}
}
