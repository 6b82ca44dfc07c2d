package authenticode

import (
	"errors"
	"fmt"

	"waptwua"
)

var errDER = errors.New("not in DER")

// checkDER walks over the first value of b and returns its length. It
// refuses what the parsers behind it need not see: indefinite and
// overlong lengths, tags of several bytes, values that leave their parent,
// deep nesting. The parser of PKCS #7 recurses once per level.
func (l Limits) checkDER(b []byte) (int, error) {
	left := l.Values
	return l.walkDER(b, 0, 0, &left)
}

func (l Limits) walkDER(b []byte, base, depth int, left *int) (int, error) {
	if *left--; *left < 0 || depth > l.Depth {
		return 0, fmt.Errorf("offset %d: more than %d values or %d levels: %w", base, l.Values, l.Depth, waptwua.ErrLimit)
	}
	head, length, err := derHeader(b)
	if err != nil {
		return 0, fmt.Errorf("offset %d: %w", base, err)
	}
	end := head + length
	if b[0]&0x20 == 0 { // primitive
		return end, nil
	}
	for at := head; at < end; {
		n, err := l.walkDER(b[at:end], base+at, depth+1, left)
		if err != nil {
			return 0, err
		}
		at += n
	}
	return end, nil
}

// derHeader returns the sizes of a value's header and content.
func derHeader(b []byte) (head, length int, err error) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, 0, errDER
	}
	if length = int(b[1]); length < 0x80 {
		head = 2
	} else {
		n := length & 0x7f
		if n == 0 || n > 3 || len(b) < 2+n || b[2] == 0 {
			return 0, 0, errDER
		}
		length = 0
		for _, c := range b[2 : 2+n] {
			length = length<<8 | int(c)
		}
		if length < 0x80 {
			return 0, 0, errDER
		}
		head = 2 + n
	}
	if length > len(b)-head {
		return 0, 0, errDER
	}
	return head, length, nil
}
