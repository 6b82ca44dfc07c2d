package wsusscn2

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waptwua/internal/fixture"
)

// graphXML is package.xml as encoding/xml decodes it.
type graphXML struct {
	PackageID string `xml:"PackageId,attr"`
	Updates   []struct {
		UpdateID       string `xml:"UpdateId,attr"`
		RevisionNumber int    `xml:",attr"`
		RevisionID     int    `xml:"RevisionId,attr"`
		CreationDate   string `xml:",attr"`
		IsLeaf         bool   `xml:",attr"`
		IsBundle       bool   `xml:",attr"`
		IsSoftware     string `xml:",attr"`
		Action         string `xml:"DeploymentAction,attr"`
		Prerequisites  struct {
			Clauses []struct {
				ID  string `xml:"Id,attr"`
				IDs []struct {
					ID string `xml:"Id,attr"`
				} `xml:"UpdateId"`
			} `xml:",any"`
		}
		SupersededBy []struct {
			ID int `xml:"Id,attr"`
		} `xml:"SupersededBy>Revision"`
		BundledBy []struct {
			ID int `xml:"Id,attr"`
		} `xml:"BundledBy>Revision"`
		Categories []struct {
			Type string `xml:",attr"`
			ID   string `xml:"Id,attr"`
		} `xml:"Categories>Category"`
		Files []struct {
			ID string `xml:"Id,attr"`
		} `xml:"PayloadFiles>File"`
		Eulas []struct {
			ID        string `xml:"Id,attr"`
			Languages []struct {
				Name string `xml:",attr"`
			} `xml:"Language"`
		} `xml:"EulaFiles>File"`
		Languages []struct {
			Name string `xml:",attr"`
		} `xml:"Languages>Language"`
		Language string `xml:"DefaultLanguage,attr"`
	} `xml:"Updates>Update"`
}

func (g *graphXML) revisions(t *testing.T) (list []Revision) {
	t.Helper()
	for _, u := range g.Updates {
		when, err := time.Parse(time.RFC3339, u.CreationDate)
		if err != nil {
			t.Fatal(err)
		}
		r := Revision{
			RevisionID: u.RevisionID, ID: Identity{guid(t, u.UpdateID), u.RevisionNumber}, Created: when,
			DefaultLanguage: u.Language, DeploymentAction: u.Action, IsLeaf: u.IsLeaf, IsBundle: u.IsBundle, IsSoftware: u.IsSoftware != "false",
		}
		for _, c := range u.Prerequisites.Clauses {
			var ids []GUID
			for _, id := range c.IDs {
				ids = append(ids, guid(t, id.ID))
			}
			if c.ID != "" {
				ids = []GUID{guid(t, c.ID)}
			}
			r.Prerequisites = append(r.Prerequisites, ids)
		}
		for _, s := range u.SupersededBy {
			r.SupersededBy = append(r.SupersededBy, s.ID)
		}
		for _, b := range u.BundledBy {
			r.BundledBy = append(r.BundledBy, b.ID)
		}
		for _, c := range u.Categories {
			r.Categories = append(r.Categories, Category{c.Type, guid(t, c.ID)})
		}
		for _, f := range u.Files {
			r.PayloadFiles = append(r.PayloadFiles, sha1FromBase64(t, f.ID))
		}
		for _, e := range u.Eulas {
			for _, l := range e.Languages {
				r.EulaFiles = append(r.EulaFiles, EulaRef{sha1FromBase64(t, e.ID), strings.ToLower(l.Name)})
			}
		}
		for _, l := range u.Languages {
			r.Languages = append(r.Languages, strings.ToLower(l.Name))
		}
		list = append(list, r)
	}
	return list
}

// TestPackageAgreesWithEncodingXML reads real graphs both ways.
func TestPackageAgreesWithEncodingXML(t *testing.T) {
	for _, name := range []string{"offline-scan-2011/samples/package.xml", slice2026 + "package.subset.xml", "offline-scan-vuls/package.xml"} {
		t.Run(name, func(t *testing.T) {
			data := fixture.Read(t, name)
			var g graphXML
			if err := xml.Unmarshal(data, &g); err != nil {
				t.Fatal(err)
			}
			var got []Revision
			head, err := ReadPackage(t.Context(), bytes.NewReader(data), PackageVisitor{Revision: func(r Revision) error {
				got = append(got, r.Clone())
				return nil
			}}, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(g.revisions(t), got); len(got) == 0 || diff != "" {
				t.Errorf("%d revisions (-encoding/xml +ours):\n%s", len(got), diff)
			}
			if head.ID != strings.ToLower(g.PackageID) {
				t.Errorf("PackageId %q, want %q", head.ID, g.PackageID)
			}
		})
	}
}
