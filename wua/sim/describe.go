package sim

import (
	"fmt"
	"strings"

	"waptwua/applicability"
	"waptwua/wua"
)

// describe says what a machine is.
func describe(f *applicability.Facts) wua.Info {
	info := wua.Info{OS: f.Name, WUAVersion: "simulated"}
	if f.OS != nil {
		info.OS, info.Version = osName(f.OS), osVersion(f.OS)
	}
	if f.Processor != nil {
		info.Architecture = architecture(f.Processor.Architecture)
	}
	return info
}

// osName is what people call a Windows, such as "Windows 11 Pro 23H2".
func osName(os *applicability.OS) string {
	client := os.ProductType <= 1
	for _, w := range windowsVersions() {
		if w.build != os.Build || w.client != client {
			continue
		}
		parts := []string{w.name, os.Edition, w.release}
		if os.ServicePackMajor > 0 {
			parts = append(parts, fmt.Sprintf("SP%d", os.ServicePackMajor))
		}
		return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
	}
	if client {
		return "Windows " + osVersion(os)
	}
	return "Windows Server " + osVersion(os)
}

type windowsVersion struct {
	build         int
	client        bool
	name, release string
}

func windowsVersions() []windowsVersion {
	return []windowsVersion{
		{2600, true, "Windows XP", ""}, {3790, false, "Windows Server 2003", ""},
		{6002, true, "Windows Vista", ""}, {6002, false, "Windows Server 2008", ""},
		{7600, true, "Windows 7", ""}, {7600, false, "Windows Server 2008 R2", ""},
		{7601, true, "Windows 7", ""}, {7601, false, "Windows Server 2008 R2", ""},
		{9200, true, "Windows 8", ""}, {9200, false, "Windows Server 2012", ""},
		{9600, true, "Windows 8.1", ""}, {9600, false, "Windows Server 2012 R2", ""},
		{10240, true, "Windows 10", "1507"}, {14393, true, "Windows 10", "1607"}, {14393, false, "Windows Server 2016", ""},
		{17763, true, "Windows 10", "1809"}, {17763, false, "Windows Server 2019", ""},
		{19042, true, "Windows 10", "20H2"}, {19043, true, "Windows 10", "21H1"},
		{19044, true, "Windows 10", "21H2"}, {19045, true, "Windows 10", "22H2"}, {20348, false, "Windows Server 2022", ""},
		{22000, true, "Windows 11", "21H2"}, {22621, true, "Windows 11", "22H2"}, {22631, true, "Windows 11", "23H2"},
		{26100, true, "Windows 11", "24H2"}, {26100, false, "Windows Server 2025", ""}, {26200, true, "Windows 11", "25H2"},
	}
}

func osVersion(os *applicability.OS) string {
	return fmt.Sprintf("%d.%d.%d.%d", os.Major, os.Minor, os.Build, os.Revision)
}

func architecture(processor int) string {
	switch processor {
	case applicability.ArchX86:
		return "x86"
	case applicability.ArchX64:
		return "amd64"
	case applicability.ArchARM64:
		return "arm64"
	case applicability.ArchIA64:
		return "ia64"
	case applicability.ArchARM:
		return "arm"
	}
	return ""
}
