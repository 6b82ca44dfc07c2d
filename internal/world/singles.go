package world

import (
	"fmt"
	"math"
	"strings"
	"time"

	"waptwua"
)

// perPlatform bounds how many updates that stand alone one platform gets;
// the others go to products that no machine has.
const perPlatform = 12

// single plans an update that stands alone.
func (p *planner) single(i int) {
	if n := i / 2; i%2 == 0 && n < perPlatform*len(platforms) {
		p.registryUpdate(platforms[n%len(platforms)], n/len(platforms))
		return
	}
	b := p.fillerUpdate(fmt.Sprintf("single-%d", i), fmt.Sprintf("single-%d", i/kbUpdates), i, 0, p.rand.IntN(100))
	switch {
	case i%revisedEvery == 1 && p.room(2):
		p.earlierRevision(b)
	case i%partsEvery == 1 && p.room(1):
		p.secondPart(b, fmt.Sprintf("generated-%s-%d-part2.cab", b.kb, i))
	}
}

// Of the updates that stand alone, one in so many is in the archive in two
// revisions, or has two parts. In the archive of 2011 every sixth revision is
// one of an UpdateId that has several; nothing better is known.
const (
	revisedEvery = 6
	partsEvery   = 10
)

// earlierRevision adds the revision that the bundle b and its child replaced.
func (p *planner) earlierRevision(b *revision) {
	was, child := *b, *b.children[0]
	was.number, child.number = b.number-50, child.number-50
	was.created = b.created.AddDate(0, 0, -14)
	child.created = was.created
	was.earlier, child.earlier = true, true
	was.children, child.bundle = []*revision{&child}, &was
	p.add(&was)
	p.add(&child)
}

// secondPart gives a bundle another child: the same for its files.
func (p *planner) secondPart(b *revision, name string) {
	part := *b.children[0]
	part.guid = p.w.guid("part", b.guid)
	part.files = []file{p.newFile(name, 2<<20, "SelfContained")}
	b.children = append(b.children, p.add(&part))
}

// registryUpdate is a fix that leaves a mark in the registry, or a newer file.
func (p *planner) registryUpdate(pl platform, n int) {
	at := p.month(p.rand.IntN(14))
	kb := p.kb(fmt.Sprintf("fix-%s-%d", pl.kbGroup, n))
	b, c := p.bundle(fmt.Sprintf("fix-%s-%d", pl.name, n), pl, at)
	class := classifications[n%len(classifications)]
	b.categories[0] = class
	b.title = fmt.Sprintf("%s %s for %s (%s)", at.Format("2006-01"), singular(class.title), pl.title, kb)
	b.kb, b.severity = kb, []waptwua.Severity{waptwua.Important, waptwua.Moderate, waptwua.Low, waptwua.Unrated}[n%4]
	if class == classSecurity {
		b.cves = p.someCVEs(at.Year(), 2)
	}
	c.handler, c.reboot = handlerCmd, []waptwua.Reboot{waptwua.RebootNever, waptwua.RebootCanRequest, waptwua.RebootAlways}[n%3]
	if n%2 == 0 {
		c.rules = markRule(kb)
	} else {
		c.rules = fileRule(n)
	}
	c.files = []file{p.newFile(fmt.Sprintf("windows10.0-%s-fix%d.exe", kb, n), 12<<20, "SelfContained")}
	switch {
	case n%4 == 2 && p.room(1):
		p.secondPart(b, fmt.Sprintf("windows10.0-%s-fix%d-part2.exe", kb, n))
	case n%4 == 3 && p.room(2):
		p.earlierRevision(b)
	}
}

func singular(title string) string {
	if n := len(title); title[n-1] == 's' {
		return title[:n-1]
	}
	return title
}

func markRule(kb waptwua.KB) string {
	return fmt.Sprintf(`<IsInstalled><b.RegDword Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Microsoft\Updates\%s" Value="Installed" Comparison="EqualTo" Data="1" /></IsInstalled><IsInstallable><b.WindowsVersion Comparison="GreaterThanOrEqualTo" MajorVersion="10" MinorVersion="0" BuildNumber="10240" /></IsInstallable>`, kb)
}

// fileRule asks for a version of one of the files that the fixes of a
// platform replace.
func fileRule(n int) string {
	return fmt.Sprintf(`<IsInstalled><b.FileVersion Csidl="37" Path="%s" Comparison="GreaterThanOrEqualTo" Version="10.0.1.%d" /></IsInstalled><IsInstallable><b.FileExists Csidl="37" Path="%s" /></IsInstallable>`,
		fixedFile(n), fixedVersion, fixedFile(n))
}

const fixedVersion = 5000

func fixedFile(n int) string { return fmt.Sprintf(`generated%02d.dll`, n) }

