package world

import (
	"fmt"
	"math/rand/v2"

	"waptwua/applicability"
)

// Machine returns the facts of the n-th machine of the fleet: its platform
// goes round through all, what it has and lacks follows from the seed. Every
// machine lacks at least the newest cumulative update.
func (w *World) Machine(n int) *applicability.Facts {
	r := rand.New(rand.NewPCG(w.opt.Seed, uint64(n)))
	pl := platforms[n%len(platforms)]
	f := &applicability.Facts{
		Format:    applicability.FactsFormat,
		Name:      fmt.Sprintf("%s-%03d", pl.name, n+1),
		Comment:   "generated; stands for no real machine",
		Complete:  applicability.Sections(),
		OS:        pl.os(),
		Processor: &applicability.Processor{Architecture: pl.arch, Level: 6, Count: 4},
		Language:  &applicability.Language{UI: []string{"en-US", "fr-FR", "de-DE"}[n%3]},
		Folders:   applicability.StandardFolders(pl.arch),
		Registry:  map[string]applicability.Key{},
		Files:     map[string]*applicability.FileInfo{},
		Packages:  map[string]*applicability.Package{},
	}
	w.cumulative(f, pl, r)
	w.fixes(f, r)
	if !pl.server && r.IntN(3) > 0 {
		w.office(f, r)
	}
	return f
}

func (pl platform) os() *applicability.OS {
	productType := 1
	if pl.server {
		productType = 3
	}
	return &applicability.OS{Major: 10, Build: pl.build, Revision: pl.ubr, ProductType: productType, SKU: pl.sku, Edition: pl.edition}
}

// cumulative sets how far the machine has come in its line.
func (w *World) cumulative(f *applicability.Facts, pl platform, r *rand.Rand) {
	if pl.uup {
		ubr := pl.ubr - r.IntN(300)
		f.OS.Revision = ubr
		version := fmt.Sprintf("10.0.%d.%d", pl.build, ubr)
		f.Releases = map[string]*applicability.ReleaseInfo{pl.release: {Version: version}}
		f.Attributes = map[string]*string{"OSVersion": &version}
		return
	}
	yes := true
	line := w.packages[pl.name]
	have := 0
	if len(line) > 1 {
		have = r.IntN(len(line) - 1)
	}
	for i, identity := range line {
		p := &applicability.Package{Installable: &yes}
		if i < have {
			p.State = applicability.StateInstalled
			f.OS.Revision = pl.ubr + i*150
		}
		f.Packages[identity] = p
	}
}

// fixes sets the files that single updates replace; about one in three is
// new already.
func (w *World) fixes(f *applicability.Facts, r *rand.Rand) {
	for n := range perPlatform {
		version := "10.0.1.1000"
		if r.IntN(3) == 0 {
			version = fmt.Sprintf("10.0.1.%d", fixedVersion+r.IntN(100))
		}
		f.Files[f.Folders[37]+`\`+fixedFile(n)] = &applicability.FileInfo{Version: &version}
	}
}

func (w *World) office(f *applicability.Facts, r *rand.Rand) {
	patches := map[string]int{}
	for _, app := range officeApps {
		if r.IntN(2) == 0 {
			patches["{"+w.guid("msp", app, "0")+"}"] = applicability.PatchApplied
		}
	}
	f.Products = map[string]*applicability.Product{officeProduct: {Version: "16.0.4266.1001", Language: 1033, Patches: patches}}
}
