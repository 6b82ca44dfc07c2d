package com

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/go-ole/go-ole"

	"waptwua/wua"
)

// New is the WUA of this Windows.
func New(o Options) (*Host, error) {
	return newHost(o, platform{enter: enterCOM, edition: thisEdition, pending: pendingRestarts})
}

// multithreaded is the apartment of the calling thread.
type multithreaded struct{ listeners *listeners }

func enterCOM() (apartment, error) {
	if err := failure("CoInitializeEx", ole.CoInitializeEx(0, ole.COINIT_MULTITHREADED)); err != nil {
		return nil, err
	}
	return multithreaded{new(listeners)}, nil
}

func (multithreaded) close() { ole.CoUninitialize() }

func (multithreaded) create(progID string) (object, error) {
	clsid, err := ole.CLSIDFromProgID(progID)
	if err := failure(progID, err); err != nil {
		return nil, err
	}
	unknown, err := ole.CreateInstance(clsid, ole.IID_IDispatch)
	if err := failure(progID, err); err != nil {
		return nil, err
	}
	return dispatch{(*ole.IDispatch)(unsafe.Pointer(unknown))}, nil
}

// dispatch is one reference to an object.
type dispatch struct{ of *ole.IDispatch }

func (d dispatch) retain() object {
	d.of.AddRef()
	return d
}

func (d dispatch) release() { d.of.Release() }

func (d dispatch) get(property string, args ...any) (any, error) {
	return d.invoke(ole.DISPATCH_PROPERTYGET, property, args)
}

func (d dispatch) call(method string, args ...any) (any, error) {
	return d.invoke(ole.DISPATCH_METHOD, method, args)
}

func (d dispatch) put(property string, value any) error {
	v, err := d.invoke(ole.DISPATCH_PROPERTYPUT, property, []any{value})
	drop(v)
	return err
}

func (d dispatch) invoke(kind int16, member string, args []any) (any, error) {
	id, err := d.of.GetSingleIDOfName(member)
	if err := failure(member, err); err != nil {
		return nil, err
	}
	list := make([]any, len(args))
	for i, a := range args {
		list[i] = a
		if o, ok := a.(dispatch); ok {
			list[i] = o.of
		}
	}
	v, err := d.of.Invoke(id, kind, list...)
	if err := failure(member, err); err != nil {
		return nil, err // a failed call leaves no result behind
	}
	return take(member, v)
}

// take makes a value of a VARIANT and clears it. The reference to an object
// goes over to the value.
func take(member string, v *ole.VARIANT) (any, error) {
	switch v.VT {
	case ole.VT_DISPATCH:
		if o := v.ToIDispatch(); o != nil {
			return dispatch{o}, nil
		}
		return nil, nil
	case ole.VT_UNKNOWN:
		return takeUnknown(member, v)
	}
	defer func() { _ = v.Clear() }() // it fails for invalid types only
	if v.VT == ole.VT_BSTR {
		return v.ToString(), nil
	}
	value, err := decode(*(*[16]byte)(unsafe.Pointer(v)))
	if err != nil {
		return nil, &wua.Error{Op: member, Code: typeMismatch, Text: err.Error()}
	}
	return value, nil
}

// takeUnknown asks an object that came without late binding for it.
func takeUnknown(member string, v *ole.VARIANT) (any, error) {
	defer func() { _ = v.Clear() }()
	u := v.ToIUnknown()
	if u == nil {
		return nil, nil
	}
	o, err := u.QueryInterface(ole.IID_IDispatch)
	if err := failure(member, err); err != nil {
		return nil, err
	}
	return dispatch{o}, nil
}

// raised is DISP_E_EXCEPTION: the code stands in the EXCEPINFO.
const raised wua.Code = 0x80020009

// failure makes an *wua.Error of an error of go-ole. Codes that are remarks,
// such as S_FALSE, are no failures.
func failure(member string, err error) error {
	var e *ole.OleError
	if err == nil {
		return nil
	}
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", member, err)
	}
	code, text := wua.Code(uint32(e.Code())), ""
	var info ole.EXCEPINFO
	if errors.As(e.SubError(), &info) && code == raised {
		if scode := info.SCODE(); scode != 0 {
			code = wua.Code(scode)
		}
		if e.Description() != "<nil>" {
			text = e.Description()
		}
	}
	if !code.Failed() {
		return nil
	}
	return &wua.Error{Op: member, Code: code, Text: text}
}
