package inventory

import (
	"context"
	"fmt"

	"waptwua"
	"waptwua/applicability"
)

// Record is the host of a recorded machine: it knows what the recording does.
func Record(m *applicability.Machine) Host {
	r := recording{m}
	return Host{Platform: r, Registry: r, Files: r, WMI: r, Figures: r, Products: r, Servicing: r}
}

type recording struct{ m *applicability.Machine }

// said is the error that stands for a truth value.
func said(t applicability.Truth) error {
	switch t {
	case applicability.True:
		return nil
	case applicability.False:
		return waptwua.ErrNotFound
	}
	return errNotRecorded
}

// told joins an answer with the error that stands for its truth value.
func told[T any](v T, t applicability.Truth) (T, error) { return v, said(t) }

// pointed is told, for answers by reference.
func pointed[T any](v T, t applicability.Truth) (*T, error) {
	if err := said(t); err != nil {
		return nil, err
	}
	return &v, nil
}

func (r recording) Identity(context.Context) (Identity, error) {
	os, processor, language := r.m.Platform()
	id := Identity{OS: os, Processor: processor, Language: language}
	if os == nil || processor == nil || language == nil {
		return id, fmt.Errorf("operating system, processor or language: %w", errNotRecorded)
	}
	return id, nil
}

func (r recording) Key(_ context.Context, path string) error { return said(r.m.Key(path)) }

func (r recording) Value(_ context.Context, path, name string) (*applicability.Value, error) {
	return told(r.m.Value(path, name))
}

func (r recording) Subkeys(_ context.Context, path string) ([]string, error) {
	paths, all := r.m.Subkeys(path)
	return paths, whole(all)
}

// whole is nil for a list that was read to its end.
func whole(all bool) error {
	if all {
		return nil
	}
	return errNotRecorded
}

func (r recording) Folder(_ context.Context, csidl int) (string, error) {
	return told(r.m.Folder(csidl))
}

func (r recording) File(_ context.Context, path string) (*applicability.FileInfo, error) {
	return pointed(r.m.File(path))
}

func (r recording) Count(_ context.Context, namespace, wql string) (int, error) {
	return told(r.m.Rows(namespace, wql))
}

func (r recording) Metric(_ context.Context, index int) (int, error) {
	return told(r.m.Metric(index))
}

func (r recording) License(_ context.Context, name string) (uint32, error) {
	return told(r.m.License(name))
}

func (r recording) Product(_ context.Context, code string, p Parts) (*applicability.Product, error) {
	return pointed(r.m.Product(code, p.Features, p.Components))
}

func (r recording) Patch(_ context.Context, code string) (map[string]int, error) {
	states, all := r.m.Patch(code)
	return states, whole(all)
}

func (r recording) Package(_ context.Context, identity string) (*applicability.Package, error) {
	return pointed(r.m.Package(identity))
}

func (r recording) Release(_ context.Context, name string) (string, error) {
	return told(r.m.Release(name))
}

func (r recording) Attribute(_ context.Context, name string) (string, error) {
	return told(r.m.Attribute(name))
}
