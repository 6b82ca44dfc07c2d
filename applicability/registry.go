package applicability

import "strings"

// regKey is an indexed registry key.
type regKey struct {
	absent  bool
	values  map[string]*Value
	subkeys []string // folded full paths, sorted by the order of first sight
}

// wow is where a 64-bit Windows keeps the 32-bit view of HKLM\SOFTWARE.
const (
	software = `hklm\software`
	wow      = `hklm\software\wow6432node`
)

func (m *Machine) indexRegistry(keys map[string]Key) {
	m.keys = make(map[string]*regKey, 2*len(keys))
	for _, name := range sortedKeys(keys) {
		path := cleanKey(name)
		if keys[name] == nil {
			m.keys[path] = &regKey{absent: true}
			continue
		}
		k := m.ensureKey(path)
		for v, value := range keys[name] {
			k.values[valueName(v)] = value
		}
	}
}

// ensureKey makes path and every key above it exist.
func (m *Machine) ensureKey(path string) *regKey {
	if k, ok := m.keys[path]; ok && !k.absent {
		return k
	}
	k := &regKey{values: map[string]*Value{}}
	m.keys[path] = k
	if i := strings.LastIndexByte(path, '\\'); i > 0 {
		up := m.ensureKey(path[:i])
		up.subkeys = append(up.subkeys, path)
	}
	return k
}

// key finds a key by its folded path.
func (m *Machine) key(path string) (*regKey, Truth) {
	if k, ok := m.keys[path]; ok {
		return k, truthOf(!k.absent)
	}
	if m.complete[SectionRegistry] {
		return nil, False
	}
	for i := strings.LastIndexByte(path, '\\'); i > 0; i = strings.LastIndexByte(path[:i], '\\') {
		if k, ok := m.keys[path[:i]]; ok && k.absent {
			return nil, False
		}
	}
	return nil, Unknown
}

// value finds a value by its key's folded path and its folded name.
func (m *Machine) value(path, name string) (*Value, Truth) {
	k, t := m.key(path)
	if t != True {
		return nil, t
	}
	return found(m, SectionRegistry, k.values, name)
}

// view is the path to look at when a rule asks for the 32-bit view.
func (m *Machine) view(path string) (string, Truth) {
	if m.processor == nil {
		return path, Unknown
	}
	if m.processor.Architecture == ArchX86 || m.processor.Architecture == ArchARM {
		return path, True
	}
	rest, ok := strings.CutPrefix(path, software)
	if !ok || rest != "" && rest[0] != '\\' || strings.HasPrefix(path, wow) {
		return path, True
	}
	return wow + rest, True
}

// cleanKey folds a key's path and shortens its hive.
func cleanKey(path string) string {
	p := cleanPath(path)
	hive, rest, below := strings.Cut(p, `\`)
	hive = shortHive(hive)
	if !below {
		return hive
	}
	return hive + `\` + rest
}

func shortHive(hive string) string {
	switch hive {
	case "hkey_local_machine":
		return "hklm"
	case "hkey_current_user":
		return "hkcu"
	case "hkey_classes_root":
		return "hkcr"
	case "hkey_users":
		return "hku"
	}
	return hive
}

// loopTarget is the name under which the body of a RegKeyLoop means the
// sub-key at hand.
const loopTarget = "hkey_loop_target"

// RegKey names a registry key as rules do.
type RegKey struct {
	Key       string // the hive: HKEY_LOCAL_MACHINE, or HKEY_LOOP_TARGET inside a RegKeyLoop
	Subkey    string
	RegType32 bool // the 32-bit view (KEY_WOW64_32KEY)

	path string // folded, hive shortened; of a loop target: what follows the target
}

func newRegKey(a attributes) RegKey {
	k := RegKey{Key: a.get("Key"), Subkey: a.get("Subkey"), RegType32: isTrue(a.get("RegType32"))}
	if fold(k.Key) == loopTarget {
		k.path = a.parser.intern(strings.TrimPrefix(cleanPath(k.Subkey), `\`))
	} else {
		k.path = a.parser.intern(cleanKey(k.Key + `\` + k.Subkey))
	}
	return k
}

// String is hive, sub-key and, for the 32-bit view, "|32".
func (k RegKey) String() string {
	s := k.Key + `\` + k.Subkey
	if k.RegType32 {
		s += "|32"
	}
	return s
}

func (k *RegKey) inLoop() bool { return len(k.Key) == len(loopTarget) && fold(k.Key) == loopTarget }

// resolve is the path to look up on this machine. It is Unknown for the
// 32-bit view of a machine whose processor is not recorded, and False for a
// loop target outside a loop.
func (k *RegKey) resolve(c *Context) (string, Truth) {
	path := k.path
	if k.inLoop() {
		if c.loop == "" {
			return "", False
		}
		path = c.loop
		if k.path != "" {
			path += `\` + k.path
		}
	}
	if k.RegType32 {
		return c.Machine.view(path)
	}
	return path, True
}

// RegValue names a registry value as rules do.
type RegValue struct {
	RegKey
	Value string

	name string
}

func newRegValue(a attributes) RegValue {
	v := a.get("Value")
	return RegValue{RegKey: newRegKey(a), Value: v, name: a.parser.intern(valueName(v))}
}

// valueName folds a value's name; rules write the default value, whose name
// is empty, as regedit shows it.
func valueName(s string) string {
	if s = fold(s); s == "(default)" {
		return ""
	}
	return s
}

// String is the key, "@" and the value's name.
func (v RegValue) String() string { return v.RegKey.String() + "@" + v.Value }

func (v *RegValue) find(c *Context) (*Value, Truth) {
	path, t := v.resolve(c)
	if t != True {
		return nil, t
	}
	return c.Machine.value(path, v.name)
}

func (v *RegValue) said(c *Context) string {
	got, t := v.find(c)
	if t == True {
		return got.String()
	}
	return absence(t)
}

// folder is the text of the value, for operators that prepend it to a path.
func (v *RegValue) folder(c *Context) (string, Truth) {
	got, t := v.find(c)
	switch {
	case t != True:
		return "", t
	case got.IsNumber():
		return "", False
	case strings.Contains(got.Text, "%"):
		return "", Unknown // needs the environment, which is not recorded
	}
	return got.Text, True
}

// absence says for people what a Truth other than True means for a thing
// looked up.
func absence(t Truth) string {
	if t == False {
		return "absent"
	}
	return "not recorded"
}

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
	return e.decide(len(k.subkeys), some, every, !c.Machine.complete[SectionRegistry])
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
