// Package shutdownscript has Windows run a program before it shuts down: a
// shutdown script of the local group policy.
//
// # What is changed
//
// Below %SystemRoot%\System32\GroupPolicy, as the policy editor does it:
// Machine\Scripts\scripts.ini gets an entry in its section [Shutdown], after
// those that are there, and gpt.ini names the scripts' extension and a new
// version, by which Windows notices at the next refresh of its policies
// (gpupdate /target:computer). In the registry, MaxGPOScriptWait and the
// PreshutdownTimeout of the service gpsvc let the script run long enough, and
// HiberbootEnabled is set where asked for.
//
// # Giving back
//
// Before anything is changed, what was there is kept in a document beside
// the agent's others. Remove puts back exactly that. A file that somebody
// else has changed since only loses our entry, and a value that somebody has
// changed stays. Both functions may be repeated, and killed in between.
//
// # Sources
//
// [MS-GPSCR] (scripts.ini), [MS-GPOL] (gpt.ini), Microsoft's documentation
// of "Specify maximum wait time for Group Policy scripts".
//
// # Limits
//
// Files of up to 1 MiB; more is an error that wraps waptwua.ErrLimit.
package shutdownscript

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"waptwua"
	"waptwua/internal/atomicfile"
)

// Registry is the numbers below HKEY_LOCAL_MACHINE.
type Registry interface {
	// Get tells false when the key or the value does not exist.
	Get(key, name string) (value uint32, ok bool, err error)
	Set(key, name string, value uint32) error
	// Delete removes a value; one that does not exist is no error.
	Delete(key, name string) error
}

// Store keeps what was there before.
type Store interface {
	// Load reads what was saved; the error wraps waptwua.ErrNotFound when
	// nothing was.
	Load(*Before) error
	Save(*Before) error
	Remove() error
}

// Machine is the computer whose policy is changed.
type Machine struct {
	Policy   string // the folder GroupPolicy
	Registry Registry
	Store    Store
}

// Script is what is run.
type Script struct {
	Program    string // absolute path
	Parameters string
	Wait       time.Duration // how long Windows waits for it
	Hiberboot  *bool         // fast startup; nil: left alone
}

// Before is what was there before Add, and what Add has made of it.
type Before struct {
	Program string  `json:"program"`
	Files   []File  `json:"files"`
	Values  []Value `json:"values"`
}

// File is a file of the policy.
type File struct {
	Name    string `json:"name"` // below the folder GroupPolicy
	Existed bool   `json:"existed"`
	Was     []byte `json:"was,omitempty"`
	Made    []byte `json:"made"`
}

// Value is a number of the registry.
type Value struct {
	Key     string `json:"key"`
	Name    string `json:"name"`
	Existed bool   `json:"existed"`
	Was     uint32 `json:"was,omitempty"`
	Made    uint32 `json:"made"`
}

// maxFile bounds the policy's files, in bytes.
const maxFile = 1 << 20

// maxWait is the longest MaxGPOScriptWait that Windows takes.
const maxWait = 32000 * time.Second

// The files of the policy.
var (
	scriptsFile = filepath.Join("Machine", "Scripts", "scripts.ini")
	gptFile     = "gpt.ini"
)

// Add has s run at shutdown. A script of the same program that is there
// already is replaced. A value of the registry that cannot be set does not
// keep the rest from being done; the error names it.
func (m Machine) Add(s Script) error {
	if s.Wait <= 0 || s.Wait > maxWait {
		return fmt.Errorf("waiting %v for a shutdown script: %w: up to %v", s.Wait, waptwua.ErrLimit, maxWait)
	}
	var old Before
	if err := m.Store.Load(&old); err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return err
	}
	next, err := m.plan(s, old)
	if err != nil {
		return err
	}
	if err := m.Store.Save(&next); err != nil {
		return err
	}
	for _, f := range next.Files {
		if err := m.write(f.Name, f.Made); err != nil {
			return err
		}
	}
	var failed error
	for _, v := range next.Values {
		failed = errors.Join(failed, m.Registry.Set(v.Key, v.Name, v.Made))
	}
	return failed
}

