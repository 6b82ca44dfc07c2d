package waptwua

import "testing"

func TestFailureString(t *testing.T) {
	for want, f := range map[string]Failure{
		"0x80070070 ERROR_DISK_FULL: The disk is full. Free space.": {HResult: 0x80070070, Name: "ERROR_DISK_FULL", Sentence: "The disk is full.", Remedy: "Free space."},
		"0x87654321: An unknown error.":                             {HResult: 0x87654321, Sentence: "An unknown error."},
		"connection refused":                                        {Sentence: "connection refused"},
	} {
		if got := f.String(); got != want {
			t.Errorf("%#v reads %q, want %q", f, got, want)
		}
	}
}
