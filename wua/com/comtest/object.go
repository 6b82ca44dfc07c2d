package comtest

import (
	"fmt"
	"strings"
)

// Kind is how a member is asked, with the values of DISPATCH_….
type Kind int

// The kinds.
const (
	Method Kind = 1
	Get    Kind = 2
	Put    Kind = 4
)

// Exception is an error that a member raises.
type Exception struct {
	Code uint32
	Text string
	Bare bool // the code is returned as it is, without EXCEPINFO
}

// Error is the code.
func (e *Exception) Error() string { return fmt.Sprintf("exception 0x%08X", e.Code) }

// The codes by which late binding itself fails.
const (
	UnknownName    uint32 = 0x80020006
	MemberNotFound uint32 = 0x80020003
	TypeMismatch   uint32 = 0x80020005
	InvalidIndex   uint32 = 0x80240007
)

// Decimal is an integer that travels as VT_DECIMAL.
type Decimal int64

// Callback is a listener that was handed over. Whoever keeps it beyond the
// call holds it first and releases it in the end.
type Callback interface {
	Hold()
	Call()
	Release()
}

type method func(args []any) (any, error)

// Object is one object of the double. Values are nil, bool, int, Decimal,
// string, time.Time and *Object; arguments also Callback.
type Object struct {
	class   string
	double  *Double
	members map[string]member // by name in lower case
}

// member is what a name stands for: a property, a method, or both.
type member struct {
	name string
	get  method
	put  func(v any) error
	call method
}

// Class is the name of the object's class, such as Update.
func (o *Object) Class() string { return o.class }

// Knows tells whether the object has a member of the name, whatever its case.
func (o *Object) Knows(name string) bool {
	_, ok := o.members[strings.ToLower(name)]
	return ok
}

// Invoke asks a member. thread is for the trace. Errors are *Exception.
func (o *Object) Invoke(thread uint32, kind Kind, name string, args []any) (any, error) {
	o.double.note(Call{Thread: thread, Class: o.class, Member: name, Kind: kind})
	if e := o.double.fault(o.class, name); e != nil {
		return nil, e
	}
	m, ok := o.members[strings.ToLower(name)]
	if !ok {
		return nil, &Exception{Code: UnknownName, Bare: true}
	}
	v, err := m.invoke(kind, args)
	return v, exception(err)
}

func (m *member) invoke(kind Kind, args []any) (any, error) {
	switch {
	case kind&Get != 0 && m.get != nil:
		return m.get(args)
	case kind&Method != 0 && m.call != nil:
		return m.call(args)
	case kind&Put != 0 && m.put != nil && len(args) == 1:
		return nil, m.put(args[0])
	}
	return nil, &Exception{Code: MemberNotFound, Bare: true}
}

// object makes an object.
func (d *Double) object(class string, members ...member) *Object {
	o := &Object{class: class, double: d, members: make(map[string]member, len(members))}
	for _, m := range members {
		o.members[strings.ToLower(m.name)] = m
	}
	return o
}

// constant is a property that never changes.
func constant(name string, v any) member {
	return member{name: name, get: func([]any) (any, error) { return v, nil }}
}

// property is a property that is computed.
func property(name string, get func() any) member {
	return member{name: name, get: func([]any) (any, error) { return get(), nil }}
}

// variable is a property that is kept in v.
func variable[T any](name string, v *T) member {
	return member{
		name: name,
		get:  func([]any) (any, error) { return *v, nil },
		put:  func(value any) error { return assign(v, value) },
	}
}

func assign[T any](to *T, v any) error {
	t, ok := v.(T)
	if !ok {
		return &Exception{Code: TypeMismatch, Bare: true}
	}
	*to = t
	return nil
}

// argument is the i-th argument.
func argument[T any](args []any, i int) (v T, err error) {
	if i >= len(args) {
		return v, &Exception{Code: 0x8002000E, Bare: true} // DISP_E_BADPARAMCOUNT
	}
	return v, assign(&v, args[i])
}

// collection is a list that grows by Add when add is given.
func collection[T any](d *Double, class string, list *[]T, growing bool) *Object {
	members := []member{
		property("Count", func() any { return len(*list) }),
		{name: "Item", get: func(args []any) (any, error) {
			i, err := argument[int](args, 0)
			if err != nil {
				return nil, err
			}
			if i < 0 || i >= len(*list) {
				return nil, &Exception{Code: InvalidIndex}
			}
			return (*list)[i], nil
		}},
	}
	if growing {
		members = append(members, member{name: "Add", call: func(args []any) (any, error) {
			v, err := argument[T](args, 0)
			*list = append(*list, v)
			return len(*list) - 1, err
		}})
	}
	return d.object(class, members...)
}

func fixed[T any](d *Double, class string, list []T) *Object {
	return collection(d, class, &list, false)
}
