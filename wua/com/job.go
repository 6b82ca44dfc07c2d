package com

import (
	"context"
	"time"
)

// lookAgain is how often a running job is asked whether it has ended, should
// WUA not call back.
const lookAgain = time.Second

// job is an operation that WUA does in the background:
// on.Begin…(args…, callbacks…, state) gives a job, on.End…(job) its result.
type job struct {
	on         object
	begin, end string
	args       []any
	callbacks  int          // how many listeners begin takes
	begun      func()       // called when WUA has taken the job
	step       func(object) // told of the running job whenever WUA calls back; may be nil
}

// run does a job to its end. When ctx ends it asks WUA to abort, and returns
// what WUA then returns.
func (s *session) run(ctx context.Context, j job) (object, error) {
	woken := make(chan struct{}, 1)
	listener, err := s.listener(func() {
		select {
		case woken <- struct{}{}:
		default: // it is awake
		}
	})
	if err != nil {
		return nil, err
	}
	defer listener.release()
	args := j.args
	for range j.callbacks {
		args = append(args, listener)
	}
	running, err := invoke(j.on, j.begin, append(args, nil)...)
	if err != nil {
		return nil, err
	}
	defer running.release()
	j.begun()
	if err := await(ctx, running, woken, j.step); err != nil {
		return nil, err
	}
	result, err := invoke(j.on, j.end, running)
	_ = do(running, "CleanUp") // frees what WUA holds; nothing depends on it
	return result, err
}

// await returns when the job has ended.
func await(ctx context.Context, running object, woken <-chan struct{}, step func(object)) error {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	ended := ctx.Done()
	for {
		done, err := as[bool](running, "IsCompleted")
		if err != nil {
			return err
		}
		if step != nil {
			step(running)
		}
		if done {
			return nil
		}
		select {
		case <-ended:
			ended = nil
			_ = do(running, "RequestAbort") // too late is fine: the job then ends by itself
		case <-woken:
		case <-tick.C:
		}
	}
}
