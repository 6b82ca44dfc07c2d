package com

import (
	"fmt"
	"time"

	"waptwua"
	"waptwua/wua"
)

// object is one COM object, late-bound. The errors of its members are
// *wua.Error with the member's name as Op. Values are nil, bool, int64,
// float64, string, time.Time (UTC) and object; an object among them belongs to
// the caller, who releases it. Arguments are bool, int, string, nil or object,
// and stay the caller's.
type object interface {
	get(property string, args ...any) (any, error)
	put(property string, value any) error
	call(method string, args ...any) (any, error)
	// retain is the same object once more, to be released on its own.
	retain() object
	release()
}

// apartment is a thread that may use COM.
type apartment interface {
	create(progID string) (object, error)
	// listener makes an object that WUA can call back; notify may run on any
	// thread and must not block.
	listener(notify func()) (object, error)
	close()
}

// The limits of what WUA may answer.
const (
	maxItems = 100_000 // of one collection
	maxDepth = 8       // of bundles in bundles
)

// typeMismatch is DISP_E_TYPEMISMATCH.
const typeMismatch wua.Code = 0x80020005

func mismatch(member string, got any) error {
	return &wua.Error{Op: member, Code: typeMismatch, Text: fmt.Sprintf("a value of an unexpected type, %T", got)}
}

// as reads a property of type T; nil gives the zero value.
func as[T any](o object, property string, args ...any) (v T, err error) {
	got, err := o.get(property, args...)
	if err != nil || got == nil {
		return v, err
	}
	v, ok := got.(T)
	if !ok {
		drop(got)
		return v, mismatch(property, got)
	}
	return v, nil
}

// number reads an integer, whatever its width.
func number(o object, property string) (int64, error) {
	v, err := o.get(property)
	if err != nil {
		return 0, err
	}
	switch n := v.(type) {
	case nil:
		return 0, nil
	case int64:
		return n, nil
	case float64:
		return int64(n), nil
	}
	drop(v)
	return 0, mismatch(property, v)
}

// must reads a property that has to be an object.
func must(o object, property string, args ...any) (object, error) {
	v, err := o.get(property, args...)
	return wantObject(property, v, err)
}

// invoke calls a method that has to return an object.
func invoke(o object, method string, args ...any) (object, error) {
	v, err := o.call(method, args...)
	return wantObject(method, v, err)
}

func wantObject(member string, v any, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	if o, ok := v.(object); ok && o != nil {
		return o, nil
	}
	return nil, mismatch(member, v)
}

// do calls a method whose result does not matter.
func do(o object, method string, args ...any) error {
	v, err := o.call(method, args...)
	drop(v)
	return err
}

// drop releases a value that is not used.
func drop(v any) {
	if o, ok := v.(object); ok && o != nil {
		o.release()
	}
}

// items calls f with every item of the collection that property holds. An
// item is a string or an object, which items releases. An item that cannot be
// read, or that f returns an error of, is told to failed and does not stop the
// others, unless the agent is gone. The error is about the collection.
func items[T any](o object, property string, f func(T) error, failed func(error)) error {
	list, err := must(o, property)
	if err != nil {
		return err
	}
	defer list.release()
	return each(list, f, failed)
}

// each is items for a collection in hand.
func each[T any](list object, f func(T) error, failed func(error)) error {
	n, err := number(list, "Count")
	if err != nil {
		return err
	}
	if n < 0 || n > maxItems {
		return fmt.Errorf("a collection of %d items: %w", n, waptwua.ErrLimit)
	}
	for i := range int(n) {
		err := item(list, i, f)
		switch {
		case isGone(err):
			return err // so are all others
		case err != nil:
			failed(err)
		}
	}
	return nil
}

func item[T any](list object, i int, f func(T) error) error {
	v, err := list.get("Item", i)
	if err != nil {
		return err
	}
	defer drop(v)
	t, ok := v.(T)
	if !ok {
		return mismatch("Item", v)
	}
	return f(t)
}

// isGone tells whether the agent has ended or been lost, so that every further
// call fails as well.
func isGone(err error) bool {
	switch codeOf(err) {
	case wua.ServerUnavailable, callFailed, disconnected:
		return true
	}
	return false
}

// The codes of a lost connection, besides wua.ServerUnavailable.
const (
	callFailed   wua.Code = 0x800706BE // RPC_S_CALL_FAILED
	disconnected wua.Code = 0x80010108 // RPC_E_DISCONNECTED
)

// moment reads a date.
func moment(o object, property string) (time.Time, error) { return as[time.Time](o, property) }
