package world

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"waptwua"
)

// planner fills a World.
type planner struct {
	w      *World
	rand   *rand.Rand
	kbs    map[string]waptwua.KB
	nextKB waptwua.KB
	shared map[string]file // files that several updates name

	fillerDetectoids int // that ask for what no generated machine has
}

func newPlanner(w *World) *planner {
	return &planner{w: w, rand: rand.New(rand.NewPCG(w.opt.Seed, 0x77617074)), kbs: map[string]waptwua.KB{}, nextKB: 5_060_000, shared: map[string]file{}}
}

// The share of bundles in cumulative lines and the length of a line are those
// of the archive of July 2026: 14,242 updates of 68,500 bundles are
// superseded, by 20 others on average.
const (
	lineShare  = 0.219
	lineLength = 41
)

func (p *planner) plan() {
	p.categories()
	p.detectoids()
	bundles := (p.w.opt.Updates - len(p.w.revisions)) / 2
	inLines := max(int(lineShare*float64(bundles)), min(bundles*6/10, 6*len(platforms)))
	lines := min(max(inLines/lineLength, 21), inLines/2)
	length := min(inLines/lines, lineLength)
	for i := range lines {
		p.line(i, length)
	}
	for i := 0; p.room(2); i++ {
		p.single(i)
	}
	for i := 0; len(p.w.revisions) < p.w.opt.Updates; i++ { // the odd one
		p.detectoid(fmt.Sprintf("spare-%d", i), `<False />`)
	}
	p.number()
}

// room tells whether n more revisions may be planned.
func (p *planner) room(n int) bool { return len(p.w.revisions)+n <= p.w.opt.Updates }

func (p *planner) categories() {
	all := append([]category{company, windows, office, office2016}, classifications...)
	for i := range min(p.fillers(), fillerFamilies) {
		all = append(all, p.fillerFamily(i))
	}
	for _, pl := range platforms {
		if !slices.Contains(all, pl.product) {
			all = append(all, pl.product)
		}
	}
	for i := range p.fillers() {
		all = append(all, p.filler(i))
	}
	for _, c := range all {
		p.add(&revision{kind: kindCategory, guid: c.id, number: 100, created: p.month(lineLength + 60), title: c.title, category: c, rules: `<IsInstalled><True /></IsInstalled>`})
	}
}

// The archive of 2026 has 199 products in 38 families, and 4,206 revisions
// that are only evaluated: categories and detectoids.
const (
	fillerProducts = 192
	fillerFamilies = 36
	evaluatedShare = 0.0307
)

// fillers is the number of products that no generated machine has.
func (p *planner) fillers() int { return min(p.w.opt.Updates/700, fillerProducts) }

func (p *planner) filler(i int) category {
	return category{"Product", p.w.guid("filler", fmt.Sprint(i)), fmt.Sprintf("Generated Product %03d", i+1)}
}

func (p *planner) fillerFamily(i int) category {
	i %= fillerFamilies
	return category{"ProductFamily", p.w.guid("filler family", fmt.Sprint(i)), fmt.Sprintf("Generated Family %02d", i+1)}
}

// large tells whether the archive is of the size of a real one, so that what
// is rare there may occur.
func (p *planner) large() bool { return p.w.opt.Updates > 20_000 }

func (p *planner) detectoids() {
	for _, pl := range platforms {
		p.detectoid(pl.name, platformRule(pl))
	}
	p.detectoid("office", fmt.Sprintf(`<m.MsiProductInstalled ProductCode="%s" VersionMin="16.0.4266.1001" />`, officeProduct))
	p.detectoid("generated", `<b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Generated" />`)
	p.fillerDetectoids = int(evaluatedShare*float64(p.w.opt.Updates)) - len(p.w.revisions) - 2
	for i := range p.fillerDetectoids {
		p.detectoid(fmt.Sprintf("generated-%d", i), fillerRule(i))
	}
	p.detectoid("not-iot", `<Not><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Microsoft\Windows\IoT" /></Not>`)
}

func platformRule(pl platform) string {
	product := 1
	if pl.server {
		product = 3
	}
	return fmt.Sprintf(`<And><b.WindowsVersion Comparison="EqualTo" MajorVersion="10" MinorVersion="0" BuildNumber="%d" ProductType="%d" /><b.Processor Architecture="%d" /></And>`,
		pl.build, product, pl.arch)
}

// fillerRule asks, in the ways detectoids do, for what no generated machine
// has.
func fillerRule(i int) string {
	key := fmt.Sprintf(`Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Generated\Component %d"`, i/5)
	switch i % 5 {
	case 0:
		return fmt.Sprintf(`<b.RegKeyExists %s />`, key)
	case 1:
		return fmt.Sprintf(`<And><b.RegSzToVersion %s Value="Version" Comparison="GreaterThanOrEqualTo" Data="%d.0" /><b.Processor Architecture="%d" /></And>`, key, i%20, i%2*9)
	case 2:
		return fmt.Sprintf(`<Or><b.FileVersion Csidl="38" Path="Generated\%d\main.dll" Comparison="GreaterThan" Version="%d.%d.0.0" /><b.RegDword %s Value="Level" Comparison="EqualTo" Data="%d" /></Or>`, i, i%9+1, i%30, key, i%3)
	case 3:
		return fmt.Sprintf(`<Or><m.MsiProductInstalled ProductCode="{%08X-0000-4000-8000-000000000000}" VersionMin="%d.0.0" /><m.MsiProductInstalled ProductCode="{%08X-0000-4000-8000-000000000001}" Language="1033" /></Or>`, i, i%16, i)
	}
	return fmt.Sprintf(`<And><b.WindowsVersion Comparison="LessThan" MajorVersion="6" MinorVersion="%d" /><Not><b.RegValueExists %s Value="Removed" /></Not></And>`, i%4, key)
}

func (p *planner) detectoid(name, rule string) {
	p.add(&revision{kind: kindDetectoid, guid: p.detectoidID(name), number: 100 + p.rand.IntN(3), created: p.month(lineLength + 50), rules: `<IsInstalled>` + rule + `</IsInstalled>`})
}

func (p *planner) detectoidID(name string) string { return p.w.guid("detectoid", name) }

func (p *planner) add(r *revision) *revision {
	p.w.revisions = append(p.w.revisions, r)
	return r
}

// month is the release date n months before the newest.
func (p *planner) month(n int) time.Time { return p.w.opt.Created.AddDate(0, -n, 0) }

// kb returns the number that a group shares in a month.
func (p *planner) kb(key string) waptwua.KB {
	if kb, ok := p.kbs[key]; ok {
		return kb
	}
	p.nextKB += waptwua.KB(1 + p.rand.IntN(40))
	p.kbs[key] = p.nextKB
	return p.nextKB
}

// number gives RevisionIds: in no order of time, with gaps that grow with the
// world. OSInstaller updates, though the latest kind, have the lowest ones,
// without gaps.
func (p *planner) number() {
	all := p.w.revisions
	p.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b *revision) int { return cmp.Compare(a.rank(), b.rank()) })
	gap := min(p.w.opt.Updates/207+1, 662)
	id := 0
	for _, r := range all {
		if id++; r.rank() > 0 {
			id += p.rand.IntN(gap)
		}
		r.id = id
	}
}

// rank is 0 for revisions with low RevisionIds, 1 for the others.
func (r *revision) rank() int {
	if r.product != "" {
		return 0
	}
	return 1
}
