package settings

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"waptwua"
	"waptwua/schedule"
)

// below is name as a path, from the settings file's folder.
func (r *reader) below(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(r.dir, name)
}

func (r *reader) pathOf(into *string) func(string) error {
	return func(v string) error {
		*into = r.below(v)
		return nil
	}
}

func text(into *string) func(string) error {
	return func(v string) error {
		*into = v
		return nil
	}
}

// boolean reads the words of Python's configuration files.
func boolean(into *bool) func(string) error {
	return func(v string) error {
		switch strings.ToLower(v) {
		case "1", "true", "yes", "on":
			*into = true
		case "0", "false", "no", "off", "none":
			*into = false
		default:
			return fmt.Errorf("%q is not true or false", v)
		}
		return nil
	}
}

func showBool(b *bool) func() string { return func() string { return strconv.FormatBool(*b) } }

func showPointer(b *bool) string {
	if b == nil {
		return "None"
	}
	return strconv.FormatBool(*b)
}

func tristate(into *Tristate) func(string) error {
	return func(v string) error {
		if strings.EqualFold(v, "none") {
			return nil
		}
		var b bool
		if err := boolean(&b)(v); err != nil {
			return err
		}
		*into = False
		if b {
			*into = True
		}
		return nil
	}
}

// String is true, false or None.
func (t Tristate) String() string {
	switch t {
	case True:
		return "true"
	case False:
		return "false"
	}
	return "None"
}

func address(into **url.URL) func(string) error {
	return func(v string) error {
		u, err := url.Parse(v)
		if err != nil {
			return errors.New("not an address") // url's own error repeats the value, passwords included
		}
		if u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("%q is not an address such as https://wapt.example.org/wapt", u.Redacted())
		}
		*into = u
		return nil
	}
}

// addresses reads addresses separated by commas or blanks.
func addresses(into *[]*url.URL) func(string) error {
	return func(v string) error {
		var list []*url.URL
		for _, one := range strings.FieldsFunc(v, func(c rune) bool { return c == ',' || c == ' ' || c == '\n' }) {
			var u *url.URL
			if err := address(&u)(one); err != nil {
				return err
			}
			list = append(list, u)
		}
		if len(list) > maxRepositories {
			return fmt.Errorf("%d addresses, at most %d: %w", len(list), maxRepositories, waptwua.ErrLimit)
		}
		*into = list
		return nil
	}
}

// maxRepositories bounds the addresses of repo_url.
const maxRepositories = 16

func shown(u **url.URL) func() string {
	return func() string {
		if *u == nil {
			return ""
		}
		return (*u).Redacted()
	}
}

func period(into *schedule.Period, unit time.Duration) func(string) error {
	return func(v string) error {
		p, err := schedule.ParsePeriod(v, unit)
		*into = p // never, when it cannot be read
		return err
	}
}

func postboot(into *time.Duration) func(string) error {
	return func(v string) error {
		d, err := schedule.ParseDuration(v, time.Minute)
		if err != nil {
			return err
		}
		if d > maxPostboot {
			return fmt.Errorf("%q: at most a day: %w", v, waptwua.ErrLimit)
		}
		*into = d
		return nil
	}
}

func locale(into *uint32) func(string) error {
	return func(v string) error {
		n, err := strconv.ParseUint(v, 10, 20)
		if err != nil {
			return fmt.Errorf("%q is not a locale identifier (LCID) such as 1033", v)
		}
		*into = uint32(n)
		return nil
	}
}

func level(into *string) func(string) error {
	return func(v string) error {
		switch l := strings.ToLower(v); l {
		case "debug", "info", "warning", "error", "critical":
			*into = l
			return nil
		}
		return fmt.Errorf("%q: want debug, info, warning, error or critical", v)
	}
}

// serviceIdle reads how the Windows Update service is left.
func serviceIdle(into *string) func(string) error {
	return func(v string) error {
		switch l := strings.ToLower(v); l {
		case "disabled", "manual", "restore":
			*into = l
			return nil
		}
		return fmt.Errorf("%q: want disabled, manual or restore", v)
	}
}

func scanPriority(calmly *bool) func(string) error {
	return func(v string) error {
		switch strings.ToLower(v) {
		case "low", "none":
			*calmly = true
		case "normal":
			*calmly = false
		default:
			return fmt.Errorf("%q: want low or normal", v)
		}
		return nil
	}
}

// rates are bytes per second in one unit.
var rates = []struct {
	suffix string
	bytes  float64
}{{"kbit/s", 1e3 / 8}, {"mbit/s", 1e6 / 8}, {"gbit/s", 1e9 / 8}, {"kb/s", 1e3}, {"mb/s", 1e6}, {"gb/s", 1e9}}

// bandwidth reads a number with a unit; a bare number counts Mbit/s, as
// WAPT's limits of repositories do.
func bandwidth(into *int64) func(string) error {
	return func(v string) error {
		t, unit := strings.ToLower(strings.TrimSpace(v)), 1e6/8
		if t == "none" {
			return nil
		}
		for _, r := range rates {
			if n, ok := strings.CutSuffix(t, r.suffix); ok {
				t, unit = strings.TrimSpace(n), r.bytes
				break
			}
		}
		f, err := strconv.ParseFloat(t, 64)
		if err != nil || !(f >= 0 && f*unit <= 1e12) {
			return fmt.Errorf("%q: want a number and a unit such as 20 Mbit/s, 500 kbit/s or 2 MB/s", v)
		}
		*into = int64(f * unit)
		return nil
	}
}

func showBandwidth(n int64) string {
	if n == 0 {
		return "None"
	}
	return strconv.FormatFloat(float64(n)*8/1e6, 'f', -1, 64) + " Mbit/s"
}

func parseKB(s string) (waptwua.KB, error) { return waptwua.ParseKB(s) }
func showKB(k waptwua.KB) string           { return k.String() }
func same(s string) string                 { return s }
func showSeverity(s waptwua.Severity) string {
	if s == waptwua.Unrated {
		return "Other"
	}
	return string(s)
}

func join[T any](list []T, show func(T) string) string {
	texts := make([]string, len(list))
	for i, x := range list {
		texts[i] = show(x)
	}
	return strings.Join(texts, ", ")
}
