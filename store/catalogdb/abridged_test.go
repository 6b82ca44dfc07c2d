package catalogdb_test

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"waptwua"
	"waptwua/applicability"
	"waptwua/internal/cabwrite"
	"waptwua/store/catalogdb"
	"waptwua/wsusscn2"
)

// cabinetOf is a cabinet of the files, in the order of their names.
func cabinetOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := cabwrite.NewWriter(&out, cabwrite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name, time.Unix(1_700_000_000, 0), 0)
		if err == nil {
			_, err = f.Write([]byte(files[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// numbered is the identity of a revision of archiveOfRules.
func numbered(n int) waptwua.UpdateID {
	return waptwua.UpdateID{GUID: fmt.Sprintf("5e5f8b4a-0000-4000-8000-%012d", n), Revision: 1}
}

// archiveOfRules is an archive of revisions with these rules, numbered from 1.
func archiveOfRules(t *testing.T, rules []string) *wsusscn2.Archive {
	t.Helper()
	files, graph := map[string]string{}, `<OfflineSyncPackage PackageId="5e5f8b4a-0000-4000-8000-000000000000" CreationDate="2026-07-14T13:54:06Z"><Updates>`
	for i, r := range rules {
		guid := numbered(i + 1).GUID
		graph += fmt.Sprintf(`<Update UpdateId="%s" RevisionNumber="1" RevisionId="%d"/>`, guid, i+1)
		files[fmt.Sprintf("core/%d", i+1)] = fmt.Sprintf(`<UpdateIdentity UpdateID="%s" RevisionNumber="1"/><ApplicabilityRules>%s</ApplicabilityRules>`, guid, r)
	}
	files["package.xml"] = graph + `</Updates></OfflineSyncPackage>`
	return archiveOf(t, cabinetOf(t, map[string]string{"package.cab": string(cabinetOf(t, files))}))
}

// TestLargeManifests: what a catalogue keeps of rules around large manifests
// is what Reduce makes of the complete rules, wherever the manifest ends.
func TestLargeManifests(t *testing.T) {
	const installed = `<IsInstalled><CbsPackageInstalled/></IsInstalled>`
	identity := `<assemblyIdentity name="Package_for_KB1" version="6.1.1.0"/>`
	manifest := func(inside string) string {
		return `<Metadata><CbsPackageApplicabilityMetadata>` + inside + `</CbsPackageApplicabilityMetadata></Metadata>`
	}
	filler := strings.Repeat(`<component><assemblyIdentity name="x"/></component>`, 10_000)
	for name, rules := range map[string][]string{
		"small and large":     {installed, installed + manifest(identity+filler), installed + manifest(identity)},
		"rules behind":        {installed + manifest(identity+filler) + `<IsInstallable><True/></IsInstallable>`},
		"far rules behind":    {installed, installed + manifest(identity+filler) + `<IsInstallable>` + strings.Repeat(`<True/>`, 20_000) + `</IsInstallable>`, manifest(identity + filler)},
		"late identity":       {installed + manifest(strings.Repeat(" ", 300_000)+identity+filler)},
		"no manifest":         {strings.Repeat(installed, 10_000)},
		"manifest in the end": {strings.Repeat(installed, 10_000) + manifest(identity+filler)},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := built(t, archiveOfRules(t, rules), catalogdb.BuildOptions{Workers: 1})
			v := c.View()
			for i, r := range rules {
				want, _ := applicability.Parse(applicability.Reduce([]byte(r)))
				if got := v.Rules(numbered(i + 1)); !reflect.DeepEqual(got, want) {
					t.Errorf("of revision %d were kept the rules %+v, want %+v", i+1, got, want)
				}
			}
			if err := v.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestArchiveOfLittle: an archive whose updates need nothing, or that holds
// none, gives a catalogue that can be read.
func TestArchiveOfLittle(t *testing.T) {
	for n := range 2 {
		c, _ := built(t, archiveOfRules(t, make([]string, n)), catalogdb.BuildOptions{})
		if got := c.View().Len(); got != n {
			t.Errorf("%d revisions, want %d", got, n)
		}
	}
}
