package main

import (
	"bytes"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"waptwua/internal/fixture"
)

func TestLimitsAreRead(t *testing.T) {
	for _, tc := range []struct {
		text string
		want func(*limits) bool
		err  string
	}{
		{"shards=8192", func(l *limits) bool { return l.archive.Shards == 8192 }, ""},
		{" shards = 5 , content-bytes=16GiB", func(l *limits) bool { return l.archive.Shards == 5 && l.archive.ContentBytes == 16<<30 }, ""},
		{"signature-bytes=2 MiB", func(l *limits) bool { return l.signature.Bytes == 2<<20 }, ""},
		{"cabinet-ratio=50", func(l *limits) bool { return l.archive.Cabinet.Ratio == 50 }, ""},
		{"inner-depth=1", func(l *limits) bool { return l.innerDepth == 1 && l.innerBytes == 64<<30 }, ""},
		{"shards", nil, "positive whole number"},
		{"shards=0", nil, "positive whole number"},
		{"shards=-1", nil, "positive whole number"},
		{"shards=1.5GiB", nil, "positive whole number"},
		{"content-bytes=9000000TiB", nil, "positive whole number"},
		{"shard=1", nil, `no limit "shard"; there are attributes, cabinet-file-bytes`},
		{"", nil, "no limit"},
	} {
		t.Run(tc.text, func(t *testing.T) {
			l := defaultLimits()
			err := l.Set(tc.text)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if err != nil || !tc.want(l) {
				t.Errorf("%v, %+v", err, l)
			}
		})
	}
	if n, err := parseLimit("9223372036854775807"); err != nil || n != math.MaxInt64 {
		t.Errorf("the largest number: %d, %v", n, err)
	}
}

// Every command that reads an archive obeys the limits.
func TestLimitsHold(t *testing.T) {
	archive := fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
	for _, args := range []string{
		"archive info --limit revisions=700 " + archive,
		"archive info --limit package-bytes=100KiB " + archive,
		"archive list --nested --limit inner-bytes=1KiB " + archive,
		"archive list --limit cabinet-files=1 --nested " + archive,
		"archive extract --limit cabinet-folder-bytes=1KiB " + archive + " " + t.TempDir(),
		"archive verify --allow-sha1 --limit signature-bytes=1KiB " + archive,
		"archive verify --allow-sha1 --limit signature-chain=1 " + archive,
		"catalog build --limit revisions=700 --out " + t.TempDir() + "/c.sqlite " + archive,
		"catalog stats --limit fragment-bytes=100 --archive " + archive,
		"catalog stats --limit items=3 --archive " + archive,
		"catalog stats --limit text-bytes=20 --archive " + archive,
		"catalog build --limit text-bytes=20 --out " + t.TempDir() + "/c.sqlite " + archive,
	} {
		t.Run(args, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(t.Context(), strings.Fields(args), nil, &out, &errs); code == 0 {
				t.Errorf("succeeded:\n%s", out.String())
			}
			if !strings.Contains(out.String()+errs.String(), "limit") && !strings.Contains(errs.String(), "at most") {
				t.Errorf("the limit is not named:\n%s", errs.String())
			}
		})
	}
}

// Rules beyond the limits are no error: they are unknown, in memory and in a
// catalogue file.
func TestLimitsOfRules(t *testing.T) {
	archive := fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab")
	file := filepath.Join(t.TempDir(), "c.sqlite")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"catalog", "build", "--out", file, archive}, nil, &out, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	for _, args := range []string{"--archive " + archive, "--catalogue " + file} {
		for limit, want := range map[string]bool{"rules-operators=2": true, "rules-depth=1": true, "rules-tag-bytes=30": true, "rules-bytes=400": true, "rules-operators=2000": false} {
			var out, errs bytes.Buffer
			if code := run(t.Context(), strings.Fields("catalog stats --limit "+limit+" "+args), nil, &out, &errs); code != 0 {
				t.Errorf("%s: %s", limit, errs.String())
			}
			if got := strings.Contains(out.String(), "rules cannot be parsed and are unknown"); got != want {
				t.Errorf("%s, %s:\n%s", limit, args, out.String())
			}
		}
	}
}

func TestByteCount(t *testing.T) {
	for text, want := range map[string]string{"1000": "1000", "1KiB": "1KiB", "2048": "2KiB", "32 GiB": "32GiB", "1536MiB": "1536MiB"} {
		n := new(byteCount)
		if err := n.Set(text); err != nil || n.String() != want {
			t.Errorf("%s: %s, %v; want %s", text, n, err, want)
		}
	}
	if err := new(byteCount).Set("-1"); err == nil {
		t.Error("less than nothing was accepted")
	}
}
