package com

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// The types of VARIANT that WUA uses for plain values.
const (
	vtEmpty   = 0
	vtNull    = 1
	vtI2      = 2
	vtI4      = 3
	vtR4      = 4
	vtR8      = 5
	vtCY      = 6
	vtDate    = 7
	vtError   = 10
	vtBool    = 11
	vtDecimal = 14
	vtI1      = 16
	vtUI1     = 17
	vtUI2     = 18
	vtUI4     = 19
	vtI8      = 20
	vtUI8     = 21
	vtInt     = 22
	vtUInt    = 23
)

var errDecimal = errors.New("a decimal that is no 64-bit integer")

// decode reads the first 16 bytes of a VARIANT as they lie in memory: the
// type in bytes 0 and 1, the value from byte 8, and of a decimal the scale,
// sign and upper third in bytes 2 to 7. Strings and objects are pointers, and
// not its business.
func decode(b [16]byte) (any, error) {
	bits := binary.LittleEndian.Uint64(b[8:])
	switch vt := binary.LittleEndian.Uint16(b[:]); vt {
	case vtEmpty, vtNull:
		return nil, nil
	case vtBool:
		return uint16(bits) != 0, nil
	case vtI1:
		return int64(int8(bits)), nil
	case vtUI1:
		return int64(uint8(bits)), nil
	case vtI2:
		return int64(int16(bits)), nil
	case vtUI2:
		return int64(uint16(bits)), nil
	case vtI4, vtInt, vtError:
		return int64(int32(bits)), nil
	case vtUI4, vtUInt:
		return int64(uint32(bits)), nil
	case vtI8, vtUI8:
		return int64(bits), nil
	case vtR4:
		return float64(math.Float32frombits(uint32(bits))), nil
	case vtR8:
		return math.Float64frombits(bits), nil
	case vtCY: // ten thousandths
		return int64(bits) / 10_000, nil
	case vtDate:
		return date(math.Float64frombits(bits))
	case vtDecimal:
		return decimal(b, bits)
	default:
		return nil, fmt.Errorf("a VARIANT of the unexpected type %d", vt)
	}
}

func decimal(b [16]byte, low uint64) (any, error) {
	scale, sign, high := b[2], b[3], binary.LittleEndian.Uint32(b[4:])
	if scale != 0 || high != 0 || low > math.MaxInt64 {
		return nil, errDecimal
	}
	if sign != 0 {
		return -int64(low), nil
	}
	return int64(low), nil
}

// date converts a VT_DATE: days since 30 December 1899, the fraction being
// the time of day whatever the sign of the days. It is rounded to a second.
func date(days float64) (any, error) {
	if math.IsNaN(days) || days < -657435 || days >= 2958466 {
		return nil, fmt.Errorf("a VARIANT with the impossible date %v", days)
	}
	whole, part := math.Modf(days)
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	seconds := math.Round(math.Abs(part) * 24 * 60 * 60)
	return epoch.AddDate(0, 0, int(whole)).Add(time.Duration(seconds) * time.Second), nil
}
