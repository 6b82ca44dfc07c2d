package applicability

import "testing"

// TestKleene holds And, Or and Not to their tables.
func TestKleene(t *testing.T) {
	values := []Truth{False, True, Unknown}
	and := map[[2]Truth]Truth{
		{True, True}: True, {True, Unknown}: Unknown, {Unknown, True}: Unknown, {Unknown, Unknown}: Unknown,
	} // everything else is False
	for _, a := range values {
		for _, b := range values {
			if got, want := a.And(b), and[[2]Truth{a, b}]; got != want {
				t.Errorf("%v and %v is %v, want %v", a, b, got, want)
			}
			if got, want := a.Or(b), a.Not().And(b.Not()).Not(); got != want {
				t.Errorf("%v or %v is %v, want %v", a, b, got, want)
			}
		}
		if a.Not().Not() != a {
			t.Errorf("not not %v is %v", a, a.Not().Not())
		}
	}
	if True.Not() != False || Unknown.Not() != Unknown {
		t.Error("not is wrong")
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1", "1.0.0.0", 0},
		{"09.00.1399.06", "9.0.1399.6", 0},
		{"6.1.7601", "6.1.7600.99999", 1},
		{"1.9", "1.10", -1},
	} {
		a, errA := ParseVersion(c.a)
		b, errB := ParseVersion(c.b)
		if errA != nil || errB != nil || a.Compare(b) != c.want || b.Compare(a) != -c.want {
			t.Errorf("%s against %s: %d (%v, %v), want %d", c.a, c.b, a.Compare(b), errA, errB, c.want)
		}
	}
	for _, bad := range []string{"", "1.2.3.4.5", "1..2", "v1", "-1", "4294967296"} {
		if v, err := ParseVersion(bad); err == nil {
			t.Errorf("ParseVersion(%q) = %v, want an error", bad, v)
		}
	}
}

func TestComparisons(t *testing.T) {
	holds := map[string][3]bool{ // of -1, 0, +1
		"":                     {false, true, false},
		"EqualTo":              {false, true, false},
		"LessThan":             {true, false, false},
		"lessthanorequalto":    {true, true, false},
		"GreaterThanOrEqualTo": {false, true, true},
		"GreaterThan":          {false, false, true},
	}
	for word, want := range holds {
		c, err := parseComparison(word)
		if err != nil {
			t.Errorf("%q: %v", word, err)
		}
		if got := [3]bool{c.Holds(-1), c.Holds(0), c.Holds(1)}; got != want {
			t.Errorf("%q holds for %v, want %v", word, got, want)
		}
	}
}
