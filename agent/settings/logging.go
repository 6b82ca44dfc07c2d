package settings

import (
	"fmt"
	"strconv"
)

// The log files of the service: 30 MB in all by default.
const (
	defaultLogSize  = 5e6
	minLogSize      = 100e3
	maxLogSize      = 1e9
	defaultLogCount = 5
	maxLogCount     = 99
)

func (r *reader) logging() {
	s := r.s
	s.LogSize, s.LogCount = defaultLogSize, defaultLogCount
	r.option(Global, "log_size", logSize(&s.LogSize), func() string { return strconv.FormatFloat(float64(s.LogSize)/1e6, 'f', -1, 64) + " MB" })
	r.option(Global, "log_count", logCount(&s.LogCount), func() string { return strconv.Itoa(s.LogCount) })
}

func logSize(into *int64) func(string) error {
	return func(v string) error {
		n := *into
		if err := size(&n)(v); err != nil {
			return err
		}
		if n < minLogSize || n > maxLogSize {
			return fmt.Errorf("%q: want between 100 kB and 1 GB", v)
		}
		*into = n
		return nil
	}
}

func logCount(into *int) func(string) error {
	return func(v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > maxLogCount {
			return fmt.Errorf("%q: want a number of files up to %d", v, maxLogCount)
		}
		*into = n
		return nil
	}
}
