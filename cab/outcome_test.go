package cab_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"io"
	"testing"

	"waptwua/cab"
)

// outcomes returns what one pass over each folder makes of the files, in the
// cabinet's order, with the errors.
func outcomes(t testing.TB, r *cab.Reader) (all []outcome, errs []error) {
	t.Helper()
	byFile := map[*cab.File]outcome{}
	errOf := map[*cab.File]error{}
	for _, folder := range r.Folders {
		fr, err := folder.Open()
		if err != nil {
			for _, f := range folder.Files {
				errOf[f] = err
			}
			continue
		}
		for {
			f, err := fr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("Next: %v", err)
			}
			byFile[f], errOf[f] = sum(fr)
		}
		if err := fr.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	for _, f := range r.Files {
		all = append(all, byFile[f])
		errs = append(errs, errOf[f])
	}
	return all, errs
}

func sum(r io.Reader) (outcome, error) {
	h := md5.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return outcome(hex.EncodeToString(h.Sum(nil))), nil
}

func open(t testing.TB, cabinet []byte) *cab.Reader {
	t.Helper()
	r, err := cab.NewReader(bytes.NewReader(cabinet), int64(len(cabinet)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
