package catalog_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waptwua/applicability"
	"waptwua/catalog"
	"waptwua/internal/fixture"
	"waptwua/wsusscn2"
)

// TestAskedBy holds the stream to the graph: both list the same questions.
func TestAskedBy(t *testing.T) {
	f, err := os.Open(fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	a, err := wsusscn2.Open(f, info.Size(), wsusscn2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := catalog.AskedBy(t.Context(), a, applicability.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(realGraph(t).Asked(), got); diff != "" {
		t.Errorf("graph and stream differ (-graph +stream):\n%s", diff)
	}
	if len(got.Products) == 0 || len(got.Values) == 0 || len(got.Loops) == 0 {
		t.Errorf("the archive of 2011 asks for products, values and loops; got %d, %d, %d", len(got.Products), len(got.Values), len(got.Loops))
	}
}
