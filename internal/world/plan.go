package world

import (
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
}

func newPlanner(w *World) *planner {
	return &planner{w: w, rand: rand.New(rand.NewPCG(w.opt.Seed, 0x77617074)), kbs: map[string]waptwua.KB{}, nextKB: 5_060_000, shared: map[string]file{}}
}

// The share of bundles in cumulative lines and the length of a line are those
// of the archive of July 2026: 14,242 updates of 68,500 bundles are
// superseded, by 20 others on average.
const (
	lineShare  = 0.21
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
	for i := range bundles - lines*length {
		p.single(i)
	}
	for i := 0; len(p.w.revisions) < p.w.opt.Updates; i++ { // the odd one
		p.detectoid(fmt.Sprintf("spare-%d", i), `<False />`)
	}
	p.number()
}

func (p *planner) categories() {
	all := append([]category{company, windows, office, office2016}, classifications...)
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

// fillers is the number of products that no generated machine has.
func (p *planner) fillers() int { return min(p.w.opt.Updates/700, 185) }

func (p *planner) filler(i int) category {
	return category{"Product", p.w.guid("filler", fmt.Sprint(i)), fmt.Sprintf("Generated Product %03d", i+1)}
}

func (p *planner) detectoids() {
	for _, pl := range platforms {
		p.detectoid(pl.name, platformRule(pl))
	}
	p.detectoid("office", fmt.Sprintf(`<m.MsiProductInstalled ProductCode="%s" VersionMin="16.0.4266.1001" />`, officeProduct))
	p.detectoid("generated", `<b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Generated" />`)
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
// world, and all revisions in their order.
func (p *planner) number() {
	all := p.w.revisions
	p.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	gap := min(2*p.w.opt.Updates/600+1, 660)
	id := 0
	for _, r := range all {
		id += 1 + p.rand.IntN(gap)
		r.id = id
	}
}
