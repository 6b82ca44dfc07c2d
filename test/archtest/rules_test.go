package archtest

// A layer is a set of packages of this module with one rule. Paths are
// relative to the module; "x" means x itself and everything below it.
type layer struct {
	name     string
	packages []string
	// ours lists the packages of this module that the layer may import
	// besides its own; nil: none.
	ours []string
	// never lists imports (of ours, of the standard library or others) that
	// are refused even where ours would allow them.
	never []string
}

// noIO is what pure packages do not touch.
var noIO = []string{"os", "net", "net/http", "os/exec", "database/sql", "syscall", "log", "log/slog"}

const root = "" // the nouns

var layers = []layer{
	{name: "nouns", packages: []string{root}, never: noIO},

	{name: "lzx", packages: []string{"lzx"}, never: noIO},
	{name: "cab", packages: []string{"cab"}, ours: []string{"lzx"}, never: []string{"net", "net/http", "os/exec"}},
	{name: "formats", packages: []string{"authenticode", "wsusscn2", "waptpkg", "signing"},
		ours: []string{root, "cab", "lzx", "internal/pki"}, never: []string{"net", "net/http", "os", "os/exec", "database/sql"}},

	{name: "applicability", packages: []string{"applicability"}, ours: []string{root}, never: noIO},
	{name: "catalog", packages: []string{"catalog"}, ours: []string{root, "applicability", "wsusscn2"}, never: noIO},
	{name: "policy", packages: []string{"policy"}, ours: []string{root, "schedule"}, never: noIO},
	{name: "schedule", packages: []string{"schedule"}, ours: []string{root}, never: noIO},

	{name: "inventory", packages: []string{"inventory"},
		ours:  []string{root, "applicability", "internal"},
		never: []string{"net", "net/http", "os/exec", "catalog", "agent", "server"}},

	{name: "wua", packages: []string{"wua"}, ours: []string{root}, never: []string{"net", "net/http"}},
	{name: "wua/sim", packages: []string{"wua/sim"},
		ours:  []string{root, "wua", "applicability", "catalog", "wsusscn2", "authenticode", "internal"},
		never: []string{"net/http", "wua/com", "agent", "server"}},
	{name: "wua/dism", packages: []string{"wua/dism"}, ours: []string{root, "wua"}, never: []string{"net", "net/http", "wua/sim", "wua/com", "agent", "server"}},
	{name: "wua/com", packages: []string{"wua/com"}, ours: []string{root, "wua"}, never: []string{"net", "net/http", "wua/sim", "agent", "server"}},
	{name: "wua/com/comtest", packages: []string{"wua/com/comtest"}, ours: []string{root, "wua"}, never: []string{"net", "net/http", "agent", "server"}},
	{name: "wua/native", packages: []string{"wua/native"}, ours: []string{root, "wua", "internal"}, never: []string{"net", "net/http", "wua/com", "wua/sim", "agent", "server"}},
	{name: "wua/repair", packages: []string{"wua/repair"}, ours: []string{root, "wua", "internal"}, never: []string{"net", "net/http", "wua/com", "wua/sim", "agent", "server"}},
	{name: "wua/wuatest", packages: []string{"wua/wuatest"},
		ours:  []string{root, "wua", "applicability", "internal"},
		never: []string{"net/http", "wua/com", "wua/sim", "agent", "server"}},

	{name: "transport", packages: []string{"transport"}, ours: []string{root}, never: []string{"net/http", "os"}},
	{name: "transport/client", packages: []string{"transport/client"}, ours: []string{root, "transport", "internal"}},
	{name: "agent", packages: []string{"agent"},
		ours:  []string{root, "policy", "schedule", "wua", "signing", "transport", "internal"},
		never: []string{"wua/sim", "wua/com", "wua/dism"}},

	{name: "store", packages: []string{"store"}, ours: []string{root, "transport"}, never: []string{"net/http"}},
	{name: "store/sqlite", packages: []string{"store/sqlite"}, ours: []string{root, "store", "transport", "internal"}, never: []string{"net/http"}},
	{name: "store/catalogdb", packages: []string{"store/catalogdb"},
		ours: []string{root, "catalog", "applicability", "wsusscn2", "cab", "transport", "internal"}, never: []string{"net/http"}},
	{name: "blob", packages: []string{"blob"}, ours: []string{root, "internal"}},
	{name: "notify", packages: []string{"notify"}, ours: []string{root}},
	{name: "mirror", packages: []string{"mirror"},
		ours: []string{root, "blob", "authenticode", "wsusscn2", "cab", "internal"}},
	{name: "server", packages: []string{"server"},
		ours: []string{root, "store", "blob", "notify", "policy", "schedule", "signing", "transport", "internal"}, never: []string{"store/sqlite", "net/http"}},
	{name: "installer", packages: []string{"installer"}, ours: []string{root, "internal"}, never: []string{"net", "net/http", "agent", "server", "store"}},
	{name: "api", packages: []string{"api"}, ours: []string{root, "server", "transport", "internal"}, never: []string{"database/sql"}},
	{name: "console", packages: []string{"console"}, ours: []string{root, "server", "wua", "internal"}, // wua: what codes mean, in every language
		never: []string{"database/sql", "wua/com", "wua/sim", "wua/native", "wua/repair", "wua/dism", "wua/calm"}},
}

// thirdParty keeps each module in the packages that exist for it.
var thirdParty = map[string][]string{
	"github.com/uptrace/bun":        {"store"},
	"modernc.org/sqlite":            {"store/sqlite", "store/catalogdb"},
	"github.com/pressly/goose":      {"store"},
	"github.com/jackc/pgx":          {"store", "notify"},
	"github.com/riverqueue/river":   {"store", "server/jobs", "jobs"},
	"github.com/danielgtaylor/huma": {"api"},
	"github.com/a-h/templ":          {"console"},
	"github.com/alexedwards/scs":    {"api"},
	"github.com/spf13/cobra":        {"cmd", "internal/cmdline"},
	"github.com/smallstep/pkcs7":    {"authenticode", "internal/authsign"},
	"github.com/youmark/pkcs8":      {"internal/pki"},
	"github.com/tc-hib/winres":      {"installer"},
	"github.com/secure-systems-lab": {"signing"},
	"gopkg.in/ini.v1":               {"internal/ini", "agent/settings", "cmd"},
	"github.com/vbauerster/mpb":     {"cmd", "internal/terminal"},
	"github.com/jedib0t/go-pretty":  {"cmd", "internal/terminal"},
	"github.com/prometheus":         {"api", "server/metrics"},
	"github.com/chromedp/chromedp":  {"test"},
	"github.com/go-ole":             {"wua/com", "inventory/winhost", "internal/hostpower"},
}

// testOnly may be imported by tests and by other test-only packages.
var testOnly = []string{"wua/wuatest", "wua/com/comtest", "wua/native/nativetest", "store/storetest", "blob/blobtest", "notify/notifytest", "agent/agenttest", "internal/fixture"}

// worldOnly is the generated world: for waptsim and tests, never in a
// program that administrators install.
var worldOnly = []string{"internal/lzxenc", "internal/cabwrite", "internal/authsign", "internal/world", "internal/origin"}
