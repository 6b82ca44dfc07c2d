package world

import "waptwua/applicability"

// The categories' GUIDs are Microsoft's, for those that exist.
const (
	companyMicrosoft = "56309036-4c77-4dd9-951a-99ee9c246a94"
	familyWindows    = "6964aab4-c5b5-43bd-a17d-ffb4346a8e1d"
	familyOffice     = "477b856e-65c4-4473-b621-a8b230bb70d9"
)

// category is a node of the tree company, family, product, or a
// classification.
type category struct{ kind, id, title string }

var classifications = []category{
	{"UpdateClassification", "0fa1201d-4330-4fa8-8ae9-b877473b6441", "Security Updates"},
	{"UpdateClassification", "e6cf1350-c01b-414d-a61f-263d14d133b4", "Critical Updates"},
	{"UpdateClassification", "28bc880e-0592-4cbf-8f95-c79b17911d5f", "Update Rollups"},
	{"UpdateClassification", "cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83", "Updates"},
	{"UpdateClassification", "68c5b0a3-d1a6-4553-ae49-01d3a7827828", "Service Packs"},
}

var (
	classSecurity = classifications[0]
	classRollups  = classifications[2]

	company    = category{"Company", companyMicrosoft, "Microsoft"}
	windows    = category{"ProductFamily", familyWindows, "Windows"}
	office     = category{"ProductFamily", familyOffice, "Office"}
	office2016 = category{"Product", "25aed893-7c2d-4a31-ae22-28ff8ac150ed", "Office 2016"}
)

// platform is one Windows that machines run and updates are made for.
type platform struct {
	name    string // short, in identities
	product category
	title   string // in titles
	arch    int    // applicability.ArchX64 …
	build   int
	server  bool
	uup     bool   // serviced by OSInstaller updates
	release string // of ProductReleaseInstalled
	edition string
	sku     int
	kbGroup string // platforms of one group share KB numbers
	ubr     int    // revision of the oldest cumulative update
}

var platforms = []platform{
	{name: "w10-22h2-x64", product: category{"Product", "a3c2375d-0c8a-42f9-bce0-28333e198407", "Windows 10"}, title: "Windows 10 Version 22H2 for x64-based Systems",
		arch: applicability.ArchX64, build: 19045, edition: "Professional", sku: 48, kbGroup: "w10", ubr: 5011},
	{name: "w11-24h2-x64", product: category{"Product", "72e7624a-5b00-45d2-b92f-e561c0a6a160", "Windows 11"}, title: "Windows 11 Version 24H2 for x64-based Systems",
		arch: applicability.ArchX64, build: 26100, uup: true, release: "Client.OS.RS2.AMD64", edition: "Professional", sku: 48, kbGroup: "ge", ubr: 4349},
	{name: "s2022-x64", product: category{"Product", "71718f13-7324-4b0f-8f9e-2ca9dc978e53", "Microsoft Server operating system-21H2"}, title: "Windows Server 2022 for x64-based Systems",
		arch: applicability.ArchX64, build: 20348, server: true, edition: "ServerStandard", sku: 7, kbGroup: "fe", ubr: 3807},
	{name: "s2019-x64", product: category{"Product", "f702a48c-919b-45d6-9aef-ca4248d50397", "Windows Server 2019"}, title: "Windows Server 2019 for x64-based Systems",
		arch: applicability.ArchX64, build: 17763, server: true, edition: "ServerStandard", sku: 7, kbGroup: "rs5", ubr: 7434},
	{name: "s2025-x64", product: category{"Product", "b256987d-4693-4c87-955d-dbb9341205eb", "Microsoft Server Operating System-24H2"}, title: "Windows Server 2025 for x64-based Systems",
		arch: applicability.ArchX64, build: 26100, server: true, uup: true, release: "Server.OS.amd64", edition: "ServerStandard", sku: 7, kbGroup: "ge", ubr: 4349},
	{name: "w11-23h2-x64", product: category{"Product", "72e7624a-5b00-45d2-b92f-e561c0a6a160", "Windows 11"}, title: "Windows 11 Version 23H2 for x64-based Systems",
		arch: applicability.ArchX64, build: 22631, uup: true, release: "Client.OS.RS1.AMD64", edition: "Enterprise", sku: 4, kbGroup: "ni", ubr: 5472},
	{name: "w11-24h2-arm64", product: category{"Product", "72e7624a-5b00-45d2-b92f-e561c0a6a160", "Windows 11"}, title: "Windows 11 Version 24H2 for ARM64-based Systems",
		arch: applicability.ArchARM64, build: 26100, uup: true, release: "Client.OS.RS2.ARM64", edition: "Professional", sku: 48, kbGroup: "ge", ubr: 4349},
	{name: "s2016-x64", product: category{"Product", "569e8e8f-c6cd-42c8-92a3-efbb20a0f6f5", "Windows Server 2016"}, title: "Windows Server 2016 for x64-based Systems",
		arch: applicability.ArchX64, build: 14393, server: true, edition: "ServerStandard", sku: 7, kbGroup: "rs1", ubr: 8148},
}

// officeProduct is the product code of Office 2016 on generated machines.
const officeProduct = "{90160000-0011-0000-1000-0000000FF1CE}"

var officeApps = []string{"Word", "Excel", "Outlook", "PowerPoint"}

// languages are those in which bundles have titles. All have the first.
var languages = []string{
	"en", "fr", "de", "es", "it", "ja", "ko", "zh-cn", "zh-tw", "pt-br", "pt", "ru", "nl", "sv", "da", "fi", "no", "pl", "cs", "hu",
	"tr", "el", "he", "ar", "th", "ro", "sk", "sl", "hr", "bg", "uk", "et", "lv", "lt", "sr-latn-cs", "zh-hk", "hi",
}
