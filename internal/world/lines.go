package world

import (
	"fmt"
	"strings"

	"waptwua"
)

// line plans a line of cumulative updates, each superseding all before it.
// The first lines belong to the platforms and to Office, the others to
// products that no machine has.
func (p *planner) line(i, length int) {
	make := p.lineOf(i)
	var before []*revision
	for m := range length {
		r := make(m, length-1-m)
		r.older = append([]*revision(nil), before...)
		for _, old := range before {
			old.newer = append(old.newer, r)
		}
		before = append(before, r)
	}
	p.w.lines = append(p.w.lines, before)
}

// lineOf returns what makes the bundle of step m, age months old.
func (p *planner) lineOf(i int) func(m, age int) *revision {
	n := len(platforms)
	switch {
	case i < n:
		return func(m, age int) *revision { return p.cumulative(platforms[i], m, age) }
	case i < n+len(officeApps):
		return func(m, age int) *revision { return p.officePatch(officeApps[i-n], m, age) }
	case i < n+len(officeApps)+n:
		return func(m, age int) *revision { return p.removalTool(platforms[i-n-len(officeApps)], m, age) }
	}
	return func(m, age int) *revision {
		return p.fillerUpdate(fmt.Sprintf("line-%d", i), fmt.Sprintf("line-%d%s", i/kbUpdates, p.month(age).Format("-2006-01")), i, m, age)
	}
}

func (p *planner) cumulative(pl platform, m, age int) *revision {
	if pl.uup {
		return p.uupUpdate(pl, m, age)
	}
	return p.cbsUpdate(pl, m, age)
}

// cbsUpdate is a cumulative update as a component package.
func (p *planner) cbsUpdate(pl platform, m, age int) *revision {
	at := p.month(age)
	kb := p.kb("lcu-" + pl.kbGroup + at.Format("-2006-01"))
	identity := fmt.Sprintf("Package_for_RollupFix~31bf3856ad364e35~amd64~~%d.%d.1.%d", pl.build, pl.ubr+m*150, m%9+1)
	p.w.packages[pl.name] = append(p.w.packages[pl.name], identity)
	b, c := p.bundle(fmt.Sprintf("lcu-%s-%d", pl.name, m), pl, at)
	b.title = fmt.Sprintf("%s Cumulative Update for %s (%s)", at.Format("2006-01"), pl.title, kb)
	b.kb, b.severity, b.cves, b.allLangs = kb, waptwua.Critical, p.someCVEs(at.Year(), 12), true
	c.handler, c.reboot = handlerCbs, waptwua.RebootCanRequest
	c.rules = `<IsInstalled><CbsPackageInstalled /></IsInstalled><IsInstallable><CbsPackageInstallable /></IsInstallable>` + p.manifest(identity, kb)
	c.padding = p.padding()
	c.files = []file{p.newFile(fmt.Sprintf("Windows10.0-%s-x64.cab", kb), 600<<20, "SelfContained")}
	return b
}

func (p *planner) manifest(identity string, kb waptwua.KB) string {
	name, version := splitIdentity(identity)
	return fmt.Sprintf(`<Metadata><CbsPackageApplicabilityMetadata><assembly xmlns="urn:schemas-microsoft-com:asm.v3" manifestVersion="1.0" description="Fix for %s" displayName="default" company="Microsoft Corporation"><assemblyIdentity name="%s" version="%s" processorArchitecture="amd64" language="neutral" publicKeyToken="31bf3856ad364e35" /><package identifier="%s" releaseType="Security Update" restart="possible">%s</package></assembly></CbsPackageApplicabilityMetadata></Metadata>`,
		kb, name, version, kb, paddingMark)
}

// uupUpdate is a cumulative update of the unified update platform.
func (p *planner) uupUpdate(pl platform, m, age int) *revision {
	at := p.month(age)
	kb := p.kb("lcu-" + pl.kbGroup + at.Format("-2006-01"))
	version := fmt.Sprintf("10.0.%d.%d", pl.build, pl.ubr+m*170)
	b, c := p.bundle(fmt.Sprintf("lcu-%s-%d", pl.name, m), pl, at)
	b.title = fmt.Sprintf("%s Cumulative Update for %s (%s) (%d.%d)", at.Format("2006-01"), pl.title, kb, pl.build, pl.ubr+m*170)
	b.kb, b.severity, b.cves, b.allLangs = kb, waptwua.Critical, p.someCVEs(at.Year(), 12), true
	b.product, b.release = pl.release, version
	c.product, c.release = pl.release, version
	c.handler, c.reboot = handlerUUP, waptwua.RebootCanRequest
	c.rules = fmt.Sprintf(`<IsInstalled><ProductReleaseInstalled Name="%s" Version="%s" /></IsInstalled><IsInstallable><And><And><Not><DeviceAttribute Name="HonorWufBDeferrals" Type="String" Comparison="EqualTo" Value="1" /></Not></And><DeviceAttribute Name="OSVersion" Type="Version" Comparison="GreaterThanOrEqualTo" Value="10.0.%d.1" /><DeviceAttribute Name="OSVersion" Type="Version" Comparison="LessThan" Value="10.0.%d.0" /></And></IsInstallable>`,
		pl.release, version, pl.build, pl.build+1)
	c.files = p.uupFiles(pl, kb)
	return b
}

