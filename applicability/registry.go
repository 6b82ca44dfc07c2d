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

func (m *Machine) indexRegistry(keys map[string]Key, enumerated []string) {
	m.keys = make(map[string]*regKey, 2*len(keys))
	m.enumerated = make(map[string]bool, len(enumerated))
	for _, name := range enumerated {
		m.enumerated[cleanKey(name)] = true
	}
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

// allSubkeys tells whether every sub-key of a key is recorded.
func (m *Machine) allSubkeys(path string) bool {
	return m.complete[SectionRegistry] || m.enumerated[path]
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
