package wua

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestLookup(t *testing.T) {
	tests := map[string]struct {
		code       Code
		name, says string
	}{
		"success":           {OK, "S_OK", "succeeded"},
		"restart":           {RebootRequiredOK, "WU_S_REBOOT_REQUIRED", "restart"},
		"busy":              {OperationInProgress, "WU_E_OPERATIONINPROGRESS", "busy"},
		"gone":              {ItemNotFound, "WU_E_ITEMNOTFOUND", "not offered"},
		"scan file":         {InvalidScanFile, "WU_E_OL_INVALID_SCANFILE", "scan archive"},
		"not downloaded":    {NotDownloaded, "WU_E_DM_NOTDOWNLOADED", "not on the host"},
		"service disabled":  {ServiceDisabled, "ERROR_SERVICE_DISABLED", "disabled"},
		"servicing":         {0x800F0823, "CBS_E_NEW_SERVICING_STACK_REQUIRED", "servicing stack"},
		"trust":             {0x800B0109, "CERT_E_UNTRUSTEDROOT", "root"},
		"rare":              {0x80240005, "WU_E_RANGEOVERLAP", "overlap"},
		"rolled back":       {0xC1900101, "", "went back"},
		"delivery":          {0x80D02002, "DO_E_DOWNLOAD_NO_PROGRESS", "Delivery Optimization"},
		"unknown delivery":  {0x80D0FF01, "", "Delivery Optimization"},
		"exit code 740":     {0x800702E4, "ERROR_ELEVATION_REQUIRED", "administrator"},
		"unknown servicing": {0x800F08FF, "", "CBS"},
		"unknown handler":   {0x80242ABC, "", "installer"},
		"unknown Win32":     {0x80070001 + 0x1000, "", "4097"},
		"unknown":           {0x87654321, "", "does not know"},
		"unknown remark":    {0x00008024, "", "does not know"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := Lookup(tt.code)
			if m.Name != tt.name || !strings.Contains(m.Sentence, tt.says) {
				t.Errorf("Lookup(%v) = %+v; want %q and something about %q", tt.code, m, tt.name, tt.says)
			}
			if tt.code.Failed() && m.Remedy == "" {
				t.Errorf("Lookup(%v) gives no remedy", tt.code)
			}
		})
	}
}

// TestTables checks every line itself, not what Lookup makes of it: a sentence
// and, for a failure, a remedy, written once, in whole sentences.
func TestTables(t *testing.T) {
	seen := map[Code]string{}
	for _, codes := range tables() {
		for _, e := range codes {
			if other, ok := seen[e.code]; ok {
				t.Errorf("%v stands twice: %s, %s", e.code, other, e.name)
			}
			seen[e.code] = e.name
			if !strings.HasSuffix(e.sentence, ".") || e.remedy != "" && !strings.HasSuffix(e.remedy, ".") {
				t.Errorf("%v: want sentences: %+v", e.code, e)
			}
			if e.code.Failed() && e.remedy == "" {
				t.Errorf("%v %s gives no remedy", e.code, e.name)
			}
		}
	}
	if len(seen) < 700 {
		t.Errorf("only %d codes are known", len(seen))
	}
	if n := len(Known()); n != len(seen) {
		t.Errorf("Known lists %d codes of %d", n, len(seen))
	}
}

// TestHeaders: every code of the headers that come with MinGW is known by its
// name, but for BITS' names of HTTP states that are no errors.
func TestHeaders(t *testing.T) {
	define := regexp.MustCompile(`(?m)^#define ((?:WU_[ES]|BG_E)_\w+) .*\((0x[0-9A-Fa-f]+)\)`)
	for _, path := range []string{"/usr/share/mingw-w64/include/wuerror.h", "/usr/share/mingw-w64/include/bitsmsg.h"} {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			t.Skipf("there is no %s here; it is in the Debian package mingw-w64-common", path)
		}
		if err != nil {
			t.Fatal(err)
		}
		found := define.FindAllSubmatch(text, -1)
		if len(found) < 60 {
			t.Errorf("%s: only %d codes were found", path, len(found))
		}
		for _, m := range found {
			name := string(m[1])
			want, err := ParseCode(string(m[2]))
			if err != nil {
				t.Fatal(err)
			}
			if want>>16 == 0x8019 && want&0xFFFF < 400 {
				continue
			}
			if got, ok := Named(name); !ok || got != want {
				t.Errorf("Named(%s) = %v, %v; want %v", name, got, ok, want)
			}
		}
	}
}

func TestNamed(t *testing.T) {
	if c, ok := Named("wu_e_NOT_APPLICABLE"); !ok || c != NotApplicable {
		t.Errorf("Named in another case = %v, %v", c, ok)
	}
	for _, name := range []string{"", "WU_E_NONE_SUCH"} {
		if c, ok := Named(name); ok {
			t.Errorf("Named(%q) = %v", name, c)
		}
	}
}

func TestFailure(t *testing.T) {
	at := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	f := Failure(IncorrectFileHash, at, 2)
	if f.HResult != 0x80246002 || f.Name != "WU_E_DM_INCORRECTFILEHASH" || f.Attempts != 2 || !f.At.Equal(at) || f.Sentence == "" || f.Remedy == "" {
		t.Errorf("Failure = %+v", f)
	}
	wrapped := fmt.Errorf("scan: %w", &Error{Op: "search", Code: OutOfMemory, Text: "no memory left"})
	if f := FailureOf(wrapped, at, 1); f.HResult != 0x8007000E || !strings.Contains(f.Sentence, "no memory left") {
		t.Errorf("FailureOf an *Error = %+v", f)
	}
	if f := FailureOf(context.Canceled, at, 1); f.HResult != 0 || f.Sentence != context.Canceled.Error() {
		t.Errorf("FailureOf another error = %+v", f)
	}
}

func TestError(t *testing.T) {
	err := fmt.Errorf("scan: %w", &Error{Op: "search", Code: OperationInProgress})
	if got := err.Error(); got != "scan: search: Windows Update is busy with another operation (0x80240009)" {
		t.Errorf("the error reads %q", got)
	}
	if !errors.Is(err, &Error{Code: OperationInProgress}) || errors.Is(err, &Error{Code: OutOfMemory}) || errors.Is(err, &Error{Op: "install", Code: OperationInProgress}) {
		t.Error("errors.Is does not compare codes")
	}
}

func TestBlamesStore(t *testing.T) {
	for c, want := range map[Code]bool{0x80248002: true, 0xC800042D: true, 0x80248007: false, ServiceDisabled: false, OK: false} {
		if c.BlamesStore() != want {
			t.Errorf("BlamesStore of %v is %v", c, !want)
		}
	}
}