// uupFiles are the 8 to 19 files that such an update declares. Features on
// demand are the same for all updates of a platform, the checkpoint also for
// client and server of one build.
func (p *planner) uupFiles(pl platform, kb waptwua.KB) []file {
	arch := "x64"
	if pl.release != "" && pl.arch != platforms[0].arch {
		arch = "arm64"
	}
	files := []file{
		p.newFile("DesktopDeployment.cab", 8<<20, "ServicingStack"),
		p.newFile(fmt.Sprintf("Windows11.0-%s-%s.AggregatedMetadata.cab", kb, arch), 40<<20, "Metadata"),
		p.once(pl.kbGroup+arch, fmt.Sprintf("Windows11.0-KB5043080-%s.msu", arch), 530<<20),
		p.newFile(fmt.Sprintf("Windows11.0-%s-%s.msu", kb, arch), 2600<<20, "SelfContained"),
		p.newFile(fmt.Sprintf("SSU-%d.1-%s.cab", pl.build, arch), 20<<20, "SelfContained"),
		p.newFile(fmt.Sprintf("Windows11.0-%s-%s-baseless.psf", kb, arch), 90<<20, "SelfContained"),
	}
	for i := range 2 + p.rand.IntN(12) {
		name := fmt.Sprintf("FoD_%02d.wim", i)
		files = append(files, p.once(pl.name, name, 300<<20))
	}
	return files
}

// once is a file that several updates name: those with the same key.
func (p *planner) once(key, name string, typical int64) file {
	f, ok := p.shared[key+"/"+name]
	if !ok {
		f = p.newFile(name, typical, "SelfContained")
		p.shared[key+"/"+name] = f
	}
	return f
}

// officePatch is a Windows Installer patch of one Office program.
func (p *planner) officePatch(app string, m, age int) *revision {
	at := p.month(age)
	kb := p.kb("office-" + app + at.Format("-2006-01"))
	b, c := p.newBundle(fmt.Sprintf("office-%s-%d", app, m), at, category{}, "office")
	b.categories = []category{classSecurity, company, office, office2016}
	b.title = fmt.Sprintf("Security Update for Microsoft %s 2016 (%s) 64-Bit Edition", app, kb)
	b.kb, b.severity, b.cves = kb, waptwua.Important, p.someCVEs(at.Year(), 3)
	c.handler, c.reboot = handlerMsp, waptwua.RebootNever
	c.rules = fmt.Sprintf(`<IsInstalled><m.MsiPatchInstalledForProduct PatchCode="{%s}" ProductCode="%s" /></IsInstalled><IsInstallable><m.MsiProductInstalled ProductCode="%s" VersionMin="16.0.4266.1001" /></IsInstallable>`,
		p.w.guid("msp", app, fmt.Sprint(m)), officeProduct, officeProduct)
	c.files = []file{p.newFile(fmt.Sprintf("%s-x-none_%s.cab", app, kb), 40<<20, "SelfContained")}
	return b
}

// removalTool is a monthly tool with a registry rule, a command line and a
// licence.
func (p *planner) removalTool(pl platform, m, age int) *revision {
	at := p.month(age)
	kb := p.kb("tool") // always the same, as that of Microsoft's
	b, c := p.bundle(fmt.Sprintf("tool-%s-%d", pl.name, m), pl, at)
	b.categories[0] = classRollups
	b.title = fmt.Sprintf("Generated Removal Tool for %s - v5.%d (%s)", pl.title, 100+m, kb)
	b.kb = kb
	b.eula = m%2 == 0
	b.allLangs = b.eula || p.large()
	c.handler, c.reboot = handlerCmd, waptwua.RebootNever
	key := `Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Microsoft\RemovalTools\Generated" Value="Version"`
	c.rules = fmt.Sprintf(`<IsInstalled><b.RegSzToVersion %s Comparison="GreaterThanOrEqualTo" Data="5.%d.0.0" /></IsInstalled><IsInstallable><Or><Not><b.RegValueExists %s /></Not><b.RegSzToVersion %s Comparison="LessThan" Data="5.%d.0.0" /></Or></IsInstallable>`,
		key, 100+m, key, key, 100+m)
	c.files = []file{p.newFile(fmt.Sprintf("Windows-%s-x64-V5.%d.exe", kb, 100+m), 70<<20, "SelfContained")}
	return b
}

// splitIdentity takes a component package's identity,
// name~token~architecture~language~version, apart.
func splitIdentity(identity string) (name, version string) {
	parts := strings.Split(identity, "~")
	return parts[0], parts[len(parts)-1]
}
