package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"waptwua"
	"waptwua/schedule"
)

// BandwidthHours is a limit of downloads that holds in windows of time.
type BandwidthHours struct {
	Windows schedule.Windows
	Rate    int64 // bytes per second; 0: no limit
}

// String is the form that limit_bandwidth_hours has.
func (b BandwidthHours) String() string { return b.Windows.String() + " = " + showBandwidth(b.Rate) }

// maxBandwidthHours bounds the entries of limit_bandwidth_hours.
const maxBandwidthHours = 32

// BandwidthAt is the limit of all downloads together at the moment t of a
// host in the zone loc, in bytes per second; 0: none. The first entry of
// limit_bandwidth_hours whose window is open counts, else limit_bandwidth.
func (s *Settings) BandwidthAt(t time.Time, loc *time.Location) int64 {
	for _, b := range s.BandwidthHours {
		if _, open := (&schedule.Calendar{Windows: b.Windows}).Open(t, loc); open {
			return b.Rate
		}
	}
	return s.Bandwidth
}

// bandwidthHours reads "mon-fri 08:00-18:00 = 2 Mbit/s; 22:00-06:00 = None".
func bandwidthHours(into *[]BandwidthHours) func(string) error {
	return func(v string) error {
		if strings.EqualFold(v, "none") {
			return nil
		}
		var list []BandwidthHours
		for _, entry := range strings.FieldsFunc(v, func(c rune) bool { return c == ';' || c == '\n' }) {
			if strings.TrimSpace(entry) == "" {
				continue
			}
			b, err := parseBandwidthHours(entry)
			if err != nil {
				return err
			}
			list = append(list, b)
		}
		if len(list) > maxBandwidthHours {
			return fmt.Errorf("%d entries, at most %d: %w", len(list), maxBandwidthHours, waptwua.ErrLimit)
		}
		*into = list
		return nil
	}
}

func parseBandwidthHours(entry string) (b BandwidthHours, err error) {
	when, limit, ok := strings.Cut(entry, "=")
	if !ok {
		return b, fmt.Errorf("%q: want hours and a limit, such as mon-fri 08:00-18:00 = 2 Mbit/s", strings.TrimSpace(entry))
	}
	if b.Windows, err = schedule.ParseWindows(strings.TrimSpace(when)); err != nil {
		return b, err
	}
	if len(b.Windows) == 0 {
		return b, errors.New("hours are missing before the =")
	}
	return b, bandwidth(&b.Rate)(limit)
}

// showHours is the form that bandwidthHours reads.
func showHours(list []BandwidthHours) string {
	texts := make([]string, len(list))
	for i, b := range list {
		texts[i] = b.String()
	}
	return strings.Join(texts, "; ")
}

// sizes are bytes in one unit, the longest names first.
var sizes = []struct {
	suffix string
	bytes  float64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}}

// size reads a number with a unit, which must be given.
func size(into *int64) func(string) error {
	return func(v string) error {
		t := strings.ToLower(strings.TrimSpace(v))
		if t == "none" {
			return nil
		}
		for _, u := range sizes {
			n, ok := strings.CutSuffix(t, u.suffix)
			if !ok {
				continue
			}
			f, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
			if err != nil || !(f >= 0 && f*u.bytes <= 1e15) {
				break
			}
			*into = int64(f * u.bytes)
			return nil
		}
		return fmt.Errorf("%q: want a number and a unit such as 20 GB or 500 MB", v)
	}
}

func showSize(n int64) string {
	if n == 0 {
		return "None"
	}
	return strconv.FormatFloat(float64(n)/1e9, 'f', -1, 64) + " GB"
}