// plan is what Add will make. What old says was there before our first
// change stays the thing to give back, unless somebody has changed it since.
func (m Machine) plan(s Script, old Before) (Before, error) {
	next := Before{Program: s.Program}
	scripts, err := m.file(scriptsFile, old)
	if err != nil {
		return next, err
	}
	gpt, err := m.file(gptFile, old)
	if err != nil {
		return next, err
	}
	now := decode(scripts.current)
	scripts.Made, gpt.Made = scripts.current, gpt.current
	if !hasScript(now, s) || !hasExtension(string(gpt.current)) {
		scripts.Made = encode(addScript(removeScript(removeScript(now, old.Program), s.Program), s))
		gpt.Made = []byte(addExtension(string(gpt.current)))
	}
	next.Files = []File{scripts.File, gpt.File}
	for _, want := range values(s) {
		v, err := m.value(want, old)
		if err != nil {
			return next, err
		}
		next.Values = append(next.Values, v)
	}
	return next, nil
}

// values are the numbers that s needs.
func values(s Script) []Value {
	list := []Value{
		{Key: `SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System`, Name: "MaxGPOScriptWait", Made: uint32(s.Wait / time.Second)},
		{Key: `SYSTEM\CurrentControlSet\Services\gpsvc`, Name: "PreshutdownTimeout", Made: uint32(s.Wait / time.Millisecond)},
	}
	if s.Hiberboot != nil {
		v := Value{Key: `SYSTEM\CurrentControlSet\Control\Session Manager\Power`, Name: "HiberbootEnabled"}
		if *s.Hiberboot {
			v.Made = 1
		}
		list = append(list, v)
	}
	return list
}

// present is a file with what is in it now.
type present struct {
	File
	current []byte
}

func (m Machine) file(name string, old Before) (present, error) {
	current, existed, err := m.read(name)
	p := present{File: File{Name: name, Existed: existed, Was: current}, current: current}
	if i := slices.IndexFunc(old.Files, func(f File) bool { return f.Name == name }); i >= 0 && (slices.Equal(old.Files[i].Made, current) || !existed) {
		p.Existed, p.Was = old.Files[i].Existed, old.Files[i].Was
	}
	return p, err
}

func (m Machine) value(want Value, old Before) (Value, error) {
	current, existed, err := m.Registry.Get(want.Key, want.Name)
	v := Value{Key: want.Key, Name: want.Name, Existed: existed, Was: current, Made: want.Made}
	i := slices.IndexFunc(old.Values, func(o Value) bool { return o.Key == want.Key && o.Name == want.Name })
	if i >= 0 && existed && old.Values[i].Made == current {
		v.Existed, v.Was = old.Values[i].Existed, old.Values[i].Was
	}
	return v, err
}

// Remove puts back what was there before Add. Nothing having been added is
// no error.
func (m Machine) Remove() error {
	var b Before
	if err := m.Store.Load(&b); errors.Is(err, waptwua.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	for _, f := range b.Files {
		if err := m.giveBack(f, b.Program); err != nil {
			return err
		}
	}
	var failed error
	for _, v := range b.Values {
		failed = errors.Join(failed, m.giveBackValue(v))
	}
	if failed != nil {
		return failed // what was there stays known for the next try
	}
	return m.Store.Remove()
}

func (m Machine) giveBack(f File, program string) error {
	current, exists, err := m.read(f.Name)
	switch {
	case err != nil || !exists:
		return err
	case !slices.Equal(current, f.Made): // somebody else has changed it, too
		if f.Name == gptFile {
			return m.write(f.Name, []byte(raiseVersion(string(current))))
		}
		return m.write(f.Name, encode(removeScript(decode(current), program)))
	case !f.Existed:
		return os.Remove(filepath.Join(m.Policy, f.Name))
	}
	return m.write(f.Name, f.Was)
}

func (m Machine) giveBackValue(v Value) error {
	current, exists, err := m.Registry.Get(v.Key, v.Name)
	switch {
	case err != nil || !exists || current != v.Made:
		return err
	case !v.Existed:
		return m.Registry.Delete(v.Key, v.Name)
	}
	return m.Registry.Set(v.Key, v.Name, v.Was)
}

// read reads a file of the policy.
func (m Machine) read(name string) (b []byte, exists bool, err error) {
	path := filepath.Join(m.Policy, name)
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err == nil && fi.Size() > maxFile {
		err = fmt.Errorf("%s has %d bytes: %w", path, fi.Size(), waptwua.ErrLimit)
	}
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the local group policy: %w", err)
	}
	return b, true, nil
}

func (m Machine) write(name string, b []byte) error {
	path := filepath.Join(m.Policy, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing the local group policy: %w", err)
	}
	if err := atomicfile.WriteFile(path, b, 0o644); err != nil {
		return fmt.Errorf("writing the local group policy: %w", err)
	}
	return nil
}
