package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"waptwua/applicability"
	"waptwua/authenticode"
	"waptwua/wsusscn2"
)

// limits bounds what reading an archive may cost. Zero fields stand for the
// defaults of the packages that read; docs/fuzzing.md lists all of them.
type limits struct {
	archive    wsusscn2.Limits
	signature  authenticode.Limits
	rules      applicability.Limits
	innerDepth int   // cabinets in cabinets, for archive list and extract
	innerBytes int64 // of all inner cabinets that one of these commands opens
	given      bool  // something was set
}

func defaultLimits() *limits { return &limits{innerDepth: 4, innerBytes: 64 << 30} }

// limitNames lists what --limit and archive_limits can set.
func (l *limits) names() map[string]any {
	a, c, s, r := &l.archive, &l.archive.Cabinet, &l.signature, &l.rules
	return map[string]any{
		"cabinet-files": &c.Files, "cabinet-folders": &c.Folders, "cabinet-folder-bytes": &c.FolderBytes,
		"cabinet-file-bytes": &c.FileBytes, "cabinet-ratio": &c.Ratio,
		"inner-depth": &l.innerDepth, "inner-bytes": &l.innerBytes,
		"memory-bytes": &a.MemoryBytes, "shards": &a.Shards, "shard-bytes": &a.ShardBytes, "content-bytes": &a.ContentBytes,
		"total-bytes": &a.TotalBytes, "index-bytes": &a.IndexBytes, "package-bytes": &a.PackageBytes, "fragment-bytes": &a.FragmentBytes,
		"revisions": &a.Revisions, "locations": &a.Locations, "items": &a.Items, "payload-bytes": &a.PayloadBytes,
		"tag-bytes": &a.TagBytes, "text-bytes": &a.TextBytes, "depth": &a.Depth, "attributes": &a.Attributes,
		"signature-bytes": &s.Bytes, "signature-depth": &s.Depth, "signature-values": &s.Values,
		"signature-certificates": &s.Certificates, "signature-chain": &s.Chain, "signature-key-bits": &s.KeyBits,
		"rules-bytes": &r.Bytes, "rules-operators": &r.Nodes, "rules-depth": &r.Depth, "rules-tag-bytes": &r.TagBytes,
	}
}

// register adds --limit to a command and those below it.
func (l *limits) register(cmd *cobra.Command) {
	cmd.PersistentFlags().Var(l, "limit", "another limit than the default, such as shards=8192 or content-bytes=16GiB; may be repeated")
}

// Set reads NAME=N, or several of them separated by commas.
func (l *limits) Set(text string) error {
	for _, one := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(one), "=")
		if err := l.set(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	return nil
}

func (l *limits) set(name, value string) error {
	names := l.names()
	field, ok := names[name]
	if !ok {
		list := make([]string, 0, len(names))
		for n := range names {
			list = append(list, n)
		}
		slices.Sort(list)
		return fmt.Errorf("there is no limit %q; there are %s", name, strings.Join(list, ", "))
	}
	n, err := parseLimit(value)
	if err != nil {
		return fmt.Errorf("limit %s: %w", name, err)
	}
	l.given = true
	switch field := field.(type) {
	case *int64:
		*field = n
	case *int:
		if n > math.MaxInt {
			return fmt.Errorf("limit %s: %d is too much", name, n)
		}
		*field = int(n)
	}
	return nil
}

// parseLimit reads a positive whole number, with KiB, MiB, GiB or TiB.
func parseLimit(text string) (int64, error) {
	shift := 0
	for unit, bits := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			text, shift = strings.TrimSpace(rest), bits
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is not a positive whole number, or one with KiB, MiB, GiB or TiB", text)
	}
	return n << shift, nil
}

// String is empty: each limit has a default of its own.
func (l *limits) String() string { return "" }

// Type is how the help calls the value.
func (l *limits) Type() string { return "NAME=N" }

// byteCount is a flag of a number of bytes, with units as those of limits.
type byteCount int64

// Set reads what parseLimit does.
func (n *byteCount) Set(text string) error {
	v, err := parseLimit(text)
	*n = byteCount(v)
	return err
}

// String is the number, in the largest unit of which it is a multiple.
func (n *byteCount) String() string {
	v, unit := int64(*n), ""
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v == 0 || v%1024 != 0 {
			break
		}
		v, unit = v/1024, larger
	}
	return strconv.FormatInt(v, 10) + unit
}

// Type is how the help calls the value.
func (n *byteCount) Type() string { return "bytes" }
