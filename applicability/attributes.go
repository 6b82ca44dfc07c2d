package applicability

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// attributes reads an element's attributes by their names without case:
// both Subkey and SubKey occur.
type attributes struct {
	list   []xml.Attr
	parser *Parser
}

func (a attributes) get(name string) string {
	for i := range a.list {
		if strings.EqualFold(a.list[i].Name.Local, name) {
			return a.parser.intern(a.list[i].Value)
		}
	}
	return ""
}

// number is 0 when the attribute is missing.
func (a attributes) number(name string) (int64, error) {
	if a.get(name) == "" {
		return 0, nil
	}
	return a.required(name)
}

func (a attributes) required(name string) (int64, error) {
	n, err := parseInt(a.get(name))
	if err != nil {
		return 0, fmt.Errorf("attribute %s %q", name, a.get(name))
	}
	return n, nil
}

// optional is nil when the attribute is missing.
func (a attributes) optional(name string) (*int, error) {
	if a.get(name) == "" {
		return nil, nil
	}
	n, err := a.required(name)
	i := int(n)
	return &i, err
}

func (a attributes) optionals(into map[string]**int) error {
	for _, name := range sortedKeys(into) {
		v, err := a.optional(name)
		if err != nil {
			return err
		}
		*into[name] = v
	}
	return nil
}

func (a attributes) version(name string) (*Version, error) {
	s := a.get(name)
	if s == "" {
		return nil, nil
	}
	v, err := ParseVersion(s)
	return &v, err
}

func isTrue(s string) bool { return strings.EqualFold(s, "true") || s == "1" }

// parseInt reads a decimal number, or a hexadecimal one after 0x.
func parseInt(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if hex, ok := strings.CutPrefix(fold(s), "0x"); ok {
		return strconv.ParseInt(hex, 16, 64)
	}
	return strconv.ParseInt(s, 10, 64)
}
