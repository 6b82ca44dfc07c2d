package wsusscn2_test

import (
	"bytes"
	"os"
	"testing"

	"waptwua/internal/fixture"
	"waptwua/wsusscn2"
)

// BenchmarkReadPackage reads the real package.xml of 2011.
func BenchmarkReadPackage(b *testing.B) {
	data, err := os.ReadFile(fixture.Path(b, "offline-scan-2011/samples/package.xml"))
	if err != nil {
		b.Fatal(err)
	}
	visit := wsusscn2.PackageVisitor{
		Revision: func(wsusscn2.Revision) error { return nil },
		Location: func(wsusscn2.Location) error { return nil },
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wsusscn2.ReadPackage(b.Context(), bytes.NewReader(data), visit, wsusscn2.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
