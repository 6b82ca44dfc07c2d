package applicability

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a version of up to four parts; missing parts are zero.
type Version [4]uint32

// ParseVersion reads "10.0.19041.1" and shorter forms, with leading zeros as
// installers write them ("09.00.1399.06").
func ParseVersion(s string) (Version, error) {
	var v Version
	parts := strings.Split(strings.TrimSpace(s), ".")
	if len(parts) > len(v) {
		return v, fmt.Errorf("version %q: more than %d parts", s, len(v))
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(strings.TrimSpace(p), 10, 32)
		if err != nil {
			return v, fmt.Errorf("version %q: part %d is not a number", s, i+1)
		}
		v[i] = uint32(n)
	}
	return v, nil
}

// Compare is -1, 0 or +1 as v is older than, equal to or newer than w.
func (v Version) Compare(w Version) int {
	for i := range v {
		if c := cmp.Compare(v[i], w[i]); c != 0 {
			return c
		}
	}
	return 0
}

// String writes all four parts.
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3])
}

// Comparison is Microsoft's ScalarComparison; the zero value is EqualTo, as
// in the schema.
type Comparison uint8

// The comparisons.
const (
	EqualTo Comparison = iota
	LessThan
	LessThanOrEqualTo
	GreaterThanOrEqualTo
	GreaterThan
)

var comparisonNames = [...]string{"EqualTo", "LessThan", "LessThanOrEqualTo", "GreaterThanOrEqualTo", "GreaterThan"}

func parseComparison(s string) (Comparison, error) {
	if s == "" {
		return EqualTo, nil
	}
	for i, n := range comparisonNames {
		if strings.EqualFold(n, s) {
			return Comparison(i), nil
		}
	}
	return 0, fmt.Errorf("comparison %q", s)
}

// String is the word of the schema.
func (c Comparison) String() string { return comparisonNames[c] }

// Holds tells whether a value that compares to the rule's as order (-1, 0,
// +1) satisfies the comparison.
func (c Comparison) Holds(order int) bool {
	switch c {
	case LessThan:
		return order < 0
	case LessThanOrEqualTo:
		return order <= 0
	case GreaterThanOrEqualTo:
		return order >= 0
	case GreaterThan:
		return order > 0
	}
	return order == 0
}

// StringComparison is how a text operator compares.
type StringComparison uint8

// The text comparisons.
const (
	TextEqualTo StringComparison = iota
	TextBeginsWith
	TextContains
	TextEndsWith
)

var textNames = [...]string{"EqualTo", "BeginsWith", "Contains", "EndsWith"}

func parseStringComparison(s string) (StringComparison, error) {
	if s == "" {
		return TextEqualTo, nil
	}
	for i, n := range textNames {
		if strings.EqualFold(n, s) {
			return StringComparison(i), nil
		}
	}
	return 0, fmt.Errorf("comparison %q", s)
}

// String is the word of the schema.
func (c StringComparison) String() string { return textNames[c] }

// holds compares folded text.
func (c StringComparison) holds(have, want string) bool {
	switch c {
	case TextBeginsWith:
		return strings.HasPrefix(have, want)
	case TextContains:
		return strings.Contains(have, want)
	case TextEndsWith:
		return strings.HasSuffix(have, want)
	}
	return have == want
}
