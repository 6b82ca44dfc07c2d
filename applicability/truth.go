package applicability

// Truth is a truth value of Kleene's strong three-valued logic. The zero
// value is False.
type Truth uint8

// The truth values.
const (
	False   Truth = iota
	True          // established
	Unknown       // the recording does not say, or nobody outside Windows can
)

// truthOf turns what Go decided into a Truth.
func truthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

// And is False when either is False, True when both are True.
func (t Truth) And(u Truth) Truth {
	switch {
	case t == False || u == False:
		return False
	case t == True && u == True:
		return True
	}
	return Unknown
}

// Or is True when either is True, False when both are False.
func (t Truth) Or(u Truth) Truth { return t.Not().And(u.Not()).Not() }

// Not swaps True and False and leaves Unknown.
func (t Truth) Not() Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	}
	return Unknown
}

// String is "true", "false" or "unknown".
func (t Truth) String() string {
	switch t {
	case True:
		return "true"
	case False:
		return "false"
	}
	return "unknown"
}

// MarshalText writes the form of String.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