// fillerUpdate is an update of a product that no machine has. Those of one
// group share a KB.
func (p *planner) fillerUpdate(name, group string, i, m, age int) *revision {
	at := p.month(age)
	kb := p.kb(group)
	product := office2016
	if n := p.fillers(); n > 0 {
		product = p.filler(i % n)
	}
	b, c := p.newBundle(fmt.Sprintf("%s-%d", name, m), at, product, p.fillerDetectoid(i))
	b.categories = []category{classifications[i%len(classifications)], company, p.fillerFamily(i % max(p.fillers(), 1)), product}
	b.title = fmt.Sprintf("%s for %s (%s)", singular(b.categories[0].title), product.title, kb)
	b.kb, b.allLangs = kb, p.rand.IntN(100) < 45
	if age > bulletinAge {
		b.bulletin = fmt.Sprintf("MS%s-%d", at.Format("06"), 900+i%100)
	}
	if b.categories[0] == classSecurity {
		b.severity, b.cves = []waptwua.Severity{waptwua.Critical, waptwua.Important, waptwua.Moderate}[i%3], p.someCVEs(at.Year(), 4)
	}
	c.handler, c.reboot = handlerCmd, waptwua.RebootCanRequest
	c.rules = fmt.Sprintf(`<IsInstalled><b.RegDword Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Generated\%s" Value="%s" Comparison="GreaterThanOrEqualTo" Data="%d" /></IsInstalled><IsInstallable><b.RegKeyExists Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Generated\%s" /></IsInstallable>`,
		product.title, name, m+1, product.title)
	if p.rand.IntN(3) == 0 {
		c.handler = handlerCbs
		identity := fmt.Sprintf("Package_for_%s~31bf3856ad364e35~amd64~~6.1.%d.%d", kb, i%900, m+1)
		c.rules = `<IsInstalled><CbsPackageInstalled /></IsInstalled><IsInstallable><CbsPackageInstallable /></IsInstallable>` + p.manifest(identity, kb)
		c.padding = p.padding()
	}
	c.files = []file{p.newFile(fmt.Sprintf("generated-%s-%d.cab", kb, m), 25<<20, "SelfContained")}
	return b
}

// kbUpdates is how many updates of a month share a KB, as in the archive of
// 2026, which has 6,893 KBs.
const kbUpdates = 10

// fillerDetectoid is what an update asks for besides its product.
func (p *planner) fillerDetectoid(i int) string {
	if p.fillerDetectoids <= 0 || i%3 == 0 {
		return "generated"
	}
	return fmt.Sprintf("generated-%d", i%p.fillerDetectoids)
}

// bundle adds a bundle of a platform with its child.
func (p *planner) bundle(name string, pl platform, at time.Time) (b, c *revision) {
	b, c = p.newBundle(name, at, pl.product, pl.name)
	b.categories = []category{classSecurity, company, windows, pl.product}
	return b, c
}

func (p *planner) newBundle(name string, at time.Time, product category, detectoid string) (b, c *revision) {
	if product.id == "" {
		product = office2016
	}
	parents, of := [][]string{{product.id}, {p.detectoidID(detectoid)}}, [][]string{{p.detectoidID(detectoid)}}
	if !strings.HasPrefix(detectoid, "generated") {
		parents = append(parents, []string{classSecurity.id}, []string{p.detectoidID("not-iot"), p.detectoidID("office")})
		of = parents
	}
	number := 100 + 100*p.rand.IntN(2) + p.rand.IntN(4)
	b = p.add(&revision{kind: kindBundle, guid: p.w.guid("bundle", name), number: number, created: at, parents: parents})
	c = p.add(&revision{kind: kindChild, guid: p.w.guid("child", name), number: number, created: at, parents: of, bundle: b})
	b.children = []*revision{c}
	return b, c
}

func (p *planner) someCVEs(year, most int) []string {
	cves := make([]string, 1+p.rand.IntN(most))
	for i := range cves {
		cves[i] = fmt.Sprintf("CVE-%d-%d", year, 90_000+p.rand.IntN(9999)) // a range that is not assigned
	}
	return cves
}

// bulletinAge is how many months old updates are that name a bulletin, of a
// range that was not assigned. Microsoft's end in 2017.
const bulletinAge = 80

// padding draws the size of a package manifest. With the core fragments that
// have none, the median is half a kilobyte, the 99th percentile 400 kB, and a
// few are above 30 MB; TestShape holds it to that.
func (p *planner) padding() int {
	switch n := p.rand.IntN(10_000); {
	case n < 5 && p.large():
		return 30<<20 + p.rand.IntN(16<<20)
	case n < 600:
		return 400_000 + p.rand.IntN(400_000)
	case n < 7500:
		return int(math.Exp(9.5 + 3.5*p.rand.Float64())) // 13 kB to 440 kB
	default:
		return int(math.Exp(5 + 4*p.rand.Float64())) // 150 B to 8 kB
	}
}
