package agent

import (
	"path"
	"slices"
	"strings"

	"waptwua"
	"waptwua/transport"
	"waptwua/wua"
)

// wayOf chooses how an update is installed, from the parts of it that apply
// to this host. The rule asks for no setting:
//
//   - Updates whose files the Windows Update Agent takes (CBS, command line,
//     Windows Installer: transport.RouteWUA) go that way: it knows every
//     handler, and the history of Windows shows them.
//   - Of OSInstaller updates (transport.RouteDISM) it takes no files, so
//     their packages are installed beside it. A single .msu goes to wusa, which
//     every Windows has and which needs no folder; several .msu, a cumulative
//     update with the checkpoints it builds upon, go to DISM, which alone finds
//     them in one folder; so do .cab files, which wusa does not take.
//   - When a part is neither (an .exe), only the Windows Update Agent can
//     install the update.
func wayOf(leaves []transport.LeafFiles) waptwua.Way {
	packages, msu, servicing := 0, 0, false
	for _, l := range leaves {
		servicing = servicing || l.Route == transport.RouteDISM
		for _, f := range l.Files {
			switch kindOf(f) {
			case ".msu":
				packages, msu = packages+1, msu+1
			case ".cab":
				packages++
			default:
				if servicing {
					return waptwua.Way{Tool: string(wua.ToolWUA), Why: waptwua.WayOtherFiles}
				}
			}
		}
	}
	switch {
	case !servicing || packages == 0:
		return waptwua.Way{Tool: string(wua.ToolWUA), Why: waptwua.WayTakesFiles}
	case packages == 1 && msu == 1:
		return waptwua.Way{Tool: string(wua.ToolWUSA), Why: waptwua.WaySingleMSU}
	case msu > 0:
		return waptwua.Way{Tool: string(wua.ToolDISM), Why: waptwua.WaySeveralPackages}
	}
	return waptwua.Way{Tool: string(wua.ToolDISM), Why: waptwua.WayCabinet}
}

// kindOf is the extension of a file, in lower case.
func kindOf(f waptwua.File) string { return strings.ToLower(path.Ext(f.Name)) }

// parts are the leaves of a statement that have files and apply to this host.
func parts(st *transport.FilesStatement, u wua.Update) []transport.LeafFiles {
	var out []transport.LeafFiles
	for _, l := range st.Leaves {
		applies := len(u.Leaves) == 0 || slices.ContainsFunc(u.Leaves, func(x wua.Leaf) bool { return x.ID == l.ID })
		if applies && l.Route != transport.RouteNone && len(l.Files) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// isPackaged tells whether the way leads past the Windows Update Agent.
func isPackaged(w waptwua.Way) bool {
	return w.Tool == string(wua.ToolDISM) || w.Tool == string(wua.ToolWUSA)
}

// targetOf is the package of a set that is to be installed: the one that is
// named after the update's KB, else the one with the highest KB, for a
// cumulative update is younger than what it builds upon. Empty: all of them.
func targetOf(names []string, kbs []waptwua.KB) string {
	var best string
	var highest waptwua.KB
	for _, name := range names {
		kb, ok := kbOf(name)
		if !strings.EqualFold(path.Ext(name), ".msu") || !ok {
			continue
		}
		if slices.Contains(kbs, kb) {
			return name
		}
		if kb > highest {
			best, highest = name, kb
		}
	}
	if best == "" && len(names) == 1 {
		return names[0]
	}
	return best
}

// kbOf finds the KB in the name of a package, such as
// windows11.0-kb5043080-x64_95….msu.
func kbOf(name string) (waptwua.KB, bool) {
	for _, part := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		if !strings.HasPrefix(part, "kb") {
			continue
		}
		if kb, err := waptwua.ParseKB(part); err == nil {
			return kb, true
		}
	}
	return 0, false
}
