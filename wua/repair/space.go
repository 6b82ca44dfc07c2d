package repair

import (
	"context"
	"fmt"
)

// SpaceOptions say which volume is looked at. All are needed.
type SpaceOptions struct {
	Name string                           // of the step
	Dir  string                           // a folder on the volume
	Want uint64                           // bytes that should be free
	Free func(dir string) (uint64, error) // bytes that are
	// Clean removes what is not needed and returns the bytes freed; nil:
	// there is nothing that may be removed.
	Clean func(context.Context) (int64, error)
}

// Space makes room on a volume. When it is still too full afterwards, the
// step has failed.
func Space(o SpaceOptions) Step {
	look := func(context.Context) (Finding, error) {
		free, err := o.Free(o.Dir)
		if err != nil {
			return Finding{}, err
		}
		return Finding{Text: fmt.Sprintf("%s free of the %s that should be", bytesText(int64(free)), bytesText(int64(o.Want))), Sound: free >= o.Want}, nil
	}
	mend := func(ctx context.Context) (int64, error) {
		if o.Clean == nil {
			return 0, nil
		}
		return o.Clean(ctx)
	}
	return Step{Name: o.Name, Look: look, Mend: mend}
}

// bytesText is a size for people.
func bytesText(n int64) string {
	const kib = 1 << 10
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for f >= kib && i < len(units)-1 {
		f, i = f/kib, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
