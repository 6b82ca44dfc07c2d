package wsusscn2

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// entry is one file of a cabinet made by a test.
type entry struct{ name, content string }

// cabinet returns a cabinet with one stored folder that holds the files.
func cabinet(t testing.TB, files ...entry) string {
	t.Helper()
	var list, content bytes.Buffer
	le := binary.LittleEndian
	for _, f := range files {
		list.Write(le.AppendUint32(nil, uint32(len(f.content))))
		list.Write(le.AppendUint32(nil, uint32(content.Len())))
		list.Write([]byte{0, 0, 0x21, 0x58, 0, 0, 0x20, 0}) // folder 0, a date, archive
		list.WriteString(f.name + "\x00")
		content.WriteString(f.content)
	}
	var blocks bytes.Buffer
	n := 0
	for rest := content.Bytes(); len(rest) > 0; n++ {
		block := rest[:min(len(rest), 32768)]
		rest = rest[len(block):]
		blocks.Write(le.AppendUint32(nil, 0)) // no checksum
		blocks.Write(le.AppendUint16(le.AppendUint16(nil, uint16(len(block))), uint16(len(block))))
		blocks.Write(block)
	}
	const header, folder = 36, 8
	var out []byte
	out = append(out, "MSCF\x00\x00\x00\x00"...)
	out = le.AppendUint32(out, uint32(header+folder+list.Len()+blocks.Len()))
	out = le.AppendUint64(le.AppendUint32(out, 0), header+folder) // reserved1, coffFiles, reserved2
	out = le.AppendUint16(append(out, 3, 1), 1)
	out = le.AppendUint16(out, uint16(len(files)))
	out = append(out, 0, 0, 0, 0, 0, 0)
	out = le.AppendUint32(out, uint32(header+folder+list.Len()))
	out = le.AppendUint16(le.AppendUint16(out, uint16(n)), 0)
	return string(out) + list.String() + blocks.String()
}

const testGUID = "5E5F8B4A-0000-4000-8000-00000000000"

// smallGraph is a package.xml of n revisions with RevisionIDs 0 … n-1.
func smallGraph(n int) string {
	s := `<?xml version="1.0"?><OfflineSyncPackage PackageId="` + testGUID + `1" CreationDate="2026-07-14T13:54:06Z"><Updates>`
	for i := range n {
		s += fmt.Sprintf(`<Update UpdateId="%s2" RevisionNumber="100" RevisionId="%d"/>`, testGUID, i)
	}
	return s + `</Updates><FileLocations/></OfflineSyncPackage>`
}

const smallIndex = `<INDEX VERSION="1"><CABLIST XOR="0"><CAB NAME="package.cab"/>` +
	`<CAB NAME="package2.cab" RANGESTART="0" FILESDIR="1"/><CAB NAME="package3.cab" RANGESTART="10"/></CABLIST></INDEX>`

// smallArchive is a sharded archive of two shards, with the named top-level
// files replaced (or, by an empty content, left out).
func smallArchive(t testing.TB, replace ...entry) string {
	t.Helper()
	files := []entry{
		{"index.xml", smallIndex},
		{"package.cab", cabinet(t, entry{"package.xml", smallGraph(12)})},
		{"package2.cab", cabinet(t,
			entry{`c\1`, `<UpdateIdentity UpdateID="` + testGUID + `2" RevisionNumber="1"/>`},
			entry{`l\en\1`, `<LocalizedProperties><Language>en</Language><Title>One</Title></LocalizedProperties>`},
			entry{`l\de\1`, `<LocalizedProperties><Language>de</Language><Title>Eins</Title></LocalizedProperties>`},
			entry{`files\E5\0123456789ABCDEF0123456789ABCDEF012345E5`, "text"},
			entry{`readme`, "not a fragment"},
		)},
		{"package3.cab", cabinet(t, entry{`c\10`, `<UpdateIdentity UpdateID="` + testGUID + `3" RevisionNumber="1"/>`})},
	}
	for _, r := range replace {
		for i := range files {
			if files[i].name == r.name {
				files[i].content = r.content
			}
		}
	}
	var kept []entry
	for _, f := range files {
		if f.content != "" {
			kept = append(kept, f)
		}
	}
	return cabinet(t, kept...)
}

func openString(t testing.TB, s string, opt Options) *Archive {
	t.Helper()
	a, err := Open(bytes.NewReader([]byte(s)), int64(len(s)), opt)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return a
}
