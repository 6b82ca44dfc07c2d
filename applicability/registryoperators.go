package applicability

import "strings"

// RegKeyExists is true when the key exists.
type RegKeyExists struct{ RegKey }

// Eval implements Expr.
func (e *RegKeyExists) Eval(c *Context) Truth {
	path, t := e.resolve(c)
	if t != True {
		return t
	}
	_, t = c.Machine.key(path)
	return t
}

func (e *RegKeyExists) said(c *Context) string { return presence(e.Eval(c)) }

func presence(t Truth) string {
	if t == True {
		return "present"
	}
	return absence(t)
}

// RegValueExists is true when the value exists and, where Type is given, has
// that type.
type RegValueExists struct {
	RegValue
	Type string
}

// Eval implements Expr.
func (e *RegValueExists) Eval(c *Context) Truth {
	v, t := e.find(c)
	if t == True && e.Type != "" {
		return truthOf(strings.EqualFold(v.Type, e.Type))
	}
	return t
}

// RegDword compares a REG_DWORD; a missing value or another type is false.
type RegDword struct {
	RegValue
	Comparison Comparison
	Data       uint32
}

// Eval implements Expr.
func (e *RegDword) Eval(c *Context) Truth {
	v, t := e.find(c)
	if t != True {
		return t
	}
	return truthOf(v.Type == RegDWORD && e.Comparison.Holds(compare(v.Number, uint64(e.Data))))
}

// RegSz compares a REG_SZ without case; a missing value or another type is
// false. RegExpandSz (Expand) is the same for REG_EXPAND_SZ, compared as
// recorded, without expansion.
type RegSz struct {
	RegValue
	Comparison StringComparison
	Data       string
	Expand     bool

	data string
}

// Eval implements Expr.
func (e *RegSz) Eval(c *Context) Truth {
	v, t := e.find(c)
	if t != True {
		return t
	}
	return truthOf(v.Type == e.wanted() && e.Comparison.holds(fold(v.Text), e.data))
}

func (e *RegSz) wanted() string {
	if e.Expand {
		return RegExpandSZ
	}
	return RegSZ
}

// RegSzToVersion compares a REG_SZ that holds a version; text that is not a
// version is false.
type RegSzToVersion struct {
	RegValue
	Comparison Comparison
	Data       Version
}

// Eval implements Expr.
func (e *RegSzToVersion) Eval(c *Context) Truth {
	v, t := e.find(c)
	if t != True {
		return t
	}
	have, err := ParseVersion(v.Text)
	return truthOf(v.Type == RegSZ && err == nil && e.Comparison.Holds(have.Compare(e.Data)))
}

// LoopMode is the TrueIf of a RegKeyLoop.
type LoopMode uint8

// The loop modes.
const (
	LoopAny LoopMode = iota
	LoopAll
	LoopNone
)

// String is the word of the schema.
func (m LoopMode) String() string { return [...]string{"Any", "All", "None"}[m] }

// RegKeyLoop evaluates Body once per sub-key of the key, which Body names
// HKEY_LOOP_TARGET. Without any sub-key Any and All are false and None is
// true.
type RegKeyLoop struct {
	RegKey
	TrueIf LoopMode
	Body   Expr
}

// Eval implements Expr.
func (e *RegKeyLoop) Eval(c *Context) Truth {
	path, t := e.resolve(c)
	if t != True {
		return t
	}
	k, t := c.Machine.key(path)
	if t != True {
		return e.decide(0, False, False, t == Unknown)
	}
	outer := c.loop
	defer func() { c.loop = outer }()
	some, every := False, True
	for _, sub := range k.subkeys {
		c.loop = sub
		t := c.eval(e.Body)
		some, every = some.Or(t), every.And(t)
	}
	return e.decide(len(k.subkeys), some, every, !c.Machine.allSubkeys(path))
}

// decide joins what the recorded sub-keys gave; when there may be more of
// them, only what further ones cannot change is certain.
func (e *RegKeyLoop) decide(n int, some, every Truth, more bool) Truth {
	if more {
		some, every = some.Or(Unknown), every.And(Unknown)
	}
	switch {
	case e.TrueIf == LoopAny:
		return some
	case e.TrueIf == LoopNone:
		return some.Not()
	case n == 0 && !more:
		return False
	}
	return every
}

func (e *RegKeyLoop) said(c *Context) string {
	path, t := e.resolve(c)
	if t != True {
		return absence(t)
	}
	k, t := c.Machine.key(path)
	if t != True {
		return absence(t)
	}
	return plural(len(k.subkeys), "sub-key")
}
